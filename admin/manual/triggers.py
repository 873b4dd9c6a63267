"""What begins an automation, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import assert_never

from babel import dates
from markupsafe import Markup

from admin.manual.conditions import condition
from admin.manual.telling import Telling
from definitions.spec.automation import Called, Changed, Created, Due, Entered, Every, Moved, Stays, Trigger
from models.message import say

ENTERED, LEFT = (
    say("When {entity} comes to {state} ({process})"),
    say("When {entity} is no longer in {state} ({process})"),
)
MOVED, STAYS = say("When {move} is done with {entity}"), say("When {entity} has been in {state} for {span} ({process})")
CREATED, DELETED = say("When {entity} is created"), say("When {entity} is deleted")
CHANGED, ANY_CHANGED = say("When {fields} of {entity} changes"), say("When {entity} changes")
AT, BEFORE, AFTER = (
    say("When {field} of {entity} comes"),
    say("{span} before {field} of {entity}"),
    say("{span} after {field} of {entity}"),
)
EACH, WHERE = (
    say("{times}, for each {entity}"),
    say("{times}, for each {entity} where {condition}"),
)
CALLED = say("When another system calls {hook}")
DAILY, WEEKLY, MONTHLY, OTHERWISE = (
    say("Every day at {hour}"),
    say("On {days} at {hour}"),
    say("On day {day} of each month at {hour}"),
    say("At the times {cron} (cron)"),
)
TO = say("{before} to {word}")
_WEEK = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")


def begins(tell: Telling, trigger: Trigger) -> Markup:
    """Return when an automation begins."""
    match trigger:
        case Entered():
            return _entered(tell, trigger)
        case Moved():
            process = tell.network.processes[trigger.process]
            move = tell.name(process.transitions[trigger.transition].label)
            return tell.said(MOVED, entity=tell.entity(process.entity), move=move)
        case Stays():
            return _stays(tell, trigger)
        case Created() | Changed():
            return _written(tell, trigger)
        case Due():
            return _due(tell, trigger)
        case Every():
            return _every(tell, trigger)
        case Called():
            return tell.said(CALLED, hook=Markup("<code>{}</code>").format(trigger.hook))
        case _:
            assert_never(trigger)


def _about(tell: Telling, process: str) -> Mapping[str, Markup]:
    found = tell.network.processes[process]
    return {"entity": tell.entity(found.entity), "process": tell.html(found.label)}


def _entered(tell: Telling, trigger: Entered) -> Markup:
    state = tell.state(trigger.process, trigger.state)
    return tell.said(LEFT if trigger.left else ENTERED, state=state, **_about(tell, trigger.process))


def _stays(tell: Telling, trigger: Stays) -> Markup:
    state, span = tell.state(trigger.process, trigger.state), tell.span(trigger.duration)
    return tell.said(STAYS, state=state, span=span, **_about(tell, trigger.process))


def _written(tell: Telling, trigger: Created | Changed) -> Markup:
    entity = tell.entity(trigger.entity)
    if isinstance(trigger, Created):
        return tell.said(DELETED if trigger.deleted else CREATED, entity=entity)
    fields = tell.one_of([tell.field(trigger.entity, name) for name in trigger.fields])
    return tell.said(CHANGED if fields else ANY_CHANGED, fields=fields, entity=entity)


def _due(tell: Telling, trigger: Due) -> Markup:
    parts = {"entity": tell.entity(trigger.entity), "field": tell.field(trigger.entity, trigger.at)}
    if trigger.before is not None:
        return tell.said(BEFORE, span=tell.span(trigger.before), **parts)
    if trigger.after is not None:
        return tell.said(AFTER, span=tell.span(trigger.after), **parts)
    return tell.said(AT, **parts)


def _every(tell: Telling, trigger: Every) -> Markup:
    times = schedule(tell, trigger.cron)
    if trigger.entity is None:
        return times
    entity = tell.entity(trigger.entity)
    if trigger.where is None:
        return tell.said(EACH, times=times, entity=entity)
    return tell.said(WHERE, times=times, entity=entity, condition=condition(tell, trigger.where))


def schedule(tell: Telling, cron: str) -> Markup:
    """Return the times of a schedule; those that have no short words as they are written."""
    written = cron.split()
    shown = tell.said(OTHERWISE, cron=Markup("<code>{}</code>").format(cron))
    if len(written) != 5 or not (written[0].isdecimal() and written[1].isdecimal()) or written[3] != "*":
        return shown
    minute, hour, day, _, weekdays = written
    at = Markup("{}:{:02}").format(int(hour), int(minute))
    if (day, weekdays) == ("*", "*"):
        return tell.said(DAILY, hour=at)
    if weekdays == "*" and day.isdecimal():
        return tell.said(MONTHLY, day=Markup("{}").format(int(day)), hour=at)
    days = _days(tell, weekdays) if day == "*" else None
    return shown if days is None else tell.said(WEEKLY, days=days, hour=at)


def _days(tell: Telling, written: str) -> Markup | None:
    """Return the days of `1-5` or `mon,wed`; None for anything else."""
    pieces = [piece.split("-") for piece in written.lower().split(",")]
    named = [[_day(tell, name) for name in piece] for piece in pieces]
    if any(None in piece or len(piece) > 2 for piece in named):
        return None
    said = [[Markup("{}").format(name) for name in piece] for piece in named]
    return tell.all_of([
        tell.said(TO, before=piece[0], word=piece[1]) if len(piece) == 2 else piece[0] for piece in said
    ])  # fmt: skip


def _day(tell: Telling, name: str) -> str | None:
    number = _WEEK.index(name) if name in _WEEK else int(name) % 7 if name.isdecimal() and int(name) < 8 else None
    if number is None:
        return None
    return str(dates.get_day_names("wide", locale=tell.reader.formats.locale)[(number - 1) % 7])
