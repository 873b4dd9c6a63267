"""The conditions of a screen, as data, turned into SQL over what the actor sees."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from definitions.expr import Context, Names, SqlTemplate
from definitions.problems import NOWHERE
from definitions.spec.entity import Entity, Field, FieldType, Option
from definitions.spec.network import Network
from definitions.text import plain
from models.columns import codec
from models.connections import fold, stored_datetime
from models.ddl import quoted
from models.errors import InvalidError
from models.message import say
from models.query import Filter
from models.tables import Tables
from models.validation import all_fields
from models.values import Locality, ValueRefusedError, convert
from models.visible import FOLD, ROOT, VisibleColumns

WORDS = 8
LONGEST = 200
"""So many letters of a search count; databases refuse patterns without end."""
LISTED = 200
_NUMBER = re.compile(r"[+\d][\d .()/-]{3,}")
_SYSTEM_TYPES: Mapping[str, FieldType] = {
    "id": "text",
    "created_at": "datetime",
    "updated_at": "datetime",
    "last_activity_at": "datetime",
    "created_by": "reference",
    "version": "integer",
}
_DAY = Field("day", "date", plain("day"), NOWHERE)
_COMPARISONS = {"before": "<", "after": ">", "at_least": ">=", "at_most": "<="}
_UNORDERED: frozenset[FieldType] = frozenset({"boolean", "choices", "reference", "file", "image", "json", "duration"})


def system_fields(network: Network, entity: Entity) -> dict[str, Field]:
    """Return what every record has beside its fields, as fields: a state is a choice of the process's states."""
    fields = {
        name: Field(name, kind, plain(name), NOWHERE, to="member" if kind == "reference" else None)
        for name, kind in _SYSTEM_TYPES.items()
    }
    for name in entity.processes:
        process = network.processes[name]
        options = {state.name: Option(state.name, state.label, state.place) for state in process.states.values()}
        kind: FieldType = "choices" if process.parallel else "choice"
        fields[name] = Field(name, kind, process.label, process.place, options=options)
    return fields


@dataclass(frozen=True, slots=True)
class Column:
    """A column that a condition is about: its field, its visible SQL, and the visible SQL without case and accents.

    That of a process has the innermost states `below` each state: who looks for one looks for those inside of it.
    """

    field: Field
    value: SqlTemplate
    folded: SqlTemplate | None = None
    below: Mapping[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)

    def inside(self, value: Any) -> tuple[Any, ...]:
        """Return the values that one stands for: itself, or the innermost states of a state."""
        return self.below.get(value, (value,)) if self.below else (value,)


class Finder:
    """Finds the columns that queries name, over what one set of rights sees of an entity."""

    def __init__(self, network: Network, tables: Tables, visible: VisibleColumns) -> None:
        """Look into the definitions of `network`."""
        self.network = network
        self.tables = tables
        self.visible = visible
        self.locality = Locality(ZoneInfo(network.timezone), network.countries[0] if network.countries else None)
        self._found: dict[tuple[str, str], Column] = {}

    def column(self, entity: str, path: str) -> Column | None:
        """Return the column of `field` or `reference.field`, None when there is none that can be compared."""
        key = (entity, path)
        found = self._found.get(key)
        if found is None:
            name, _, rest = path.partition(".")
            found = self._referenced(entity, name, rest) if rest else self._own(entity, ROOT, name)
            if found is not None:  # names that people make up are not kept: there is no end to them
                self._found[key] = found
        return found

    def _own(self, entity: str, alias: str, name: str) -> Column | None:
        definition = self.network.entities[entity]
        field = {**system_fields(self.network, definition), **all_fields(definition)}.get(name)
        columns = self.tables[entity].columns
        if field is None or field.encrypted or name not in columns:
            return None
        folded = f"{FOLD}{name}" if f"{FOLD}{name}" in columns else None
        value = self.visible.value(entity, alias, name)
        below = self.network.processes[name].below if name in definition.processes else {}
        return Column(field, value, None if folded is None else self.visible.value(entity, alias, folded), below)

    def _referenced(self, entity: str, name: str, rest: str) -> Column | None:
        reference = self._own(entity, ROOT, name)
        if reference is None or reference.field.to is None or "." in rest:
            return None
        target, alias = reference.field.to, f"{ROOT}_{name}"
        found = self._own(target, alias, rest)
        if found is None:
            return None

        def through(value: SqlTemplate) -> SqlTemplate:
            text = (
                f"(SELECT {value.text} FROM {self.visible.table(target)} AS {quoted(alias)} "  # noqa: S608 (names only)
                f'WHERE {quoted(alias)}."id" = {reference.value.text})'
            )
            return SqlTemplate(text, _both(value, reference.value), value.scale)

        folded = None if found.folded is None else through(found.folded)
        return Column(found.field, through(found.value), folded, found.below)

    def condition(self, entity: str, wanted: Filter) -> SqlTemplate:
        """Return the SQL of a filter; `InvalidError` for a field or a value that is none."""
        column = self.column(entity, wanted.field)
        if column is None:
            raise InvalidError({wanted.field: say("This field cannot be filtered.")})
        return self.compare(column, wanted)

    def compare(self, column: Column, wanted: Filter) -> SqlTemplate:
        """Return the SQL of a filter over a column; `InvalidError` for a value that is none."""
        try:
            return self._condition(column, wanted)
        except ValueRefusedError as problem:
            raise InvalidError({wanted.field: problem.message}) from None

    def _condition(self, column: Column, wanted: Filter) -> SqlTemplate:
        match wanted.operator:
            case "empty":
                return _wrap(column.value, "({} IS NULL)")
            case "filled":
                return _wrap(column.value, "({} IS NOT NULL)")
            case "contains":
                return self._contains(column, str(wanted.value or ""))
            case "equals":
                return self._any_of(column, [wanted.value])
            case "any_of":
                return self._any_of(column, _listed(wanted.value))
            case "differs":
                return _wrap(self._any_of(column, [wanted.value]), "(NOT COALESCE({}, FALSE))")
            case "before" | "after" | "at_least" | "at_most":
                return self._compared(column, wanted)

    def _contains(self, column: Column, text: str) -> SqlTemplate:
        if column.field.type == "choices":
            return self._any_of(column, [text])
        pattern = like(fold(text[:LONGEST]) or "")
        if column.folded is not None:
            return _wrap(column.folded, "({} LIKE ? ESCAPE '\\')", pattern)
        if column.field.type in {"text", "long_text", "email", "phone", "url"}:
            return _wrap(column.value, "(maille_fold({}) LIKE ? ESCAPE '\\')", pattern)
        raise ValueRefusedError(say("This field cannot be searched for a part."))

    def _any_of(self, column: Column, raw: Sequence[Any]) -> SqlTemplate:
        values = [convert(column.field, each, self.locality) for each in raw]
        parts = [_wrap(column.value, "{} IS NULL")] if None in values else []
        filled = [value for value in values if value is not None]
        if column.field.type == "choices":
            meant = [each for value in filled for option in value for each in column.inside(option)]
            parts += [_wrap(column.value, "{} LIKE ? ESCAPE '\\'", like(f'"{each}"')) for each in meant]
        elif column.field.type == "datetime" and any(map(_is_day, raw)):
            parts += [self._day(column, each) for each in raw if _is_day(each)]
        elif filled:
            stored = [self._stored(column.field, each) for value in filled for each in column.inside(value)]
            parts.append(_wrap(column.value, f"{{}} IN ({', '.join('?' * len(stored))})", *stored))
        if not parts:
            return SqlTemplate("FALSE")
        return _wrap_all(parts)

    def _day(self, column: Column, raw: Any) -> SqlTemplate:
        begins, ends = self._limits(raw)
        return _wrap_all([_wrap(column.value, "{} >= ?", begins), _wrap(column.value, "{} < ?", ends)], " AND ")

    def _compared(self, column: Column, wanted: Filter) -> SqlTemplate:
        if column.field.type in _UNORDERED:
            raise ValueRefusedError(say("This field has no order."))
        sign = _COMPARISONS[wanted.operator]
        if column.field.type == "datetime" and _is_day(wanted.value):
            begins, ends = self._limits(wanted.value)
            sign, bound = {"<": ("<", begins), ">": (">=", ends), ">=": (">=", begins), "<=": ("<", ends)}[sign]
            return _wrap(column.value, f"({{}} {sign} ?)", bound)
        value = convert(column.field, wanted.value, self.locality)
        if value is None:
            raise ValueRefusedError(say("A value is missing."))
        return _wrap(column.value, f"({{}} {sign} ?)", self._stored(column.field, value))

    def _limits(self, raw: Any) -> tuple[Any, Any]:
        """Return when a day of the network begins and ends, as stored."""
        day = convert(_DAY, raw, self.locality)
        zone = self.locality.timezone
        try:
            days = day, day + timedelta(days=1)
            begin, end = (datetime.combine(each, time(), zone).astimezone(UTC) for each in days)
        except OverflowError:
            raise ValueRefusedError(say("This is not a date.")) from None
        return stored_datetime(begin), stored_datetime(end)

    def _stored(self, field: Field, value: Any) -> Any:
        return codec(field).on(self.tables.dialect).encoded(value)

    def search(self, entity: str, text: str) -> list[SqlTemplate]:
        """Return one condition a word: it stands somewhere in the searched fields that the actor sees."""
        columns = [self.column(entity, name) for name in self.network.entities[entity].search]
        folded = [column.folded for column in columns if column is not None and column.folded is not None]
        if not folded:
            return [SqlTemplate("FALSE")] if text.strip() else []
        return [
            _wrap_all([_wrap(value, "{} LIKE ? ESCAPE '\\'", like(word)) for value in folded]) for word in words(text)
        ]


def words(text: str) -> list[str]:
    """Return the words to search for, without case and accents; a phone number is one, without prefix and spaces."""
    stripped = text.strip()[:LONGEST]
    if _NUMBER.fullmatch(stripped):
        return [re.sub(r"\D", "", stripped).removeprefix("0")]
    return (fold(stripped) or "").split()[:WORDS]


def like(part: str) -> str:
    r"""Return a LIKE pattern (escape `\`) for texts that contain `part`."""
    escaped = part.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


def _is_day(raw: Any) -> bool:
    if isinstance(raw, date) and not isinstance(raw, datetime):
        return True
    return isinstance(raw, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", raw.strip()) is not None


def _listed(raw: Any) -> list[Any]:
    if isinstance(raw, str) or not isinstance(raw, Iterable):
        return [raw]
    found = list(raw)
    if len(found) > LISTED:
        raise ValueRefusedError(say("These are too many values."))
    return found


def _wrap(template: SqlTemplate, text: str, *values: Any) -> SqlTemplate:
    """Return `text` with the template in its place `{}`, and `values` for the `?` after it."""

    def bind(names: Names, context: Context) -> tuple[Any, ...]:
        return (*template.bind(names, context), *values)

    return SqlTemplate(text.replace("{}", template.text), bind)


def _wrap_all(parts: Sequence[SqlTemplate], word: str = " OR ") -> SqlTemplate:
    def bind(names: Names, context: Context) -> tuple[Any, ...]:
        return tuple(value for part in parts for value in part.bind(names, context))

    return SqlTemplate("(" + word.join(part.text for part in parts) + ")", bind)


def _both(first: SqlTemplate, second: SqlTemplate) -> Callable[[Names, Context], tuple[Any, ...]]:
    return lambda names, context: (*first.bind(names, context), *second.bind(names, context))
