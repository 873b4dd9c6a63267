"""`wait`: pause the run, durably."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from definitions.duration import Duration
from definitions.expr.expression import Context
from definitions.expr.periods import later, start_of
from definitions.spec.automation import Wait
from models.message import say
from workflows.scene import Paused, Scene, Skipped


async def wait(scene: Scene, step: Wait) -> Paused | Skipped:
    """Return until when the run pauses: the time asked for, the time-out at the latest."""
    unit = scene.unit
    names = await scene.names(step.duration, step.until)
    until = _until(step, names, unit.context)
    limit = None if step.timeout is None else later(unit.now, step.timeout, unit.context)
    times = [time for time in (until, limit) if time is not None]
    if not times:
        return Skipped(say("There is no time to wait for."))
    wake = min(times)
    if wake <= unit.now and step.cancel_if is None:
        return Skipped(say("The time to wait for has passed."), {"until": wake})
    return Paused(max(wake, unit.now), step.cancel_if is not None, {"until": until, "timeout": limit})


def _until(step: Wait, names: Any, context: Context) -> datetime | None:
    if step.duration is not None:
        span = step.duration.compute(names, context)
        if isinstance(span, timedelta):
            span = Duration(exact=span)
        return later(context.now, span, context) if isinstance(span, Duration) else None
    value = None if step.until is None else step.until.compute(names, context)
    if isinstance(value, datetime):
        return value
    return start_of(value, context) if isinstance(value, date) else None
