"""What a column, a filter or an input is about: a field, the owner, a system field or the state in a process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Literal

from babel import Locale
from markupsafe import escape

from admin.parts.reader import Reader
from definitions.spec.entity import Entity, Field, FieldType
from definitions.spec.process import Colour, Process
from models.message import Message, say
from models.validation import parent_field

Kind = FieldType | Literal["state"]

NUMBERS: frozenset[Kind] = frozenset({"integer", "decimal", "money"})
DAYS: frozenset[Kind] = frozenset({"date", "datetime"})
LISTED: frozenset[Kind] = frozenset({"choice", "choices", "state", "country", "language"})
WRITTEN: frozenset[Kind] = frozenset({"text", "long_text", "email", "phone", "url"})

_SYSTEM: Mapping[str, tuple[Message, FieldType]] = {
    "id": (say("Identifier"), "text"),
    "created_at": (say("Created on"), "datetime"),
    "updated_at": (say("Changed on"), "datetime"),
    "last_activity_at": (say("Last activity"), "datetime"),
    "created_by": (say("Created by"), "reference"),
    "version": (say("Version"), "integer"),
}
_OWNER = say("Followed by")
SYSTEM_COLUMNS = ("parent", "owner", *_SYSTEM)
"""What can be a column of any entity (`owner` where it has owners, `parent` where it has a parent)."""


@dataclass(frozen=True, slots=True)
class Option:
    """One value of a list to choose from; states have a colour."""

    name: str
    label: str
    colour: Colour | Literal[""] = ""


@dataclass(frozen=True)
class Column:
    """One thing about a record that can be shown, asked or filtered by."""

    name: str
    label: str
    kind: Kind
    field: Field | None = None
    process: Process | None = None
    to: str | None = None
    options: tuple[Option, ...] = ()

    def option(self, name: object) -> Option | None:
        """Return the option of that name."""
        return self._by_name.get(name) if isinstance(name, str) else None

    @cached_property
    def tags(self) -> tuple[tuple[str, str, str], ...]:
        """The options as HTML, once for all pages (countries are many): name, tag, and tag when it is chosen."""
        pairs = ((option.name, escape(option.name), escape(option.label)) for option in self.options)
        return tuple(
            (name, f'<option value="{value}">{label}</option>', f'<option value="{value}" selected>{label}</option>')
            for name, value, label in pairs
        )

    @cached_property
    def _by_name(self) -> Mapping[str, Option]:
        return {option.name: option for option in reversed(self.options)}


def column(reader: Reader, entity: Entity, name: str) -> Column | None:
    """Return what `name` means on an entity; None when it means nothing."""
    if name in entity.fields:
        return field_column(reader, entity.fields[name])
    if name in entity.processes:
        return state_column(reader, reader.network.processes[name])
    if name == "owner" and entity.owner:
        return Column("owner", reader.words(_OWNER), "reference", to="member")
    if name == "parent" and entity.parent is not None:
        label = reader.words(reader.network.entities[entity.parent].label)
        return Column("parent", label, "reference", parent_field(entity.parent), to=entity.parent)
    if name in _SYSTEM:
        label, kind = _SYSTEM[name]
        return Column(name, reader.words(label), kind, to="member" if kind == "reference" else None)
    return None


def columns(reader: Reader, entity: Entity, names: tuple[str, ...]) -> tuple[Column, ...]:
    """Return the columns of those of the names that mean something."""
    found = (column(reader, entity, name) for name in names)
    return tuple(each for each in found if each is not None)


def field_column(reader: Reader, given: Field) -> Column:
    """Return the column of a field (also one that only a transition's form has)."""
    return Column(given.name, reader.words(given.label), given.type, given, None, given.to, _options(reader, given))


def state_column(reader: Reader, process: Process) -> Column:
    """Return the column that shows the state in a process."""
    options = tuple(Option(state.name, reader.words(state.label), state.colour) for state in process.states.values())
    return Column(process.name, reader.words(process.label), "state", process=process, options=options)


def _options(reader: Reader, given: Field) -> tuple[Option, ...]:
    match given.type:
        case "choice" | "choices":
            return tuple(Option(option.name, reader.words(option.label)) for option in given.options.values())
        case "country":
            return _countries(reader)
        case "language":
            return tuple(Option(code, reader.formats.language_name(code)) for code in reader.network.languages)
        case _:
            return ()


def _countries(reader: Reader) -> tuple[Option, ...]:
    if reader.network.countries:
        return tuple(Option(code, reader.formats.country(code)) for code in reader.network.countries)
    return _all_countries(reader.formats.locale)


@lru_cache
def _all_countries(locale: Locale) -> tuple[Option, ...]:
    names = {str(code): name for code, name in locale.territories.items()}
    codes = (code for code in names if len(code) == 2 and code.isalpha() and code not in _NO_COUNTRY)
    return tuple(sorted((Option(code, names[code]) for code in codes), key=lambda each: each.label))


_NO_COUNTRY = frozenset({"EU", "EZ", "UN", "ZZ", "XA", "XB", "QO"})
"""Two-letter codes in the locale data that stand for no country."""
