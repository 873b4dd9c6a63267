"""Tries to sign in: each is logged before it is answered, and too many have to wait.

Nobody locks another out: a browser in which the member signed in before is counted for itself alone, and an address
from which it did is held up by its own failures only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from models import audit
from models.actor import Actor
from models.audit import Event
from models.connections import stored_datetime
from models.system import SIGN_IN
from models.tx import Row, Tx

WINDOW = timedelta(minutes=15)
"""Failed tries older than this count no more; a refused try counts for nothing, so a limit never prolongs itself."""
PAIR_LIMIT = 5
"""Failed tries for one e-mail from one address, or in one browser that the member knows."""
EMAIL_LIMIT = 20
"""Failed tries for one e-mail from anywhere; addresses from which it signed in before are not held up by it."""
ADDRESS_LIMIT = 60
"""Failed tries from one address, for any e-mail."""
DAY = timedelta(days=1)
CODE_LIMIT = 30
"""Wrong one-time codes of a member in a day, from anywhere but the browsers that it knows: of a million, three hold."""
KEPT = timedelta(days=365)
"""So long tries are kept, and with them addresses and devices; then upkeep removes them."""

Outcome = Literal["failed", "limited", "halfway", "factor_failed", "set_up_failed", "signed_in", "reset_asked"]
Failure = Literal["failed", "factor_failed", "reset_asked"]
_KNOWN_ADDRESS = 'SELECT 1 FROM "_sign_in" WHERE "email" = ? AND "ip" = ? AND "outcome" = ? LIMIT 1'
_FAILED = """SELECT "at", "email", "ip", "device" FROM "_sign_in" WHERE "at" > ? AND "at" <= ? AND "outcome" = ?
AND ("email" = ? OR "ip" = ?) ORDER BY "at" DESC LIMIT 1000"""
_OF_MEMBER = """SELECT "at", "ip", "agent", "outcome" FROM "_sign_in"
WHERE "member" = ? AND "email" NOT LIKE 'confirm:%'
ORDER BY "at" DESC, "id" DESC LIMIT ?"""


@dataclass(frozen=True, slots=True)
class Try:
    """A try: for which e-mail, from where, in which browser. `device` names a browser that the member knows, else None.

    `member` is whose e-mail it is, as far as anybody's.
    """

    id: str
    email: str
    at: datetime
    ip: str | None
    agent: str = ""
    member: str | None = None
    device: str | None = None


@dataclass(frozen=True, slots=True)
class Logged:
    """A try as the member reads it later."""

    at: datetime
    ip: str | None
    agent: str
    outcome: Outcome


async def log(tx: Tx, attempt: Try, outcome: Outcome) -> None:
    """Keep a try with what came of it."""
    await tx.run(
        SIGN_IN.insert(),
        [
            attempt.id,
            stored_datetime(attempt.at),
            attempt.email,
            attempt.member,
            attempt.ip,
            outcome,
            attempt.agent[:300],
            attempt.device,
        ],
    )


async def keep_failed(tx: Tx, identifier: str, attempt: Try) -> None:
    """Keep in the audit that a try which the limits let through failed: at whose account, as far as at anybody's.

    Who said it is not known, and the e-mail that was said is not kept: it may be anybody's, or a password.
    """
    entity = None if attempt.member is None else "member"
    actor = Actor("public", ip=attempt.ip)
    await audit.keep(tx, identifier, Event("sign_in_failed", attempt.at, actor, entity, attempt.member))


async def keep_wrong_code(tx: Tx, new_id: Callable[[], str], attempt: Try) -> None:
    """Keep, in the log and in the audit, that an app was not set up: the code was none of it. No limit counts it."""
    await log(tx, replace(attempt, id=new_id()), "set_up_failed")
    await keep_failed(tx, new_id(), attempt)


async def settle(tx: Tx, identifier: str, outcome: Outcome) -> None:
    """Say what came of a try that was logged."""
    await tx.run('UPDATE "_sign_in" SET "outcome" = ? WHERE "id" = ?', [outcome, identifier])


async def forget(tx: Tx, identifier: str) -> None:
    """Take a try out of the log: it was right, and no sign-in."""
    await tx.run('DELETE FROM "_sign_in" WHERE "id" = ?', [identifier])


async def begin(tx: Tx, attempt: Try, failure: Failure = "failed") -> datetime | None:
    """Log a try as failed, unless there were too many: then return until when this has to wait.

    Tries side by side count too: they are logged one after the other, before anybody looks whether they are right.
    """
    for counted in sorted({attempt.email, attempt.ip or ""}):
        await tx.lock(f"sign-in:{counted}")
    until = await _limited_until(tx, attempt, failure)
    await log(tx, attempt, failure if until is None else "limited")
    return until


async def _limited_until(tx: Tx, attempt: Try, failure: Failure) -> datetime | None:
    """Return until when this e-mail, address or browser has to wait, None when it has not."""
    since = attempt.at - (DAY if failure == "factor_failed" else WINDOW)
    bounds = stored_datetime(since), stored_datetime(attempt.at)
    failed = await tx.rows(_FAILED, (*bounds, failure, attempt.email, attempt.ip))
    recent = [row for row in failed if datetime.fromisoformat(row[0]) > attempt.at - WINDOW]
    if attempt.device is not None:
        return _over([row for row in recent if row[3] == attempt.device], PAIR_LIMIT)
    mine = [row for row in recent if row[1] == attempt.email]
    limits = [
        _over([row for row in mine if row[2] == attempt.ip], PAIR_LIMIT),
        _over([row for row in recent if row[2] == attempt.ip and attempt.ip is not None], ADDRESS_LIMIT),
    ]
    if await tx.row(_KNOWN_ADDRESS, (attempt.email, attempt.ip, "signed_in")) is None:
        limits.append(_over(mine, EMAIL_LIMIT))
    if failure == "factor_failed":
        unknown = [row for row in failed if row[1] == attempt.email and row[3] is None]
        limits.append(_over(unknown, CODE_LIMIT, DAY))
    return max((until for until in limits if until is not None), default=None)


def _over(failed: list[Row], limit: int, span: timedelta = WINDOW) -> datetime | None:
    """Return until when `limit` failures (the latest first) have to wait, None while there are fewer."""
    return datetime.fromisoformat(failed[limit - 1][0]) + span if len(failed) >= limit else None


async def of_member(tx: Tx, member: str, limit: int = 50) -> list[Logged]:
    """Return a member's latest tries, those of others with its e-mail too, the newest first."""
    rows = await tx.rows(_OF_MEMBER, [member, limit])
    return [Logged(datetime.fromisoformat(row[0]), row[1], row[2] or "", row[3]) for row in rows]


_FORGET: Mapping[str, str] = {"_sign_in": "at", "_device": "seen_at"}
_ADDRESSES = ("_history", "_acceptance")


async def purge(tx: Tx, now: datetime) -> int:
    """Remove tries and browsers of more than a year ago; return how many rows went."""
    before = [stored_datetime(now - KEPT)]
    gone = 0
    for table, column in _FORGET.items():
        gone += await tx.run(f'DELETE FROM "{table}" WHERE "{column}" < ?', before)  # noqa: S608 - tables of ours
    return gone


async def keeps_old_addresses(tx: Tx, now: datetime) -> bool:
    """Whether there is something for `forget_addresses` to do."""
    before = [stored_datetime(now - KEPT)]
    asked = (f'SELECT 1 FROM "{table}" WHERE "at" < ? AND "ip" IS NOT NULL LIMIT 1' for table in _ADDRESSES)  # noqa: S608 - tables of ours
    return any([await tx.row(sql, before) is not None for sql in asked])


async def forget_addresses(tx: Tx, now: datetime) -> int:
    """Take the internet addresses of more than a year ago out of what is kept for longer."""
    before = [stored_datetime(now - KEPT)]
    gone = 0
    for table in _ADDRESSES:
        gone += await tx.run(
            f'UPDATE "{table}" SET "ip" = NULL WHERE "at" < ? AND "ip" IS NOT NULL',  # noqa: S608 - tables of ours
            before,
        )
    return gone
