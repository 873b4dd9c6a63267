"""Erasing a record for good, as the retention of its kind says: itself, its copies, and a proof that it was done.

The proof is a row of the audit, in the chain like every other: which record of which kind, when, why, and a mark of
what it held under the installation's key. Nothing starts from it: what would say that the record is gone would tell
of it again. See docs/decisions/erasure.md.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from models import audit, erasure, uploads
from models.audit import Event
from models.erasure import Part, Traces
from models.errors import NotFoundError, RefusedError
from models.filters import like
from models.message import say
from models.record import Record
from models.secrets import CLOSED
from models.store import ConstraintError
from workflows import announcing, outbox, retiming, runs, triggers
from workflows.stored import dump, moment
from workflows.subscriptions import subscriptions
from workflows.unit import Unit

PROOF = "erasure"
"""For what the content of an erased record is marked."""
_IN_USE = say("Other records refer to this one: it cannot be erased.")
_ADDRESSES = frozenset({"email", "phone"})
_ACTIVE = """SELECT "id" FROM "_run" WHERE "entity" = ? AND "record" = ? AND "state" IN ('running', 'waiting')"""
_TO = """SELECT "id", "entity", "record", "state", "run" FROM "_mail" WHERE "recipient" IN ({places})
AND "recipient_member" IS NULL"""
_BLANK = """UPDATE "_mail" SET "recipient" = '', "cc" = '[]', "reply_to" = NULL, "subject" = '', "html" = '',
"text" = '', "attached" = NULL, "unsubscribe" = NULL, "state" = ? WHERE "id" = ?"""
_TOLD = 'SELECT "told" FROM "_retention" WHERE "entity" = ? AND "record" = ? AND "told" IS NOT NULL'
_COPIED = """SELECT "id", "entity", "record", "run", "cc" FROM "_mail" WHERE "cc" <> '[]' AND ({likes})"""
_COPY = 'UPDATE "_mail" SET "cc" = ? WHERE "id" = ?'
_ANSWERED = 'UPDATE "_mail" SET "reply_to" = NULL WHERE "reply_to" IN ({places})'
_LOOSE = 'UPDATE "_file" SET "loose_at" = ? WHERE "sha" = ?'


async def erase(
    unit: Unit, entity: str, record: str, why: Mapping[str, Any], also: Sequence[tuple[str, str]] = ()
) -> int:
    """Erase a record with all that goes with it, in this transaction; return how many records went.

    `also` names records (entity and id) that are to go together with it: they may refer to each other.

    `why` is kept with the proof and holds nothing personal. `NotFoundError` when there is none, `RefusedError` when
    another record that stays is not to lose it (`on_delete: restrict`).
    """
    system = unit.records.system
    going = await erasure.parts(unit.published, unit.tx, (entity, record), *also)
    if not going or going[0].id != record:
        raise NotFoundError
    held = await erasure.held(unit.published, unit.tx, going)
    if held is not None:
        kept = say(
            "It cannot be erased as long as {entity}.{field} refers to it.", entity=held.entity, field=held.field
        )
        raise RefusedError(kept)
    roots = [(entity, record), *also]
    lines = [await system.find(name, one) for name, one in roots if _outlived(unit, name, one, going)]
    for part in going:
        await _end_runs(unit, part)
        await _forget_timers(unit, part)
        await _silence_mails(unit, part, going)
        await _take_address(unit, part)
        for (told,) in await unit.tx.rows(_TOLD, [part.entity, part.id]):
            await announcing.call_off(unit, told)
    try:
        traces = await erasure.take(unit.published, unit.tx, going)
    except ConstraintError:
        raise RefusedError(_IN_USE) from None
    unit.records.loader.forget()
    await _let_go(unit, traces)
    await _prove(unit, going, traces, why)
    for line in lines:
        if line is not None:
            await _settle(unit, line)
    return len(going)


def _outlived(unit: Unit, entity: str, record: str, going: Sequence[Part]) -> bool:
    """Whether what a record is a line of stays."""
    if unit.network.entities[entity].parent is None:
        return False
    parent = next((part.values.get("parent") for part in going if part.id == record), None)
    return parent is not None and parent["id"] not in {part.id for part in going}


async def _end_runs(unit: Unit, part: Part) -> None:
    """End the runs over a record before they go: others may wait for their end."""
    for (found,) in await unit.tx.rows(_ACTIVE, [part.entity, part.id]):
        run = await runs.load(unit.tx, found)
        if run is not None:
            await runs.end(unit, run, "cancelled", say("The record was erased."))


async def _forget_timers(unit: Unit, part: Part) -> None:
    """Remove the timers of a record, whatever their state: what they wait for is a date of the record."""
    known = subscriptions(unit.published)
    of_states = [timer for (process, _), found in known.stays.items() for timer in found if _is_of(unit, process, part)]
    for kind, timers in ((retiming.TIMERS[0], of_states), (retiming.TIMERS[1], known.due.get(part.entity, ()))):
        for timer in timers:
            await outbox.forget_all(unit.tx, f"{kind}:{timer.automation.name}:{timer.position}:{part.id}:")


def _is_of(unit: Unit, process: str, part: Part) -> bool:
    return unit.network.processes[process].entity == part.entity


def _addresses(unit: Unit, part: Part) -> Iterator[str]:
    """Yield where messages to a record may have gone."""
    for name, field in unit.network.entities[part.entity].fields.items():
        if field.type in _ADDRESSES and part.values.get(name):
            yield str(part.values[name])


async def _silence_mails(unit: Unit, part: Part, going: Sequence[Part]) -> None:
    """Take the texts out of messages to an address of the record that are about other records, as far as it is theirs.

    Where the other record has the same address itself, the message is that record's.
    """
    addresses = list(_addresses(unit, part))
    if not addresses or part.entity == erasure.MEMBER:
        return
    gone = {(each.entity, each.id) for each in going}
    places = ", ".join("?" * len(addresses))
    for mail, entity, record, state, run in await unit.tx.rows(_TO.format(places=places), addresses):
        if (entity, record) in gone or await _has_one(unit, entity, record, addresses):
            continue
        await outbox.forget_all(unit.tx, f"mail:{mail}:")
        await unit.tx.run(_BLANK, ["sent" if state == "sent" else "cancelled", mail])
        if run is not None:
            await erasure.silence(unit.tx, run)


async def _take_address(unit: Unit, part: Part) -> None:
    """Take an address of the record out of those that other messages were copied to, or are to be answered at."""
    addresses = list(_addresses(unit, part))
    if not addresses:
        return
    likes = " OR ".join([r""""cc" LIKE ? ESCAPE '\'"""] * len(addresses))
    for mail, entity, record, run, cc in await unit.tx.rows(
        _COPIED.format(likes=likes), [like(dump(each)) for each in addresses]
    ):
        if await _has_one(unit, entity, record, addresses):
            continue
        await unit.tx.run(_COPY, [dump([each for each in json.loads(cc) if each not in addresses]), mail])
        if run is not None:
            await erasure.silence(unit.tx, run)
    await unit.tx.run(_ANSWERED.format(places=", ".join("?" * len(addresses))), addresses)


async def _has_one(unit: Unit, entity: str | None, record: str | None, addresses: Sequence[str]) -> bool:
    if entity is None or record is None or entity not in unit.network.entities:
        return False
    values = await unit.records.system.loader.load(entity, record) or {}
    return any(value in addresses for value in values.values() if isinstance(value, str))


async def _let_go(unit: Unit, traces: Traces) -> None:
    """Have the contents removed that no record names any more, without the time in which a step back finds them."""
    since = moment(unit.now - uploads.KEPT - timedelta(seconds=1))
    await unit.tx.run_many(_LOOSE, [(since, sha) for sha in sorted(traces.files)])


async def _prove(unit: Unit, going: Sequence[Part], traces: Traces, why: Mapping[str, Any]) -> None:
    """Keep in the audit that the records were erased, and what else went with them."""
    for place, part in enumerate(going):
        told: dict[str, Any] = {**why}
        if place == 0:
            told["rows"] = dict(sorted(traces.rows.items()))
        else:
            told["with"] = going[0].id
        if unit.vault is not CLOSED:
            told["mark"] = unit.vault.mark(dump(dict(sorted(part.values.items()))), PROOF)
        event = Event("erased", unit.now, unit.actor, part.entity, part.id, total=len(going), detail=dump(told))
        await audit.keep(unit.tx, unit.new_id(), event)


async def _settle(unit: Unit, line: Record) -> None:
    """Have what the record was a line of follow."""
    await triggers.settle(unit, line, ())
