"""Records that others refer to: loaded for expressions without rules, named for people under them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from definitions.expr.expression import Expression
from definitions.spec.entity import Entity
from definitions.spec.network import Network
from models.ddl import quoted
from models.record import Record
from models.rules import Path
from models.shape import POSITION
from models.tables import Tables
from models.tx import Tx

if TYPE_CHECKING:
    from models.records import Records

IN_ORDER = f'{quoted(POSITION)} IS NULL, {quoted(POSITION)}, "created_at", "id"'
"""How lines are sorted."""


_IN_HAND: frozenset[Path] = frozenset({(), ("id",)})
"""What is known of a reference without reading what it refers to."""


@lru_cache(maxsize=1024)
def selected(expressions: tuple[Expression | None, ...]) -> Mapping[str, frozenset[Path]]:
    """Return what expressions select, by the name in scope that they select it of: the paths below that name."""
    paths = {path for expression in expressions if expression is not None for path in expression.reads}
    return {name: frozenset(path[1:] for path in paths if path[0] == name) for name in {path[0] for path in paths}}


def target(entity: Entity, field: str) -> str | None:
    """Return the entity that a field refers to, None when it is no reference."""
    if field in {"owner", "created_by"}:
        return "member"
    if field == "parent" and entity.parent is not None:
        return entity.parent
    declared = entity.fields.get(field)
    return None if declared is None else declared.to


class Loader:
    """Loads what expressions follow, each record once in a transaction. No rule applies: definitions see everything."""

    def __init__(self, network: Network, tables: Tables, tx: Tx) -> None:
        """Read over `tx`."""
        self.network = network
        self.tables = tables
        self.tx = tx
        self._loaded: dict[tuple[str, str], Mapping[str, Any] | None] = {}
        self._lines: dict[tuple[str, str], Sequence[Mapping[str, Any]]] = {}

    @property
    def loaded(self) -> tuple[tuple[str, str], ...]:
        """The records that were looked for, by entity and id."""
        return tuple(self._loaded)

    def forget(self) -> None:
        """Read again what was read: something was written."""
        self._loaded.clear()
        self._lines.clear()

    async def follow(self, entity: str, values: Mapping[str, Any], paths: Collection[Path]) -> Mapping[str, Any]:
        """Return the record's values with what `paths` (without the record's own name) lead to: references, lines."""
        by_first: dict[str, set[Path]] = {}
        for path in paths:
            if path and (path[1:] not in _IN_HAND or path[0] not in values):
                by_first.setdefault(path[0], set()).add(path[1:])
        if not by_first:
            return values
        definition = self.network.entities[entity]
        found = dict(values)
        for name, rests in by_first.items():
            to = target(definition, name)
            if to is None and name not in values and (lines := self.network.lines(entity).get(name)) is not None:
                loaded = await self.load_lines(lines.name, values["id"])
                found[name] = [await self.follow(lines.name, line, rests) for line in loaded]
                continue
            reference = values.get(name)
            deeper = rests - _IN_HAND
            if to is None or reference is None or not deeper:
                continue
            full = await self.load(to, reference["id"])
            found[name] = reference if full is None else await self.follow(to, full, deeper)
        return found

    async def load(self, entity: str, identifier: str) -> Mapping[str, Any] | None:
        """Return all values of a record, None when it does not exist."""
        key = (entity, identifier)
        if key not in self._loaded:
            table = self.tables[entity]
            row = await self.tx.row(f'{table.select} WHERE "id" = ?', (identifier,))
            self._loaded[key] = None if row is None else table.decode_values(row)
        return self._loaded[key]

    async def load_lines(self, entity: str, parent: str) -> Sequence[Mapping[str, Any]]:
        """Return all values of the lines of a record, in their order."""
        key = (entity, parent)
        if key not in self._lines:
            table = self.tables[entity]
            rows = await self.tx.rows(f'{table.select} WHERE "parent" = ? ORDER BY {IN_ORDER}', (parent,))
            self._lines[key] = [table.decode_values(row) for row in rows]
        return self._lines[key]


def referred(records: Records, found: Iterable[Record]) -> dict[str, set[str]]:
    """Return the ids that the visible values of records refer to, by entity."""
    ids: dict[str, set[str]] = {}
    for record in found:
        definition = records.published.network.entities[record.entity]
        for name, value in record.values.items():
            to = target(definition, name) if isinstance(value, Mapping) else None
            if to is not None and value.get("id"):
                ids.setdefault(to, set()).add(value["id"])
    return ids
