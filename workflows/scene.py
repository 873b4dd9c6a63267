"""What a step of a running automation acts on, and what can come of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from definitions.expr import Expression, Names, RecordOf, SqlTemplate, to_sql
from definitions.spec.automation import Step
from models.errors import NotFoundError
from models.members import MEMBER
from models.message import Message, say
from models.published import Published
from models.record import Record
from models.renames import since
from models.titles import compile_title
from models.visible import ROOT
from workflows import called, items, turns
from workflows.earlier import Earlier
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
    """The run goes on at `until`; `cancel` when a change of the record may end it before.

    `follow` is kept of a pause whose time changes with the record (see `actions.wait.moved`), empty of any other.
    """

    until: datetime
    cancel: bool
    inputs: Mapping[str, Any] = field(default_factory=dict)
    follow: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Awaits:
    """The run goes on, and does the step again, once somebody else is done with `what` it asked for."""

    what: str
    inputs: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Chosen:
    """The run goes on with the step at `path` (None: none of the ways was taken)."""

    path: str | None
    inputs: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Looped:
    """The run goes through so many items, which are kept; each is called `name` in its turn."""

    name: str
    count: int
    inputs: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Stopped:
    """The run is over."""


Outcome = Done | Skipped | Paused | Awaits | Chosen | Looped | Stopped


@dataclass(frozen=True, slots=True)
class Scene:
    """A run in a transaction. `version` is the one that it began with; its records are today's.

    `record` is the record that a step is about: the run's, or another one; then `own` is what the run's expressions
    call `record`. `earlier` knows what is called differently since that version.
    """

    unit: Unit
    version: Published
    run: Run
    record: Record | None
    earlier: Earlier
    own: Record | None = None
    elsewhere: bool = False

    @property
    def living(self) -> Record | None:
        """The record that the step is about, None when it was deleted."""
        return self.record if self.elsewhere or self.run.gone is None else None

    @property
    def topic(self) -> tuple[str | None, str | None]:
        """The entity and the id of the record that the step is about, nothing without one."""
        return (None, None) if self.record is None else (self.record.entity, self.record.id)

    async def about(self, step: Step) -> Scene:
        """Return the scene of a step: with the record that it says it is about, `StepError` when there is none."""
        if step.subject is None:
            return self
        value = step.subject.compute(await self.names(step.subject), self.unit.context)
        kind = None if step.subject.expression is None else step.subject.expression.type
        record = None
        if isinstance(kind, RecordOf) and isinstance(value, Mapping):
            record = await self._made(kind.entity, str(value["id"]))
        if record is None:
            raise StepError(say("The record that this step is about is gone."))
        return replace(self, record=record, own=self.record, elsewhere=True)

    async def names(self, *parts: Any) -> Names:
        """Return the names in scope of conditions and values."""
        wanted = expressions(*parts)
        read = {path[0] for expression in wanted for path in expression.reads}
        made: dict[str, Any] = {name: await self._made(*where) for name, where in self.run.made.items() if name in read}
        for frame in turns.frames(self.run):
            if frame["name"] in read:
                made[frame["name"]] = await self._item(frame["item"])
        if self.run.call is not None:
            made |= called.unseal(self.unit, self.run.call).names
        record = self.own if self.elsewhere else self.record
        if not self.earlier.renames:
            return await self.unit.records.system.env(record, wanted, before=self.before, **made)
        return await self._said(wanted, record, made)

    async def _said(self, wanted: list[Expression], record: Record | None, made: Mapping[str, Any]) -> Names:
        """Return the same in the words of the version that the run began with."""
        records, paths = self.unit.records.system, {path for expression in wanted for path in expression.reads}
        found = await records.names_for(*wanted)
        named = [(name, value.entity, value.full) for name, value in made.items() if isinstance(value, Record)]
        if record is not None:
            named += [("record", record.entity, record.full), ("before", record.entity, self.before)]
        if found["actor"] is not None:
            named.append(("actor", MEMBER, found["actor"]))
        for name, entity, values in named:
            followed = self.earlier.paths(entity, {path[1:] for path in paths if path[0] == name})
            found[name] = self.earlier.view(entity, await records.loader.follow(entity, values, followed))
        return {**made, **found}

    def where(self, entity: str, condition: Expression | None) -> SqlTemplate:
        """Return a condition of the definitions over the rows of an entity of today."""
        if condition is None:
            return SqlTemplate("TRUE")
        sight = self.unit.records.system.sight(entity)
        if not self.earlier.renames:
            return sight.where(condition)
        if self.earlier.compares_renamed(condition):
            raise StepError(say("The condition names options or states that are called differently now."))
        return to_sql(condition, self.unit.tx.dialect, self.earlier.columns(sight.visible), ROOT)

    async def item_is_gone(self) -> bool:
        """Whether the record that the innermost loop is at was deleted since the loop began."""
        item = turns.frames(self.run)[-1]["item"]
        return "entity" in item and await self._made(item["entity"], item["id"]) is None

    async def _item(self, item: Mapping[str, Any]) -> Any:
        """Return the item that a loop is at: a record as it is now (None when it is gone), or a value."""
        return await self._made(item["entity"], item["id"]) if "entity" in item else items.value_of(self.unit, item)

    async def _made(self, entity: str, record: str) -> Record | None:
        try:
            return await self.unit.records.system.get(self.earlier.renames.entity(entity), record)
        except NotFoundError:
            return None

    @property
    def before(self) -> Mapping[str, Any]:
        """The values of the run's record before the change that caused the run."""
        if self.run.entity is None:
            return {}
        kept = self.earlier.written(self.run.entity, self.run.before)
        return read_values(self.unit.published.tables[self.run.entity], dump(kept))

    def with_made(self, made: Mapping[str, tuple[str, str]]) -> Scene:
        """Return the scene with records that a step made, by name."""
        return replace(self, run=replace(self.run, made={**self.run.made, **made}))


async def set_scene(unit: Unit, version: Published, run: Run, record: Record | None = None) -> Scene:
    """Return the scene of a run: its record as it is now (`NotFoundError` when it is gone), or as it was deleted.

    `record` is the record as it is now where who asks has read it.
    """
    earlier = Earlier(version.network, await since(unit.tx, version.version, unit.published.version))
    if run.entity is None or run.record is None:
        return Scene(unit, version, run, None, earlier)
    if run.gone is None:
        found = record or await unit.records.system.get(run.entity, run.record)
        return Scene(unit, version, run, found, earlier)
    values = read_values(unit.published.tables[run.entity], dump(earlier.written(run.entity, run.gone)))
    return Scene(unit, version, run, deleted(unit, run.entity, run.record, values), earlier)


def deleted(unit: Unit, entity: str, record: str, values: Mapping[str, Any]) -> Record:
    """Return a record that is no more, as it was."""
    name = compile_title(unit.network, unit.network.entities[entity], unit.records.language)({"id": record, **values})
    return Record(entity, record, values.get("version") or 0, values, name, full=values)
