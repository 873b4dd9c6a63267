"""What JSON may hold for a field: programs say what they mean, so nothing is guessed as it is for people's forms."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from admin.api.horizon import Seen
from definitions.spec.entity import Field
from definitions.text import Text
from models.errors import InvalidError
from models.message import Message, say

_NUMBER = re.compile(r"-?\d{1,40}(\.\d{1,40})?")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?([Zz]|[+-]\d\d:\d\d)?")


def created(seen: Seen, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of a new record as they were sent, its lines among them; see `typed`."""
    return typed(seen.new, seen, values, _begun)


def _begun(line: Seen, item: Mapping[str, Any]) -> dict[str, Any]:
    return typed(line.begun, line, item, _begun)


def changed(seen: Seen, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the changes of a record as they were sent; lines that have an `id` are changed, others are new."""
    return typed(seen.writes, seen, values, _written)


def _written(line: Seen, item: Mapping[str, Any]) -> dict[str, Any]:
    if "id" not in item:
        return typed({name: field for name, field in line.new.items() if name != "parent"}, line, item, _begun)
    if not isinstance(item["id"], str):
        raise InvalidError({"id": say("This is not a text.")})
    own = {name: value for name, value in item.items() if name != "id"}
    return {"id": item["id"], **typed(line.writes, line, own, _written)}


def typed(
    known: Mapping[str, Field],
    seen: Seen,
    values: Mapping[str, Any],
    of_line: Callable[[Seen, Mapping[str, Any]], Mapping[str, Any]] | None = None,
) -> dict[str, Any]:
    """Return the values as they were sent; `InvalidError` by field for what its type does not allow.

    A field that the caller's levels neither read nor write is to the caller one that does not exist. `of_line` does the
    same for a line.
    """
    wrong: dict[str, Message | Text] = {}
    for name, value in values.items():
        field = known.get(name)
        if name in seen.lines and of_line is not None:
            wrong |= _lines(name, seen.lines[name], value, of_line)
        elif field is None:
            wrong[name[:100]] = _no_field(name, seen)
        elif (problem := mistyped(field, value)) is not None:
            wrong[name] = problem
    if wrong:
        raise InvalidError(wrong)
    return dict(values)


def _lines(
    name: str, line: Seen, given: Any, of_line: Callable[[Seen, Mapping[str, Any]], Mapping[str, Any]]
) -> dict[str, Message | Text]:
    """Return what is wrong with lines as they were sent, by where it is."""
    if not isinstance(given, list) or not all(isinstance(item, dict) for item in given):
        return {name: say("A list of lines is expected.")}
    wrong: dict[str, Message | Text] = {}
    for index, item in enumerate(given):
        try:
            of_line(line, item)
        except InvalidError as error:
            wrong |= {f"{name}.{index}.{field}": problem for field, problem in error.fields.items()}
    return wrong


def _no_field(name: str, seen: Seen) -> Message:
    if name in seen.declared and seen.declared[name].compute is not None and name in seen.fields:
        return say("This is computed, it cannot be set.")
    return say("You may not change this.") if name in seen.fields else say("There is no such field.")


def mistyped(field: Field, value: Any) -> Message | None:
    """Return what is wrong with the JSON type of a value, None when nothing is."""
    if value is None:
        return None
    check = _CHECKS.get(field.type, _text)
    return check(value)


def _kind(kinds: type | tuple[type, ...], problem: Message) -> Callable[[Any], Message | None]:
    return lambda value: None if isinstance(value, kinds) else problem


def _integer(value: Any) -> Message | None:
    return None if isinstance(value, int) and not isinstance(value, bool) else say("This is not a whole number.")


def _decimal(value: Any) -> Message | None:
    written = isinstance(value, str) and _NUMBER.fullmatch(value)
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return None if written or number else say("This is not a number.")


def _matching(pattern: re.Pattern[str], problem: Message) -> Callable[[Any], Message | None]:
    return lambda value: None if isinstance(value, str) and pattern.fullmatch(value) else problem


def _choices(value: Any) -> Message | None:
    fits = isinstance(value, list) and all(isinstance(each, str) for each in value)
    return None if fits else say("This is a list of options.")


def _reference(value: Any) -> Message | None:
    found = value.get("id") if isinstance(value, dict) and value.keys() <= {"id", "title"} else value
    return None if isinstance(found, str) else say("This is the id of a record, or an object with its id.")


_text = _kind(str, say("This is not a text."))
_CHECKS: Mapping[str, Callable[[Any], Message | None]] = {
    "integer": _integer,
    "decimal": _decimal,
    "money": _decimal,
    "boolean": _kind(bool, say("This is neither yes nor no.")),
    "date": _matching(_DAY, say("This is not a date.")),
    "datetime": _matching(_MOMENT, say("This is not a date and time.")),
    "choices": _choices,
    "reference": _reference,
    "json": lambda _: None,
    "file": _kind(str, say("This is the id of an upload.")),
    "image": _kind(str, say("This is the id of an upload.")),
}
