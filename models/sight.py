"""How one set of rights sees the records of one entity: compiled once, used for every row."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from definitions.expr import Expression, SqlTemplate, to_sql
from definitions.spec.entity import Field, FieldType
from definitions.spec.network import Network
from models.access import Deed, Rights
from models.computed import defaults_in_order, in_order
from models.filters import Finder
from models.record import Record, Right
from models.rules import ALWAYS, NEVER, OPEN, Above, Condition, Path, bare, reads
from models.rules_sql import condition_sql
from models.statement import listing
from models.tables import Tables
from models.titles import compile_title, title_fields, title_reads
from models.tx import Dialect, Row
from models.validation import Declared
from models.visible import FOLD, ROOT, VisibleColumns

ALWAYS_SELECTED = frozenset(
    {"id", "created_at", "updated_at", "created_by", "last_activity_at", "version", "owner", "parent"}
)
SELECTIONS = 64
"""So many different choices of columns, and conditions, are kept ready for an entity; screens have a handful."""

ALIKE: frozenset[FieldType] = frozenset(
    {"text", "long_text", "integer", "decimal", "money", "boolean", "country", "language", "choice", "choices"}
)
"""Types whose values mean the same in every zone and country."""


@dataclass(frozen=True, slots=True)
class Selection:
    """The columns of a SELECT and the flags after them (`template`), and the way of a row's columns into memory."""

    names: tuple[str, ...]
    template: SqlTemplate
    decode: Callable[[Row], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What the rights come to for all rows of which the flags say the same."""

    hidden: frozenset[str]
    may: frozenset[Right]
    writable: frozenset[str]


@dataclass(frozen=True, slots=True)
class Asked:
    """What checking some fields takes: these, those that have to fit their values, and what conditions and bounds read.

    `followed` are the references of the record that they go through.
    """

    names: frozenset[str]
    expressions: tuple[Expression, ...]
    followed: frozenset[Path]


class Sight:
    """The SQL that reads an entity's records under some rights, and the way from a row to a `Record`.

    `read` is the row rule. Rules that differ from row to row (`judged`) are selected beside the columns, each once.
    `beyond` is what titles show of other records: with any, records have their titles from `models.entitling` only.
    """

    def __init__(
        self, network: Network, tables: Tables, rights: Rights, entity: str, dialect: Dialect, language: str = ""
    ) -> None:
        """Compile the rules of `entity`; `language` is that of its titles, where they are said in one."""
        self.entity = network.entities[entity]
        self.declared = Declared(network, self.entity)
        self.network = network
        self.rights = rights
        self.table = tables[entity]
        self.visible = VisibleColumns(tables, rights, dialect)
        self.finder = Finder(network, tables, self.visible)
        self.known = bare(rights.row(entity, "read"))
        self.read = condition_sql(self.known, entity, ROOT, dialect, tables)
        self.names = tuple(name for name in self.table.columns if not name.startswith(FOLD))
        rules = {name: self.visible.rule(entity, name, known=True) for name in self.names}
        self.personal = tuple(name for name, field in self.fields.items() if field.personal is not None)
        self._hides = {name: rule for name, rule in rules.items() if rule != ALWAYS}
        parent = self.fields["parent"] if self.entity.parent is not None else None  # a line stays where it is
        self._writes = {
            name: bare(rights.field(entity, name, "write"))
            for name, field in self.fields.items()
            if field.compute is None and field is not parent
        }
        self._rights: dict[Right, Condition] = {
            "update": bare(rights.row(entity, "update")),
            "delete": bare(rights.row(entity, "delete")),
        }
        self.judged = tuple(dict.fromkeys(rule for rule in self._rules() if self._sure(rule) is None))
        self._flags = tuple(condition_sql(rule, entity, ROOT, dialect, tables) for rule in self.judged)
        self.title = compile_title(network, self.entity, language)
        self.beyond = frozenset(path for path in title_reads(self.entity) if path[1:])
        self._titled = title_fields(self.entity)
        self.entitling = tuple(name for name in self.personal if name in self._titled)
        self._outcomes: dict[tuple[bool, ...], _Outcome] = {}
        self._selections: dict[tuple[str, ...], Selection] = {}
        self._chosen: dict[tuple[str, ...] | None, Selection] = {}
        self._wheres: dict[Expression, SqlTemplate] = {}
        self._fills: dict[tuple[tuple[str, ...], Deed], tuple[tuple[Condition, tuple[str, ...]], ...]] = {}
        self._asked: dict[frozenset[str], Asked] = {}
        self._followed: dict[Condition, frozenset[Path]] = {}

    @property
    def fields(self) -> Mapping[str, Field]:
        """The declared fields, with `parent` before them and `owner` after them."""
        return self.declared.fields

    def _rules(self) -> Iterator[Condition]:
        yield from self._hides.values()
        yield from self._writes.values()
        yield from self._rights.values()

    def _sure(self, rule: Condition) -> bool | None:
        """Whether a rule holds for every record that may be read, or for none; None where it depends."""
        if rule in {ALWAYS, self.known}:
            return True
        return False if rule == NEVER else None

    @cached_property
    def defaults(self) -> Mapping[str, Any]:
        """The defaults that are the same for every record, as values of memory."""
        declared = (field for field in self.entity.fields.values() if _constant(field))
        found = {field.name: field.default.literal for field in declared if field.default is not None}
        return self.declared.clean(found, {}).values

    @cached_property
    def computed_defaults(self) -> tuple[Field, ...]:
        """The fields whose defaults depend on more than their type: on an expression, a zone or a country."""
        fields = self.entity.fields.values()
        return tuple(field for field in fields if field.default and not _constant(field) and not field.follows)

    @cached_property
    def computed(self) -> tuple[Field, ...]:
        """The computed fields, each after those that it reads."""
        return tuple(in_order(self.entity))

    @cached_property
    def following_defaults(self) -> tuple[Field, ...]:
        """The fields whose defaults read other values of the record, each after those that it waits for."""
        return tuple(defaults_in_order(self.entity))

    @cached_property
    def following(self) -> Mapping[str, frozenset[str]]:
        """The fields whose values have to fit others of the record (`required`, `min`, `max`), each with these."""
        found = {field.name: frozenset(path[0] for path in asked_of(field)) for field in self.entity.fields.values()}
        return {name: asked for name, asked in found.items() if asked}

    def asked(self, names: Iterable[str]) -> Asked:
        """Return what checking these fields takes."""
        wanted = frozenset(names)
        found = self._asked.get(wanted)
        if found is None:
            found = self._ask(wanted)
            if len(self._asked) < SELECTIONS:
                self._asked[wanted] = found
        return found

    def _ask(self, names: frozenset[str]) -> Asked:
        checked = names | {name for name, asked in self.following.items() if not asked.isdisjoint(names)}
        fields = [self.entity.fields[name] for name in checked if name in self.entity.fields]
        values = [value for field in fields for value in (field.min, field.max, field.required_if) if value is not None]
        expressions = tuple(value.expression for value in values if value.expression is not None)
        return Asked(checked, expressions, frozenset(path for value in values for path in value.reads("record")))

    def hides(self, name: str) -> bool:
        """Whether the field is hidden in some of the records that may be read, or in all."""
        return name in self._hides

    @property
    def whole(self) -> bool:
        """Whether every record may be read that its owner did not close to the leader, with all of its fields."""
        known = self.known
        while isinstance(known, Above):
            known = known.condition
        return known in {ALWAYS, OPEN} and not self._hides

    def select(self, wanted: tuple[str, ...] | None = None) -> Selection:
        """Return what to select for the fields `wanted` (all by default), with those that every record needs."""
        found = self._chosen.get(wanted)
        if found is None:
            found = self._select(wanted)
            if len(self._chosen) < SELECTIONS:
                self._chosen[wanted] = found
        return found

    def _select(self, wanted: tuple[str, ...] | None) -> Selection:
        names = self.names
        if wanted is not None:
            needed = ALWAYS_SELECTED | set(self.entity.processes) | self._titled | set(wanted)
            names = tuple(name for name in self.names if name in needed)
        found = self._selections.get(names)
        if found is None:
            found = self._selection(names)
            if len(self._selections) < SELECTIONS:
                self._selections[names] = found
        return found

    def _selection(self, names: tuple[str, ...]) -> Selection:
        columns = [self.visible.columns.value(self.entity.name, ROOT, name) for name in names]
        return Selection(names, listing((*columns, *self._flags)), self.table.decoder(names))

    def from_row(self, row: Row, selection: Selection) -> Record:
        """Return the record of a row that begins with what `selection` selects."""
        begin = len(selection.names)
        verdicts = tuple(map(bool, row[begin : begin + len(self.judged)]))
        return self._record(selection.decode(row), self._outcome(verdicts))

    def from_rows(self, rows: Iterable[Row], selection: Selection) -> list[Record]:
        """Return the records of many rows."""
        if self.judged:
            return [self.from_row(row, selection) for row in rows]
        decode, record, outcome = selection.decode, self._record, self._outcome(())
        return [record(decode(row), outcome) for row in rows]

    def fills(self, names: tuple[str, ...], action: Deed) -> tuple[tuple[Condition, tuple[str, ...]], ...]:
        """Return in which new records fields may be given a value (`begin`: in lines of what is new as well).

        Each rule stands once, with the fields that it is about.
        """
        key = (names, action)
        found = self._fills.get(key)
        if found is None:
            by_rule: dict[Condition, tuple[str, ...]] = {}
            for name in names:
                rule = bare(self.rights.new_field(self.entity.name, name, action))
                by_rule[rule] = (*by_rule.get(rule, ()), name)
            found = tuple(by_rule.items())
            if len(self._fills) < SELECTIONS:
                self._fills[key] = found
        return found

    def followed(self, rule: Condition) -> frozenset[Path]:
        """Return the references of a record that deciding a rule of these rights follows."""
        found = self._followed.get(rule)
        if found is None:
            found = frozenset(path[1:] for path in reads(rule) if path[0] == "record" and path[2:] not in {(), ("id",)})
            self._followed[rule] = found
        return found

    def where(self, condition: Expression) -> SqlTemplate:
        """Return a condition of the definitions or of a program as SQL over the values that may be seen."""
        found = self._wheres.get(condition)
        if found is None:
            found = to_sql(condition, self.visible.dialect, self.visible, ROOT)
            if len(self._wheres) < SELECTIONS:
                self._wheres[condition] = found
        return found

    def record(self, full: Mapping[str, Any], verdicts: Sequence[bool]) -> Record:
        """Return the record with `full` values; `verdicts` says whether each rule of `judged` holds for it."""
        return self._record(full, self._outcome(tuple(verdicts)))

    def _outcome(self, verdicts: tuple[bool, ...]) -> _Outcome:
        found = self._outcomes.get(verdicts)
        if found is None:
            found = self._outcomes[verdicts] = self._judge(dict(zip(self.judged, verdicts, strict=True)))
        return found

    def _judge(self, verdicts: Mapping[Condition, bool]) -> _Outcome:
        def allowed(rule: Condition) -> bool:
            sure = self._sure(rule)
            return verdicts[rule] if sure is None else sure

        may = {right for right, rule in self._rights.items() if allowed(rule)}
        return _Outcome(
            hidden=frozenset(name for name, rule in self._hides.items() if not allowed(rule)),
            may=frozenset({*may, "read"}),
            writable=frozenset(name for name, rule in self._writes.items() if "update" in may and allowed(rule)),
        )

    def _record(self, full: Mapping[str, Any], outcome: _Outcome) -> Record:
        values, hidden = full, outcome.hidden
        if hidden:
            hidden = hidden.intersection(full)
            values = {**full, **dict.fromkeys(hidden)}
        return Record(
            entity=self.entity.name,
            id=full["id"],
            version=full["version"],
            values=values,
            title=full["id"] if self.beyond else self.title(values),
            hidden=hidden,
            may=outcome.may,
            writable=outcome.writable,
            full=full,
        )

    def out_of_sight(self, full: Mapping[str, Any]) -> Record:
        """Return a record that its actor may no longer read."""
        kept = {"id": full["id"], "version": full["version"]}
        return Record(
            entity=self.entity.name,
            id=full["id"],
            version=full["version"],
            values={**dict.fromkeys(full), **kept},
            title=full["id"],
            hidden=frozenset(full).difference(kept),
            full=full,
        )


def asked_of(field: Field) -> frozenset[Path]:
    """Return what a field's condition and bounds select of the record."""
    values = (value for value in (field.required_if, field.min, field.max) if value is not None)
    return frozenset(path for value in values for path in value.reads("record"))


def _constant(field: Field) -> bool:
    """Whether a field has a default that is the same for every record."""
    return field.default is not None and field.default.expression is None and field.type in ALIKE
