"""Moves that others must agree to: how they are asked for, and how what is asked for ends."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from definitions.spec.network import Network
from definitions.spec.process import Approval, FormField, Process, Transition
from models.actor import Actor
from models.ddl import listed
from models.errors import NotFoundError, RefusedError
from models.message import Message, say
from models.record import Record
from models.system import APPROVAL, GRANT
from models.tx import Row
from workflows import chart, history, notices, outbox
from workflows.chart import Taken
from workflows.history import Step
from workflows.stored import dump, dump_message, moment, must_moment
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
_OF_RUN = f"""{_SELECT} WHERE "state" = 'open' AND "run" = ? ORDER BY "at", "id" """
_END = """UPDATE "_approval" SET "state" = ?, "reason" = ?, "open_key" = NULL, "ended_at" = ?, "ended_by" = ?
WHERE "id" = ? AND "state" = 'open'"""

_RENAME = """UPDATE "_approval" SET "transition" = ? WHERE "process" = ? AND "transition" = ? AND "state" = 'open'"""
_KEY = """UPDATE "_approval" SET "open_key" = "entity" || ':' || "record" || ':' || "process" || '.' || "transition"
WHERE "state" = 'open'"""

ALREADY = say("This step is asked for already: others must agree to it.")
LEFT = say("The record is elsewhere now.")
GONE = say("This step needs nobody's agreement any more.")
CHANGED = say("The form of this step was changed: ask for it again.")
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
    reason: str | None

    @property
    def people(self) -> frozenset[str]:
        """Who asked: the member, and who acted for it."""
        return frozenset(who for who in (self.member, self.through) if who is not None)


@dataclass(frozen=True, slots=True)
class Pending:
    """A step that is asked for, as it is offered: `asker` asked for it ("": the network), of `quorum` people those
    in `agreed` have agreed (by name); `mine`: the actor may take it back.
    """

    id: str
    at: datetime
    asker: str
    quorum: int
    agreed: tuple[str, ...]
    mine: bool


async def ask(unit: Unit, record: Record, process: Process, taken: Taken, answers: Mapping[str, Any], text: str) -> str:
    """Keep that a move is asked for, and return its history row; `RefusedError` when it is asked for already.

    `answers` are those of its form, in their stored form.
    """
    transition, actor = taken.transition, unit.actor
    key = _open_key(record.entity, record.id, process.name, transition.name)
    await unit.tx.lock(f"approval:{key}")
    if await is_open(unit, record.entity, record.id, process.name, transition.name):
        raise RefusedError(ALREADY)
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
    await outbox.enqueue(unit, "asked", {"asked": asked["id"], "time": 0}, None, timer(asked["id"], 0))
    await history.touch(unit, record.entity, record.id)
    return row


def _open_key(entity: str, record: str, process: str, transition: str) -> str:
    return f"{entity}:{record}:{process}.{transition}"


def timer(asked: str, time: int | str = "") -> str:
    """Return the key of the work that tells, for the `time`-th time, who must agree; what such keys begin with."""
    return f"asked:{asked}:{time}"


async def is_open(unit: Unit, entity: str, record: str, process: str, transition: str) -> bool:
    """Whether a step is asked for and not decided yet."""
    key = _open_key(entity, record, process, transition)
    return await unit.tx.row('SELECT 1 FROM "_approval" WHERE "open_key" = ?', [key]) is not None


async def load(unit: Unit, id: str) -> Asked:
    """Return a request; `NotFoundError` when there is none, or its entity or record is out of the actor's sight."""
    row = await unit.tx.row(f'{_SELECT} WHERE "id" = ?', [id])
    if row is None or row[2] not in unit.network.entities:
        raise NotFoundError
    return _asked(row)


async def of_record(unit: Unit, entity: str, record: str) -> list[Asked]:
    """Return what is asked for of a record, the oldest first."""
    return [_asked(row) for row in await unit.tx.rows(_OF_RECORD, [entity, record])]


async def pending(unit: Unit, record: Record) -> dict[tuple[str, str], Pending]:
    """Return what is asked for of a record that the actor has been found to see, by process and transition."""
    processes = (unit.network.processes[name] for name in unit.network.entities[record.entity].processes)
    if not any(process.approved for process in processes):
        return {}
    found: dict[tuple[str, str], Pending] = {}
    for asked in await of_record(unit, record.entity, record.id):
        rule = rule_of(unit, asked)
        if rule is not None and asked.process not in record.hidden:
            names = await named(unit, granters(await grants_of(unit, asked)))
            found[asked.process, asked.transition] = Pending(
                asked.id,
                must_moment(asked.at),
                await asker(unit, asked),
                rule[2].quorum,
                names,
                may_withdraw(unit, asked),
            )
    return found


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


async def grants_of(unit: Unit, asked: Asked) -> list[tuple[str, str | None]]:
    """Return who has agreed: for each grant its member, and who acted for it."""
    return [(row[0], row[1]) for row in await unit.tx.rows(_GRANTS, [asked.id])]


def granters(grants: Iterable[tuple[str, str | None]]) -> list[str]:
    """Return those in whose name it was agreed."""
    return [member for member, _ in grants]


async def named(unit: Unit, members: Iterable[str]) -> tuple[str, ...]:
    """Return the names of members, in order."""
    ids = list(members)
    names = await unit.records.system.labels("member", ids) if ids else {}
    return tuple(names[who] for who in ids if who in names)


async def asker(unit: Unit, asked: Asked) -> str:
    """Return the name of who asked, "" where that is nobody."""
    return "".join(await named(unit, [asked.member] if asked.member else []))


def may_withdraw(unit: Unit, asked: Asked) -> bool:
    """Whether the actor asked for it, or administers the network."""
    who = unit.actor.id
    return (who is not None and who == asked.member) or unit.published.access.administers(unit.actor)


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
    if not await unit.tx.run(_END, values):
        return
    await outbox.cancel(unit.tx, timer(asked.id), unit.now)
    if state != "withdrawn":
        await outbox.enqueue(unit, "decided", {"asked": asked.id, "by": unit.actor.id}, None, f"decided:{asked.id}")
    await notices.forget(unit, asked.entity, asked.record, told_as(asked))
    if state == "granted":
        return
    step = Step(asked.process, asked.transition, "", "")
    after = {REASON: dump_message(reason)} if reason is not None else None
    await history.keep(unit, state, asked.entity, asked.record, after=after, text=text, step=step)


def told_as(asked: Asked) -> str:
    """Return what notifications that ask for agreement have instead of a pack's template."""
    return f"{notices.ASKED}{asked.process}.{asked.transition}"


async def call_off(unit: Unit, run: str) -> None:
    """Take back what a run asked for."""
    for row in await unit.tx.rows(_OF_RUN, [run]):
        await end(unit, _asked(row), "withdrawn")


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


async def settle(unit: Unit, before: Network | None) -> None:
    """Let requests follow the names of the unit's version, and end those that need nobody's agreement in it, or whose
    answers mean something else than in the version `before`.
    """
    for process in unit.network.processes.values():
        for transition in process.transitions.values():
            if transition.was is not None and transition.was not in process.transitions:
                await unit.tx.run(_RENAME, [transition.name, process.name, transition.was])
    await unit.tx.run(_KEY)
    for process, transition in await unit.tx.rows(_NAMES):
        known = unit.network.processes.get(process)
        found = known.transitions.get(transition) if known else None
        gone = found is None or found.approval is None
        for row in await unit.tx.rows(_OPEN, [process, transition]):
            asked = _asked(row)
            if gone or found is None:
                await end(unit, asked, "closed", reason=GONE)
            elif not _holds(asked.form, _earlier(before, process, found), found):
                await end(unit, asked, "closed", reason=CHANGED)


def _earlier(before: Network | None, process: str, transition: Transition) -> Mapping[str, FormField]:
    """Return the form that a transition had."""
    known = before.processes.get(process) if before else None
    found = (
        None if known is None else known.transitions.get(transition.name) or known.transitions.get(transition.was or "")
    )
    return {} if found is None else found.form


def _holds(given: Mapping[str, Any], before: Mapping[str, FormField], transition: Transition) -> bool:
    """Whether what was answered says the same in the form of today, and nothing that is needed is missing."""
    for name, question in transition.form.items():
        answer, was = given.get(name), before.get(name)
        if answer is None:
            if question.required and question.edits is None and not (was and was.required):
                return False
        elif (was is not None and _kind(was) != _kind(question)) or not _chosen(question, answer):
            return False
    return True


def _chosen(question: FormField, answer: Any) -> bool:
    """Whether an answer is one of the options of today, where there are any."""
    return question.field.type != "choice" or answer in question.field.options


def _kind(question: FormField) -> tuple[object, ...]:
    """Return what decides what a stored answer means."""
    field = question.field
    return field.type, field.scale, field.to, field.encrypted, question.edits
