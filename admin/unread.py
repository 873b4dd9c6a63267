"""How many notifications a member has not read, for pages that stay open: at an address of its own, no session."""

from __future__ import annotations

import hmac

from starlette.responses import PlainTextResponse, Response

from admin.signing import signature
from admin.visit import Visit
from models.tenant import Tenant
from workflows import notices

_PURPOSE = "unread"


def address_of(visit: Visit) -> str | None:
    """Return the address that tells the visitor's number; who has it learns that number and nothing else."""
    member = visit.actor.id
    return None if member is None else visit.url("unread", f"{member}.{signature(visit.key, _PURPOSE, member)}")


async def unread(tenant: Tenant, key: bytes, named: str) -> Response:
    """Return the number as text; 404 for what is no address of ours."""
    member, _, mark = named.partition(".")
    if not hmac.compare_digest(mark.encode(), signature(key, _PURPOSE, member).encode()):
        return PlainTextResponse("", 404)
    count = await tenant.store.read(lambda tx: notices.unread(tx, member))
    return PlainTextResponse(str(count), headers={"Cache-Control": "no-store"})
