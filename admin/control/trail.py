"""What operators can ask for about the audit: whether its chain holds, and its newest link for keeping elsewhere."""

from __future__ import annotations

from typing import Any

from admin.control.answers import Refusal, RefusedError
from admin.control.desk import Desk, Given
from models import chain
from models.chain import Head
from models.message import say
from workflows import auditing


async def verify_audit(desk: Desk, given: Given) -> Any:
    """Return whether the chain holds, or where it is broken first; `head` is one that was kept."""
    kept = _head(given.get("head"))
    tenant = await desk.tenant(given)
    await tenant.readings.flush()
    await auditing.seal(tenant)
    found = await chain.verify(tenant.store, tenant.vault, kept, desk.progress)
    return {
        "holds": found.broken is None,
        "head": str(found.head),
        "rows": found.rows,
        "purged": found.purged,
        "erased": found.erased,
        "elsewhere": found.elsewhere,
        "broken": None if found.broken is None else {"seq": found.broken, "row": found.row, "why": found.why},
    }


async def audit_head(desk: Desk, given: Given) -> Any:
    """Return the newest link once everything is sealed that waits."""
    tenant = await desk.tenant(given)
    await tenant.readings.flush()
    await auditing.seal(tenant)
    head = await tenant.store.read(chain.newest)
    return {"head": str(head), "seq": head.seq}


def _head(text: str | None) -> Head | None:
    try:
        return None if text is None else chain.read_head(text)
    except ValueError:
        raise RefusedError(Refusal(say("This is no head of an audit: 'maille audit head' prints one."))) from None
