"""Browsers that a member has signed in with: known again by a cookie that is stored by its hash."""

from __future__ import annotations

from models.connections import stored_datetime
from models.sessions import new_token, session_id
from models.system import DEVICE
from models.tries import Try
from models.tx import Tx


async def known(tx: Tx, token: str | None, member: str | None) -> str | None:
    """Return under which id the browser with this token is known to the member, None when it is not."""
    if token is None or member is None:
        return None
    identifier = _id(token, member)
    row = await tx.row('SELECT 1 FROM "_device" WHERE "id" = ? AND "member" = ?', [identifier, member])
    return None if row is None else identifier


async def meet(tx: Tx, token: str | None, member: str, attempt: Try) -> tuple[str, bool]:
    """Keep that the member signed in with this browser; return its token, and whether the member should be told.

    A browser that is not known is told of, unless it is the very first.
    """
    token = token or new_token()
    identifier, now = _id(token, member), stored_datetime(attempt.at)
    if await tx.run('UPDATE "_device" SET "seen_at" = ?, "agent" = ? WHERE "id" = ?', [now, attempt.agent, identifier]):
        return token, False
    others = await tx.row('SELECT 1 FROM "_device" WHERE "member" = ? LIMIT 1', [member])
    await tx.run(DEVICE.insert(), [identifier, member, attempt.agent, now, now])
    return token, others is not None


def _id(token: str, member: str) -> str:
    """Return under which id a browser is kept for a member: the same browser is another one for another member."""
    return session_id(f"{member} {token}")
