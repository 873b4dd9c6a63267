"""The tables that a network needs, as data: what `tables` makes Piccolo classes of and `plan` compares."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from definitions.spec.entity import Entity, Field
from definitions.spec.network import Network
from models.columns import INTEGER, MOMENT, REFERENCE, TEXT, Codec, codec, state_codec

MEMBER = "member"
PATH = "_path"
PARENT = "parent"
POSITION = "_position"
"""Where a line stands among the lines of its parent; lines without one come last, in the order of their creation."""
FOLD = "_fold_"
LONGEST = 63
"""Letters of a name in a database; PostgreSQL cuts what is longer."""
TEXT_TYPES = frozenset({"text", "long_text", "email", "phone", "url"})

OnDelete = Literal["restrict", "clear", "delete"]
Kind = Literal["system", "field", "owner", "parent", "position", "state", "fold", "path"]


@dataclass(frozen=True, slots=True)
class ColumnShape:
    """A column: `kind` says where it comes from, `source` the field or process; `references` names another table."""

    name: str
    kind: Kind
    codec: Codec
    source: str = ""
    null: bool = True
    references: str | None = None
    on_delete: OnDelete = "restrict"
    sealed: bool = False

    @property
    def stored(self) -> tuple[str, bool, str | None, str]:
        """What the database knows of it, beside the name: two columns with the same need no change."""
        return self.codec.declared, self.null, self.references, self.on_delete if self.references else ""


@dataclass(frozen=True, slots=True)
class IndexShape:
    """An index; its name follows from the rest."""

    table: str
    columns: tuple[str, ...]
    unique: bool = False

    @property
    def name(self) -> str:
        """Return the index's name, the same for the same columns, no longer than PostgreSQL takes."""
        name = "__".join((self.table, *self.columns, "unique" if self.unique else "index"))
        if len(name) <= LONGEST:
            return name
        return f"{name[: LONGEST - 9]}_{zlib.crc32(name.encode()):08x}"


@dataclass(frozen=True, slots=True)
class TableShape:
    """A table of an entity: columns in order, indexes."""

    name: str
    entity: Entity
    columns: Mapping[str, ColumnShape]
    indexes: tuple[IndexShape, ...]


def shapes(network: Network) -> dict[str, TableShape]:
    """Return the tables of a network's entities by name."""
    return {entity.name: _table(network, entity) for entity in network.entities.values()}


def _table(network: Network, entity: Entity) -> TableShape:
    columns = {column.name: column for column in _columns(network, entity)}
    found = dict.fromkeys(_indexes(network, entity))  # each once, in order
    known = tuple(index for index in found if all(name in columns for name in index.columns))
    return TableShape(entity.name, entity, columns, known)


def _columns(network: Network, entity: Entity) -> Iterator[ColumnShape]:
    yield ColumnShape("id", "system", TEXT, null=False)
    yield ColumnShape("created_at", "system", MOMENT, null=False)
    yield ColumnShape("updated_at", "system", MOMENT, null=False)
    yield ColumnShape("created_by", "system", REFERENCE, references=_member(network), on_delete="clear")
    yield ColumnShape("last_activity_at", "system", MOMENT)
    yield ColumnShape("version", "system", INTEGER, null=False)
    if entity.owner:
        yield ColumnShape("owner", "owner", REFERENCE, references=_member(network), on_delete="restrict")
    if entity.parent is not None:
        yield ColumnShape(PARENT, "parent", REFERENCE, null=False, references=entity.parent, on_delete="delete")
        yield ColumnShape(POSITION, "position", INTEGER)
    for process in entity.processes:
        yield ColumnShape(process, "state", state_codec(network.processes[process]), source=process, null=False)
    for field in entity.fields.values():
        yield _field_column(field)
    for name in folded(network, entity):
        yield ColumnShape(FOLD + name, "fold", TEXT, source=name)
    if entity.name == MEMBER:
        yield ColumnShape(PATH, "path", TEXT)


def _member(network: Network) -> str | None:
    return MEMBER if MEMBER in network.entities else None


def _field_column(field: Field) -> ColumnShape:
    computed = field.compute is not None
    return ColumnShape(
        field.name,
        "field",
        TEXT if field.encrypted else codec(field),
        source=field.name,
        null=not field.required or computed,
        references=field.to if field.type == "reference" else None,
        on_delete=field.on_delete,
        sealed=field.encrypted,
    )


def folded(network: Network, entity: Entity) -> tuple[str, ...]:
    """Return the fields that have a column without case and accents: those searched, and texts that screens sort by."""
    sorts = [name for name in _sorts(network, entity) if _is_text(entity.fields.get(name))]
    searched = [name for name in entity.search if name in entity.fields and not entity.fields[name].encrypted]
    return tuple(dict.fromkeys((*searched, *sorts)))


def _is_text(field: Field | None) -> bool:
    return field is not None and field.type in TEXT_TYPES and not field.encrypted


def _sorts(network: Network, entity: Entity) -> Iterator[str]:
    for screen in network.screens.values():
        if screen.entity != entity.name:
            continue
        yield screen.sort.removeprefix("-")
        for view in screen.views.values():
            if view.sort:
                yield view.sort.removeprefix("-")


def _indexes(network: Network, entity: Entity) -> Iterator[IndexShape]:
    name = entity.name
    yield IndexShape(name, ("created_at", "id"))
    belongs = ("owner",) if entity.owner else ()
    within = (PARENT,) if entity.parent is not None else ()
    for first in (*belongs, *within, *entity.processes):
        yield IndexShape(name, (first, "created_at", "id"))
    for field in entity.fields.values():
        yield from _field_indexes(name, field)
    if entity.retention is not None:
        yield IndexShape(name, (entity.retention.since,))
    for sort in _sorts(network, entity):
        if sort in entity.fields:
            column = FOLD + sort if _is_text(entity.fields[sort]) else sort
            yield IndexShape(name, (column, "id"))
    if name == MEMBER:
        yield IndexShape(name, (PATH,))
        if "email" in entity.fields and entity.fields["email"].unique is None:
            yield IndexShape(name, ("email",))  # people sign in with it


def _field_indexes(table: str, field: Field) -> Iterator[IndexShape]:
    if field.unique is not None:
        yield IndexShape(table, (field.name, *field.unique), unique=True)
    if field.index or field.type == "reference":
        yield IndexShape(table, (field.name,))
