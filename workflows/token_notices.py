"""A mail to a token's member before it ends, so that no program stops without anybody knowing why."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from models import tokens
from models.members import load_actor
from models.tenant import Tenant
from models.tokens import Token
from models.tx import Tx
from workflows import letters, outbox
from workflows.letters import Wording
from workflows.unit import Unit, open_unit

BEFORE: tuple[tuple[timedelta, timedelta], ...] = (
    (timedelta(days=14), timedelta(days=7)),
    (timedelta(days=3), timedelta(days=1)),
)
"""For tokens that last longer than the first, how long before their end it is told; shorter ones end untold."""


def told(tenant: Tenant, wording: Wording) -> Callable[[Tx, Token], Awaitable[None]]:
    """Return what has the end of a new token told in time, for `models.tokens.create`."""

    async def ask(tx: Tx, token: Token) -> None:
        lasts = token.expires_at - token.created_at
        before = next((each for longer, each in BEFORE if lasts > longer), None)
        actor = await load_actor(tenant.published, tx, token.member)
        if before is not None and actor is not None:
            payload = {"token": token.id, "wording": asdict(wording)}
            unit = open_unit(tenant, tx, actor)
            await outbox.enqueue(unit, "token", payload, token.expires_at - before, f"token:{token.id}")

    return ask


async def tell(unit: Unit, payload: Mapping[str, Any]) -> None:
    """Send the mail, unless the token is gone or its member is not active any more."""
    token = await tokens.load(unit.tx, payload["token"])
    actor = None if token is None else await load_actor(unit.published, unit.tx, token.member)
    email = "" if actor is None or actor.member is None else actor.member.get("email")
    if token is not None and email:
        await letters.send(unit, token.member, str(email), Wording(**payload["wording"]), secret=False)
