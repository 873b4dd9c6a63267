"""What a system table is: its columns, how they are stored, and the statements that make it and fill it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from models.columns import INTEGER, MOMENT, TEXT, Codec
from models.ddl import listed, quoted
from models.tx import Dialect

MOMENTS = frozenset(
    {"at", "due_at", "done_at", "created_at", "changed_at", "seen_at", "sent_at", "started_at", "ended_at", "wake_at"}
    | {"run_at", "lease_until", "hold_until", "undo_until", "expires_at", "last_used_at", "since"}
    | {"begins_at", "ends_at", "revoked_at", "confirmed_at", "used_at", "loose_at", "read_at", "refused_at"}
    | {"erase_at", "warned_at"}
)
NUMBERS = frozenset(
    {"version", "definition", "priority", "attempts", "max_attempts", "seq", "status", "total", "done", "failed"}
    | {"tried", "counter", "last_step", "size", "refused", "runs", "taken"}
)

OF_TERMS = frozenset({"_acceptance", "_wording"})
"""Where a version is that of terms, which is text."""


@dataclass(frozen=True)
class SystemTable:
    """A system table: its columns (the first is the key), those that are never null, and its indexes."""

    name: str
    columns: tuple[str, ...]
    filled: frozenset[str]
    indexes: tuple[tuple[str, ...], ...] = ()
    unique: tuple[tuple[str, ...], ...] = ()
    some: tuple[tuple[str, str], ...] = ()
    """Columns that are indexed only where something holds, each with what."""

    def codec(self, column: str) -> Codec:
        """Return how a column is stored: what it is called says what it holds."""
        if column == "version" and self.name in OF_TERMS:
            return TEXT
        return MOMENT if column in MOMENTS else INTEGER if column in NUMBERS else TEXT

    @cached_property
    def statements(self) -> tuple[str, ...]:
        """The statements that make the table and its indexes on SQLite where they are missing."""
        return self.statements_on("sqlite")

    def statements_on(self, dialect: Dialect) -> tuple[str, ...]:
        """Return the statements that make the table and its indexes where they are missing."""
        columns = ", ".join(self._column(name, dialect) for name in self.columns)
        made = [f"CREATE TABLE IF NOT EXISTS {quoted(self.name)} ({columns})"]
        for names, kind in [(names, "INDEX") for names in self.indexes] + [
            (names, "UNIQUE INDEX") for names in self.unique
        ]:
            index = quoted("__".join((self.name, *names)))
            made.append(f"CREATE {kind} IF NOT EXISTS {index} ON {quoted(self.name)} ({listed(names)})")
        for name, condition in self.some:
            index = quoted(f"{self.name}__{name}__some")
            made.append(f"CREATE INDEX IF NOT EXISTS {index} ON {quoted(self.name)} ({quoted(name)}) WHERE {condition}")
        return tuple(made)

    def _column(self, name: str, dialect: Dialect) -> str:
        key = " PRIMARY KEY" if name == self.columns[0] else ""
        null = " NOT NULL" if name == self.columns[0] or name in self.filled else ""
        declared = self.codec(name).on(dialect).declared
        if key and self.codec(name) is INTEGER:
            declared = "INTEGER"  # SQLite's own key of a row
        return f"{quoted(name)} {declared}{key}{null}"

    def insert(self, *columns: str) -> str:
        """Return the statement that inserts a row with these columns (all of them by default)."""
        names = columns or self.columns
        places = ", ".join("?" * len(names))
        return f"INSERT INTO {quoted(self.name)} ({listed(names)}) VALUES ({places})"  # noqa: S608 - names of ours


def system_table(
    name: str,
    columns: str,
    *,
    filled: str = "",
    indexes: tuple[str, ...] = (),
    unique: tuple[str, ...] = (),
    some: tuple[tuple[str, str], ...] = (),
) -> SystemTable:
    """Return a table; columns, and those of an index, are said with spaces between them."""
    return SystemTable(
        name,
        tuple(columns.split()),
        frozenset(filled.split()),
        tuple(tuple(index.split()) for index in indexes),
        tuple(tuple(index.split()) for index in unique),
        some,
    )
