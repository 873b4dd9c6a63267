"""What a database knows of a network's tables."""

from __future__ import annotations

from collections.abc import Mapping

from models.tx import Dialect, Tx

_COLUMNS: Mapping[Dialect, str] = {
    "sqlite": "SELECT t.name, c.name FROM sqlite_master t, pragma_table_info(t.name) c WHERE t.type = 'table'",
    "postgres": "SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid "
    "WHERE c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema()) AND c.relkind = 'r' "
    "AND a.attnum > 0 AND NOT a.attisdropped "
    "ORDER BY a.attnum",
}
_INDEXES: Mapping[Dialect, str] = {
    "sqlite": "SELECT name FROM pragma_index_list(?)",
    "postgres": "SELECT indexname FROM pg_indexes WHERE schemaname = current_schema() AND tablename = ?",
}
_REFERENCES = """
SELECT k.conname FROM pg_constraint k JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey)
WHERE k.contype = 'f' AND k.conrelid = to_regclass(quote_ident(?)) AND a.attname = ?
"""


async def columns_of_tables(tx: Tx) -> dict[str, set[str]]:
    """Return the columns of every table."""
    found: dict[str, set[str]] = {}
    for table, column in await tx.rows(_COLUMNS[tx.dialect]):
        found.setdefault(table, set()).add(column)
    return found


async def indexes_of(tx: Tx, table: str) -> set[str]:
    """Return the names of a table's indexes."""
    return {row[0] for row in await tx.rows(_INDEXES[tx.dialect], [table])}


async def references_of(tx: Tx, table: str, column: str) -> list[str]:
    """Return the names of the rules by which a column refers to other tables (PostgreSQL)."""
    return [row[0] for row in await tx.rows(_REFERENCES, [table, column])]
