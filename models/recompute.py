"""Computed fields and defaults of many records, computed from what a table holds, their lines included."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from definitions.expr.expression import Context
from definitions.spec.entity import Field
from definitions.spec.value import Value
from models.ddl import listed, quoted
from models.references import IN_ORDER
from models.sealed import Safe
from models.shape import PARENT, ColumnShape, TableShape
from models.tx import Row, Tx

BATCH = 500
Paths = frozenset[tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Recompute:
    """Computes some fields of a table again; `tables` are all tables as they are now, by entity.

    `way` is how a field is computed: by its `compute`, or by its default.
    """

    tx: Tx
    tables: Mapping[str, TableShape]
    context: Context
    safe: Safe
    way: Callable[[Field], Value | None] = attrgetter("compute")

    async def __call__(self, shape: TableShape, names: Sequence[str]) -> None:
        """Compute the fields `names`, each after those that it reads, for every record."""
        if not names:
            return
        fields = [shape.entity.fields[name] for name in names]
        columns = [column for column in _columns(shape) if column.name not in names]
        text = f"SELECT {listed(column.name for column in columns)} FROM {quoted(shape.name)}"  # noqa: S608 - quoted names
        rows = await self.tx.rows(text)
        assignments = ", ".join(f"{quoted(name)} = ?" for name in names)
        update = f'UPDATE {quoted(shape.name)} SET {assignments} WHERE "id" = ?'  # noqa: S608 - the same
        paths = frozenset(path for field in fields if (value := self.way(field)) for path in value.reads("record"))
        for begin in range(0, len(rows), BATCH):
            records = [self._record(shape, columns, row) for row in rows[begin : begin + BATCH]]
            await self._add_lines(shape, records, paths)
            await self.tx.run_many(update, [self._computed(shape, fields, record) for record in records])

    def _record(self, shape: TableShape, columns: Sequence[ColumnShape], row: Row) -> dict[str, Any]:
        pairs = zip(columns, row, strict=True)
        found = {column.name: column.codec.on(self.tx.dialect).decoded(stored) for column, stored in pairs}
        for column in columns:
            if column.sealed and found[column.name] is not None:
                field = shape.entity.fields[column.source]
                found[column.name] = self.safe.open(field, found["id"], found[column.name])
        return found

    def _computed(self, shape: TableShape, fields: Iterable[Field], record: dict[str, Any]) -> list[Any]:
        record.update(dict.fromkeys((field.name for field in fields), None))
        values: list[Any] = []
        for field in fields:
            found = self.way(field)
            value = None if found is None else found.compute({"record": record}, self.context)
            record[field.name] = value
            if field.encrypted and value is not None:
                values.append(self.safe.seal(field, record["id"], value))
            else:
                values.append(shape.columns[field.name].codec.on(self.tx.dialect).encoded(value))
        return [*values, record["id"]]

    async def _add_lines(self, shape: TableShape, records: Sequence[dict[str, Any]], paths: Paths) -> None:
        """Give the records the lines that `paths` lead through, and these theirs."""
        for lines in self.tables.values():
            name = lines.entity.lines_as
            if lines.entity.parent != shape.entity.name or name is None or not records:
                continue
            deeper = frozenset(path[1:] for path in paths if path[:1] == (name,))
            if deeper:
                await self._load(lines, name, records, deeper)

    async def _load(self, lines: TableShape, name: str, records: Sequence[dict[str, Any]], paths: Paths) -> None:
        columns = _columns(lines)
        by_id: dict[str, list[dict[str, Any]]] = {record["id"]: [] for record in records}
        text = (
            f"SELECT {listed(column.name for column in columns)} FROM {quoted(lines.name)} "  # noqa: S608 - quoted names
            f"WHERE {quoted(PARENT)} IN ({', '.join('?' * len(by_id))}) ORDER BY {IN_ORDER}"
        )
        found = [self._record(lines, columns, row) for row in await self.tx.rows(text, list(by_id))]
        for line in found:
            by_id[line[PARENT]["id"]].append(line)
        for record in records:
            record[name] = by_id[record["id"]]
        for begin in range(0, len(found), BATCH):
            await self._add_lines(lines, found[begin : begin + BATCH], paths)


def _columns(shape: TableShape) -> list[ColumnShape]:
    return [column for column in shape.columns.values() if column.kind != "fold"]


def reads(field: Field) -> Paths:
    """Return what a computed field reads of its record."""
    return frozenset() if field.compute is None else field.compute.reads("record")
