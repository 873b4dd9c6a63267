"""Filters of a list: what its address says, as conditions for the records and as chips for the page.

A parameter is `f.<field>` (equals, any of several, contains; `-` for empty; a period for dates) or
`f.<field>.from`, `f.<field>.to` for a range.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from urllib.parse import urlencode

from admin.parts.columns import DAYS, LISTED, NUMBERS, WRITTEN, Column
from admin.parts.inputs import read_number
from admin.parts.reader import Reader
from admin.parts.shown import Titles, write_option
from models.message import Message, say
from models.query import Filter

PREFIX = "f."
EMPTY = "-"
PERIODS: dict[str, Message] = {
    "late": say("in the past"),
    "today": say("today"),
    "week": say("this week"),
    "next": say("in the next 7 days"),
    "month": say("this month"),
}


@dataclass(frozen=True, slots=True)
class Address:
    """An address with its query as pairs; every link of a list changes a few of them and keeps the rest."""

    path: str
    pairs: tuple[tuple[str, str], ...] = ()

    def get(self, name: str) -> str:
        """Return the first value of a parameter, "" without one."""
        return next((value for key, value in self.pairs if key == name), "")

    def all(self, name: str) -> tuple[str, ...]:
        """Return all values of a parameter."""
        return tuple(value for key, value in self.pairs if key == name)

    def having(self, **values: str) -> Address:
        """Return the address with the parameters set; an empty value takes one away."""
        kept = [pair for pair in self.pairs if pair[0] not in values]
        return replace(self, pairs=(*kept, *((key, value) for key, value in values.items() if value)))

    def lacking(self, *names: str) -> Address:
        """Return the address without these parameters."""
        return replace(self, pairs=tuple(pair for pair in self.pairs if pair[0] not in names))

    def only(self, *names: str) -> Address:
        """Return the address with these parameters alone (a trailing dot stands for all that begin so)."""
        starts = tuple(name for name in names if name.endswith("."))
        return replace(
            self, pairs=tuple(p for p in self.pairs if p[0] in names or (starts and p[0].startswith(starts)))
        )

    def at(self, path: str) -> Address:
        """Return the same query on another path."""
        return replace(self, path=path)

    def __str__(self) -> str:
        """Return the address as a link writes it."""
        return f"{self.path}?{urlencode(self.pairs)}" if self.pairs else self.path


def address(path: str, pairs: Iterable[tuple[str, str]]) -> Address:
    """Return the address of a request; parameters without a value are left out."""
    return Address(path, tuple((key, value) for key, value in pairs if value))


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter that is on: what it is about, its value in words, and the address without it."""

    label: str
    text: str
    without: str


@dataclass(frozen=True, slots=True)
class Asked:
    """One part of the filter form: a column with what is set of it."""

    column: Column
    how: str
    values: tuple[str, ...]
    since: str
    until: str

    @property
    def on(self) -> bool:
        """Whether this column filters."""
        return bool(self.values or self.since or self.until)


def filterable(column: Column) -> bool:
    """Whether a list can be filtered by the column."""
    encrypted = column.field is not None and column.field.encrypted
    return column.kind not in ("file", "image", "json", "duration") and not encrypted


def asked(columns: Sequence[Column], at: Address) -> tuple[Asked, ...]:
    """Return the parts of the filter form."""
    return tuple(
        Asked(
            column,
            _how(column),
            at.all(f"{PREFIX}{column.name}"),
            at.get(f"{PREFIX}{column.name}.from"),
            at.get(f"{PREFIX}{column.name}.to"),
        )
        for column in columns
    )


def conditions(parts: Iterable[Asked], reader: Reader) -> tuple[Filter, ...]:
    """Return the conditions that the filters mean; a value that cannot be read is no filter."""
    return tuple(condition for part in parts if part.on for condition in _conditions(part, reader))


def chips(parts: Iterable[Asked], at: Address, reader: Reader, titles: Titles) -> tuple[Chip, ...]:
    """Return the filters that are on, for people."""
    return tuple(
        Chip(part.column.label, _text(part, reader, titles), str(at.lacking(*_names(part.column.name), "after")))
        for part in parts
        if part.on
    )


def references(parts: Iterable[Asked]) -> dict[str, set[str]]:
    """Return the records that the filters name, by entity: their titles are wanted."""
    found: dict[str, set[str]] = {}
    for part in parts:
        if part.column.kind == "reference" and part.column.to:
            found.setdefault(part.column.to, set()).update(value for value in part.values if value != EMPTY)
    return found


def _names(name: str) -> tuple[str, ...]:
    return (f"{PREFIX}{name}", f"{PREFIX}{name}.from", f"{PREFIX}{name}.to")


def _how(column: Column) -> str:
    if column.kind in LISTED:
        return "options"
    if column.kind in DAYS:
        return "days"
    if column.kind in NUMBERS:
        return "numbers"
    if column.kind in WRITTEN:
        return "text"
    return column.kind


def _conditions(part: Asked, reader: Reader) -> list[Filter]:
    name = part.column.name
    if EMPTY in part.values:
        return [Filter(name, "empty")]
    match part.how:
        case "options":
            known = tuple(value for value in part.values if part.column.option(value))
            return [Filter(name, "any_of", known)] if known else []
        case "boolean":
            return [Filter(name, "equals", part.values[0] == "true")]
        case "reference":
            return [Filter(name, "any_of", part.values)]
        case "text":
            return [Filter(name, "contains", part.values[0])]
        case "numbers":
            return _numbers(part)
        case _:
            return _days(part, reader)


def _numbers(part: Asked) -> list[Filter]:
    found = []
    for text, operator in ((part.since, "at_least"), (part.until, "at_most")):
        try:
            number = read_number(text) if text else None
        except ValueError:
            continue
        if number is not None:
            found.append(Filter(part.column.name, "at_least" if operator == "at_least" else "at_most", number))
    return found


def _days(part: Asked, reader: Reader) -> list[Filter]:
    first, last = _date(part.since), _date(part.until)
    if part.values and part.values[0] in PERIODS:
        if part.values[0] == "late":
            return [Filter(part.column.name, "before", _edge(part.column, reader.formats.today, reader, past=True))]
        first, last = period(part.values[0], reader.formats.today)
    found = []
    if first is not None:
        found.append(Filter(part.column.name, "at_least", _edge(part.column, first, reader)))
    if last is not None:
        found.append(Filter(part.column.name, "before", _edge(part.column, last + timedelta(days=1), reader)))
    return found


def period(name: str, today: date) -> tuple[date, date]:
    """Return the first and the last day of a period named in the address."""
    match name:
        case "week":
            first = today - timedelta(days=today.weekday())
            return first, first + timedelta(days=6)
        case "next":
            return today, today + timedelta(days=7)
        case "month":
            first = today.replace(day=1)
            return first, (first + timedelta(days=32)).replace(day=1) - timedelta(days=1)
        case _:
            return today, today


def _edge(column: Column, day: date, reader: Reader, *, past: bool = False) -> date | datetime:
    if column.kind == "date":
        return day
    if past:
        return reader.formats.now
    return datetime.combine(day, time.min, reader.formats.timezone).astimezone(UTC)


def _date(text: str) -> date | None:
    """Return the day that is written; None for nonsense, and for days that have no day before or after them."""
    try:
        found = date.fromisoformat(text) if text else None
    except ValueError:
        return None
    return found if found is not None and date.min < found < date.max - timedelta(days=1) else None


def _text(part: Asked, reader: Reader, titles: Titles) -> str:
    if EMPTY in part.values:
        return reader.words(say("empty"))
    match part.how:
        case "options":
            return ", ".join(write_option(part.column, value) for value in part.values)
        case "boolean":
            return reader.formats.boolean(value=part.values[0] == "true")
        case "reference":
            return ", ".join(titles.get(part.column.to or "", {}).get(value, "…") for value in part.values)
        case "days" if part.values and part.values[0] in PERIODS:
            return reader.words(PERIODS[part.values[0]])
        case "text":
            return part.values[0]
        case _:
            return _range(part, reader)


def _range(part: Asked, reader: Reader) -> str:
    def edge(text: str) -> str:
        day = _date(text) if part.how == "days" else None
        return reader.formats.date(day) if day else text

    if part.since and part.until:
        return f"{edge(part.since)} – {edge(part.until)}"
    return f"≥ {edge(part.since)}" if part.since else f"≤ {edge(part.until)}"
