"""Statements that make and change tables. Names are quoted; values never stand in the text.

On PostgreSQL references are added to tables that are there (`add_reference`), so that their order does not matter.
"""

from __future__ import annotations

from collections.abc import Iterable

from models.shape import ColumnShape, IndexShape, OnDelete, TableShape
from models.tx import Dialect

RULES: dict[OnDelete, str] = {"restrict": "RESTRICT", "clear": "SET NULL", "delete": "CASCADE"}


def quoted(name: str) -> str:
    """Return a name as an SQL identifier."""
    escaped = name.replace('"', '""')
    return f'"{escaped}"'


def listed(names: Iterable[str], of: str = "") -> str:
    """Return names as identifiers with commas between; `of` is the alias whose columns they are."""
    return ", ".join(f"{of}.{quoted(name)}" if of else quoted(name) for name in names)


def column(shape: ColumnShape, dialect: Dialect) -> str:
    """Return the definition of a column."""
    parts = [quoted(shape.name), shape.codec.on(dialect).declared]
    if shape.name == "id":
        parts.append("PRIMARY KEY")
    if not shape.null:
        parts.append("NOT NULL")
    if shape.references and dialect == "sqlite":
        parts.append(_references(shape))
    return " ".join(parts)


def _references(shape: ColumnShape) -> str:
    return f'REFERENCES {quoted(shape.references or "")} ("id") ON DELETE {RULES[shape.on_delete]}'


def add_reference(table: str, shape: ColumnShape) -> str:
    """Return the statement that makes a column of a PostgreSQL table refer to another table."""
    return f"ALTER TABLE {quoted(table)} ADD FOREIGN KEY ({quoted(shape.name)}) {_references(shape)} DEFERRABLE"


def create_table(shape: TableShape, dialect: Dialect, name: str | None = None) -> str:
    """Return the statement that makes the table, as `name` when it is given."""
    columns = ", ".join(column(each, dialect) for each in shape.columns.values())
    return f"CREATE TABLE {quoted(name or shape.name)} ({columns})"


def create_index(shape: IndexShape) -> str:
    """Return the statement that makes an index."""
    kind = "UNIQUE INDEX" if shape.unique else "INDEX"
    return f"CREATE {kind} {quoted(shape.name)} ON {quoted(shape.table)} ({listed(shape.columns)})"


def drop_index(shape: IndexShape) -> str:
    """Return the statement that drops an index."""
    return f"DROP INDEX IF EXISTS {quoted(shape.name)}"


def drop_table(name: str, dialect: Dialect) -> str:
    """Return the statement that drops a table; on PostgreSQL references to it go too."""
    return f"DROP TABLE {quoted(name)}" + (" CASCADE" if dialect == "postgres" else "")


def rename_table(old: str, new: str) -> str:
    """Return the statement that renames a table; references to it follow."""
    return f"ALTER TABLE {quoted(old)} RENAME TO {quoted(new)}"


def rename_column(table: str, old: str, new: str) -> str:
    """Return the statement that renames a column; indexes on it follow."""
    return f"ALTER TABLE {quoted(table)} RENAME COLUMN {quoted(old)} TO {quoted(new)}"


def add_column(table: str, shape: ColumnShape, dialect: Dialect) -> str:
    """Return the statement that adds a column that may be null."""
    return f"ALTER TABLE {quoted(table)} ADD COLUMN {column(shape, dialect)}"


def drop_column(table: str, name: str) -> str:
    """Return the statement that drops a column, with its indexes and references (PostgreSQL)."""
    return f"ALTER TABLE {quoted(table)} DROP COLUMN {quoted(name)}"


def set_null(table: str, shape: ColumnShape) -> str:
    """Return the statement that lets a column be null, or not (PostgreSQL)."""
    return f"ALTER TABLE {quoted(table)} ALTER COLUMN {quoted(shape.name)} {'DROP' if shape.null else 'SET'} NOT NULL"
