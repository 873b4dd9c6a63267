"""What happened to a record, newest first: history, mails, tasks and automations in one list."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

from models.actor import Actor
from models.message import Message
from models.record import Record
from models.tenant import Tenant
from models.tx import Row
from workflows import undo
from workflows.approvals import REASON
from workflows.field_changes import FieldChange, changes_of
from workflows.history import FORM, LINES
from workflows.line_story import LineEvent, lines_told
from workflows.mails import Mail, mails_about
from workflows.stored import must_moment, read_answers, read_message, read_moment
from workflows.tasks import Task, tasks_about
from workflows.traces import RunTrace, StepTrace, traces_about
from workflows.unit import Unit, read

__all__ = ["Event", "FieldChange", "LineEvent", "RunTrace", "StepTrace", "timeline"]

Kind = Literal[
    "created", "updated", "moved", "deleted", "note", "mail", "task", "undone", "run",
    "asked", "granted", "refused", "withdrawn", "closed",
]  # fmt: skip
_HISTORY = """SELECT "id", "at", "kind", "process", "transition", "from_state", "to_state", "actor", "actor_kind",
"before", "after", "text", "run", "undo_until", "undone_by", "through" FROM "_history"
WHERE "entity" = ? AND "record" = ? ORDER BY "at" DESC, "id" DESC LIMIT ?"""


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened. `actor_kind` is member, public or system (then `actor` is who caused it).

    `text` is a note, or the comment that a move's form asked for; `answers` what it asked for besides, by the names of
    the form's fields. `undo_until` is set while this reader can take the move back (`commands.undo(id)`); `undone` when
    somebody did. `mail`, `task` and `run` are set for the kinds of that name. `through` is who really acted, in the
    office of `actor`; None when nobody else did. `lines` is what happened to lines of the record with it. `reason` says
    why a request was closed.
    """

    id: str
    at: datetime
    kind: Kind
    actor: str | None
    actor_name: str
    actor_kind: str
    process: str | None = None
    transition: str | None = None
    from_state: str | None = None
    to_state: str | None = None
    changes: tuple[FieldChange, ...] = ()
    text: str = ""
    answers: Mapping[str, Any] = field(default_factory=dict)
    automation: str | None = None
    undo_until: datetime | None = None
    undone: bool = False
    mail: Mail | None = None
    task: Task | None = None
    run: RunTrace | None = None
    through: str | None = None
    through_name: str = ""
    lines: tuple[LineEvent, ...] = ()
    reason: Message | None = None


async def timeline(tenant: Tenant, actor: Actor, entity: str, id: str, *, limit: int = 200) -> list[Event]:
    """Return what happened to the record, newest first; `NotFoundError` when the actor may not read it."""

    async def work(unit: Unit) -> list[Event]:
        return await events_of(unit, await unit.records.get(entity, id), limit)

    return await read(tenant, actor, work)


async def events_of(unit: Unit, record: Record, limit: int) -> list[Event]:
    """Return what happened to a record that the actor has been found to see."""
    entity, id = record.entity, record.id
    rows = await unit.tx.rows(_HISTORY, [entity, id, limit])
    traces = await traces_about(unit, record, limit)
    automations = {trace.id: trace.automation for trace in traces}
    rows = [row for row in rows if row[3] not in record.hidden]
    events = [await _past(unit, record, row, automations) for row in rows]
    events = await _with_lines(unit, entity, rows, events)
    events += [_sent(mail, automations) for mail in await mails_about(unit, entity, id, limit)]
    events += [_given(task, automations) for task in await tasks_about(unit, entity, id)]
    events += [_ran(trace) for trace in traces]
    named = await _named(unit, events)
    return sorted(named, key=lambda event: (event.at, event.id), reverse=True)[:limit]


async def _with_lines(unit: Unit, entity: str, rows: Sequence[Row], events: Sequence[Event]) -> list[Event]:
    """Add what happened to lines; what tells of nothing else than of lines that the reader may not see is left out."""
    if not unit.network.lines(entity):
        return list(events)
    of: list[list[str]] = [json.loads(row[10] or "{}").get(LINES, []) for row in rows]
    found = await lines_told(unit, entity, (row for each in of for row in each))
    told = [tuple(found[row] for row in each if row in found) for each in of]
    return [
        replace(event, lines=lines)
        for event, lines, each in zip(events, told, of, strict=True)
        if lines or event.changes or not each
    ]


async def _named(unit: Unit, events: list[Event]) -> list[Event]:
    """Fill in who acted: the name of a colleague is no secret, the rest of the colleague may be."""
    wanted = {who for event in events for who in (event.actor, event.through) if who is not None}
    names = await unit.records.system.labels("member", wanted)
    return [
        replace(event, actor_name=names.get(event.actor or "", ""), through_name=names.get(event.through or "", ""))
        for event in events
    ]


async def _past(unit: Unit, record: Record, row: Row, automations: Mapping[str, str]) -> Event:
    row_id, at, kind, process, transition, from_state, to_state, actor, actor_kind = row[:9]
    before, after, text, run, undo_until, undone_by, through = row[9:]
    past = Event(
        id=row_id,
        at=must_moment(at),
        kind=kind,
        actor=actor,
        actor_name="",
        actor_kind=actor_kind,
        process=process,
        transition=transition,
        from_state=from_state,
        to_state=to_state,
        changes=changes_of(unit, record.entity, record.hidden, before, after),
        text=text or "",
        answers=_answers(unit, process, transition, json.loads(after or "{}")),
        automation=automations.get(run),
        undone=undone_by is not None,
        through=through,
        reason=read_message(json.loads(after or "{}").get(REASON)),
    )
    if kind == "moved" and undo.in_time(read_moment(undo_until), unit.now) and undo.may_undo(unit, actor):
        refused = undo.refusal(unit, await undo.load(unit, row_id), record)
        return past if refused is not None else replace(past, undo_until=read_moment(undo_until))
    return past


def _answers(unit: Unit, process: str | None, transition: str | None, after: Mapping[str, Any]) -> Mapping[str, Any]:
    kept = {name.removeprefix(FORM): value for name, value in after.items() if name.startswith(FORM)}
    if not kept or process is None or transition is None or process not in unit.network.processes:
        return {}
    found = unit.network.processes[process].transitions.get(transition)
    return (
        {}
        if found is None
        else read_answers({name: asked.field for name, asked in found.form.items()}, kept, unit.published.tables.safe)
    )


def _sent(mail: Mail, automations: Mapping[str, str]) -> Event:
    automation = automations.get(mail.run or "")
    return Event(mail.id, mail.at, "mail", None, "", "system", automation=automation, mail=mail)


def _given(task: Task, automations: Mapping[str, str]) -> Event:
    kind = "system" if task.run else "member"
    automation = automations.get(task.run or "")
    return Event(task.id, task.created_at, "task", task.created_by, "", kind, automation=automation, task=task)


def _ran(trace: RunTrace) -> Event:
    return Event(trace.id, trace.started_at, "run", trace.actor, "", "system", automation=trace.automation, run=trace)
