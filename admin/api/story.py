"""What happened to a record, notes on it, and tasks."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from admin.api.asked import flag, whole
from admin.api.call import Answer, Call
from admin.api.entities import readable
from admin.api.horizon import Horizon, Seen
from admin.api.typed import mistyped
from admin.api.values import moment
from admin.unmet import in_words, of_automation, told
from definitions.problems import NOWHERE
from definitions.spec.entity import Field, FieldType
from definitions.text import plain
from models.errors import InvalidError
from models.message import Message, say
from models.values import Locality, convert
from workflows import notes, tasks
from workflows.tasks import Task
from workflows.timeline import Event, FieldChange, LineEvent, events_of
from workflows.unit import Unit

MOST_EVENTS = 500
_TASK: dict[str, FieldType] = {"title": "text", "due_at": "datetime", "member": "reference"}


async def history(call: Call) -> Answer:
    """List what happened to the record, newest first."""

    async def work(unit: Unit) -> Answer:
        limit = whole(call.given, "limit", 100, MOST_EVENTS)
        seen, record = await readable(call, unit)
        horizon = call.horizon(unit)
        return Answer({"items": [_event(call, horizon, seen, each) for each in await events_of(unit, record, limit)]})

    return await call.read(work, "limit")


def _event(call: Call, horizon: Horizon, seen: Seen, event: Event) -> dict[str, Any]:
    """Return an event as JSON; a field that the caller's levels never see has not changed for them."""
    return {
        "id": event.id,
        "at": moment(event.at),
        "kind": event.kind,
        "actor": {"kind": event.actor_kind, "id": event.actor, "name": event.actor_name},
        "process": event.process,
        "transition": event.transition,
        "from_state": event.from_state,
        "to_state": event.to_state,
        "changes": _changes(seen, event.changes),
        "lines": [_line(horizon, each) for each in event.lines],
        "text": event.text,
        "answers": dict(event.answers),
        "automation": event.automation,
        "undo_until": _maybe(event.undo_until),
        "undone": event.undone,
        "mail": None if event.mail is None else _mail(event),
        "task": None if event.task is None else task(event.task),
        "run": None if event.run is None else _run(call, event),
    }


def _changes(seen: Seen, changes: Iterable[FieldChange]) -> list[dict[str, Any]]:
    return [
        {"field": each.field, "before": each.before, "after": each.after, "hidden": each.hidden}
        for each in changes
        if each.field in seen.fields
    ]


def _line(horizon: Horizon, found: LineEvent) -> dict[str, Any]:
    return {
        "entity": found.entity,
        "id": found.record,
        "kind": found.kind,
        "title": found.title,
        "process": found.process,
        "transition": found.transition,
        "changes": _changes(horizon.entity(found.entity), found.changes),
    }


def _mail(event: Event) -> dict[str, Any] | None:
    mail = event.mail
    if mail is None:
        return None
    return {
        "id": mail.id,
        "recipient": mail.recipient,
        "subject": mail.subject,
        "state": mail.state,
        "sent_at": _maybe(mail.sent_at),
    }


def _run(call: Call, event: Event) -> dict[str, Any] | None:
    run = event.run
    if run is None:
        return None
    return {
        "id": run.id,
        "automation": run.automation,
        "state": run.state,
        "why": None if run.why is None else in_words(call.reader, run.why),
        "conditions": told(of_automation(call.reader, run.asks)),
        "ended_at": _maybe(run.ended_at),
    }


def _maybe(value: datetime | None) -> str | None:
    return None if value is None else moment(value)


async def note(call: Call) -> Answer:
    """Write a note on the record."""

    async def work(unit: Unit) -> Answer:
        _, record = await readable(call, unit)
        given = _checked(call.sent(), {"text": "long_text"}, needed=("text",))
        return Answer({"id": await notes.note(unit, record.entity, record.id, given["text"])}, 201)

    return await call.write(work)


async def about(call: Call) -> Answer:
    """List the tasks about the record, open ones first."""

    async def work(unit: Unit) -> Answer:
        _, record = await readable(call, unit)
        return Answer({"items": [task(each) for each in await tasks.tasks_about(unit, record.entity, record.id)]})

    return await call.read(work)


async def mine(call: Call) -> Answer:
    """List the caller's own tasks."""

    async def work(unit: Unit) -> Answer:
        done = flag(call.given, "done")
        return Answer({"items": [task(each) for each in await tasks.tasks_mine(unit, done=done)]})

    return await call.read(work, "done")


def task(found: Task) -> dict[str, Any]:
    """Return a task as JSON."""
    about = {"entity": found.entity, "id": found.record, "title": found.record_title}
    return {
        "id": found.id,
        "title": found.title,
        "about": about if found.entity else None,
        "member": None if found.member is None else {"id": found.member, "title": found.member_name},
        "due_at": _maybe(found.due_at),
        "done_at": _maybe(found.done_at),
        "created_at": moment(found.created_at),
    }


async def add(call: Call) -> Answer:
    """Give somebody something to do: the caller itself when no member is named."""

    async def work(unit: Unit) -> Answer:
        body = call.sent()
        subject = _subject(body.pop("about", None))
        given = _checked(body, _TASK, needed=("title",))
        due = _due(unit, given.get("due_at"))
        member = given.get("member")
        wanted = member.get("id") if isinstance(member, dict) else member
        return Answer({"id": await tasks.add(unit, given["title"], subject, wanted, due)}, 201)

    return await call.write(work)


def _subject(given: Any) -> tuple[str, str] | None:
    if given is None:
        return None
    if isinstance(given, dict) and given.keys() <= {"entity", "id", "title"}:
        entity, record = given.get("entity"), given.get("id")
        if isinstance(entity, str) and isinstance(record, str):
            return entity, record
    raise InvalidError({"about": say("This names an entity and the id of a record.")})


def _due(unit: Unit, text: str | None) -> datetime | None:
    if text is None:
        return None
    found = convert(_field("due_at"), text, Locality(unit.published.timezone))
    return found if isinstance(found, datetime) else None


def _checked(body: dict[str, Any], known: dict[str, FieldType], *, needed: tuple[str, ...]) -> dict[str, Any]:
    wrong: dict[str, Message] = {}
    for name, value in body.items():
        if name not in known:
            wrong[name[:100]] = say("There is no such field.")
        elif (problem := mistyped(_field(name, known[name]), value)) is not None:
            wrong[name] = problem
    wrong |= {name: say("This is needed.") for name in needed if body.get(name) is None and name not in wrong}
    if wrong:
        raise InvalidError(wrong)
    return body


def _field(name: str, kind: FieldType = "datetime") -> Field:
    return Field(name, kind, plain(name), NOWHERE)


async def complete(call: Call) -> Answer:
    """Mark a task as done."""
    return await _mark(call, done=True)


async def reopen(call: Call) -> Answer:
    """Take back that a task is done."""
    return await _mark(call, done=False)


async def _mark(call: Call, *, done: bool) -> Answer:
    name = call.request.path_params["task"]

    async def work(unit: Unit) -> Answer:
        await (tasks.complete if done else tasks.reopen)(unit, name)
        return Answer(status=204)

    return await call.write(work)
