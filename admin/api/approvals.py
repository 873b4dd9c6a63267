"""Steps that others must agree to: what waits for the caller, and deciding it."""

from __future__ import annotations

from typing import Any

from admin.api.call import Answer, Call
from admin.api.files import sent
from admin.api.values import moment
from models.errors import InvalidError
from models.message import say
from workflows import granting
from workflows.granting import Waiting
from workflows.unit import Unit


async def listing(call: Call) -> Answer:
    """List what waits for the caller's agreement, the oldest first."""

    async def work(unit: Unit) -> Answer:
        return Answer({"items": [_request(unit, each) for each in await granting.to_decide(unit)]})

    return await call.read(work)


def _request(unit: Unit, waiting: Waiting) -> dict[str, Any]:
    asked, record = waiting.asked, waiting.record
    return {
        "id": asked.id,
        "at": moment(waiting.at),
        "about": {"entity": record.entity, "id": record.id, "title": record.title},
        "process": asked.process,
        "transition": asked.transition,
        "asked_by": {"id": asked.member, "title": waiting.member_name} if asked.member else None,
        "granted": len(waiting.agreed),
        "granted_by": list(waiting.agreed),
        "quorum": waiting.quorum,
        "answers": dict(granting.answers_of(unit, asked, record)),
    }


async def file(call: Call) -> Answer:
    """Answer with a file that was given with a request."""
    path = call.request.path_params

    async def work(unit: Unit) -> Answer:
        return Answer(file=await granting.file_of(unit, path["asked"], path["field"]))

    return await sent(call, await call.read(work))


async def grant(call: Call) -> Answer:
    """Agree; the last one who must agree has the step taken, or is told why it can't be taken any more."""

    async def work(unit: Unit) -> Answer:
        done = await granting.grant(unit, call.request.path_params["asked"])
        closed = None if done.closed is None else call.words(done.closed)
        return Answer({"missing": done.missing, "moved": done.moved is not None, "closed": closed})

    return await call.write(work)


async def refuse(call: Call) -> Answer:
    """Refuse; the body may say why."""

    async def work(unit: Unit) -> Answer:
        sent = call.sent(optional=True)
        reason = sent.get("reason", "")
        if sent.keys() - {"reason"} or not isinstance(reason, str):
            raise InvalidError({"reason": say("This is a text.")})
        await granting.refuse(unit, call.request.path_params["asked"], reason)
        return Answer(status=204)

    return await call.write(work)


async def withdraw(call: Call) -> Answer:
    """Take the caller's own request back."""

    async def work(unit: Unit) -> Answer:
        await granting.withdraw(unit, call.request.path_params["asked"])
        return Answer(status=204)

    return await call.write(work)
