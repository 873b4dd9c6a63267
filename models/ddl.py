"""Statements that make and change tables on SQLite. Names are quoted; values never stand in the text."""

from __future__ import annotations

from collections.abc import Iterable

from models.shape import ColumnShape, IndexShape, OnDelete, TableShape

RULES: dict[OnDelete, str] = {"restrict": "RESTRICT", "clear": "SET NULL", "delete": "CASCADE"}


def quoted(name: str) -> str:
    """Return a name as an SQL identifier."""
    escaped = name.replace('"', '""')
    return f'"{escaped}"'


def listed(names: Iterable[str]) -> str:
    """Return names as identifiers with commas between."""
    return ", ".join(map(quoted, names))


def column(shape: ColumnShape) -> str:
    """Return the definition of a column."""
    parts = [quoted(shape.name), shape.codec.declared]
    if shape.name == "id":
        parts.append("PRIMARY KEY")
    if not shape.null:
        parts.append("NOT NULL")
    if shape.references:
        parts.append(f'REFERENCES {quoted(shape.references)} ("id") ON DELETE {RULES[shape.on_delete]}')
    return " ".join(parts)


def create_table(shape: TableShape, name: str | None = None) -> str:
    """Return the statement that makes the table, as `name` when it is given."""
    columns = ", ".join(map(column, shape.columns.values()))
    return f"CREATE TABLE {quoted(name or shape.name)} ({columns})"


def create_index(shape: IndexShape) -> str:
    """Return the statement that makes an index."""
    kind = "UNIQUE INDEX" if shape.unique else "INDEX"
    return f"CREATE {kind} {quoted(shape.name)} ON {quoted(shape.table)} ({listed(shape.columns)})"


def drop_index(shape: IndexShape) -> str:
    """Return the statement that drops an index."""
    return f"DROP INDEX IF EXISTS {quoted(shape.name)}"


def drop_table(name: str) -> str:
    """Return the statement that drops a table."""
    return f"DROP TABLE {quoted(name)}"


def rename_table(old: str, new: str) -> str:
    """Return the statement that renames a table; references to it follow."""
    return f"ALTER TABLE {quoted(old)} RENAME TO {quoted(new)}"


def rename_column(table: str, old: str, new: str) -> str:
    """Return the statement that renames a column; indexes on it follow."""
    return f"ALTER TABLE {quoted(table)} RENAME COLUMN {quoted(old)} TO {quoted(new)}"


def add_column(table: str, shape: ColumnShape) -> str:
    """Return the statement that adds a column that may be null."""
    return f"ALTER TABLE {quoted(table)} ADD COLUMN {column(shape)}"
