"""Columns as an actor sees them: what may not be read is NULL wherever it is used."""

from __future__ import annotations

from typing import Any

from definitions.expr import Columns, SqlTemplate, Type
from models.access import Rights
from models.rules import ALWAYS, Condition, bare
from models.rules_sql import condition_sql
from models.tx import Dialect

ROOT = "record"
"""The alias of the table whose rows are asked for; its row rule stands in the WHERE."""
FOLD = "_fold_"


class VisibleColumns:
    """What SQL of a user's conditions asks (`definitions.expr.Columns`): each column behind the rule of its field.

    In a row that was reached through a reference the row's own rule holds too.
    """

    def __init__(self, columns: Columns, rights: Rights, dialect: Dialect) -> None:
        """Put `rights` before the raw `columns`."""
        self.columns = columns
        self.rights = rights
        self.dialect = dialect
        self._values: dict[tuple[str, str, str], SqlTemplate] = {}

    def table(self, entity: str) -> str:
        """Return the table's name."""
        return self.columns.table(entity)

    def row(self, entity: str, alias: str) -> SqlTemplate:
        """Return the row rule: lines that may not be seen count nowhere."""
        return condition_sql(bare(self.rights.row(entity, "read")), entity, alias, self.dialect, self.columns)

    def encode(self, value: Any, kind: Type) -> Any:
        """Return the stored form of a value."""
        return self.columns.encode(value, kind)

    def value(self, entity: str, alias: str, field: str) -> SqlTemplate:
        """Return the visible value of a field; an id tells nothing by itself, and stays what it is for fast joins."""
        key = (entity, alias, field)
        if key not in self._values:
            self._values[key] = self._value(entity, alias, field)
        return self._values[key]

    def _value(self, entity: str, alias: str, field: str) -> SqlTemplate:
        raw = self.columns.value(entity, alias, field)
        rule = self.rule(entity, field, known=alias == ROOT)
        if field == "id" or rule == ALWAYS:
            return raw
        condition = condition_sql(rule, entity, alias, self.dialect, self.columns)
        return SqlTemplate(f"CASE WHEN {condition.text} THEN {raw.text} END", condition.bind, raw.scale)

    def rule(self, entity: str, field: str, *, known: bool) -> Condition:
        """Return when the field may be read, in a row that may be (`known`) or about which nothing is known."""
        found = bare(self.rights.field(entity, field.removeprefix(FOLD), "read"))
        if known and found == bare(self.rights.row(entity, "read")):
            return ALWAYS
        return found
