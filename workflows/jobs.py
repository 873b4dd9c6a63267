"""Jobs: one action on many records, for a member, in the background where there are many.

The records are fixed when the job is begun. Each batch is a transaction with the outbox row that asks for the next one,
as the member, with the member's rights of then; what a record is refused is kept with it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from definitions.text import Text
from models import delegations, tokens
from models.actor import Actor
from models.ddl import listed
from models.errors import InvalidError, NotFoundError, RefusedError, RequestError
from models.members import load_actor
from models.message import Message, say
from models.records import Records
from models.system import JOB, JOB_ITEM
from models.tenant import Tenant
from models.tx import Row, Tx
from workflows import bulk, outbox
from workflows.deeds import DEEDS, Action, Outcomes, check
from workflows.sealing import opened, sealed
from workflows.stored import dump, maybe_moment, moment, must_moment, read_moment
from workflows.unit import Unit, read, write

State = Literal["running", "done", "cancelled", "failed", "undone"]
BATCH = 250
"""Records that one transaction goes through at most; a job of so many is done when it is begun."""
MOST = 10_000
"""Records that a job has at most."""
SHOWN = 200
"""Failures that a page shows at most."""
REASONS = 8
"""Reasons that are counted for a page at most."""

_COLUMNS = JOB.columns
_ASKED = _COLUMNS.index("asked")
PURPOSE = "job"
"""For what the parameters of jobs are sealed."""
_SELECT = f'SELECT {listed(_COLUMNS)} FROM "_job"'  # noqa: S608 - columns of ours
_WAITING = """SELECT "id", "record", "history" FROM "_job_item" WHERE "job" = ? AND "outcome" = 'waiting'
ORDER BY "id" LIMIT ?"""
_OUTCOME = 'UPDATE "_job_item" SET "outcome" = ?, "reason" = ?, "history" = ? WHERE "id" = ?'
_COUNT = 'UPDATE "_job" SET "done" = ?, "failed" = ? WHERE "id" = ?'
_END = 'UPDATE "_job" SET "state" = ?, "ended_at" = ? WHERE "id" = ?'
_DONE = """SELECT "record", "history" FROM "_job_item" WHERE "job" = ? AND "outcome" = 'done' AND "history" IS NOT NULL
ORDER BY "id" """
_FAILED = """SELECT "record", "reason" FROM "_job_item" WHERE "job" = ? AND "outcome" = 'failed'
ORDER BY "id" LIMIT ? OFFSET ?"""
_REASONS = """SELECT "reason", count(*) FROM "_job_item" WHERE "job" = ? AND "outcome" = 'failed' GROUP BY "reason"
ORDER BY count(*) DESC, "reason" LIMIT ?"""
_UNDO_UNTIL = """SELECT min(kept."undo_until") FROM "_job_item" AS item JOIN "_history" AS kept
ON kept."id" = item."history" WHERE item."job" = ? AND item."outcome" = 'done'"""


@dataclass(frozen=True, slots=True)
class Job:
    """A job; `asked` is what its action needs, `member` whose it is, and it went through `done + failed` of `total`.

    `acting` is the delegation with which somebody began it in the member's office.
    """

    id: str
    entity: str
    member: str | None
    action: Action
    asked: Mapping[str, Any]
    state: State
    total: int
    done: int
    failed: int
    created_at: datetime
    ended_at: datetime | None
    acting: str | None = None
    undo_until: datetime | None = None

    @property
    def over(self) -> bool:
        """Whether nothing more is done."""
        return self.state != "running"

    @property
    def token(self) -> str | None:
        """The id of the token with which a program asked for it."""
        return self.asked.get("token")


@dataclass(frozen=True, slots=True)
class Ask:
    """An action with what it needs, and the id of the token with which a program asks for it: the job has no more
    rights than that token, and ends with it.
    """

    action: Action
    asked: Mapping[str, Any]
    token: str | None = None

    @property
    def kept(self) -> Mapping[str, Any]:
        """What is kept of it with the job."""
        return self.asked if self.token is None else {**self.asked, "token": self.token}


@dataclass(frozen=True, slots=True)
class Failure:
    """A record that the action failed for: its title ("" when it is out of sight now) and why.

    `field` is the question or the field that the reason is about, "" when it is about the whole record.
    """

    record: str
    title: str
    reason: Message | Text
    field: str = ""


async def begin(  # noqa: PLR0913 - what a door knows of a job
    tenant: Tenant,
    actor: Actor,
    entity: str,
    action: Action,
    asked: Mapping[str, Any],
    records: Sequence[str],
    *,
    token: str | None = None,
) -> Job:
    """Begin a job, and do it at once where it has few records; a `token` begins one job, however often it is sent.

    `RefusedError` when the action is not meant for many, `InvalidError` for no record or more than `MOST`.
    """
    items = [(each, None) for each in records]

    async def work(unit: Unit) -> Job:
        if token is not None:
            await unit.tx.lock(f"job:{token}")
            if await unit.tx.row('SELECT 1 FROM "_job" WHERE "id" = ?', [token]) is not None:
                return await own(unit, token)
        return await start(unit, token or unit.new_id(), entity, Ask(action, asked), items)

    return await write(tenant, actor, work)


async def start(unit: Unit, job: str, entity: str, ask: Ask, records: Sequence[tuple[str, str | None]]) -> Job:
    """Begin a job inside a transaction; beside each record stands the history row that is to be taken back, if any."""
    if not 1 <= len(records) <= MOST:
        raise InvalidError({"": say("Choose 1 to {count} records.", count=MOST)})
    check(unit, entity, ask.action, ask.asked)
    asked = sealed(unit, dump(ask.kept), PURPOSE)
    row = [job, entity, unit.actor.id, ask.action, asked, "running", len(records), 0, 0, moment(unit.now)]
    await unit.tx.run(JOB.insert(), [*row, None, unit.actor.acting])
    items = [(unit.new_id(), job, record, "waiting", None, history) for record, history in records]
    await unit.tx.run_many(JOB_ITEM.insert(), items)
    await _batch(unit, await load(unit, job))
    return await load(unit, job)


async def load(unit: Unit, job: str) -> Job:
    """Return a job; `NotFoundError` without one."""
    row = await unit.tx.row(f'{_SELECT} WHERE "id" = ?', [job])
    if row is None:
        raise NotFoundError
    return _job(row, opened(unit, row[_ASKED], PURPOSE))


def _job(row: Row, asked: str) -> Job:
    found = dict(zip(_COLUMNS, row, strict=True))
    found |= {"asked": json.loads(asked), "created_at": must_moment(found["created_at"])}
    return Job(**{**found, "ended_at": read_moment(found["ended_at"])})


async def go_on(unit: Unit, payload: Mapping[str, Any]) -> None:
    """Do the next batch of a job, as its member: what the worker calls."""
    await unit.tx.lock(f"job:{payload['job']}")
    job = await load(unit, payload["job"])
    if job.over:
        return
    actor = await _actor(unit, job)
    if actor is None or job.entity not in unit.network.entities:
        await end(unit, job.id, "failed")
        return
    records = Records(unit.published, unit.tx, actor, unit.context, new_id=unit.new_id)
    await _batch(replace(unit, actor=actor, records=records), job)


async def _actor(unit: Unit, job: Job) -> Actor | None:
    """Return who goes on with a job: its member, with the rights of the token if a program asked for it, or who began
    it in that member's office and still may be there.
    """
    if job.acting is not None:
        office = await delegations.enter(unit.published, unit.tx, job.acting, unit.now)
        return None if office is None else office.actor
    if job.token is not None:
        return await tokens.enter(unit.published, unit.tx, job.token, unit.now)
    return None if job.member is None else await load_actor(unit.published, unit.tx, job.member)


async def _batch(unit: Unit, job: Job) -> None:
    """Do the next records of a job, and ask for those after them."""
    rows = await unit.tx.rows(_WAITING, [job.id, BATCH])

    results = await _done(unit, job, rows)
    outcomes = [(*_outcome(result), row[0]) for row, result in zip(rows, results, strict=True)]
    await unit.tx.run_many(_OUTCOME, outcomes)
    failed = sum(isinstance(result, RequestError) for result in results)
    done, failed = job.done + len(results) - failed, job.failed + failed
    await unit.tx.run(_COUNT, [done, failed, job.id])
    if done + failed >= job.total or not rows:
        await end(unit, job.id, "done")
    else:
        await outbox.enqueue(unit, "job", {"job": job.id}, None, f"job:{job.id}:{done + failed}", priority=outbox.LAST)


async def _done(unit: Unit, job: Job, rows: Sequence[Row]) -> Outcomes:
    """Do what a job asks to some of its records: at once where that comes to the same."""
    deed = DEEDS[job.action]
    if deed.do_all is not None:
        found = await deed.do_all(unit, job.entity, [row[1] for row in rows], job.asked)
        if found is not None:
            return found

    async def do(row: Row) -> str | None:
        return await deed.do(unit, job.entity, row[1], {**job.asked, "history": row[2]})

    return await bulk.each(unit, rows, do)


def _outcome(result: str | RequestError | None) -> tuple[str, str | None, str | None]:
    return ("failed", _reason(result), None) if isinstance(result, RequestError) else ("done", None, result)


def _reason(error: RequestError) -> str:
    """Return why a record was refused, in a form that is said in its reader's language; the first of several fields."""
    name, said = "", error.message
    if isinstance(error, InvalidError):
        name, said = next(iter(error.fields.items()), (name, said))
    kept = dict(said.values) if isinstance(said, Text) else [said.text, dict(said.values)]
    return dump({"field": name, "said": kept})


def _failure(record: str, title: str, stored: str) -> Failure:
    found = json.loads(stored)
    said = found["said"]
    return Failure(record, title, Text(said) if isinstance(said, dict) else Message(said[0], said[1]), found["field"])


async def end(unit: Unit, job: str, state: State) -> None:
    """End a job."""
    await unit.tx.run(_END, [state, maybe_moment(unit.now), job])


async def seen(tenant: Tenant, actor: Actor, job: str, offset: int = 0) -> tuple[Job, list[Failure]]:
    """Return a job with what failed, from the one after `offset` on, at most `SHOWN`.

    `NotFoundError` when it is neither the actor's nor the actor administers.
    """

    return await read(tenant, actor, lambda unit: told(unit, job, offset))


async def told(unit: Unit, job: str, offset: int = 0) -> tuple[Job, list[Failure]]:
    """Do `seen` inside a transaction."""
    found = await own(unit, job)
    rows = await unit.tx.rows(_FAILED, [job, SHOWN, offset])
    known = found.entity in unit.network.entities
    titles = await unit.records.labels(found.entity, [row[0] for row in rows]) if rows and known else {}
    failures = [_failure(record, titles.get(record, ""), reason) for record, reason in rows]
    return replace(found, undo_until=await _undo_until(unit, found)), failures


async def reasons(tenant: Tenant, actor: Actor, job: str) -> list[tuple[Failure, int]]:
    """Return the commonest reasons for which records of a job were refused, with how many; see `seen`."""

    async def work(unit: Unit) -> list[tuple[Failure, int]]:
        await own(unit, job)
        rows = await unit.tx.rows(_REASONS, [job, REASONS])
        return [(_failure("", "", reason), int(count)) for reason, count in rows]

    return await read(tenant, actor, work)


async def running(records: Records, entity: str) -> list[Job]:
    """Return the actor's jobs about an entity that are under way, without what they were asked with."""
    rows = await records.tx.rows(
        f"""{_SELECT} WHERE "member" = ? AND "entity" = ? AND "state" = 'running' ORDER BY "created_at" """,
        [records.actor.id, entity],
    )
    return [_job(row, "{}") for row in rows]


async def cancel(tenant: Tenant, actor: Actor, job: str) -> Job:
    """Leave what is not done yet; what is done stays done."""
    return await write(tenant, actor, lambda unit: stop(unit, job))


async def stop(unit: Unit, job: str) -> Job:
    """Do `cancel` inside a transaction."""
    await unit.tx.lock(f"job:{job}")
    if not (await own(unit, job)).over:
        await end(unit, job, "cancelled")
    return await load(unit, job)


async def undo(tenant: Tenant, actor: Actor, job: str) -> Job:
    """Take back all the moves of a job, in a job of its own; `RefusedError` when there is nothing to take back."""
    return await write(tenant, actor, lambda unit: take_back(unit, job))


async def take_back(unit: Unit, job: str, token: str | None = None) -> Job:
    """Do `undo` inside a transaction; `token` is the one that a program asks with."""
    await unit.tx.lock(f"job:{job}")
    found = await own(unit, job)
    until = await _undo_until(unit, found)
    if until is None or until <= unit.now:
        raise RefusedError(say("It is too late to take this back."))
    await end(unit, job, "undone")
    moves = [(record, history) for record, history in await unit.tx.rows(_DONE, [job])]
    ask = Ask("undo", {"job": job, "of": dict(found.asked)}, token)
    return await start(unit, unit.new_id(), found.entity, ask, moves)


async def _undo_until(unit: Unit, job: Job) -> datetime | None:
    """Return until when all the moves of a job can be taken back; None when they can't."""
    if job.action != "move" or job.state not in ("done", "cancelled") or not job.done:
        return None
    row = await unit.tx.row(_UNDO_UNTIL, [job.id])
    return None if row is None else read_moment(row[0])


async def own(unit: Unit, job: str) -> Job:
    """Return a job of the actor's, or any to who administers; `NotFoundError` for others and without one."""
    found = await load(unit, job)
    if unit.actor.id is None or (found.member != unit.actor.id and not unit.published.access.administers(unit.actor)):
        raise NotFoundError
    return found


async def purge(tx: Tx, before: datetime) -> None:
    """Remove the jobs that are over since before a time."""
    old = 'SELECT "id" FROM "_job" WHERE "ended_at" < ?'
    await tx.run(f'DELETE FROM "_job_item" WHERE "job" IN ({old})', [moment(before)])  # noqa: S608 - a statement of ours
    await tx.run('DELETE FROM "_job" WHERE "ended_at" < ?', [moment(before)])
