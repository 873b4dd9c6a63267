"""What is called differently since an earlier version: names follow `was:` from version to version."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from definitions.spec.network import Network
from models.plan import ChangeTable, Plan
from models.tx import Tx

_SINCE = """SELECT "renames" FROM "_definition" WHERE "version" > ? AND "version" <= ? AND "renames" IS NOT NULL
ORDER BY "version" """
Names = Mapping[str, str]
"""Old name → new name; what is missing is called as before."""


@dataclass(frozen=True, slots=True)
class Renames:
    """The names of one version and those of a later one.

    Fields are by their entity, states and transitions by their process, options by `entity.field`; all of these keys
    are the old names. A state or an option that is gone leads to what took its place.
    """

    entities: Names = field(default_factory=dict)
    automations: Names = field(default_factory=dict)
    processes: Names = field(default_factory=dict)
    fields: Mapping[str, Names] = field(default_factory=dict)
    states: Mapping[str, Names] = field(default_factory=dict)
    transitions: Mapping[str, Names] = field(default_factory=dict)
    options: Mapping[str, Names] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """Whether anything is called differently."""
        return any(getattr(self, part) for part in _PARTS)

    def entity(self, name: str) -> str:
        """Return what an entity is called now."""
        return self.entities.get(name, name)

    def process(self, name: str) -> str:
        """Return what a process is called now."""
        return self.processes.get(name, name)

    def field(self, entity: str, name: str) -> str:
        """Return what a field, or the state of a process, of an entity (by its old name) is called now."""
        return self.fields.get(entity, {}).get(name) or self.processes.get(name, name)

    def transition(self, process: str, name: str) -> str:
        """Return what a transition of a process (by its old name) is called now."""
        return self.transitions.get(process, {}).get(name, name)

    def choices(self, entity: str, name: str) -> Names:
        """Return what the values of a field or of a process (all by their old names) are called now."""
        return self.options.get(f"{entity}.{name}") or self.states.get(name, {})

    def value(self, entity: str, name: str, value: Any) -> Any:
        """Return what a value of a field is called now."""
        return _named(self.choices(entity, name), value)

    def then(self, later: Renames) -> Renames:
        """Return the names from the beginning of these to the end of `later`."""
        return Renames(
            entities=_chained(self.entities, later.entities),
            automations=_chained(self.automations, later.automations),
            processes=_chained(self.processes, later.processes),
            fields=_nested(self.fields, later.fields, self.entities),
            states=_nested(self.states, later.states, self.processes),
            transitions=_nested(self.transitions, later.transitions, self.processes),
            options=_nested(self.options, later.options, self._paths(later.options)),
        )

    def _paths(self, later: Iterable[str]) -> Names:
        """Return the new `entity.field` of old ones, as far as `later` has something to say of them."""
        entities = {new: old for old, new in self.entities.items()}
        found = {}
        for path in later:
            entity, _, name = path.partition(".")
            old = entities.get(entity, entity)
            names = {new: was for was, new in self.fields.get(old, {}).items()}
            found[f"{old}.{names.get(name, name)}"] = path
        return found

    def dump(self) -> str | None:
        """Return the JSON that is kept with the version, None where nothing is called differently."""
        return json.dumps({part: getattr(self, part) for part in _PARTS if getattr(self, part)}) if self else None


_PARTS = ("entities", "automations", "processes", "fields", "states", "transitions", "options")


def renames(planned: Plan) -> Renames:
    """Return what a plan calls differently."""
    old, new = planned.old, planned.new
    if old is None:
        return Renames()
    changes = [step for step in planned.steps if isinstance(step, ChangeTable)]
    return Renames(
        entities=planned.entities,
        automations=planned.automations,
        processes=planned.processes,
        fields=_filled({each.old.name: _fields(each) for each in changes}),
        states=_filled({name: moved for each in changes for name, moved in _states(each)}),
        transitions=_filled(_transitions(old, new, planned.processes)),
        options=_filled({path: moved for each in changes for path, moved in _options(each)}),
    )


def _fields(change: ChangeTable) -> Names:
    declared = change.old.entity.fields
    return {was: name for was, name in change.renamed.items() if was in declared}


def _states(change: ChangeTable) -> Iterable[tuple[str, Names]]:
    for name, placed in change.states.items():
        yield change.sources.get(name, name), {was: now for was, now in placed.moves.items() if now is not None}


def _options(change: ChangeTable) -> Iterable[tuple[str, Names]]:
    for name, moved in change.options.items():
        path = f"{change.old.name}.{change.sources.get(name, name)}"
        yield path, {was: now for was, now in moved.items() if now is not None}


def _transitions(old: Network, new: Network, processes: Names) -> Mapping[str, Names]:
    found = {}
    for name, process in old.processes.items():
        now = new.processes.get(processes.get(name, name))
        if now is not None:
            made = now.transitions.values()
            found[name] = {each.was: each.name for each in made if each.was and each.was in process.transitions}
    return found


async def since(tx: Tx, version: int, now: int) -> Renames:
    """Return what is called differently in the version `now` than in an earlier one."""
    found = Renames()
    if version < now:
        for (kept,) in await tx.rows(_SINCE, [version, now]):
            found = found.then(Renames(**json.loads(kept)))
    return found


def _named(names: Names, value: Any) -> Any:
    if isinstance(value, list | tuple):
        return tuple(_named(names, each) for each in value)
    return names.get(value, value) if isinstance(value, str) else value


def reverse(names: Names) -> Names:
    """Return new name → old name."""
    return {new: old for old, new in names.items()}


def _filled(found: Mapping[str, Names]) -> Mapping[str, Names]:
    return {name: names for name, names in found.items() if names}


def _chained(first: Names, later: Names) -> Names:
    """Return the names of the first mapping as the later one calls them, with those that only the later one changes."""
    found = {old: later.get(new, new) for old, new in first.items()}
    return found | {old: new for old, new in later.items() if old not in found and old not in first.values()}


def _nested(first: Mapping[str, Names], later: Mapping[str, Names], outer: Names) -> Mapping[str, Names]:
    back = reverse(outer)
    later = {back.get(name, name): names for name, names in later.items()}
    keys = [*first, *(name for name in later if name not in first)]
    return _filled({name: _chained(first.get(name, {}), later.get(name, {})) for name in keys})
