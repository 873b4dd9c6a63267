"""How one set of rights sees the records of one entity: compiled once, used for every row."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from definitions.expr import SqlTemplate
from definitions.spec.network import Network
from models.access import Rights
from models.filters import Finder
from models.record import Record, Right
from models.rules import ALWAYS, NEVER, Condition, bare
from models.rules_sql import condition_sql
from models.tables import Tables
from models.titles import title, title_fields
from models.tx import Dialect, Row
from models.validation import all_fields
from models.visible import FOLD, ROOT, VisibleColumns

Judge = Callable[[Condition], bool]
ALWAYS_SELECTED = frozenset({"id", "created_at", "updated_at", "created_by", "last_activity_at", "version", "owner"})


class Sight:
    """The SQL that reads an entity's records under some rights, and the way from a row to a `Record`.

    `read` is the row rule. Rules that differ from row to row are selected beside the columns (`flags`), each once.
    """

    def __init__(self, network: Network, tables: Tables, rights: Rights, entity: str, dialect: Dialect) -> None:
        """Compile the rules of `entity`."""
        self.entity = network.entities[entity]
        self.table = tables[entity]
        self.visible = VisibleColumns(tables, rights, dialect)
        self.known = bare(rights.row(entity, "read"))
        self.read = condition_sql(self.known, entity, ROOT, dialect, tables)
        self.names = tuple(name for name in self.table.columns if not name.startswith(FOLD))
        rules = {name: self.visible.rule(entity, name, known=True) for name in self.names}
        self._hides = {name: rule for name, rule in rules.items() if rule != ALWAYS}
        self._writes = {
            name: bare(rights.field(entity, name, "write"))
            for name, field in all_fields(self.entity).items()
            if field.compute is None
        }
        self._rights: dict[Right, Condition] = {
            "update": bare(rights.row(entity, "update")),
            "delete": bare(rights.row(entity, "delete")),
        }
        self._always_writable = frozenset(name for name, rule in self._writes.items() if self.sure(rule) is True)
        self._sometimes = {name: rule for name, rule in self._writes.items() if self.sure(rule) is None}
        self.judged = tuple(dict.fromkeys(rule for rule in self._rules() if self.sure(rule) is None))
        self.flags = tuple(condition_sql(rule, entity, ROOT, dialect, tables) for rule in self.judged)
        self._titled = title_fields(self.entity)
        self.finder = Finder(network, tables, self.visible)

    def _rules(self) -> Iterator[Condition]:
        yield from self._hides.values()
        yield from self._writes.values()
        yield from self._rights.values()

    def sure(self, rule: Condition) -> bool | None:
        """Whether a rule holds for every record that may be read, or for none; None where it depends."""
        if rule in {ALWAYS, self.known}:
            return True
        return False if rule == NEVER else None

    def hides(self, name: str) -> bool:
        """Whether the field is hidden in some of the records that may be read, or in all."""
        return name in self._hides

    def select(self, wanted: Iterable[str] | None = None) -> tuple[str, ...]:
        """Return the columns to read for the fields `wanted` (all by default), with those that every record needs."""
        if wanted is None:
            return self.names
        needed = ALWAYS_SELECTED | set(self.entity.processes) | self._titled | set(wanted)
        return tuple(name for name in self.names if name in needed)

    def selection(self, columns: Sequence[str]) -> list[str | SqlTemplate]:
        """Return the parts of a SELECT list: the raw columns, then the flags."""
        raw: list[SqlTemplate] = [self.visible.columns.value(self.entity.name, ROOT, name) for name in columns]
        parts: list[str | SqlTemplate] = []
        for template in (*raw, *self.flags):
            parts += (", ", template) if parts else (template,)
        return parts

    def from_row(self, row: Row, columns: Sequence[str]) -> Record:
        """Return the record of a row that was selected with `selection(columns)`."""
        full = self.table.decode(row[: len(columns)], columns)
        if not self.judged:
            return self.record(full, lambda _: False)
        verdicts = dict(zip(self.judged, row[len(columns) :], strict=False))
        return self.record(full, lambda rule: bool(verdicts[rule]))

    def record(self, full: Mapping[str, Any], judge: Judge) -> Record:
        """Return the record with `full` values, hiding what `judge` says of the rules that depend on the row."""

        def allowed(rule: Condition) -> bool:
            sure = self.sure(rule)
            return judge(rule) if sure is None else sure

        hidden = frozenset(name for name, rule in self._hides.items() if name in full and not allowed(rule))
        values = {name: None if name in hidden else value for name, value in full.items()} if hidden else full
        may: set[Right] = {right for right, rule in self._rights.items() if allowed(rule)}
        extra = [name for name, rule in self._sometimes.items() if allowed(rule)]
        return Record(
            entity=self.entity.name,
            id=full["id"],
            version=full["version"],
            values=values,
            title=title(self.entity, values),
            hidden=hidden,
            may=frozenset(may | {"read"}),
            writable=self._always_writable.union(extra) if "update" in may else frozenset(),
            full=full,
        )

    def out_of_sight(self, full: Mapping[str, Any]) -> Record:
        """Return a record that its actor may no longer read."""
        values = dict.fromkeys(full) | {"id": full["id"], "version": full["version"]}
        return Record(
            entity=self.entity.name,
            id=full["id"],
            version=full["version"],
            values=values,
            title=full["id"],
            hidden=frozenset(full) - {"id", "version"},
            full=full,
        )
