"""Agreeing to a move that somebody asked for, or not; the last one who agrees makes it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from definitions.spec.process import FormField
from models.actor import PUBLIC, SYSTEM, Actor
from models.attachment import Attachment
from models.errors import InvalidError, NotFoundError, RefusedError, RequestError
from models.members import load_actor
from models.message import Message, say
from models.query import Filter, Query
from models.record import Record
from models.records import Records
from models.uploads import FILES
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
    """A request as its reader sees it: of `quorum` people those in `agreed` have agreed (by name); `refused` says why
    the reader can't.

    `mine`: the reader may take it back; `opens`: the reader may take the files that were given with it.
    """

    asked: Asked
    at: datetime
    record: Record
    member_name: str
    quorum: int
    agreed: tuple[str, ...]
    refused: Message | None
    mine: bool
    opens: bool


async def grant(unit: Unit, id: str) -> Granted:
    """Agree to a request; the last one that is needed has the step taken, if it still can be.

    `NotFoundError` when the actor may not read the record, `RefusedError` when it may not agree, or it is over.
    """
    asked, record = await _held(unit, id)
    granted = await approvals.grants_of(unit, asked)
    if (reason := refusal(unit, asked, granted)) is not None:
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
    if (problem := refusal(unit, asked)) is not None:
        raise RefusedError(problem)
    await approvals.end(unit, asked, "refused", text=reason.strip()[:LONGEST])


async def withdraw(unit: Unit, id: str) -> None:
    """Take a request back: who asked may, and who administers the network."""
    asked, _ = await _held(unit, id)
    if not approvals.may_withdraw(unit, asked):
        raise RefusedError(say("Only who asked for this step can take that back."))
    await approvals.end(unit, asked, "withdrawn")


async def file_of(unit: Unit, id: str, name: str) -> Attachment:
    """Return the file that a question of an open request was answered with, for who may decide or asked for it.

    `NotFoundError` for all others, and where there is none. The audit says who took it away.
    """
    asked = await approvals.load(unit, id)
    found, record = approvals.rule_of(unit, asked), await unit.records.find(asked.entity, asked.record)
    question = None if found is None else found[1].form.get(name)
    if not opens(unit, asked) or question is None or asked.state != "open":
        raise NotFoundError
    kept = answers_of(unit, asked, record).get(name)
    if question.field.type not in FILES or kept is None:
        raise NotFoundError
    unit.records.took(record, f"{asked.process}.{asked.transition}.{name}")
    return Attachment(kept)


def answers_of(unit: Unit, asked: Asked, record: Record) -> dict[str, Any]:
    """Return the answers of a request that who sees its record is told, by question, in the form's order."""
    found = approvals.rule_of(unit, asked)
    form = found[1].form if found else {}
    fields = {name: question.field for name, question in form.items()}
    values = read_answers(fields, asked.form, unit.published.tables.safe)
    return {name: values[name] for name, question in form.items() if name in values and told(asked, question, record)}


def told(asked: Asked, question: FormField, record: Record) -> bool:
    """Whether who sees a record like this is told the answer to a question."""
    return asked.process not in record.hidden and (question.edits is None or question.edits not in record.hidden)


def opens(unit: Unit, asked: Asked) -> bool:
    """Whether the actor may take the files of a request: who decides about it, and who asked for it."""
    return bool(approvals.people(unit.actor) & asked.people) or decides(unit, asked)


def decides(unit: Unit, asked: Asked) -> bool:
    """Whether the actor's levels decide about a request, whoever asked for it."""
    found = approvals.rule_of(unit, asked)
    return found is not None and bool(set(found[2].by) & set(unit.actor.levels))


async def waiting(unit: Unit, entity: str, record: Record) -> list[Waiting]:
    """Return what is asked for of a record that the actor has been found to see."""
    found = [each for each in await approvals.of_record(unit, entity, record.id) if each.process not in record.hidden]
    return [await _shown(unit, asked, record) for asked in found]


async def to_decide(unit: Unit) -> list[Waiting]:
    """Return what waits for the actor's agreement, the oldest first."""
    found: list[Waiting] = []
    async for asked in _for_actor(unit):
        found += await _decidable(unit, asked)
        if len(found) >= AT_ONCE:
            break
    return sorted(found, key=lambda each: (each.at, each.asked.id))


async def count(unit: Unit) -> int:
    """Return how many requests wait for the actor's agreement, `AT_ONCE` at most."""
    about: dict[str, list[str]] = {}
    async for asked in _for_actor(unit):
        about.setdefault(asked.entity, []).append(asked.record)
        if sum(map(len, about.values())) >= AT_ONCE:
            break
    number = 0
    for entity, ids in about.items():
        readable = Query(filters=(Filter("id", "any_of", sorted(set(ids))),), limit=len(ids))
        number += await unit.records.count(entity, readable, most=AT_ONCE)
    return number


async def _for_actor(unit: Unit) -> AsyncIterator[Asked]:
    """Yield the open requests that the actor's levels decide about, of records that it may or may not read."""
    access, actor = unit.published.access, unit.actor
    for process in unit.network.processes.values():
        for transition in process.approved:
            if not access.may(actor, "read", process.entity):
                continue
            if not access.may_field(actor, process.entity, process.name, "read"):
                continue
            if transition.approval is None or not set(transition.approval.by) & set(actor.levels):
                continue
            async for asked in approvals.open_for(unit, process.name, transition.name):
                if refusal(unit, asked) is None:
                    yield asked


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
    return Waiting(
        asked,
        must_moment(asked.at),
        record,
        await approvals.asker(unit, asked),
        found[2].quorum if found else 0,
        await approvals.named(unit, approvals.granters(granted)),
        refusal(unit, asked, granted),
        approvals.may_withdraw(unit, asked),
        opens(unit, asked),
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


Grants = Sequence[tuple[str, str | None]]


def refusal(unit: Unit, asked: Asked, granted: Grants = ()) -> Message | None:
    """Return why the actor can't decide about a request."""
    found = approvals.rule_of(unit, asked)
    if found is None:
        return None
    rule, actor = found[2], unit.actor
    if not decides(unit, asked) or not unit.published.access.changes(actor):
        return say("Your access level does not decide about this step.")
    who = approvals.people(actor)
    if rule.four_eyes and who & asked.people:
        return say("Somebody else must agree: you asked for this step yourself.")
    if any(who & {*each} for each in granted):
        return say("You have agreed to this already.")
    return None


async def _take(unit: Unit, asked: Asked) -> Granted:
    """Take the step as who asked for it; close the request with the reason when that can't be any more."""
    await unit.tx.run("SAVEPOINT granted")
    try:
        moved = await _move(unit, asked)
        await unit.tx.run("RELEASE SAVEPOINT granted")
    except RequestError as error:
        await unit.tx.run("ROLLBACK TO SAVEPOINT granted")
        unit.records.loader.forget()
        await unit.tx.run("RELEASE SAVEPOINT granted")
        reason = _reason(unit, error)
        await approvals.end(unit, asked, "closed", reason=reason)
        return Granted(asked, 0, closed=reason)
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
