"""What automations did and why, as it is shown: each step with its inputs and its result."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from models.message import Message
from models.record import Record
from models.tx import Row, Tx
from workflows import unfired
from workflows.discretion import openly
from workflows.guards import Weighed
from workflows.sealing import opened
from workflows.stored import moment, must_moment, read_message, read_moment
from workflows.unfired import Begun
from workflows.unit import Unit

_RUNS = """SELECT "id", "automation", "state", "actor", "started_at", "ended_at", "wake_at", "error", "cursor",
"definition" FROM "_run" WHERE "entity" = ? AND "record" = ? ORDER BY "started_at" DESC, "id" DESC LIMIT ?"""
_STEPS = """SELECT "run", "path", "action", "at", "outcome", "turn", "inputs", "result", "error" FROM
(SELECT *, row_number() OVER (PARTITION BY "run" ORDER BY "seq" DESC) AS "back" FROM "_step" WHERE "run" IN ({places}))
AS "step" WHERE "back" <= ? ORDER BY "run", "seq" """
GIVEN = "step"
"""For what the inputs of steps are sealed."""
LAST = 60
"""So many of its last steps are told of a run."""


_OVER = """SELECT "id" FROM "_run" WHERE "state" IN ('done', 'cancelled', 'not_fired') AND "ended_at" < ?
ORDER BY "ended_at" LIMIT ?"""


@dataclass(frozen=True, slots=True)
class StepTrace:
    """One step that a run did: `outcome` done, skipped, failed, waiting or cancelled; `why` for all but done.

    Inputs and results are for who administers the network and is hidden nothing: they hold what others may not see.
    """

    path: str
    action: str
    at: datetime
    outcome: str
    turn: str | None
    inputs: Mapping[str, Any]
    result: Mapping[str, Any]
    why: Message | None


@dataclass(frozen=True, slots=True)
class RunTrace:
    """A run of an automation over the record, or why the automation did not start (`state` not_fired): `asks` is what
    its condition asks for.
    """

    id: str
    automation: str
    state: str
    actor: str | None
    started_at: datetime
    ended_at: datetime | None
    wake_at: datetime | None
    why: Message | None
    steps: tuple[StepTrace, ...]
    asks: tuple[Weighed, ...] = ()


async def traces_about(unit: Unit, record: Record, limit: int) -> list[RunTrace]:
    """Return the runs over a record that the actor has been found to see, newest first: two queries."""
    rows = await unit.tx.rows(_RUNS, [record.entity, record.id, limit])
    if not rows:
        return []
    sql = _STEPS.format(places=", ".join("?" * len(rows)))
    steps: dict[str, list[StepTrace]] = {}
    shown = openly(unit)
    begun = {row[0]: Begun(row[1], row[9], row[3]) for row in rows}
    for row in await unit.tx.rows(sql, [*(row[0] for row in rows), LAST]):
        step = await _told(unit, record, begun[row[0]], _step(unit, row, openly=shown))
        steps.setdefault(row[0], []).append(step)
    return [await _run(unit, record, row, tuple(steps.get(row[0], ()))) for row in rows]


async def steps_of(unit: Unit, run: str, begun: Begun, record: Record | None, last: int = 500) -> tuple[StepTrace, ...]:
    """Return the last steps of a run that the actor has been found to see, in order; `record` as in `unfired.told`."""
    shown = openly(unit)
    rows = await unit.tx.rows(_STEPS.format(places="?"), [run, last])
    return tuple([await _told(unit, record, begun, _step(unit, row, openly=shown)) for row in rows])


async def _told(unit: Unit, record: Record | None, begun: Begun, step: StepTrace) -> StepTrace:
    return step if step.why is None else replace(step, why=await unfired.told(unit, record, begun, step.why))


async def over(tx: Tx, before: datetime, limit: int) -> list[str]:
    """Return runs that were over before a time; those that failed stay until somebody decides about them."""
    return [str(row[0]) for row in await tx.rows(_OVER, [moment(before), limit])]


async def forget(tx: Tx, runs: Iterable[str]) -> None:
    """Forget runs with their steps."""
    ids = [(run,) for run in runs]
    await tx.run_many('DELETE FROM "_step" WHERE "run" = ?', ids)
    await tx.run_many('DELETE FROM "_run" WHERE "id" = ?', ids)


async def _run(unit: Unit, record: Record, row: Row, steps: tuple[StepTrace, ...]) -> RunTrace:
    run, automation, state, actor, started, ended, wake, error, cursor, definition = row
    times, why = (must_moment(started), read_moment(ended), read_moment(wake)), read_message(error)
    begun = Begun(automation, definition, actor)
    asks = await unfired.weigh(unit, record, begun, json.loads(cursor), why) if state == "not_fired" else ()
    said = unfired.UNMET if asks else await unfired.told(unit, record, begun, why)
    return RunTrace(run, automation, state, actor, *times, said, steps, asks)


def _step(unit: Unit, row: Row, *, openly: bool) -> StepTrace:
    _, path, action, at, outcome, turn, inputs, result, error = row
    given = json.loads(opened(unit, inputs or "{}", GIVEN)) if openly else {}
    became = json.loads(result or "{}") if openly else {}
    return StepTrace(path, action, must_moment(at), outcome, turn, given, became, read_message(error))
