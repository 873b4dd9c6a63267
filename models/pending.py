"""What is half done: a sign-in that waits for its second step, a question to a passkey, a way to a new password; and a
session whose member has just said the password.

Each is a row under the hash of a token that only one browser (or one mail) holds, good once and for a while.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from models.connections import stored_datetime
from models.sessions import Session, new_token, session_id
from models.system import PENDING
from models.tx import Tx

Kind = Literal["factor", "set_up", "passkey", "register", "reset", "email", "provider", "confirmed"]
VALID: Mapping[Kind, timedelta] = {
    "factor": timedelta(minutes=10),
    "set_up": timedelta(minutes=30),
    "passkey": timedelta(minutes=5),
    "register": timedelta(minutes=5),
    "reset": timedelta(minutes=30),
    "email": timedelta(days=2),
    "provider": timedelta(minutes=15),
    "confirmed": timedelta(minutes=10),
}
"""How long each kind can be gone on with."""


@dataclass(frozen=True, slots=True)
class Pending:
    """Something half done, of a member where it is known who; `tried` counts the wrong answers so far."""

    id: str
    member: str | None
    kind: Kind
    payload: Mapping[str, Any]
    tried: int


async def begin(tx: Tx, kind: Kind, member: str | None, payload: Mapping[str, Any], now: datetime) -> str:
    """Keep something half done and return the token that goes on with it."""
    token = new_token()
    row = [session_id(token), member, kind, json.dumps(payload), 0]
    await tx.run(PENDING.insert(), [*row, stored_datetime(now), stored_datetime(now + VALID[kind])])
    return token


async def confirm(tx: Tx, session: Session, now: datetime) -> None:
    """Note that the member of a session has just said the password."""
    identifier = session_id(_confirming(session))
    await end(tx, identifier)
    row = [identifier, session.member, "confirmed", "{}", 0]
    await tx.run(PENDING.insert(), [*row, stored_datetime(now), stored_datetime(now + VALID["confirmed"])])


async def confirmed(tx: Tx, session: Session, now: datetime) -> bool:
    """Whether the member said the password in this session a few minutes ago."""
    return await find(tx, _confirming(session), "confirmed", now) is not None


async def carry(tx: Tx, before: Session, after: Session) -> None:
    """Have what the member said hold for the same session under its new token, no longer than it would have."""
    identifiers = [session_id(_confirming(each)) for each in (after, before)]
    await tx.run('UPDATE "_pending" SET "id" = ? WHERE "id" = ?', identifiers)


def _confirming(session: Session) -> str:
    return f"confirmed:{session.id}"


async def find(tx: Tx, token: str, kind: Kind, now: datetime) -> Pending | None:
    """Return what the token goes on with; None when it is over, was done, or never was."""
    row = await tx.row(
        'SELECT "id", "member", "payload", "tried" FROM "_pending" WHERE "id" = ? AND "kind" = ? AND "expires_at" > ?',
        [session_id(token), kind, stored_datetime(now)],
    )
    return None if row is None else Pending(row[0], row[1], kind, json.loads(row[2]), row[3])


async def take(tx: Tx, token: str, kind: Kind, now: datetime) -> Pending | None:
    """Return the same and use it up: nobody else gets it."""
    found = await find(tx, token, kind, now)
    return found if found is not None and await end(tx, found.id) else None


async def note_try(tx: Tx, found: Pending, most: int) -> bool:
    """Count a wrong answer; whether another one may follow. With the last one it is over."""
    if found.tried + 1 >= most:
        await end(tx, found.id)
        return False
    await tx.run('UPDATE "_pending" SET "tried" = "tried" + 1 WHERE "id" = ?', [found.id])
    return True


async def end(tx: Tx, identifier: str) -> bool:
    """End one; whether it was there."""
    return await tx.run('DELETE FROM "_pending" WHERE "id" = ?', [identifier]) > 0


async def end_all(tx: Tx, member: str) -> None:
    """End all that is half done in a member's name."""
    await tx.run('DELETE FROM "_pending" WHERE "member" = ?', [member])


async def purge(tx: Tx, now: datetime) -> int:
    """Remove what nobody can go on with any more."""
    return await tx.run('DELETE FROM "_pending" WHERE "expires_at" <= ?', [stored_datetime(now)])
