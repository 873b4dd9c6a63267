"""What a step of a running automation acts on, and what can come of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from definitions.expr.expression import Names
from models.errors import NotFoundError
from models.message import Message
from models.published import Published
from models.record import Record
from models.titles import compile_title
from workflows.runs import Run
from workflows.stored import dump, read_values
from workflows.subscriptions import expressions
from workflows.unit import Unit


class StepError(Exception):
    """A step that cannot be done; the sentence says why."""

    def __init__(self, message: Message) -> None:
        """Keep the sentence."""
        self.message = message
        super().__init__(str(message))


@dataclass(frozen=True, slots=True)
class Done:
    """The step was done. `inputs` and `result` are for the trace; `stale` when it changed records."""

    inputs: Mapping[str, Any] = field(default_factory=dict)
    result: Mapping[str, Any] = field(default_factory=dict)
    stale: bool = False
    made: Mapping[str, tuple[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Skipped:
    """The step had nothing to do."""

    why: Message
    inputs: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Paused:
    """The run goes on at `until`; `cancel` when a change of the record may end it before."""

    until: datetime
    cancel: bool
    inputs: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Chosen:
    """The run goes on with the step at `path` (None: none of the ways was taken)."""

    path: str | None
    inputs: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Stopped:
    """The run is over."""


Outcome = Done | Skipped | Paused | Chosen | Stopped


@dataclass(frozen=True, slots=True)
class Scene:
    """A run in a transaction. `version` is the one that it began with; its records are today's."""

    unit: Unit
    version: Published
    run: Run
    record: Record | None

    async def names(self, *parts: Any) -> Names:
        """Return the names in scope of conditions and values."""
        wanted = expressions(*parts)
        read = {path[0] for expression in wanted for path in expression.reads}
        made = {name: await self._made(*where) for name, where in self.run.made.items() if name in read}
        return await self.unit.records.system.env(self.record, wanted, before=self._before(), **made)

    async def _made(self, entity: str, record: str) -> Record | None:
        try:
            return await self.unit.records.system.get(entity, record)
        except NotFoundError:
            return None

    def _before(self) -> Mapping[str, Any]:
        if self.run.entity is None:
            return {}
        return read_values(self.unit.published.tables[self.run.entity], dump(self.run.before))

    def with_made(self, made: Mapping[str, tuple[str, str]]) -> Scene:
        """Return the scene with records that a step made, by name."""
        return replace(self, run=replace(self.run, made={**self.run.made, **made}))


async def set_scene(unit: Unit, version: Published, run: Run) -> Scene:
    """Return the scene of a run: its record as it is now (`NotFoundError` when it is gone), or as it was deleted."""
    if run.entity is None or run.record is None:
        return Scene(unit, version, run, None)
    if run.gone is None:
        return Scene(unit, version, run, await unit.records.system.get(run.entity, run.record))
    values = read_values(unit.published.tables[run.entity], dump(run.gone))
    return Scene(unit, version, run, deleted(unit, run.entity, run.record, values))


def deleted(unit: Unit, entity: str, record: str, values: Mapping[str, Any]) -> Record:
    """Return a record that is no more, as it was."""
    name = compile_title(unit.network.entities[entity])({"id": record, **values})
    return Record(entity, record, values.get("version") or 0, values, name, full=values)
