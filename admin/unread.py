"""How much waits for a member, for pages that stay open: at addresses of their own, without a session.

Notifications that were not read, and open tasks with what waits for the member's agreement.
"""

from __future__ import annotations

import hmac
from typing import Literal

from starlette.responses import PlainTextResponse, Response

from admin.signing import signature
from admin.visit import Visit
from models.members import load_actor
from models.tenant import Tenant
from models.tx import Tx
from workflows import granting, notices, tasks
from workflows.unit import Unit, open_unit

What = Literal["unread", "tasks"]


def address_of(visit: Visit, what: What = "unread") -> str | None:
    """Return the address that tells a number of the visitor; who has it learns that number and nothing else."""
    member = visit.actor.id
    return None if member is None else visit.url("unread", f"{member}.{signature(visit.key, what, member)}")


async def to_do(unit: Unit) -> int:
    """Return how much waits for the actor: open tasks, and steps that it is to agree to."""
    return await tasks.count_mine(unit) + await granting.count(unit)


async def unread(tenant: Tenant, key: bytes, named: str) -> Response:
    """Return a number as text; 404 for what is no address of ours."""
    member, _, mark = named.partition(".")
    marks: tuple[What, ...] = ("unread", "tasks")
    meant = [each for each in marks if hmac.compare_digest(mark.encode(), signature(key, each, member).encode())]
    if not meant:
        return PlainTextResponse("", 404)
    count = await tenant.store.read(lambda tx: _count(tenant, tx, member, meant[0]))
    return PlainTextResponse(str(count), headers={"Cache-Control": "no-store"})


async def _count(tenant: Tenant, tx: Tx, member: str, what: What) -> int:
    if what == "unread":
        return await notices.unread(tx, member)
    actor = await load_actor(tenant.published, tx, member)
    return 0 if actor is None else await to_do(open_unit(tenant, tx, actor))
