"""Taking a move back: what it wrote, and what followed from it and nobody touched."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from models.errors import NotFoundError, RefusedError, RequestError
from models.message import say
from models.record import Record
from workflows import history, hooks, notices, outbox, runs
from workflows.history import Step
from workflows.moves import FORM, Moved, seen
from workflows.runs import Run
from workflows.stored import moment, read_moment
from workflows.unit import Unit

_ROW = """SELECT "entity", "record", "kind", "process", "transition", "from_state", "to_state", "actor", "before",
"after", "undo_until", "undone_by" FROM "_history" WHERE "id" = ?"""


@dataclass(frozen=True, slots=True)
class Move:
    """A move as its history row has it; `before` and `after` are stored forms by column."""

    id: str
    entity: str
    record: str
    step: Step
    actor: str | None
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    undone: bool


async def load(unit: Unit, row_id: str, about: tuple[str, str] | None = None) -> Move:
    """Return a move; `NotFoundError` when the row is none, not `about` this record, or of an entity that is no more."""
    row = await unit.tx.row(_ROW, [row_id])
    if row is None or row[2] != "moved" or row[0] not in unit.network.entities:
        raise NotFoundError
    if about is not None and about != (row[0], row[1]):
        raise NotFoundError
    step = Step(row[3], row[4], row[5], row[6], read_moment(row[10]))
    before, after = json.loads(row[8] or "{}"), json.loads(row[9] or "{}")
    written = {name: value for name, value in after.items() if not name.startswith(FORM)}
    return Move(row_id, row[0], row[1], step, row[7], before, written, row[11] is not None)


async def undo(unit: Unit, row_id: str, about: tuple[str, str] | None = None) -> Moved:
    """Take the move back; see `commands.undo`."""
    move = await load(unit, row_id, about)
    record = await unit.records.get(move.entity, move.record)
    reason = refusal(unit, move, record)
    if reason is not None:
        raise RefusedError(reason)
    table = unit.published.tables[move.entity]
    values = table.kept({name: move.before.get(name) for name in _own(unit, move)})
    if unit.actor.kind != "system":
        values["last_activity_at"] = unit.now
    change = await unit.records.system.update(move.entity, move.record, record.version, values)
    step = move.step
    row = await history.keep(
        unit,
        "undone",
        move.entity,
        move.record,
        before=move.after,
        after=move.before,
        step=Step(step.process, step.transition, step.to_state, step.from_state),
    )
    await unit.tx.run('UPDATE "_history" SET "undone_by" = ? WHERE "id" = ?', [row, move.id])
    await _retract(unit, move.id)
    for run in await runs.waiting(unit.tx, move.entity, move.record):
        await runs.look_again(unit, run)
    return Moved(await seen(unit, change.after), row, None)


def refusal(unit: Unit, move: Move, record: Record) -> Any:
    """Return why the move can't be taken back by this actor now, None when it can."""
    if not may_undo(unit, move.actor):
        return say("Only who made this move can take it back.")
    if move.undone:
        return say("This was taken back already.")
    if not in_time(move.step.undo_until, unit.now):
        return say("It is too late to take this back.")
    table = unit.published.tables[move.entity]
    now = {name: table.keep(name, record.full.get(name)) for name in _own(unit, move)}
    if any(now[name] != move.after[name] for name in now) or record.full[move.step.process] != move.step.to_state:
        return say("The record was changed since: this cannot be taken back any more.")
    return None


def may_undo(unit: Unit, mover: str | None) -> bool:
    """Whether the actor is who made the move, or administers the network."""
    if unit.actor.kind != "system" and mover is not None and mover == unit.actor.id:
        return True
    return unit.published.access.administers(unit.actor)


def in_time(undo_until: datetime | None, now: datetime) -> bool:
    """Whether a move can still be taken back."""
    return undo_until is not None and now < undo_until


def _own(unit: Unit, move: Move) -> list[str]:
    """Return the fields that the move wrote itself, without those that are computed from them."""
    entity = unit.network.entities[move.entity]
    computed = {name for name, field in entity.fields.items() if field.compute is not None}
    known = unit.published.tables[move.entity].shape.columns
    return [name for name in move.after if name in known and name not in computed]


async def _retract(unit: Unit, cause: str) -> None:
    """Cancel the runs that a history row caused, and what they began that nobody has touched."""
    for run in await runs.caused(unit.tx, cause):
        if run.state in ("running", "waiting"):
            await runs.end(unit, run, "cancelled", say("The move that caused this was taken back."))
        await _retract_run(unit, run)


async def _retract_run(unit: Unit, run: Run) -> None:
    for (mail,) in await unit.tx.rows("""SELECT "id" FROM "_mail" WHERE "run" = ? AND "state" = 'waiting'""", [run.id]):
        await unit.tx.run("""UPDATE "_mail" SET "state" = 'cancelled' WHERE "id" = ?""", [mail])
        await outbox.cancel(unit.tx, f"mail:{mail}:", unit.now)
    await hooks.call_off(unit, run.id)
    await notices.call_off(unit, run.id)
    await unit.tx.run('DELETE FROM "_task" WHERE "run" = ? AND "done_at" IS NULL', [run.id])
    for (result,) in await unit.tx.rows('SELECT "result" FROM "_step" WHERE "run" = ? ORDER BY "seq" DESC', [run.id]):
        done = json.loads(result or "{}")
        if done.get("history") is not None:
            await _retract(unit, done["history"])
        if "created" in done:
            await _remove(unit, *done["created"])


_TOUCHED = """SELECT 1 FROM "_history" WHERE "entity" = ? AND "record" = ? AND "actor_kind" <> 'system' LIMIT 1"""


async def _remove(unit: Unit, entity: str, record_id: str) -> None:
    """Remove a record that a run created, unless somebody changed it, wrote about it or refers to it."""
    if entity not in unit.network.entities:
        return
    if await unit.tx.row(_TOUCHED, [entity, record_id]) is not None:
        return
    try:
        record = await unit.records.system.get(entity, record_id)
        if record.version != 1:
            return
        await unit.records.system.delete(entity, record_id, record.version)
    except RequestError:
        return
    await history.keep(unit, "deleted", entity, record_id, before={"created_at": moment(record.full["created_at"])})
