"""From what happened to the automations that it starts, in the transaction in which it happened."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from definitions.spec.automation import Automation
from definitions.spec.entity import SYSTEM_FIELDS
from models.message import say
from models.record import Change, Record
from workflows import approvals, automatic, history, runs, timers
from workflows.beginning import Beginning, begin, begin_all
from workflows.chart import Taken
from workflows.history import LINES, stored, told
from workflows.subscriptions import Key, subscriptions
from workflows.unit import Unit


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One thing that happened to a record: `record` is after it (a deleted one as it was), `before` the values before.

    `history` is its history row. A move has `process` and `taken`. What a line is a line of does not follow what is
    written `along` with itself.
    """

    kind: Literal["created", "updated", "moved", "deleted"]
    record: Record
    history: str
    before: Mapping[str, Any] = field(default_factory=dict)
    fields: frozenset[str] = frozenset()
    process: str | None = None
    taken: Taken | None = None
    hold_until: datetime | None = None
    along: bool = False

    @property
    def declared(self) -> frozenset[str]:
        """The changed fields, without those of the system and the processes' states."""
        return self.fields - frozenset(SYSTEM_FIELDS) - {self.process}


async def occur(unit: Unit, event: Occurrence) -> Record | None:
    """Start what waits for this, and take the moves that follow from it by themselves.

    Return the record after these, None when there were none.
    """
    await _start(unit, event)
    return await automatic.follow(unit, event, _start)


async def _start(unit: Unit, event: Occurrence) -> None:
    """Start what waits for this, arm the timers that it sets, and look again at runs that wait over the record."""
    entity, record = event.record.entity, event.record.id
    # asked for before runs are written: where none waits now none will, of those that begin none does at once
    waits = event.kind != "created" and bool(await runs.waiting(unit.tx, entity, record))
    for automation, key in _first(_matching(unit, event)).values():
        await begin(unit, automation, _beginning(event, key))
    await timers.arm(unit, event.record, event.history, _entered(unit, event), event.fields)
    if waits:
        await _look_again(unit, event)
    if event.kind in ("moved", "deleted"):
        await approvals.review(unit, event.record, gone=event.kind == "deleted")
    if not event.along:
        await settle(unit, event.record, (event.history,), event.hold_until)


async def settle(unit: Unit, record: Record, told: Sequence[str], hold_until: datetime | None = None) -> None:
    """Have what a line is a line of follow its change, which `told` (history rows) tells of; other records follow none.

    It is computed again, in its next version; its own history names what is told of the line. What that sends is held
    back `hold_until` then.
    """
    entity = unit.network.entities[record.entity]
    if entity.parent is None:
        return
    await keep_written(unit, await unit.records.settle(record), told, hold_until=hold_until)


async def settle_all(unit: Unit, lines: Sequence[Record], rows: Sequence[str]) -> None:
    """Do `settle` for lines that were created at once, once for each record that they are lines of."""
    of: dict[str, list[int]] = {}
    for index, line in enumerate(lines):
        if unit.network.entities[line.entity].parent is not None:
            of.setdefault(line.full["parent"]["id"], []).append(index)
    for found in of.values():
        await settle(unit, lines[found[0]], [rows[index] for index in found])


async def keep_written(
    unit: Unit, change: Change, lines: Sequence[str], *, along: bool = False, hold_until: datetime | None = None
) -> str:
    """Tell of a record that was changed, or whose lines were (`lines`: their history rows), in its history.

    Then start what that starts. `along`: see `Occurrence`.
    """
    entity, fields = change.after.entity, told(change.fields)
    row = await history.keep(
        unit,
        "updated",
        entity,
        change.after.id,
        before=stored(unit, entity, change.before.full, fields),
        after={**stored(unit, entity, change.after.full, fields), **({LINES: list(lines)} if lines else {})},
    )
    before = change.before.full
    event = Occurrence("updated", change.after, row, before, frozenset(fields), hold_until=hold_until, along=along)
    await occur(unit, event)
    return row


def awaited(unit: Unit, entity: str) -> bool:
    """Whether anything waits for new records of an entity: an automation or a timer."""
    known = subscriptions(unit.published)
    processes = (unit.network.processes[name] for name in unit.network.entities[entity].processes)
    entered = [(process.name, state) for process in processes for state in process.active(process.initial)]
    started = automatic.awaits(unit, entity) or any(
        known.of(key) for key in [("created", entity), *(("entered", *state) for state in entered)]
    )
    return started or bool(known.due.get(entity)) or any(known.stays.get(state) for state in entered)


def _matching(unit: Unit, event: Occurrence) -> Iterator[tuple[Automation, Key]]:
    known = subscriptions(unit.published)
    for key in _keys(unit, event):
        for automation in known.of(key):
            yield automation, key
    if event.kind in ("updated", "moved"):
        for automation in known.of_change(event.record.entity, event.declared):
            yield automation, ("changed", event.record.entity)


def _first(found: Iterable[tuple[Automation, Key]]) -> Mapping[str, tuple[Automation, Key]]:
    """Return each automation once, with what it was found by first."""
    kept: dict[str, tuple[Automation, Key]] = {}
    for automation, key in found:
        kept.setdefault(automation.name, (automation, key))
    return kept


def _keys(unit: Unit, event: Occurrence) -> Iterator[Key]:
    if event.kind in ("created", "deleted"):
        yield (event.kind, event.record.entity)
    for process, state in _entered(unit, event):
        yield ("entered", process, state)
    if event.taken is not None and event.process is not None:
        yield ("moved", event.process, event.taken.transition.name)
        for state in event.taken.exits:
            yield ("left", event.process, state)


def _entered(unit: Unit, event: Occurrence) -> list[tuple[str, str]]:
    """Return the states that were entered; a new record enters the initial ones."""
    if event.kind == "created":
        processes = (unit.network.processes[name] for name in unit.network.entities[event.record.entity].processes)
        return [
            (process.name, state)
            for process in processes
            for state in process.chart.sort(process.active(event.record.full[process.name]))
        ]
    if event.taken is None or event.process is None:
        return []
    return [(event.process, state) for state in event.taken.enters]


def _beginning(event: Occurrence, key: Key) -> Beginning:
    return Beginning(
        cause=event.history,
        what=f"{key[0]} {'.'.join(key[1:])}",
        record=event.record,
        before=event.before,
        gone=event.kind == "deleted",
        hold_until=event.hold_until,
    )


async def _look_again(unit: Unit, event: Occurrence) -> None:
    """Have the runs that wait over the record check whether to go on waiting; those of a deleted record end."""
    for run in await runs.waiting(unit.tx, event.record.entity, event.record.id):
        if event.kind == "deleted":
            await runs.end(unit, run, "cancelled", say("The record was deleted."))
        else:
            await runs.look_again(unit, run)


async def occur_all(unit: Unit, entity: str, events: Sequence[Occurrence]) -> None:
    """Do `occur` for moves of many records of an entity, of which none follows another by itself and none is a line.

    What each starts reads that record alone.
    """
    waited = await runs.waited_over(unit.tx, entity, [event.record.id for event in events])
    started: dict[str, tuple[Automation, list[Beginning]]] = {}
    matching: dict[object, Mapping[str, tuple[Automation, Key]]] = {}
    for event in events:
        alike = (id(event.taken), event.fields)
        if alike not in matching:
            matching[alike] = _first(_matching(unit, event))
        for name, (automation, key) in matching[alike].items():
            started.setdefault(name, (automation, []))[1].append(_beginning(event, key))
    for automation, beginnings in started.values():
        await begin_all(unit, automation, beginnings)
    await _wait_all(unit, entity, events, waited)


async def _wait_all(unit: Unit, entity: str, events: Sequence[Occurrence], waited: Collection[str]) -> None:
    """Arm the timers of moves, and look again at what waits over their records."""
    known = subscriptions(unit.published)
    arms = bool(known.due.get(entity)) or any(known.stays.values())
    agreed = any(unit.network.processes[name].approved for name in unit.network.entities[entity].processes)
    for event in events:
        if arms:
            await timers.arm(unit, event.record, event.history, _entered(unit, event), event.fields)
        if event.record.id in waited:
            await _look_again(unit, event)
        if agreed:
            await approvals.review(unit, event.record)
