"""Taking a move back: what it wrote, and what followed from it and nobody touched."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from definitions.charts.process import leaves_of
from definitions.charts.steps import fitted
from models.changes import same
from models.errors import NotFoundError, RefusedError
from models.message import Message, say
from models.record import Record
from workflows import approvals, history, runs, triggers
from workflows.history import FORM, Step
from workflows.moves import Moved, seen
from workflows.retracting import retract
from workflows.stored import dump_message, read_moment
from workflows.unit import Unit

_ROW = """SELECT "entity", "record", "kind", "process", "transition", "from_state", "to_state", "actor", "before",
"after", "undo_until", "undone_by" FROM "_history" WHERE "id" = ?"""
_FOLLOWED = """SELECT "id", "before", "after" FROM "_history" WHERE "entity" = ? AND "record" = ? AND "cause" = ?
ORDER BY "at", "id" """


@dataclass(frozen=True, slots=True)
class Move:
    """A move with those that followed from it by themselves, as their history rows have them.

    `rows` are these rows, the move's own first; `step` is its own. `before` and `after` are stored forms by column: as
    they were before the first, and after the last that wrote them.
    """

    id: str
    entity: str
    record: str
    step: Step
    actor: str | None
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    undone: bool
    rows: tuple[str, ...]


async def load(unit: Unit, row_id: str, about: tuple[str, str] | None = None) -> Move:
    """Return a move; `NotFoundError` when the row is none, not `about` this record, or of an entity that is no more."""
    row = await unit.tx.row(_ROW, [row_id])
    if row is None or row[2] != "moved" or row[0] not in unit.network.entities:
        raise NotFoundError
    if about is not None and about != (row[0], row[1]):
        raise NotFoundError
    step = Step(row[3], row[4], row[5], row[6], read_moment(row[10]))
    before, after = _written(row[8], row[9])
    rows = [row_id]
    for followed, *values in await unit.tx.rows(_FOLLOWED, [row[0], row[1], row_id]):
        was, became = _written(*values)
        before, after = {**was, **before}, {**after, **became}
        rows.append(followed)
    return Move(row_id, row[0], row[1], step, row[7], before, after, row[11] is not None, tuple(rows))


def _written(before: str | None, after: str | None) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what a move wrote, without what its form asked for besides."""
    became = {name: value for name, value in json.loads(after or "{}").items() if not name.startswith(FORM)}
    return json.loads(before or "{}"), became


async def undo(unit: Unit, row_id: str, about: tuple[str, str] | None = None) -> Moved:
    """Take the move back; see `commands.undo`."""
    move = await load(unit, row_id, about)
    record = await unit.records.get(move.entity, move.record)
    reason = refusal(unit, move, record)
    if reason is not None:
        raise RefusedError(reason)
    table = unit.published.tables[move.entity]
    values = table.kept({name: move.before.get(name) for name in _own(unit, move)})
    states = _states(unit, move, record) or {}
    values |= states
    held = {name: table.keep(name, record.full[name]) for name in states}
    if unit.actor.kind != "system":
        values["last_activity_at"] = unit.now
    change = await unit.records.system.update(move.entity, move.record, record.version, values)
    left = await retract(unit, move.id)
    step, gone = move.step, what_left(left)
    became = {**move.before, **{name: table.keep(name, value) for name, value in states.items()}}
    row = await history.keep(
        unit,
        "undone",
        move.entity,
        move.record,
        before={**move.after, **held},
        after=became if gone is None else {**became, approvals.REASON: dump_message(gone)},
        step=Step(step.process, step.transition, step.to_state, step.from_state),
    )
    await unit.tx.run_many('UPDATE "_history" SET "undone_by" = ? WHERE "id" = ?', [[row, each] for each in move.rows])
    await triggers.settle(unit, change.after, (row,))
    await approvals.review(unit, change.after)
    for run in await runs.waiting(unit.tx, move.entity, move.record):
        await runs.look_again(unit, run)
    return Moved(await seen(unit, change.after), row, None, left=left)


def what_left(left: int) -> Message | None:
    """Return what is said of so many messages that nothing brings back, None where there are none."""
    if left == 0:
        return None
    if left == 1:
        return say("One message of the automations that it started has already left.")
    return say("{count} messages of the automations that it started have already left.", count=left)


def refusal(unit: Unit, move: Move, record: Record) -> Any:
    """Return why the move can't be taken back by this actor now, None when it can."""
    if not may_undo(unit, move.actor):
        return say("Only who made this move can take it back.")
    if move.undone:
        return say("This was taken back already.")
    if not in_time(move.step.undo_until, unit.now):
        return say("It is too late to take this back.")
    table = unit.published.tables[move.entity]
    after = table.kept({name: move.after[name] for name in _own(unit, move)})
    states = _states(unit, move, record)
    if any(name not in (states or ()) and not same(record.full.get(name), after[name]) for name in after):
        return say("The record was changed since: this cannot be taken back any more.")
    if not _is_there(move, record):
        return say("The record was changed since: this cannot be taken back any more.")
    return None


def _states(unit: Unit, move: Move, record: Record) -> Mapping[str, Any] | None:
    """Return the states that the record goes back to where other regions moved since; None when they did not, or when
    the move's own region did too.
    """
    name = move.step.process
    process = unit.network.processes.get(name)
    origin, goal = move.step.from_state.split(), set(move.step.to_state.split())
    held = leaves_of(record.full.get(name))
    others = [each for each in held if each not in goal]
    if process is None or not process.parallel or len(move.rows) > 1 or not goal <= set(held) or name not in move.after:
        return None
    found = fitted(process.chart, [*origin, *others])
    return {name: found} if {*origin, *others} <= set(found) else None


def _is_there(move: Move, record: Record) -> bool:
    """Whether the record is where a move that changed no state left it; of others what they wrote tells."""
    held = leaves_of(record.full[move.step.process])
    return move.step.process in move.after or set(move.step.to_state.split()) <= set(held)


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
