"""Triggers that fire at a time of a record: `stays` and `due`. What they wait for is checked again when they fire."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from definitions.duration import Duration
from definitions.expr.expression import Context
from definitions.expr.periods import later, negative, start_of
from definitions.spec.automation import Automation, Stays
from models import entitling
from models.errors import NotFoundError
from models.record import Record
from workflows import outbox
from workflows.beginning import Beginning, apart, begin, begin_all
from workflows.runs import Go
from workflows.stored import moment, read_moment
from workflows.subscriptions import DueTimer, StaysTimer, subscriptions
from workflows.unit import Unit

_ENTRIES = """SELECT "id", "at", "from_state", "to_state" FROM "_history"
WHERE "entity" = ? AND "record" = ? AND "undone_by" IS NULL
AND ("process" = ? AND "kind" = 'moved' OR "kind" = 'created') ORDER BY "at" DESC, "id" DESC"""


async def arm(
    unit: Unit, record: Record, history: str, entered: Sequence[tuple[str, str]], fields: frozenset[str]
) -> None:
    """Set the timers of a change: states that it entered, and dates that it set (`fields` empty: a new record)."""
    known = subscriptions(unit.published)
    for process, state in entered:
        for stays in known.stays.get((process, state), ()):
            await _arm_stays(unit, stays, record, history, unit.now)
    for due in known.due.get(record.entity, ()):
        if not fields or due.trigger.at in fields:
            await _arm_due(unit, due, record)


async def arm_again(unit: Unit, record: Record, automation: str) -> None:
    """Set the timers of one automation for a record that was there before the automation."""
    known = subscriptions(unit.published)
    for process in unit.network.entities[record.entity].processes:
        for state in unit.network.processes[process].active(record.full[process]):
            for stays in known.stays.get((process, state), ()):
                if stays.automation.name == automation:
                    entry, since = await _entry(unit, record, process, state)
                    await _arm_stays(unit, stays, record, entry, since)
    for due in known.due.get(record.entity, ()):
        if due.automation.name == automation:
            await _arm_due(unit, due, record, again=True)


async def _entry(unit: Unit, record: Record, process: str, state: str) -> tuple[str, datetime]:
    """Return the history row by which the record came into a state that it is in, and when that was.

    A move inside of a state does not enter it, and one in another region changes nothing of it.
    """
    inside = unit.network.processes[process].below.get(state)
    for row_id, at, left, reached in await unit.tx.rows(_ENTRIES, [record.entity, record.id, process]):
        names = frozenset(inside or (state,))
        entered = not names.isdisjoint((reached or state).split())
        if entered and (inside is None or names.isdisjoint((left or "").split())):
            return row_id, read_moment(at) or unit.now
    return "", record.full["created_at"]


async def _arm_stays(unit: Unit, timer: StaysTimer, record: Record, entry: str, since: datetime) -> None:
    at = later(since, timer.trigger.duration, unit.context)
    if at < unit.now:
        return
    name, position = timer.automation.name, timer.position
    payload = {"automation": name, "position": position, "entity": record.entity, "record": record.id, "entry": entry}
    await outbox.enqueue(unit, "stays", payload, at, f"stays:{name}:{position}:{record.id}:{entry}:{moment(at)}")


async def _arm_due(unit: Unit, timer: DueTimer, record: Record, *, again: bool = False) -> None:
    value = record.full.get(timer.trigger.at)
    if value is None:
        return
    at, event = _due_at(timer, value, unit.context), _moment_of(value, unit.context)
    if max(at, event) < unit.now:
        return
    name, position = timer.automation.name, timer.position
    payload = {"automation": name, "position": position, "entity": record.entity, "record": record.id}
    at = max(at, unit.now)  # a reminder for something that is nearer than its notice comes now, late but in time
    key = f"due:{name}:{position}:{record.id}:{moment(event)}"
    await outbox.enqueue(unit, "due", payload | {"value": moment(event)}, at, key)
    if again:  # the definition may have another notice now
        await outbox.retime(unit.tx, key, at)


def _moment_of(value: date | datetime, context: Context) -> datetime:
    return value if isinstance(value, datetime) else start_of(value, context)


def _due_at(timer: DueTimer, value: date | datetime, context: Context) -> datetime:
    trigger = timer.trigger
    shift = negative(trigger.before) if trigger.before else trigger.after or Duration()
    return later(_moment_of(value, context), shift, context)


async def fire_stays(unit: Unit, payload: Mapping[str, Any]) -> None:
    """Start the automation when the record has stayed in the state since the timer was set."""
    await _fire(unit, _stays(unit, payload), payload)


async def fire_due(unit: Unit, payload: Mapping[str, Any]) -> None:
    """Start the automation when the record still has the date that the timer was set for."""
    await _fire(unit, _due(unit, payload), payload)


async def _fire(unit: Unit, timer: StaysTimer | DueTimer | None, payload: Mapping[str, Any]) -> None:
    entity = None if timer is None else _entity(unit, timer)
    record = None if entity is None else await _record(unit, entity, payload["record"])
    beginning = None if timer is None or record is None else await _beginning(unit, timer, payload, record)
    if timer is not None and beginning is not None:
        await begin(unit, timer.automation, beginning)


async def fire_all(unit: Unit, asked: Sequence[tuple[str, Mapping[str, Any]]], go: Go) -> None:
    """Do the same for what many rows ask for (their kind with their payload): their records are read at once.

    `go`: see `workflows.runs.admit`.
    """
    found = [(_stays if kind == "stays" else _due, payload) for kind, payload in asked]
    timers = [(timer, payload) for find, payload in found if (timer := find(unit, payload)) is not None]
    about = [(entity, timer, payload) for timer, payload in timers if (entity := _entity(unit, timer)) is not None]
    records = await records_of(unit, [(entity, payload["record"]) for entity, _, payload in about])
    started: dict[tuple[str, str], tuple[Automation, list[Beginning]]] = {}
    for entity, timer, payload in about:
        record = records.get((entity, payload["record"]))
        beginning = None if record is None else await _beginning(unit, timer, payload, record)
        if beginning is not None:
            key = (timer.automation.name, entity)
            started.setdefault(key, (timer.automation, []))[1].append(beginning)
    for (_, entity), (automation, beginnings) in started.items():
        if apart(unit, automation, entity):
            await begin_all(unit, automation, beginnings, go)
            continue
        for beginning in beginnings:
            await begin(unit, automation, beginning, go)


async def records_of(unit: Unit, wanted: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Record]:
    """Return those of the records that there are, by entity and id: a statement for each entity."""
    by_entity: dict[str, list[str]] = {}
    for entity, record in wanted:
        by_entity.setdefault(entity, []).append(record)
    system = unit.records.system
    return {
        (entity, record.id): record
        for entity, ids in by_entity.items()
        for record in await entitling.entitled(
            system, await entitling.some(system, entity, ids, system.sight(entity).names)
        )
    }


def _entity(unit: Unit, timer: StaysTimer | DueTimer) -> str | None:
    """Return the entity whose records a timer is about."""
    if isinstance(timer, DueTimer):
        return timer.trigger.entity
    process = unit.network.processes.get(timer.trigger.process)
    return None if process is None else process.entity


async def _beginning(
    unit: Unit, timer: StaysTimer | DueTimer, payload: Mapping[str, Any], record: Record
) -> Beginning | None:
    """Return what a timer starts its automation with; None where what it waited for is no more."""
    if isinstance(timer, DueTimer):
        value = record.full.get(timer.trigger.at)
        if value is None or moment(_moment_of(value, unit.context)) != payload["value"]:
            return None
        return Beginning("", f"due {timer.trigger.entity}.{timer.trigger.at}", record)
    if not _is_in(unit, record, timer.trigger):
        return None
    entry, since = await _entry(unit, record, timer.trigger.process, timer.trigger.state)
    if entry != payload["entry"] or later(since, timer.trigger.duration, unit.context) > unit.now:
        return None
    return Beginning(entry, f"stays {timer.trigger.process}.{timer.trigger.state}", record)


def _is_in(unit: Unit, record: Record, trigger: Stays) -> bool:
    process = unit.network.processes.get(trigger.process)
    return process is not None and trigger.state in process.active(record.full.get(trigger.process))


def _stays(unit: Unit, payload: Mapping[str, Any]) -> StaysTimer | None:
    found = (timer for timers in subscriptions(unit.published).stays.values() for timer in timers)
    return next((timer for timer in found if _is(timer, payload)), None)


def _due(unit: Unit, payload: Mapping[str, Any]) -> DueTimer | None:
    found = (timer for timers in subscriptions(unit.published).due.values() for timer in timers)
    return next((timer for timer in found if _is(timer, payload)), None)


def _is(timer: StaysTimer | DueTimer, payload: Mapping[str, Any]) -> bool:
    return (timer.automation.name, timer.position) == (payload["automation"], payload["position"])


async def _record(unit: Unit, entity: str, record: str) -> Record | None:
    try:
        return await unit.records.system.get(entity, record)
    except NotFoundError:
        return None
