"""What has to change in a store so that it holds what new definitions describe."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from definitions.spec.entity import Entity, Field
from definitions.spec.network import Network
from definitions.spec.process import Process
from definitions.spec.value import Value
from models.columns import codec
from models.computed import in_order
from models.placement import Placement, placement
from models.recompute import reads
from models.shape import FOLD, ColumnShape, TableShape, shapes

Renames = Mapping[str, str]
"""Old name → new name."""


@dataclass(frozen=True, slots=True)
class AddTable:
    """A new entity."""

    shape: TableShape


@dataclass(frozen=True, slots=True)
class DropTable:
    """An entity that is gone."""

    shape: TableShape


@dataclass(frozen=True, slots=True)
class ChangeTable:
    """An entity that stays, perhaps under another name, and what becomes of its columns and values.

    `sources` maps the columns that stay, by their new names, to their old ones. `retyped` are fields whose values have
    to be converted. `options` maps, by the field's new name, the values that go to what takes their place (None:
    nothing does); `states` says, by the process's new name, where records go whose states change. `recomputed` are the
    computed fields, each after those it reads, when they have to be computed again.
    """

    old: TableShape
    new: TableShape
    sources: Renames
    retyped: frozenset[str] = frozenset()
    options: Mapping[str, Mapping[str, str | None]] = field(default_factory=dict)
    states: Mapping[str, Placement] = field(default_factory=dict)
    recomputed: tuple[str, ...] = ()

    @property
    def added(self) -> tuple[ColumnShape, ...]:
        """The columns that are new."""
        return tuple(column for name, column in self.new.columns.items() if name not in self.sources)

    @property
    def dropped(self) -> tuple[ColumnShape, ...]:
        """The columns that nothing takes over."""
        kept = set(self.sources.values())
        return tuple(column for name, column in self.old.columns.items() if name not in kept)

    @property
    def renamed(self) -> Renames:
        """The columns that stay under another name: old → new."""
        return {old: new for new, old in self.sources.items() if old != new}

    @property
    def rebuilds(self) -> bool:
        """Whether the table has to be written anew: adding and renaming columns can do without."""
        return bool(self.dropped or self.retyped) or any(not column.null for column in self.added) or self._restored

    @property
    def _restored(self) -> bool:
        old = self.old.columns
        return any(old[source].stored != self.new.columns[name].stored for name, source in self.sources.items())

    @property
    def replaces_values(self) -> bool:
        """Whether some records will have other values, so that what is computed from them may be another."""
        filled = any(
            not self.new.columns[name].null and self.old.columns[source].null for name, source in self.sources.items()
        )
        return bool(filled or self.retyped or any(self.options.values()) or self.states)

    @property
    def is_empty(self) -> bool:
        """Whether nothing has to be done."""
        return not (
            self.old.name != self.new.name
            or self.added
            or self.rebuilds
            or self.renamed
            or self.retyped
            or any(self.options.values())
            or self.states
            or self.recomputed
            or set(self.old.indexes) != set(self.new.indexes)
        )


Step = AddTable | DropTable | ChangeTable


@dataclass(frozen=True, slots=True)
class Plan:
    """The steps from the old definitions to the new ones, and what is called differently in them."""

    old: Network | None
    new: Network
    steps: tuple[Step, ...]
    entities: Renames
    processes: Renames
    automations: Renames


def plan(old: Network | None, new: Network) -> Plan:
    """Return the steps that make the tables of `old` (None: there are none) those of `new`."""
    after = shapes(new)
    if old is None:
        return Plan(old, new, tuple(AddTable(shape) for shape in after.values()), {}, {}, {})
    before = shapes(old)
    origins = {entity.name: origin_of(entity.name, old.entities, new.entities) for entity in new.entities.values()}
    processes = {process.name: _process_origin(process, old, new, origins) for process in new.processes.values()}
    steps: list[Step] = [DropTable(shape) for name, shape in before.items() if name not in origins.values()]
    steps += [AddTable(shape) for name, shape in after.items() if origins[name] is None]
    changes = {
        name: _change(old, new, (before[origin], shape), origins, processes)
        for name, shape in after.items()
        if (origin := origins[name]) is not None
    }
    steps += [change for change in _with_parents(new, changes).values() if not change.is_empty]
    automations = {name: origin_of(name, old.automations, new.automations) for name in new.automations}
    return Plan(old, new, tuple(steps), _renames(origins), _renames(processes), _renames(automations))


def _with_parents(new: Network, changes: Mapping[str, ChangeTable]) -> Mapping[str, ChangeTable]:
    """Return the changes; what is computed from lines whose values change is computed again."""
    found = dict(changes)
    for name in sorted(found, key=new.depth, reverse=True):
        parent, change = new.entities[name].parent, found[name]
        if parent in found and (change.recomputed or change.replaces_values):
            computed = tuple(in_order(new.entities[parent]))
            if any(path[0] == new.entities[name].lines_as for each in computed for path in reads(each)):
                found[parent] = replace(found[parent], recomputed=tuple(each.name for each in computed))
    return found


def origin_of(name: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> str | None:
    """Return the old name of what is called `name` now, None when it is new.

    A `was` that has been said before is over. One over a name that was there counts when nothing keeps the old name, or
    when that is called differently too: names may be exchanged.
    """
    was: str | None = getattr(new[name], "was", None)
    if name not in old:
        return was if was in old else None
    if was is None or was not in old or getattr(old[name], "was", None) == was:
        return name
    other = getattr(new.get(was), "was", None)
    return was if was not in new or (other is not None and other in old) else name


def _process_origin(process: Process, old: Network, new: Network, origins: Mapping[str, str | None]) -> str | None:
    """Return the old name of a process of the same entity; one that went to another entity begins anew there."""
    origin = origin_of(process.name, old.processes, new.processes)
    if origin is None or old.processes[origin].entity != origins.get(process.entity):
        return None
    return origin


def _renames(origins: Mapping[str, str | None]) -> Renames:
    return {old: new for new, old in origins.items() if old is not None and old != new}


def _change(
    old: Network,
    new: Network,
    tables: tuple[TableShape, TableShape],
    origins: Mapping[str, str | None],
    processes: Mapping[str, str | None],
) -> ChangeTable:
    before, after = tables
    fields = dict(_field_origins(before.entity, after.entity))
    sources = dict(_sources(before, after, fields, processes))
    kept = {name: origin for name, origin in fields.items() if sources.get(name) == origin}
    pairs = {name: (before.entity.fields[origin], after.entity.fields[name]) for name, origin in kept.items()}
    change = ChangeTable(
        before,
        after,
        sources,
        frozenset(name for name, (was, now) in pairs.items() if _is_retyped(was, now, origins)),
        {name: _lost_options(was, now) for name, (was, now) in pairs.items()},
        {
            name: placed
            for name in after.entity.processes
            if (origin := processes.get(name)) is not None
            and (placed := placement(old.processes[origin], new.processes[name])) is not None
        },
    )
    computed = tuple(in_order(after.entity))
    anew = any(field.name not in pairs or _is_recomputed(*pairs[field.name]) for field in computed)
    if anew or change.replaces_values:
        return replace(change, recomputed=tuple(field.name for field in computed))
    return change


def _field_origins(before: Entity, after: Entity) -> Iterator[tuple[str, str]]:
    for name in after.fields:
        origin = origin_of(name, before.fields, after.fields)
        if origin is not None:
            yield name, origin


def _sources(
    before: TableShape, after: TableShape, fields: Renames, processes: Mapping[str, str | None]
) -> Iterator[tuple[str, str]]:
    for name, column in after.columns.items():
        origin: str | None = name
        if column.kind == "field":
            origin = fields.get(name)
        elif column.kind == "state":
            origin = processes.get(name)
        elif column.kind == "fold":
            origin = FOLD + fields.get(column.source, "")
        found = before.columns.get(origin or "")
        if found is not None and found.kind == column.kind:
            yield name, found.name


def _is_retyped(was: Field, now: Field, origins: Mapping[str, str | None]) -> bool:
    """Whether stored values have to be converted; what is computed is computed again instead."""
    if now.compute is not None:
        return False
    if was.encrypted or now.encrypted:  # what is sealed opens in its own field alone
        return (was.name, was.encrypted, was.type, was.scale) != (now.name, now.encrypted, now.type, now.scale)
    if was.type == "reference" and now.type == "reference":
        return was.to != origins.get(now.to or "")
    stored_alike = codec(was).declared == codec(now).declared and codec(was).decode is codec(now).decode
    if was.type in ("decimal", "money") and now.type in ("decimal", "money"):
        return was.scale != now.scale
    return was.type != now.type and not (stored_alike and now.type in ("text", "long_text"))


def _is_recomputed(was: Field, now: Field) -> bool:
    return _text(was.compute) != _text(now.compute) or _form(was) != _form(now)


def _form(field: Field) -> tuple[str, int, bool, str]:
    """Return what the stored form of a field's values depends on."""
    return field.type, field.scale, field.encrypted, field.name if field.encrypted else ""


def _text(value: Value | None) -> str | None:
    return None if value is None or value.expression is None else value.expression.text


def _lost_options(was: Field, now: Field) -> dict[str, str | None]:
    if not was.options or not now.options:
        return {}
    places = {option.was: name for name, option in now.options.items() if option.was is not None}
    return {name: places.get(name) for name in was.options if name not in now.options}
