"""What a card or a line says about the next step: a planned date that is late or today, none planned, idle for days."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from admin.parts.columns import DAYS
from admin.parts.reader import Reader
from admin.parts.steps import forward
from definitions.charts.process import leaves_of
from definitions.duration import Duration
from definitions.expr.expression import WorkingCalendar
from definitions.spec.automation import Due
from definitions.spec.entity import Entity
from definitions.spec.network import Network
from definitions.spec.process import Process
from models.message import say
from models.record import Record


@dataclass(frozen=True, slots=True)
class Hint:
    """A few words with an icon; `kind` is also the style."""

    kind: Literal["late", "today", "later", "none", "idle"]
    icon: str
    text: str


def planned(network: Network, entity: Entity) -> str | None:
    """Return the field that holds when a record is next to be dealt with, if the definitions have one.

    It is a date that an automation waits for (`due`), or that a transition's form asks for.
    """
    days = [name for name, field in entity.fields.items() if field.type in DAYS]
    awaited = {
        trigger.at
        for automation in network.automations.values()
        for trigger in automation.triggers
        if isinstance(trigger, Due) and trigger.entity == entity.name
    }
    asked = {
        question.edits
        for process in entity.processes
        for transition in network.processes[process].transitions.values()
        for question in transition.form.values()
    }
    return next((name for name in days if name in awaited), None) or next(
        (name for name in days if name in asked), None
    )


@dataclass(frozen=True, slots=True)
class Outlook:
    """What hints read of an entity's definitions.

    `plan` is the field of the planned date (None: no hints about it), `going` the states, by process, in which one is
    to be dealt with, `stale` the innermost ones in which nothing may happen only for so long.
    """

    plan: str | None
    going: Mapping[str, frozenset[str]]
    stale: Mapping[str, Mapping[str, tuple[Duration, ...]]]


def outlook(network: Network, entity: Entity, plan: str | None) -> Outlook:
    """Return what hints need to know; no date is late once a record's processes ended or left the way."""
    processes = [network.processes[name] for name in entity.processes]
    return Outlook(
        plan,
        {each.name: frozenset(name for name in forward(each) if not each.states[name].final) for each in processes},
        {each.name: dict(_limits(each)) for each in processes},
    )


def _limits(process: Process) -> Iterator[tuple[str, tuple[Duration, ...]]]:
    """Yield the innermost states that have limits, themselves or by what they stand in."""
    for name in process.innermost:
        around = (process.states[each] for each in (name, *process.chart.above[name]) if each in process.states)
        limits = tuple(state.stale_after for state in around if state.stale_after is not None)
        if limits:
            yield name, limits


def hints(record: Record, known: Outlook, reader: Reader, calendar: WorkingCalendar) -> tuple[Hint, ...]:
    """Return what is to be said about a record."""
    found = []
    plan = known.plan
    if plan is not None and plan not in record.hidden and _goes_on(record, known):
        found.append(_planned(record[plan], reader))
    days = idle(record, known, reader, calendar)
    if days is not None:
        found.append(Hint("idle", "hourglass", reader.words(say("idle {n} d", n=reader.formats.number(days)))))
    return tuple(found)


def idle(record: Record, known: Outlook, reader: Reader, calendar: WorkingCalendar) -> int | None:
    """Return for how many days nothing happened, when that is longer than one of the record's states allows."""
    since = record.values.get("last_activity_at") or record.values.get("created_at")
    if not isinstance(since, datetime):
        return None
    for process, limits in known.stale.items():
        own = (limit for name in leaves_of(record.values.get(process)) for limit in limits.get(name, ()))
        if any(later(since, limit, calendar) <= reader.formats.now for limit in own):
            return (reader.formats.now - since).days
    return None


def later(moment: datetime, span: Duration, calendar: WorkingCalendar) -> datetime:
    """Return the moment a span later."""
    if span.months:
        year, month = divmod(moment.year * 12 + moment.month - 1 + span.months, 12)
        first = moment.replace(year=year, month=month + 1, day=1)
        last = ((first + timedelta(days=32)).replace(day=1) - timedelta(days=1)).day
        moment = first.replace(day=min(moment.day, last))
    moment += span.exact
    if span.working_days:
        moment = calendar.add_days(moment, span.working_days)
    return calendar.add_hours(moment, span.working_hours) if span.working_hours else moment


def _planned(value: date | datetime | None, reader: Reader) -> Hint:
    formats = reader.formats
    if value is None:
        return Hint("none", "circle-alert", reader.words(say("Nothing planned")))
    days = (formats.day_of(value) - formats.today).days
    past = value < formats.now if isinstance(value, datetime) else days < 0
    if days < 0:
        return Hint("late", "clock-alert", reader.count("{n} day late", "{n} days late", -days))
    if days == 0:
        return Hint("late" if past else "today", "clock-alert" if past else "phone", _today(value, reader))
    return Hint("later", "calendar", formats.short_day(value))


def _today(value: date | datetime, reader: Reader) -> str:
    if not isinstance(value, datetime):
        return reader.words(say("Today"))
    return reader.words(say("Today, {time}", time=reader.formats.time(value)))


def _goes_on(record: Record, known: Outlook) -> bool:
    going = known.going
    return not going or any(
        not states.isdisjoint(leaves_of(record.values.get(process))) for process, states in going.items()
    )
