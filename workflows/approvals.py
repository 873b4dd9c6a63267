"""Moves that others must agree to: how they are asked for, and how what is asked for ends."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from definitions.spec.process import Approval, Process, Transition
from models.actor import Actor
from models.ddl import listed
from models.errors import NotFoundError, RefusedError
from models.message import Message, say
from models.record import Record
from models.system import APPROVAL, GRANT
from models.tx import Row
from workflows import chart, history
from workflows.chart import Taken
from workflows.history import Step
from workflows.stored import dump, dump_message, moment
from workflows.unit import Unit

Ending = Literal["granted", "refused", "withdrawn", "closed"]
State = Literal["open"] | Ending

REASON = "_reason"
"""What the `after` of a history row calls the sentence that says why a request was closed."""

_COLUMNS = (
    *("id", "at", "entity", "record", "process", "transition", "member", "through", "actor_kind", "run", "form"),
    *("history", "state", "reason", "open_key", "ended_at", "ended_by"),
)
_SELECT = f'SELECT {listed(_COLUMNS)} FROM "_approval"'  # noqa: S608 - columns of ours
_OF_RECORD = f"""{_SELECT} WHERE "entity" = ? AND "record" = ? AND "state" = 'open' ORDER BY "at", "id" """
_OPEN = f"""{_SELECT} WHERE "state" = 'open' AND "process" = ? AND "transition" = ? ORDER BY "at", "id" """
_OPEN_FOR = f"""{_SELECT} WHERE "state" = 'open' AND "process" = ? AND "transition" = ? AND "id" > ? AND NOT EXISTS
(SELECT 1 FROM "_grant" g WHERE g."approval" = "_approval"."id" AND g."member" = ?) ORDER BY "id" LIMIT 200"""  # noqa: S608 - columns of ours
_NAMES = """SELECT DISTINCT "process", "transition" FROM "_approval" WHERE "state" = 'open'"""
_GRANTS = 'SELECT "member", "through" FROM "_grant" WHERE "approval" = ? ORDER BY "at", "id"'
_END = """UPDATE "_approval" SET "state" = ?, "reason" = ?, "open_key" = NULL, "ended_at" = ?, "ended_by" = ?
WHERE "id" = ? AND "state" = 'open'"""

_RENAME = """UPDATE "_approval" SET "transition" = ? WHERE "process" = ? AND "transition" = ? AND "state" = 'open'"""
_KEY = """UPDATE "_approval" SET "open_key" = "entity" || ':' || "record" || ':' || "process" || '.' || "transition"
WHERE "state" = 'open'"""

LEFT = say("The record is elsewhere now.")
GONE = say("This step needs nobody's agreement any more.")
DELETED = say("The record was deleted.")


@dataclass(frozen=True, slots=True)
class Asked:
    """A move that was asked for. `member` asked for it (None: the network by itself), really `through` somebody else
    when it was in its office; `form` holds the answers as they are stored.
    """

    id: str
    at: Any
    entity: str
    record: str
    process: str
    transition: str
    member: str | None
    through: str | None
    actor_kind: Literal["member", "public", "system"]
    run: str | None
    form: Mapping[str, Any]
    history: str
    state: State

    @property
    def people(self) -> frozenset[str]:
        """Who asked: the member, and who acted for it."""
        return frozenset(who for who in (self.member, self.through) if who is not None)


async def ask(unit: Unit, record: Record, process: Process, taken: Taken, answers: Mapping[str, Any], text: str) -> str:
    """Keep that a move is asked for, and return its history row; `RefusedError` when it is asked for already.

    `answers` are those of its form, in their stored form.
    """
    transition, actor = taken.transition, unit.actor
    key = f"{record.entity}:{record.id}:{process.name}.{transition.name}"
    await unit.tx.lock(f"approval:{key}")
    if await unit.tx.row('SELECT 1 FROM "_approval" WHERE "open_key" = ?', [key]) is not None:
        raise RefusedError(say("This step is asked for already: others must agree to it."))
    step = Step.of(process.name, taken)
    row = await history.keep(unit, "asked", record.entity, record.id, text=text, step=step)
    asked: dict[str, Any] = {
        "id": unit.new_id(),
        "at": moment(unit.now),
        "entity": record.entity,
        "record": record.id,
        "process": process.name,
        "transition": transition.name,
        "member": actor.id,
        "through": actor.through,
        "actor_kind": actor.kind,
        "run": actor.run,
        "form": dump(answers),
        "history": row,
        "state": "open",
        "open_key": key,
    }
    await unit.tx.run(APPROVAL.insert(), [asked.get(name) for name in APPROVAL.columns])
    await history.touch(unit, record.entity, record.id)
    return row


async def load(unit: Unit, id: str) -> Asked:
    """Return a request; `NotFoundError` when there is none, or its entity or record is out of the actor's sight."""
    row = await unit.tx.row(f'{_SELECT} WHERE "id" = ?', [id])
    if row is None or row[2] not in unit.network.entities:
        raise NotFoundError
    return _asked(row)


async def of_record(unit: Unit, entity: str, record: str) -> list[Asked]:
    """Return what is asked for of a record, the oldest first."""
    return [_asked(row) for row in await unit.tx.rows(_OF_RECORD, [entity, record])]


async def open_for(unit: Unit, process: str, transition: str) -> AsyncIterator[Asked]:
    """Yield the open requests for a transition that the actor has not agreed to, the oldest first."""
    after, who = "", unit.actor.id
    while rows := await unit.tx.rows(_OPEN_FOR, [process, transition, after, who]):
        for row in rows:
            yield _asked(row)
        after = rows[-1][0]


def _asked(row: Row) -> Asked:
    found = dict(zip(_COLUMNS, row, strict=True))
    form = json.loads(found["form"] or "{}")
    return Asked(**{**{name: found[name] for name in Asked.__dataclass_fields__}, "form": form})


def rule_of(unit: Unit, asked: Asked) -> tuple[Process, Transition, Approval] | None:
    """Return who must agree today; None when nobody needs to any more."""
    process = unit.network.processes.get(asked.process)
    transition = process.transitions.get(asked.transition) if process else None
    if process is None or transition is None or transition.approval is None:
        return None
    return process, transition, transition.approval


async def grants_of(unit: Unit, asked: Asked) -> list[frozenset[str]]:
    """Return who has agreed: for each grant its member, and who acted for it."""
    rows = await unit.tx.rows(_GRANTS, [asked.id])
    return [frozenset(who for who in row if who is not None) for row in rows]


async def keep_grant(unit: Unit, asked: Asked) -> None:
    """Keep that the actor agrees."""
    row = [unit.new_id(), asked.id, unit.actor.id, unit.actor.through, moment(unit.now)]
    await unit.tx.run(GRANT.insert(), row)


def people(actor: Actor) -> frozenset[str]:
    """Return who an actor is: the member, and who acts for it."""
    return frozenset(who for who in (actor.id, actor.through) if who is not None)


async def end(unit: Unit, asked: Asked, state: Ending, *, text: str = "", reason: Message | None = None) -> None:
    """End an open request and tell of it in the record's history; what is over stays as it is."""
    values = [state, text or dump_message(reason), moment(unit.now), unit.actor.id, asked.id]
    if not await unit.tx.run(_END, values) or state == "granted":
        return
    step = Step(asked.process, asked.transition, "", "")
    after = {REASON: dump_message(reason)} if reason is not None else None
    await history.keep(unit, state, asked.entity, asked.record, after=after, text=text, step=step)


async def review(unit: Unit, record: Record, *, gone: bool = False) -> None:
    """End what was asked for of a record and can't be done from where it is now; all of it when it is `gone`."""
    processes = unit.network.entities[record.entity].processes
    if not any(unit.network.processes[name].approved for name in processes):
        return
    for asked in await of_record(unit, record.entity, record.id):
        found = rule_of(unit, asked)
        if gone:
            await end(unit, asked, "closed", reason=DELETED)
        elif found is None:
            await end(unit, asked, "closed", reason=GONE)
        elif not isinstance(chart.decide(found[0], record.full[asked.process], asked.transition), Taken):
            await end(unit, asked, "closed", reason=LEFT)


async def settle(unit: Unit) -> None:
    """Let requests follow the names of the unit's version, and end those that need nobody's agreement in it."""
    for process in unit.network.processes.values():
        for transition in process.transitions.values():
            if transition.was is not None and transition.was not in process.transitions:
                await unit.tx.run(_RENAME, [transition.name, process.name, transition.was])
    await unit.tx.run(_KEY)
    for process, transition in await unit.tx.rows(_NAMES):
        known = unit.network.processes.get(process)
        found = known.transitions.get(transition) if known else None
        if found is None or found.approval is None:
            for row in await unit.tx.rows(_OPEN, [process, transition]):
                await end(unit, _asked(row), "closed", reason=GONE)
