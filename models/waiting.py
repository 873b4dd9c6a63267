"""Writes that wait in a transaction, so that they go to the database in one statement, and one round trip.

Where each statement is a round trip, those that answer nothing wait for each other: rows of the runtime's own tables,
and the change of one record. They are written before anything is asked that could see them, before any other write,
and before the commit.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from models.system import AUDIT, AUDIT_OF, HISTORY, MAIL, NOTICE, OUTBOX, RUN, STEP, TASK

INSERTIONS = frozenset(table.insert() for table in (AUDIT, AUDIT_OF, HISTORY, MAIL, NOTICE, RUN, STEP, TASK)) | {
    OUTBOX.insert() + " ON CONFLICT DO NOTHING"
}
"""What waits without being asked to: rows that nobody reads before the end, with keys of their own."""
MOST = 24
"""So many rows wait at most: few enough that the statements which they leave as are few."""

Statements = tuple[tuple[str, int], ...]


@lru_cache(maxsize=4096)
def table_of(sql: str) -> str:
    """Return the name of the table that an insertion or an update writes."""
    found = re.search(r'"([^"]+)"', sql)
    if found is None:
        raise ValueError(sql)
    return found[1]


@lru_cache(maxsize=4096)
def together(insertions: Statements, change: str | None) -> str:
    """Return one statement that does what these do, each insertion for so many rows; its count is that of the last."""
    parts = [_rows(*each) for each in insertions]
    if change is not None:
        parts.append(change)
    first = ", ".join(f'"waited_{place}" AS ({part})' for place, part in enumerate(parts[:-1]))
    return f"WITH {first} {parts[-1]}" if first else parts[-1]


def _rows(sql: str, count: int) -> str:
    """Return an insertion for so many rows."""
    if count == 1:
        return sql
    head, places, tail = re.fullmatch(r"(.* VALUES )(\([?, ]*\))(.*)", sql, re.DOTALL).groups()  # type: ignore[union-attr] # it is one
    return f"{head}{', '.join([places] * count)}{tail}"


@dataclass(slots=True)
class Waiting:
    """Insertions, by their text, and at most one change of one record, each of another table than all others.

    `missing` is what is raised when there is nothing to change.
    """

    insertions: dict[str, list[Sequence[Any]]] = field(default_factory=dict)
    change: str | None = None
    changed: Sequence[Any] = ()
    missing: Exception | None = None
    tables: set[str] = field(default_factory=set)
    count: int = 0

    @property
    def surely(self) -> bool:
        """Whether something is written whatever the last statement, whose count is told, finds."""
        return len(self.insertions) + (self.change is not None) > 1

    def has_room(self, sql: str, rows: int = 1) -> bool:
        """Whether these writes can wait with the others: none of those is to be seen by them."""
        if self.count + rows > MOST:
            return False
        if sql in self.insertions or not self.tables:
            return True
        return table_of(sql) not in self.tables and (self.change is None or sql.startswith("INSERT"))

    def insert(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """Let rows wait."""
        self.insertions.setdefault(sql, []).extend(rows)
        self.tables.add(table_of(sql))
        self.count += len(rows)

    def put(self, sql: str, values: Sequence[Any], missing: Exception | None) -> None:
        """Let an insertion or the change of a record wait."""
        if sql.startswith("INSERT"):
            self.insert(sql, (values,))
            return
        self.change, self.changed, self.missing = sql, values, missing
        self.tables.add(table_of(sql))
        self.count += 1

    def shows_in(self, sql: str) -> bool:
        """Whether a statement could see what waits, or writes: only queries of other tables overtake it."""
        return not sql.lstrip().startswith("SELECT") or any(table in sql for table in self.tables)

    def statement(self) -> tuple[str, list[Any]]:
        """Return the one statement that writes it all, and its values."""
        values = [value for rows in self.insertions.values() for row in rows for value in row]
        values += self.changed
        counted = tuple([(sql, len(rows)) for sql, rows in self.insertions.items()])
        return together(counted, self.change), values
