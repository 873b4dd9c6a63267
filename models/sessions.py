"""Sessions as they are stored: by the hash of their token, so that a copy of the store opens none of them."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from models.connections import stored_datetime
from models.house_rules import IDLE, LONGEST, Limits, limits_from
from models.tx import Row, Tx

TOUCH = timedelta(minutes=1)
"""`seen_at` is written at most so often: a page with twenty requests is not twenty commits."""
FORGOTTEN = timedelta(days=2)
"""A session that was not used for so long is removed, whoever it was of."""


@dataclass(frozen=True, slots=True)
class Session:
    """A session of a member; `id` is what is stored (a hash), never what the browser holds.

    `acting` is the delegation with which it is in somebody else's office (`models.delegations`).
    """

    id: str
    member: str
    csrf: str
    created_at: datetime
    seen_at: datetime
    ip: str | None
    agent: str
    acting: str | None = None

    @property
    def told(self) -> str:
        """What the audit calls it: by the beginning of its id, since all of it is what opens it."""
        return f"session:{self.id[:12]}"

    def over(self, now: datetime, limits: Limits) -> bool:
        """Whether nobody used it for too long, or it is too old."""
        return now - self.seen_at > limits.idle or now - self.created_at > limits.longest


def new_token() -> str:
    """Return 256 bits of chance, as text."""
    return secrets.token_urlsafe(32)


def session_id(token: str) -> str:
    """Return under which id the session of a token is stored."""
    return hashlib.sha256(token.encode()).hexdigest()


async def store_session(tx: Tx, session: Session) -> None:
    """Store a new session."""
    await tx.run(
        'INSERT INTO "_session" ("id", "member", "csrf", "created_at", "seen_at", "ip", "agent") '
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            session.id,
            session.member,
            session.csrf,
            stored_datetime(session.created_at),
            stored_datetime(session.seen_at),
            session.ip,
            session.agent,
        ),
    )


async def find(tx: Tx, identifier: str) -> Session | None:
    """Return the session stored under an id."""
    row = await tx.row(f'{_SELECT} WHERE "id" = ?', (identifier,))
    return None if row is None else _session(row)


async def find_with_limits(tx: Tx, identifier: str) -> tuple[Session, Limits] | None:
    """Return the session and how long the network lets sessions last."""
    row = await tx.row(_WITH_LIMITS, (IDLE, LONGEST, identifier))
    return None if row is None else (_session(row[:-2]), limits_from(row[-2], row[-1]))


async def rotate(tx: Tx, session: Session) -> tuple[str, Session]:
    """Give the session another token (returned: it is stored nowhere) and form token; the old ones open nothing."""
    token = new_token()
    fresh = replace(session, id=session_id(token), csrf=new_token())
    await tx.run('UPDATE "_session" SET "id" = ?, "csrf" = ? WHERE "id" = ?', (fresh.id, fresh.csrf, session.id))
    return token, fresh


async def of_member(tx: Tx, member: str) -> list[Session]:
    """Return a member's sessions, the latest seen first."""
    rows = await tx.rows(f'{_SELECT} WHERE "member" = ? ORDER BY "seen_at" DESC', (member,))
    return [_session(row) for row in rows]


async def touch(tx: Tx, identifier: str, now: datetime) -> None:
    """Note that the session was used."""
    await tx.run('UPDATE "_session" SET "seen_at" = ? WHERE "id" = ?', (stored_datetime(now), identifier))


async def act(tx: Tx, identifier: str, delegation: str | None) -> None:
    """Note in whose office the session is from now on; None: in the own one."""
    await tx.run('UPDATE "_session" SET "acting" = ? WHERE "id" = ?', (delegation, identifier))


async def end(tx: Tx, identifier: str) -> int:
    """End one session and return how many ended."""
    return await tx.run('DELETE FROM "_session" WHERE "id" = ?', (identifier,))


async def end_all(tx: Tx, member: str, *, but: str = "") -> int:
    """End all sessions of a member, but the one with that id, and return how many ended."""
    return await tx.run('DELETE FROM "_session" WHERE "member" = ? AND "id" <> ?', (member, but))


async def purge(tx: Tx, now: datetime) -> int:
    """Remove the sessions that nobody can resume any more."""
    return await tx.run('DELETE FROM "_session" WHERE "seen_at" < ?', (stored_datetime(now - FORGOTTEN),))


_COLUMNS = '"id", "member", "csrf", "created_at", "seen_at", "ip", "agent", "acting"'
_SELECT = f'SELECT {_COLUMNS} FROM "_session"'  # noqa: S608 - columns of ours
_VALUE = '(SELECT "value" FROM "_setting" WHERE "name" = ?)'
_WITH_LIMITS = f'SELECT {_COLUMNS}, {_VALUE}, {_VALUE} FROM "_session" WHERE "id" = ?'  # noqa: S608 - the same


def _session(row: Row) -> Session:
    identifier, member, csrf, created_at, seen_at, ip, agent, acting = row
    created, seen = datetime.fromisoformat(created_at), datetime.fromisoformat(seen_at)
    return Session(identifier, member, csrf, created, seen, ip, agent or "", acting)
