"""`webhook`: send JSON to another system."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from definitions.duration import Duration
from definitions.expr import ListOf, RecordOf
from definitions.expr.expression import Context, Names
from definitions.spec.automation import Body, Webhook
from definitions.spec.value import Value
from models.message import say
from workflows import hooks
from workflows.calling import CallError, target_of
from workflows.scene import Done, Scene, StepError
from workflows.stored import dump


async def webhook(scene: Scene, step: Webhook) -> Done:
    """Keep the call with the step; it leaves the house when nothing holds it back any more, and until it is taken."""
    unit, run = scene.unit, scene.run
    names = await scene.names(*step.values)
    url = step.url.compute(names, unit.context)
    if not isinstance(url, str) or not url.strip():
        raise StepError(say("There is no address to call."))
    try:
        target_of(url)
    except CallError as error:
        raise StepError(error.message) from None
    body = _about(scene) if step.body is None else _filled(step.body, names, unit.context)
    hook = await hooks.post(unit, hooks.Call(url, dump(body), run.id, step.path, run.entity, run.record, step.retry))
    return Done({"url": url, "body": body}, {"hook": hook})


def _about(scene: Scene) -> dict[str, Any]:
    run = scene.run
    record = None if run.record is None else {"entity": run.entity, "id": run.record}
    return {"type": run.automation, "timestamp": _plain(scene.unit.now), "data": {"record": record}}


def _filled(body: Body, names: Names, context: Context) -> Any:
    if isinstance(body, Value):
        value = body.compute(names, context)
        kind = None if body.expression is None else body.expression.type
        if isinstance(kind, RecordOf):
            return _identity(value)
        if isinstance(kind, ListOf) and isinstance(kind.of, RecordOf):
            return [_identity(each) for each in value or ()]
        return _plain(value)
    if isinstance(body, Mapping):
        return {name: _filled(part, names, context) for name, part in body.items()}
    return [_filled(part, names, context) for part in body]


def _identity(value: Any) -> dict[str, str] | None:
    """Return a record as the world outside is told of it: which one it is; the values are asked for one by one."""
    return {"id": str(value["id"])} if isinstance(value, Mapping) else None


def _plain(value: Any) -> Any:
    """Return a value as the API writes it."""
    match value:
        case Decimal():
            return f"{value:f}"
        case datetime():
            return value.astimezone(UTC).isoformat().removesuffix("+00:00") + "Z"
        case date():
            return value.isoformat()
        case Duration():
            return int(value.exact.total_seconds()) if value.is_exact else str(value)
        case list() | tuple():
            return [_plain(each) for each in value]
        case _:
            return value
