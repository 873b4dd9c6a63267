"""Values: literals as the Python values that their place asks for, and expressions of the right type."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from definitions.build.draft import Around, Draft, Names
from definitions.duration import MOST_WORKING, parse_duration
from definitions.expr import (
    BOOL,
    DATE,
    DATETIME,
    DECIMAL,
    DURATION,
    DYN,
    INT,
    STRING,
    Choice,
    ListOf,
    Target,
    Type,
    at_home,
)
from definitions.message import say
from definitions.problems import did_you_mean
from definitions.source import Node, Scalar, Sequence, data
from definitions.spec.entity import Field
from definitions.spec.value import Value

TEXT_TYPES = frozenset({"text", "long_text", "email", "phone", "url", "country", "language"})
PLAIN_TYPES: Mapping[str, Type] = {
    "integer": INT,
    "decimal": DECIMAL,
    "money": DECIMAL,
    "boolean": BOOL,
    "date": DATE,
    "datetime": DATETIME,
    "duration": DURATION,
    "json": DYN,
    "file": DYN,
    "image": DYN,
}
"""What expressions take a field for that is no text, choice or reference."""
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_URL = re.compile(r"https?://\S+")
_COUNTRY = re.compile(r"[A-Z]{2}")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]+)*")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


class UnfitError(Exception):
    """A literal does not fit its place: the sentence, and a hint."""

    def __init__(self, message: str, hint: str = "") -> None:
        """Keep both."""
        self.message, self.hint = message, hint
        super().__init__(message)


def type_of(draft: Draft, shape: Field) -> Type:
    """Return the type that a field's values have in expressions."""
    if shape.type in TEXT_TYPES:
        return STRING
    if shape.type == "choice":
        return Choice(shape.name, tuple(shape.options))
    if shape.type == "choices":
        return ListOf(Choice(shape.name, tuple(shape.options)))
    if shape.type == "reference":
        return draft.record_type(shape.to)
    return PLAIN_TYPES[shape.type]


def value_of(
    draft: Draft,
    node: Node | None,
    shape: Field,
    names: Names | Around,
    home: Target = (),
) -> Value | None:
    """Return the value written for a field: a literal of its type, or an expression; None where absent or wrong.

    `home`: of the options of a choice, so that those written here are known for them.
    """
    if node is None:
        return None
    if is_expression(node):
        return computed(draft, node, names, at_home(type_of(draft, shape), home))
    try:
        value = Value(node.place, literal(shape, node))
    except UnfitError as error:
        draft.report("value.type", node.place, error.message, error.hint)
        return None
    if shape.options:
        draft.notes.option(home, node)
    return value


def is_expression(node: Node | None) -> bool:
    """Whether a value is written as an expression."""
    return isinstance(node, Scalar) and isinstance(node.value, str) and node.text.startswith("=")


def computed(
    draft: Draft,
    node: Node,
    names: Names | Around,
    expect: Type | tuple[Type, ...] | None,
) -> Value | None:
    """Return the value that the expression behind an `=` computes."""
    if not isinstance(node, Scalar):
        return None
    found = draft.expression(node, names, offset=1, expect=expect)
    return None if found is None else Value(node.place, expression=found)


def literal(shape: Field, node: Node, timezone: ZoneInfo | None = None) -> Any:
    """Return a literal as a value of the field's type; raises `UnfitError`."""
    if isinstance(node, Scalar) and node.value is None:
        return None
    if shape.type == "json":
        return data(node)
    if shape.type == "choices":
        return _options(shape, node)
    if not isinstance(node, Scalar):
        message = say(
            "Expected is one value of type {type}, not {value}.",
            type=shape.type,
            value=say("a list") if isinstance(node, Sequence) else say("keys and values"),
        )
        raise UnfitError(message)
    if shape.type == "datetime":
        return _datetime(node, timezone)
    return _READERS[shape.type](shape, node)


def _options(shape: Field, node: Node) -> tuple[str, ...]:
    if not isinstance(node, Sequence):
        raise UnfitError(say("Expected is a list of options."), say("Write: [a, b]."))
    return tuple(_option(shape, item) for item in node.items if isinstance(item, Scalar))


def _option(shape: Field, node: Scalar) -> str:
    if node.text not in shape.options:
        raise UnfitError(
            say("'{written}' is not an option of {name}.", written=node.text, name=shape.name),
            did_you_mean(node.text, shape.options),
        )
    return node.text


def _text(_: Field, node: Scalar) -> str:
    if not isinstance(node.value, str):
        raise UnfitError(
            say("Expected is a text, not {written}.", written=node.text),
            say("Put it in quotes: '{written}'.", written=node.text),
        )
    return node.text


def _matching(pattern: re.Pattern[str], what: str) -> Callable[[Field, Scalar], str]:
    def read(shape: Field, node: Scalar) -> str:
        text = _text(shape, node)
        if not pattern.fullmatch(text):
            raise UnfitError(say("'{text}' is not {what}.", text=text, what=what))
        return text

    return read


def _integer(_: Field, node: Scalar) -> int:
    if not isinstance(node.value, int) or isinstance(node.value, bool):
        raise UnfitError(say("Expected is a whole number, not '{written}'.", written=node.text))
    return node.value


def _decimal(shape: Field, node: Scalar) -> Decimal:
    try:
        if isinstance(node.value, bool | str):
            raise UnfitError(say("Expected is a number, not '{written}'.", written=node.text))
        number = Decimal(node.text)
    except InvalidOperation:
        raise UnfitError(say("Expected is a number, not '{written}'.", written=node.text)) from None
    exponent = number.as_tuple().exponent
    if not isinstance(exponent, int) or -exponent > shape.scale:
        raise UnfitError(
            say("{written} has more than {scale} decimals.", written=node.text, scale=shape.scale),
            say("Round it, or give the field a larger scale."),
        )
    return number


def _boolean(_: Field, node: Scalar) -> bool:
    if not isinstance(node.value, bool):
        raise UnfitError(say("Expected is true or false, not '{written}'.", written=node.text))
    return node.value


def _date(_: Field, node: Scalar) -> date:
    try:
        if _DATE.fullmatch(node.text):
            return date.fromisoformat(node.text)
    except ValueError:
        pass
    raise UnfitError(say("'{written}' is not a date.", written=node.text), say("Write it as 2026-11-23."))


def _datetime(node: Scalar, timezone: ZoneInfo | None) -> datetime:
    try:
        moment = datetime.fromisoformat(node.text)
    except ValueError:
        raise UnfitError(
            say("'{written}' is not a date with time.", written=node.text), say("Write it as 2026-11-23 09:30.")
        ) from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=timezone or UTC)).astimezone(UTC)


def _duration(_: Field, node: Scalar) -> Any:
    found = parse_duration(node.text)
    if found is None:
        raise UnfitError(
            say("'{written}' is not a duration.", written=node.text),
            say("Write it as 3d, 6 months or 4 working hours."),
        )
    if not found.is_countable:
        raise UnfitError(
            say("'{written}' has too many working hours or days.", written=node.text),
            say("Write at most {most} of them, or days, months or years.", most=MOST_WORKING),
        )
    return found


def _never(shape: Field, _: Scalar) -> Any:
    raise UnfitError(say("A {type} can't be written out.", type=shape.type), say("Use an expression: =record.…"))


_READERS: dict[str, Callable[[Field, Scalar], Any]] = {
    "text": _text,
    "long_text": _text,
    "email": _matching(_EMAIL, say("an e-mail address")),
    "phone": _text,
    "url": _matching(_URL, say("a web address")),
    "country": _matching(_COUNTRY, say("a country's code of two letters")),
    "language": _matching(_LANGUAGE, say("a language's code")),
    "integer": _integer,
    "decimal": _decimal,
    "money": _decimal,
    "boolean": _boolean,
    "date": _date,
    "duration": _duration,
    "choice": _option,
    "reference": _never,
    "file": _never,
    "image": _never,
}
