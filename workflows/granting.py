"""Agreeing to a move that somebody asked for, or not; the last one who agrees makes it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from models.actor import PUBLIC, SYSTEM, Actor
from models.errors import InvalidError, NotFoundError, RefusedError, RequestError
from models.members import load_actor
from models.message import Message, say
from models.record import Record
from models.records import Records
from workflows import approvals, history, moves
from workflows.approvals import Asked
from workflows.history import Step
from workflows.moves import Moved, Request
from workflows.stored import must_moment, read_answers
from workflows.unit import Unit

AT_ONCE = 200
"""So many requests a page shows."""
LONGEST = 2_000
"""Characters of a reason."""

OVER = say("This is decided already.")


@dataclass(frozen=True, slots=True)
class Granted:
    """What agreeing did: `missing` others must agree too. At 0 the step was taken, or `closed` says why not."""

    asked: Asked
    missing: int
    moved: Moved | None = None
    closed: Message | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """A request as its reader sees it: of `quorum` people `granted` have agreed; `refused` says why the reader can't.

    `mine`: the reader may take it back.
    """

    asked: Asked
    at: datetime
    record: Record
    member_name: str
    quorum: int
    granted: int
    refused: Message | None
    mine: bool


async def grant(unit: Unit, id: str) -> Granted:
    """Agree to a request; the last one that is needed has the step taken, if it still can be.

    `NotFoundError` when the actor may not read the record, `RefusedError` when it may not agree, or it is over.
    """
    asked, record = await _held(unit, id)
    granted = await approvals.grants_of(unit, asked)
    if (reason := await _refusal(unit, asked, granted)) is not None:
        raise RefusedError(reason)
    found = approvals.rule_of(unit, asked)
    if found is None:
        await approvals.end(unit, asked, "closed", reason=approvals.GONE)
        return Granted(asked, 0, closed=approvals.GONE)
    await approvals.keep_grant(unit, asked)
    await history.keep(unit, "granted", record.entity, record.id, step=Step(asked.process, asked.transition, "", ""))
    missing = found[2].quorum - len(granted) - 1
    return Granted(asked, missing) if missing > 0 else await _take(unit, asked)


async def refuse(unit: Unit, id: str, reason: str) -> None:
    """End a request: one refusal is enough. The same errors as `grant`."""
    asked, _ = await _held(unit, id)
    if (refusal := await _refusal(unit, asked, ())) is not None:
        raise RefusedError(refusal)
    await approvals.end(unit, asked, "refused", text=reason.strip()[:LONGEST])


async def withdraw(unit: Unit, id: str) -> None:
    """Take a request back: who asked may, and who administers the network."""
    asked, _ = await _held(unit, id)
    if not _may_withdraw(unit, asked):
        raise RefusedError(say("Only who asked for this step can take that back."))
    await approvals.end(unit, asked, "withdrawn")


async def waiting(unit: Unit, entity: str, record: Record) -> list[Waiting]:
    """Return what is asked for of a record that the actor has been found to see."""
    found = [each for each in await approvals.of_record(unit, entity, record.id) if each.process not in record.hidden]
    return [await _shown(unit, asked, record) for asked in found]


async def to_decide(unit: Unit) -> list[Waiting]:
    """Return what waits for the actor's agreement, the oldest first."""
    found: list[Waiting] = []
    for process in unit.network.processes.values():
        for transition in process.approved:
            rule = transition.approval
            if rule is None or not set(rule.by) & set(unit.actor.levels):
                continue
            async for asked in approvals.open_for(unit, process.name, transition.name):
                found += await _decidable(unit, asked)
                if len(found) >= AT_ONCE:
                    break
    return sorted(found, key=lambda each: (each.at, each.asked.id))


async def _decidable(unit: Unit, asked: Asked) -> list[Waiting]:
    try:
        record = await unit.records.find(asked.entity, asked.record)
    except NotFoundError:
        return []
    shown = await _shown(unit, asked, record)
    return [shown] if shown.refused is None and asked.process not in record.hidden else []


async def _shown(unit: Unit, asked: Asked, record: Record) -> Waiting:
    granted = await approvals.grants_of(unit, asked)
    found = approvals.rule_of(unit, asked)
    names = await unit.records.system.labels("member", [asked.member] if asked.member else [])
    return Waiting(
        asked,
        must_moment(asked.at),
        record,
        names.get(asked.member or "", ""),
        found[2].quorum if found else 0,
        len(granted),
        await _refusal(unit, asked, granted),
        _may_withdraw(unit, asked),
    )


async def _held(unit: Unit, id: str) -> tuple[Asked, Record]:
    """Return an open request and its record, alone with them until the commit."""
    await unit.tx.lock(f"approval:{id}")
    asked = await approvals.load(unit, id)
    record = await unit.records.get(asked.entity, asked.record)
    if asked.process in record.hidden:
        raise NotFoundError
    if asked.state != "open":
        raise RefusedError(OVER)
    return asked, record


async def _refusal(unit: Unit, asked: Asked, granted: object) -> Message | None:
    """Return why the actor can't decide about a request."""
    found = approvals.rule_of(unit, asked)
    if found is None:
        return None
    rule, actor = found[2], unit.actor
    if not set(rule.by) & set(actor.levels) or not unit.published.access.changes(actor):
        return say("Your access level does not decide about this step.")
    who = approvals.people(actor)
    if rule.four_eyes and who & asked.people:
        return say("Somebody else must agree: you asked for this step yourself.")
    if isinstance(granted, list) and any(who & each for each in granted):
        return say("You have agreed to this already.")
    return None


def _may_withdraw(unit: Unit, asked: Asked) -> bool:
    who = unit.actor.id
    return (who is not None and who == asked.member) or unit.published.access.administers(unit.actor)


async def _take(unit: Unit, asked: Asked) -> Granted:
    """Take the step as who asked for it; close the request with the reason when that can't be any more."""
    await unit.tx.run("SAVEPOINT granted")
    try:
        moved = await _move(unit, asked)
    except RequestError as error:
        await unit.tx.run("ROLLBACK TO SAVEPOINT granted")
        unit.records.loader.forget()
        await unit.tx.run("RELEASE SAVEPOINT granted")
        reason = _reason(unit, error)
        await approvals.end(unit, asked, "closed", reason=reason)
        return Granted(asked, 0, closed=reason)
    await unit.tx.run("RELEASE SAVEPOINT granted")
    return Granted(asked, 0, moved)


async def _move(unit: Unit, asked: Asked) -> Moved:
    found = approvals.rule_of(unit, asked)
    if found is None:
        raise RefusedError(approvals.GONE)
    asker = await _asker(unit, asked)
    await approvals.end(unit, asked, "granted")
    records = Records(unit.published, unit.tx, asker, unit.context, new_id=unit.new_id)
    fields = {name: question.field for name, question in found[1].form.items()}
    form = read_answers(fields, asked.form, unit.published.tables.safe)
    request = Request(asked.entity, asked.record, asked.transition, asked.process, form, granted=True)
    return await moves.move(replace(unit, actor=asker, records=records), request)


async def _asker(unit: Unit, asked: Asked) -> Actor:
    """Return who asked, with the rights of today; the network itself where it was the network."""
    if asked.actor_kind == "public":
        return PUBLIC
    actor = await load_actor(unit.published, unit.tx, asked.member) if asked.member else None
    if asked.actor_kind == "system":
        return replace(SYSTEM, member=actor.member if actor else None, run=asked.run)
    if actor is None:
        raise RefusedError(say("Who asked for this step is no longer active."))
    return replace(actor, through=asked.through)


def _reason(unit: Unit, error: RequestError) -> Message:
    """Return why a step could not be taken, as one sentence."""
    found = next(iter(error.fields.values()), error.message) if isinstance(error, InvalidError) else error.message
    if isinstance(found, Message):
        return found
    return say("{reason}", reason=found.pick(*unit.network.languages))
