"""What the history says in the words of one version, in those of another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from definitions.charts.process import leaves_of
from models.plan import ChangeTable, Plan
from models.recast import Recast
from models.tables import EntityTable, Tables


class Translation:
    """Reads values that history rows kept under the old definitions as values of memory under the new ones."""

    def __init__(self, planned: Plan, old: Tables, new: Tables) -> None:
        """Follow the renames, types, options and states of a plan between the two."""
        self._old = old
        self._new = new
        self._entities = planned.entities
        self._processes = planned.processes
        self._zone = ZoneInfo(planned.new.timezone)
        self._changes = {step.new.name: step for step in planned.steps if isinstance(step, ChangeTable)}

    def entity(self, name: str) -> str | None:
        """Return what an entity is called now, None when it is gone."""
        found = self._entities.get(name, name)
        return found if found in self._new and name in self._old else None

    def process(self, name: str) -> str:
        """Return what a process is called now."""
        return self._processes.get(name, name)

    def values(self, entity: str, kept: Mapping[str, Any]) -> dict[str, Any]:
        """Return the values of an entity (by its old name) by their new names; what is gone or fits no more is left
        out.

        What is computed is left out too: it will be computed again.
        """
        new = self._new[self._entities.get(entity, entity)]
        old, change = self._old[entity], self._changes.get(new.name)
        values = old.kept({name: form for name, form in kept.items() if name in old.shape.columns})
        sources = change.sources if change else {name: name for name in new.columns}
        found = {
            name: self._value(change, name, (old, new), values[source])
            for name, source in sources.items()
            if source in values and not _is_computed(new, name)
        }
        return {name: value for name, value in found.items() if value is not _LOST}

    def _value(self, change: ChangeTable | None, name: str, tables: tuple[EntityTable, EntityTable], value: Any) -> Any:
        if change is None or value is None:
            return value
        if name in change.retyped:
            old, new = tables
            source = change.sources[name]
            recast = Recast(old.entity.fields[source], new.entity.fields[name], self._zone)
            stored, whole = recast(old.keep(source, value))
            return new.kept({name: stored})[name] if whole else _LOST
        if name in change.states:
            placed = change.states[name]
            gone = any(placed.moves.get(each, each) is None for each in leaves_of(value))
            return _LOST if gone else placed(value)
        moves = change.options.get(name, {})
        if isinstance(value, tuple):
            return tuple(moved for each in value if (moved := moves.get(each, each)) is not None)
        moved = moves.get(value, value) if moves else value
        return _LOST if moved is None else moved


_LOST = object()
"""A value that has no place in the new definitions."""


def _is_computed(table: EntityTable, name: str) -> bool:
    field = table.entity.fields.get(name)
    return field is not None and field.compute is not None
