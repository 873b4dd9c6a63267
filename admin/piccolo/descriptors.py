"""Piccolo tables that only describe: what piccolo-admin shows of an entity, in one language.

They are never queried (`admin.piccolo.crud` asks `models.records`), so their names can be the labels people read.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from babel import Locale
from piccolo.columns import JSON, Array, BigInt, Boolean, Date, Numeric, Text, Timestamptz, Varchar
from piccolo.columns.base import Column
from piccolo.columns.choices import Choice
from piccolo.engine.base import Engine
from piccolo.table import TABLE_REGISTRY, Table, create_table_class

from admin.formats import capital
from definitions.spec.entity import Entity, Field
from definitions.spec.network import Network
from definitions.spec.process import Process

TEXT_LENGTH = 255
RESERVED = frozenset({"grouped", "forms", "login", "change-password"})
"""Titles that are addresses of piccolo-admin itself."""
_NO_PART = re.compile(r"[/{}?#%\\]")


@dataclass(frozen=True)
class Described:
    """A column of the back office: the record's value `name`, its label, and what it refers to or chooses from."""

    name: str
    label: str
    column: Column
    to: str | None = None
    choices: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Descriptor:
    """An entity as the back office shows it; `title` is the table's name there."""

    entity: str
    title: str
    table: type[Table]
    columns: Mapping[str, Described]

    def label(self, name: str) -> str:
        """Return the label of a column."""
        return self.columns[name].label


class Words:
    """The labels of what every record has, in the reader's language."""

    def __init__(self, network: Network, language: str, system: Mapping[str, str]) -> None:
        """`system` maps the names of the system fields to their labels in `language`."""
        self.network = network
        self.language = language
        self.system = system
        self.locale = Locale.parse(language)


def describe(network: Network, entity: Entity, words: Words, engine: Engine[Any]) -> Descriptor:
    """Return the descriptor of `entity`, its columns in the order of the definition."""
    title = entity.label.pick(words.language, *network.languages)
    return descriptor(entity.name, title, _columns(network, entity, words), engine)


def descriptor(name: str, title: str, columns: Iterable[Described], engine: Engine[Any]) -> Descriptor:
    """Return a table of these columns, the first of which is the key; Piccolo does not remember it."""
    described = {one.name: one for one in columns}
    members: dict[str, Any] = {one.name: one.column for one in described.values()}
    table = create_table_class(
        f"BackOffice_{name}", class_kwargs={"tablename": title, "db": engine}, class_members=members
    )
    if table in TABLE_REGISTRY:
        TABLE_REGISTRY.remove(table)
    return Descriptor(name, title, table, described)


def titles(network: Network, language: str) -> Mapping[str, str]:
    """Return what each entity is called in addresses and menus: no two the same, and nothing that parts an address."""
    labels = {
        name: " ".join(_NO_PART.sub(" ", entity.label.pick(language, *network.languages)).split())
        for name, entity in network.entities.items()
    }
    taken = Counter(labels.values())
    return {
        name: label if label and label not in RESERVED and taken[label] == 1 else f"{label} ({name})".strip()
        for name, label in labels.items()
    }


def _columns(network: Network, entity: Entity, words: Words) -> Iterator[Described]:
    yield Described("id", words.system["id"], Varchar(length=36, primary_key=True, default=""))
    if entity.parent is not None:
        label = network.entities[entity.parent].label.pick(words.language, *network.languages)
        yield Described("parent", label, Varchar(null=True, default=None, required=True), to=entity.parent)
    for name in entity.processes:
        yield _state(network.processes[name], words)
    for one in entity.fields.values():
        yield _field(one, words)
    if entity.owner:
        yield Described("owner", words.system["owner"], Varchar(null=True, default=None), to="member")
    for name in ("created_at", "updated_at", "last_activity_at"):
        yield Described(name, words.system[name], Timestamptz(null=True, default=None))
    yield Described("created_by", words.system["created_by"], Varchar(null=True, default=None), to="member")
    yield Described("version", words.system["version"], BigInt(default=0))


def _state(process: Process, words: Words) -> Described:
    label = process.label.pick(words.language, *words.network.languages)
    choices = {
        name: state.label.pick(words.language, *words.network.languages) for name, state in process.states.items()
    }
    one = Varchar(choices=None if process.parallel else options(choices), null=True, default=None)
    several = Array(base_column=Varchar(), choices=options(choices), null=True, default=None)
    return Described(process.name, label, several if process.parallel else one, choices=choices)


def _field(one: Field, words: Words) -> Described:
    label = one.label.pick(words.language, *words.network.languages)
    choices = _choices(one, words)
    about = one.help.pick(words.language, *words.network.languages) if one.help else None
    common: dict[str, Any] = {
        "null": True,
        "default": None,
        "required": one.required and not one.follows,
        "help_text": about,
    }
    return Described(
        one.name, label, _column(one, common, choices), to=one.to if one.type == "reference" else None, choices=choices
    )


def _choices(one: Field, words: Words) -> Mapping[str, str]:
    match one.type:
        case "choice" | "choices":
            return {o.name: o.label.pick(words.language, *words.network.languages) for o in one.options.values()}
        case "country":
            return {code: words.locale.territories.get(code, code) for code in words.network.countries}
        case "language":
            return {code: capital(words.locale.languages.get(code, code)) for code in words.network.languages}
        case _:
            return {}


def _column(one: Field, common: dict[str, Any], choices: Mapping[str, str]) -> Column:
    if one.type == "choices":
        return Array(base_column=Varchar(), choices=options(choices), **common)
    if one.type in {"decimal", "money"}:
        return Numeric(digits=(18, one.scale), **common)
    if one.type in _COLUMNS:
        return _COLUMNS[one.type](**common)
    return Varchar(length=TEXT_LENGTH, choices=options(choices), **common)


_COLUMNS: Mapping[str, type[Column]] = {
    "integer": BigInt,
    "boolean": Boolean,
    "date": Date,
    "datetime": Timestamptz,
    "long_text": Text,
    "json": JSON,
}


def options(choices: Mapping[str, str]) -> type[Enum] | None:
    """Return choices (label by value) as Piccolo wants them; None where there are none."""
    if not choices:
        return None
    members = {name: Choice(name, label) for name, label in choices.items()}
    make: Any = Enum  # mypy wants the members written out
    made: type[Enum] = make("Options", members)
    return made
