"""A run that is asked to go on: who acts in it, and what it still has to do."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from models.actor import Actor
from models.members import load_actor
from models.published import Published
from models.record import Record
from models.records import Records
from workflows import automations, runs
from workflows.runs import Run
from workflows.unit import Cause, Unit


async def pursue(
    unit: Unit, run: Run, version: Published, kind: Literal["run", "check"] = "run", record: Record | None = None
) -> None:
    """Let a run go on that is under way, or check whether it goes on waiting; `version` is the one it was asked for in.

    `unit` is the system's. `record` is the run's as it is now, where it was read already.
    """
    if run.state not in ("running", "waiting"):
        return
    actor = await _actor(unit, run)
    records = Records(unit.published, unit.tx, actor, unit.context, new_id=unit.new_id)
    cause = Cause(run.id, run.origin.depth, run.hold_until)
    own = replace(unit, actor=actor, records=records, cause=cause)
    if run.definition != version.version:  # it went over to another version since this was asked for
        await (runs.wake if kind == "run" else runs.look_again)(own, run)
    elif kind == "run":
        await automations.advance(own, version, run, record)
    else:
        await automations.check(own, version, run)


async def _actor(unit: Unit, run: Run) -> Actor:
    """Return the system, acting because of whoever caused the run."""
    caused = None if run.actor is None else await load_actor(unit.published, unit.tx, run.actor, run=run.id)
    if caused is None:
        language = unit.network.languages[0]
        return Actor("system", levels=(), language=language, run=run.id, through=run.origin.through)
    language, through = caused.language, run.origin.through
    return Actor("system", member=caused.member, levels=(), language=language, run=run.id, through=through)
