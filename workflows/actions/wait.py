"""`wait`: pause the run, durably."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from definitions.duration import Duration
from definitions.expr.expression import Context
from definitions.expr.parts import reads_clock
from definitions.expr.periods import later, start_of
from definitions.spec.automation import Wait
from models.message import say
from workflows.scene import Paused, Scene, Skipped
from workflows.stored import maybe_moment, moment, read_moment


async def wait(scene: Scene, step: Wait) -> Paused | Skipped:
    """Return until when the run pauses: the time asked for, the time-out at the latest."""
    unit = scene.unit
    until = await _until(scene, step)
    limit = None if step.timeout is None else later(unit.now, step.timeout, unit.context)
    times = [time for time in (until, limit) if time is not None]
    if not times:
        return Skipped(say("There is no time to wait for."))
    wake = min(times)
    if wake <= unit.now and step.cancel_if is None:
        return Skipped(say("The time to wait for has passed."), {"until": wake})
    follow = {"until": maybe_moment(until), "limit": maybe_moment(limit)} if _follows(step) else {}
    inputs = {"until": until, "timeout": limit}
    return Paused(max(wake, unit.now), step.cancel_if is not None, inputs, follow)


async def moved(scene: Scene, step: Wait, follow: Mapping[str, Any]) -> Paused | None:
    """Return the pause that a run makes from now on, None where its record asks for no other time.

    A time that the record no longer has leaves the pause as it is; the time-out counts from where the pause began.
    """
    until = await _until(scene, step)
    if until is None or moment(until) == follow["until"]:
        return None
    limit = read_moment(follow["limit"])
    wake = max(min(until, limit or until), scene.unit.now)
    return Paused(wake, step.cancel_if is not None, follow={**follow, "until": moment(until)})


def _follows(step: Wait) -> bool:
    """Whether the time is a matter of the record alone: one that the clock has a part in would move for ever."""
    expression = None if step.until is None else step.until.expression
    if expression is None or not any(path[0] == "record" for path in expression.reads):
        return False
    return not reads_clock(expression)


async def _until(scene: Scene, step: Wait) -> datetime | None:
    names = await scene.names(step.duration, step.until)
    try:
        return _asked(step, names, scene.unit.context)
    except (OverflowError, ValueError):  # beyond the calendar, or it has no working time
        return None


def _asked(step: Wait, names: Any, context: Context) -> datetime | None:
    if step.duration is not None:
        span = step.duration.compute(names, context)
        if isinstance(span, timedelta):
            span = Duration(exact=span)
        return later(context.now, span, context) if isinstance(span, Duration) else None
    value = None if step.until is None else step.until.compute(names, context)
    if isinstance(value, datetime):
        return value
    return start_of(value, context) if isinstance(value, date) else None
