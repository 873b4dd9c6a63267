"""The tables of a network as sheets of plain rows: values as JSON has them, the same from every database."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

from models.columns import INTEGER, MOMENT, REFERENCE, Codec, decode_duration, encode_duration
from models.ddl import listed, quoted
from models.published import Published
from models.shape import TableShape
from models.system import SYSTEM_TABLES
from models.system_table import SystemTable
from models.tx import Dialect, Row, Tx

PAGE = 1000
"""Rows that are read at once."""
LEFT_OUT = frozenset({"_session", "_invitation", "_pending", "_token"})
"""What stays behind: open sessions, links that let somebody in, and tokens: each may have been ended since."""

Kind = Literal["plain", "moment", "date", "decimal", "duration", "choices", "reference"]
Convert = Callable[[Any], Any]

_OUT: Mapping[Kind, Convert] = {
    "moment": datetime.isoformat,
    "date": date.isoformat,
    "decimal": str,
    "duration": encode_duration,
    "choices": list,
    "reference": lambda value: value["id"],
}
_IN: Mapping[Kind, Convert] = {
    "moment": datetime.fromisoformat,
    "date": date.fromisoformat,
    "decimal": Decimal,
    "duration": decode_duration,
    "choices": tuple,
    "reference": lambda value: {"id": value},
}
_BY_TYPE: Mapping[str, Kind] = {
    "datetime": "moment",
    "date": "date",
    "decimal": "decimal",
    "money": "decimal",
    "duration": "duration",
    "choices": "choices",
    "reference": "reference",
}


@dataclass(frozen=True, slots=True)
class Cell:
    """A column: how its stored form becomes plain, and back."""

    name: str
    kind: Kind
    codec: Codec

    def plain(self, stored: Any) -> Any:
        """Return a stored value as JSON has it."""
        if stored is None:
            return None
        value = self.codec.decoded(stored)
        return _OUT[self.kind](value) if self.kind in _OUT else value

    def stored(self, plain: Any) -> Any:
        """Return the stored form of a plain value."""
        if plain is None:
            return None
        value = _IN[self.kind](plain) if self.kind in _IN else plain
        return self.codec.encoded(value)


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table; its rows come in the order of `key`."""

    name: str
    key: str
    cells: tuple[Cell, ...]

    async def pages(self, tx: Tx) -> AsyncIterator[list[Row]]:
        """Yield the rows page by page, in stored forms."""
        columns = listed(cell.name for cell in self.cells)
        select = f"SELECT {columns} FROM {quoted(self.name)}"  # noqa: S608 - quoted names
        key = self._key(tx)
        following = f"{select} WHERE {key} > ? ORDER BY {key} LIMIT {PAGE}"
        found = await tx.rows(f"{select} ORDER BY {key} LIMIT {PAGE}")
        at = next(index for index, cell in enumerate(self.cells) if cell.name == self.key)
        while found:
            yield found
            if len(found) < PAGE:
                return
            found = await tx.rows(following, [found[-1][at]])

    def _key(self, tx: Tx) -> str:
        """Return the key as text that sorts alike on every database."""
        text = next(cell for cell in self.cells if cell.name == self.key).codec is not INTEGER
        return quoted(self.key) + (' COLLATE "C"' if text and tx.dialect != "sqlite" else "")

    def plain(self, row: Row) -> dict[str, Any]:
        """Return a stored row as JSON has it."""
        return {cell.name: cell.plain(stored) for cell, stored in zip(self.cells, row, strict=True)}

    def insert(self) -> str:
        """Return the statement that puts a row in."""
        places = ", ".join("?" * len(self.cells))
        columns = listed(cell.name for cell in self.cells)
        return f"INSERT INTO {quoted(self.name)} ({columns}) VALUES ({places})"  # noqa: S608 - quoted names

    def stored(self, row: Mapping[str, Any]) -> list[Any]:
        """Return a plain row in stored forms; what it does not have is null. `KeyError` for what has no column."""
        unknown = row.keys() - {cell.name for cell in self.cells}
        if unknown:
            raise KeyError(min(unknown))
        return [cell.stored(row.get(cell.name)) for cell in self.cells]


def sheets(published: Published) -> list[Sheet]:
    """Return all tables of a network that go along: the system's first, the versions before all."""
    dialect = published.tables.dialect
    return [
        *(_system(table, dialect) for name, table in SYSTEM_TABLES.items() if name not in LEFT_OUT),
        *(Sheet(name, "id", tuple(_cells(table.shape, dialect))) for name, table in published.tables.items()),
    ]


def _system(table: SystemTable, dialect: Dialect) -> Sheet:
    codecs = {name: table.codec(name) for name in table.columns}
    kinds: dict[str, Kind] = {name: "moment" if codec is MOMENT else "plain" for name, codec in codecs.items()}
    cells = (Cell(name, kinds[name], codec.on(dialect)) for name, codec in codecs.items())
    return Sheet(table.name, table.columns[0], tuple(cells))


def _cells(shape: TableShape, dialect: Dialect) -> Iterator[Cell]:
    for name, column in shape.columns.items():
        kind: Kind
        if column.kind == "field":
            kind = _BY_TYPE.get(shape.entity.fields[column.source].type, "plain")
        else:
            kind = "moment" if column.codec is MOMENT else "reference" if column.codec is REFERENCE else "plain"
        yield Cell(name, kind, column.codec.on(dialect))
