"""What a network owes: rows of its outbox, runs and mails that are not over, counted for who watches the server."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from models.columns import decode_datetime
from models.connections import stored_datetime
from models.tenant import Tenant
from models.tx import Tx

_DUE = """SELECT "kind", count(*), min("run_at") FROM "_outbox" WHERE "state" = 'ready' AND "run_at" <= ? GROUP BY 1"""
_LATER = """SELECT count(*) FROM "_outbox" WHERE "state" = 'ready' AND "run_at" > ?"""
_DEAD = """SELECT "kind", count(*) FROM "_outbox" WHERE "state" = 'dead' GROUP BY 1"""
_RUNS = """SELECT "state", count(*) FROM "_run" WHERE "state" IN ('running', 'waiting', 'failed') GROUP BY 1"""
_MAILS = """
SELECT "state", count(*) FROM "_mail" WHERE "state" IN ('waiting', 'sending', 'unknown', 'failed') GROUP BY 1
"""


@dataclass(frozen=True, slots=True)
class Owed:
    """Counts of what is not over. `oldest` is for how many seconds the oldest row that is due has been due."""

    due: Mapping[str, int] = field(default_factory=dict)
    later: int = 0
    oldest: float = 0.0
    dead: Mapping[str, int] = field(default_factory=dict)
    runs: Mapping[str, int] = field(default_factory=dict)
    mails: Mapping[str, int] = field(default_factory=dict)


async def owed(tenant: Tenant) -> Owed:
    """Count what the network owes, on one snapshot; each count takes index entries of what is not over alone."""
    now = tenant.clock.now()

    async def work(tx: Tx) -> Owed:
        at = stored_datetime(now)
        due = await tx.rows(_DUE, (at,))
        since = min((decode_datetime(row[2]) for row in due), default=now)
        later = await tx.row(_LATER, (at,))
        return Owed(
            {row[0]: row[1] for row in due},
            later[0] if later else 0,
            _seconds(now, since),
            await _by(tx, _DEAD),
            await _by(tx, _RUNS),
            await _by(tx, _MAILS),
        )

    return await tenant.store.read(work)


def _seconds(now: datetime, since: datetime) -> float:
    return max((now - since).total_seconds(), 0.0)


async def _by(tx: Tx, sql: str) -> Mapping[str, int]:
    return {row[0]: row[1] for row in await tx.rows(sql)}
