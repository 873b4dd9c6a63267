"""Work that must still happen: rows written with the change that asks for it, claimed and done by workers.

A row is `ready` until it is `done`, `cancelled`, or `dead` after too many attempts; dead rows stay to be looked at. A
claimed row is a ready one with a lease: when the lease runs out (its worker died), another worker may claim it.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, get_args

from models.system import OUTBOX
from models.tenant import Tenant
from models.tx import Dialect, Tx
from workflows.stored import dump, maybe_moment, moment, must_moment, read_moment
from workflows.unit import Unit

Kind = Literal[
    "run",
    "check",
    "mail",
    "sms",
    "document",
    "stays",
    "due",
    "every",
    "batch",
    "version",
    "arm",
    "hook",
    "answers",
    "job",
    "reset",
    "token",
    "retention",
    "asked",
    "decided",
]
KINDS: tuple[Kind, ...] = get_args(Kind)

FIRST, NEXT, LAST = STEPS = (0, 3, 5)
"""What goes before what inside of a lane: what somebody waits for, the usual, what is much and can wait."""
LANES: Mapping[Kind, int] = {"mail": 10, "sms": 20, "hook": 30, "document": 40}
"""Where the priorities begin of what leaves the house, those of all else at 0.

A lane is looked through alone, so that a hundred thousand mails that wait are in nobody else's way.
"""
SHARE = 8
"""What comes later in a lane has one of so many places in a batch at least: nothing waits for ever."""

LEASE = timedelta(seconds=60)
BACKOFF = timedelta(seconds=20)
LONGEST = timedelta(hours=6)
ATTEMPTS = 12
"""With doubling pauses from 20 seconds to 6 hours: about two days."""

INSERTION = OUTBOX.insert() + " ON CONFLICT DO NOTHING"
_CLAIM = """
WITH due AS MATERIALIZED (
  SELECT "id" FROM "_outbox" WHERE "state" = 'ready' AND "priority" = ? AND "run_at" <= ?
  AND ("lease_until" IS NULL OR "lease_until" <= ?) ORDER BY "run_at", "id" LIMIT ?{others})
UPDATE "_outbox" SET "lease_until" = ?, "worker" = ?, "attempts" = "attempts" + 1 WHERE "id" IN (SELECT "id" FROM due)
RETURNING "id", "kind", "payload", "attempts", "max_attempts", "run_at"
"""
_OTHERS: Mapping[Dialect, str] = {"sqlite": "", "postgres": " FOR UPDATE SKIP LOCKED"}
"""What to do about rows that another worker is just claiming: on SQLite there is none."""

_COMPLETE = """
UPDATE "_outbox" SET "state" = 'done', "done_at" = ?, "lease_until" = NULL
WHERE "id" = ? AND "worker" = ? AND "state" = 'ready' RETURNING "payload"
"""
_COMPLETE_ALL = """
UPDATE "_outbox" SET "state" = 'done', "done_at" = ?, "lease_until" = NULL
WHERE "worker" = ? AND "state" = 'ready' AND "id" IN ({places}) RETURNING "id", "payload"
"""
_FAIL = """
UPDATE "_outbox" SET "state" = ?, "run_at" = ?, "last_error" = ?, "lease_until" = NULL, "worker" = NULL,
"attempts" = ?, "done_at" = ? WHERE "id" = ? AND "worker" = ? AND "state" = 'ready'
"""
_EXTEND = """UPDATE "_outbox" SET "lease_until" = ? WHERE "id" = ? AND "worker" = ? AND "state" = 'ready'"""
_RELEASE = """
UPDATE "_outbox" SET "lease_until" = NULL, "worker" = NULL, "attempts" = "attempts" - 1
WHERE "id" = ? AND "worker" = ? AND "state" = 'ready'
"""
# Some of the rows of a key: SQLite would rather go through all that are ready, thousands of them, than through those.
_SETTLE = """UPDATE "_outbox" SET "state" = 'cancelled', "done_at" = ?
WHERE coalesce("state", '') = 'dead' AND "unique_key" >= ? AND "unique_key" < ?"""
_ANEW = """UPDATE "_outbox" SET "payload" = ? WHERE coalesce("state", '') = 'ready'
AND "unique_key" >= ? AND "unique_key" < ?"""
_CANCEL = """
UPDATE "_outbox" SET "state" = 'cancelled', "done_at" = ?
WHERE coalesce("state", '') = 'ready' AND "unique_key" >= ? AND "unique_key" < ?
"""
_RETIME = """UPDATE "_outbox" SET "run_at" = ? WHERE "unique_key" = ? AND "state" = 'ready' AND "lease_until" IS NULL"""
_NEXT_FREE = """
SELECT step."column1", (SELECT "run_at" FROM "_outbox" WHERE "state" = 'ready' AND "priority" = step."column1"
AND "lease_until" IS NULL ORDER BY "run_at" LIMIT 1) FROM (VALUES {steps}) AS step
"""
_NEXT_LEASED = """
SELECT "priority", min(CASE WHEN "lease_until" > "run_at" THEN "lease_until" ELSE "run_at" END) FROM "_outbox"
WHERE "state" = 'ready' AND "lease_until" > ? GROUP BY "priority"
"""
_SORT_IN = """UPDATE "_outbox" SET "priority" = "priority" + ?, "attempts" = 0
WHERE "state" = 'ready' AND "priority" < ? AND "kind" = ?"""
_PUT_IN = """UPDATE "_outbox" SET "priority" = "priority" + ?, "attempts" = 0, "lease_until" = NULL, "worker" = NULL
WHERE "id" = ? AND "worker" = ? AND "state" = 'ready'"""
_UNDER_WAY = """SELECT count(*) FROM "_outbox" WHERE coalesce("state", '') = 'ready'
AND "unique_key" >= ? AND "unique_key" < ? AND "lease_until" > ?"""
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


_SIGNED = re.compile(r":@(\d+):[^:]*\Z")
_LEASED = """SELECT DISTINCT "worker" FROM "_outbox" WHERE "state" = 'ready' AND "lease_until" > ?"""
_TAKE_BACK = """UPDATE "_outbox" SET "lease_until" = NULL, "worker" = NULL WHERE "worker" = ? AND "state" = 'ready'"""


class LeaseLostError(Exception):
    """The row was cancelled or went to another worker meanwhile; what was done for it is undone."""


@dataclass(frozen=True, slots=True)
class Row:
    """A claimed row. `token` names this claim: only its holder completes the row."""

    id: str
    kind: Kind
    payload: Mapping[str, Any]
    attempts: int
    max_attempts: int
    run_at: datetime
    token: str


@dataclass(frozen=True, slots=True)
class Asked:
    """A row that was asked for, for a time; `over`: nothing is to be done for it any more."""

    id: str
    at: datetime
    over: bool


async def enqueue(  # noqa: PLR0913 - all that decides when and how often
    unit: Unit,
    kind: Kind,
    payload: Mapping[str, Any],
    run_at: datetime | None = None,
    unique_key: str | None = None,
    *,
    priority: int = 0,
    attempts: int = ATTEMPTS,
) -> str:
    """Ask for work at `run_at` (now when None), with the change that this unit makes; a key is asked for once.

    `priority` is one of `STEPS`.
    """
    row_id = unit.new_id()
    now = moment(unit.now)
    at = now if run_at is None else moment(run_at)
    await unit.tx.run(
        INSERTION,
        [
            *(row_id, kind, dump(payload), at, _lane(kind) + priority, 0, attempts, "ready"),
            *(None, None, unique_key, None, now, None),
        ],
    )
    return row_id


async def bury(unit: Unit, kind: Kind, payload: Mapping[str, Any], reason: str, unique_key: str) -> None:
    """Keep a dead row for work that must not be done."""
    now = moment(unit.now)
    await unit.tx.run(
        OUTBOX.insert(),
        [unit.new_id(), kind, dump(payload), now, 0, 0, ATTEMPTS, "dead", None, None, unique_key, reason, now, now],
    )


def _lane(kind: Kind) -> int:
    return LANES.get(kind, 0)


def steps_of(kinds: Iterable[Kind]) -> list[int]:
    """Return the priorities that rows of these kinds have, those that go first at the beginning."""
    return [lane + step for lane in sorted({_lane(kind) for kind in kinds}) for step in STEPS]


def token_of(tenant: Tenant, name: str) -> str:
    """Return what names a claim; others can tell by it whether the process that made it lives, where that can be."""
    presence = tenant.store.presence
    return f"{name}:{tenant.new_id()}" if presence is None else f"{name}:@{presence.key}:{tenant.new_id()}"


async def claims(tx: Tx, now: datetime) -> dict[str, int]:
    """Return the claims whose leases have not ended, with the keys of their processes, where they have any."""
    rows = await tx.rows(_LEASED, [moment(now)])
    found = {row[0]: _SIGNED.search(row[0] or "") for row in rows}
    return {token: int(signed[1]) for token, signed in found.items() if signed is not None}


async def take_back(tx: Tx, tokens: Iterable[str]) -> None:
    """End the leases of these claims: whoever holds one all the same has lost it."""
    await tx.run_many(_TAKE_BACK, [(token,) for token in tokens])


async def claim(
    tx: Tx, *, worker: str, now: datetime, limit: int, steps: Sequence[int] | None = None, lease: timedelta = LEASE
) -> list[Row]:
    """Lease up to `limit` rows that are due; `worker` must be unique to this claim.

    `steps` are priorities of one lane or several (all by default): what goes first has most of the places, the earliest
    first among equals. The transaction is one of its own, a `claim` (see `models.store.Store.write`).
    """
    sql = _CLAIM.format(others=_OTHERS[tx.dialect])
    at, until = moment(now), moment(now + lease)
    wanted = steps_of(KINDS) if steps is None else steps
    claimed: list[Row] = []
    for place, step in enumerate(wanted):
        kept = min((len(wanted) - place - 1) * (limit // SHARE), limit // 2)
        room = limit - len(claimed) - kept
        if room <= 0:
            continue
        found = await tx.rows(sql, [step, at, at, room, until, worker])
        claimed += [
            Row(row_id, kind, json.loads(payload), attempts, most, must_moment(run_at), worker)
            for row_id, kind, payload, attempts, most, run_at in sorted(found, key=lambda row: (row[5], row[0]))
        ]
    return claimed


async def complete(tx: Tx, row: Row, now: datetime) -> dict[str, Any]:
    """Mark the row as done, in the transaction of what was done; `LeaseLostError` when it is no longer ours.

    Return what it asks for now: names in it may have followed a publication since it was claimed.
    """
    found = await tx.row(_COMPLETE, [moment(now), row.id, row.token])
    if found is None:
        raise LeaseLostError(row.id)
    asked: dict[str, Any] = json.loads(found[0])
    return asked


async def complete_all(tx: Tx, rows: Sequence[Row], now: datetime) -> dict[str, dict[str, Any]]:
    """Do the same for rows of one claim; return what those ask for, by their ids, that are still ours."""
    sql = _COMPLETE_ALL.format(places=", ".join("?" * len(rows)))
    found = await tx.rows(sql, [moment(now), rows[0].token, *(row.id for row in rows)])
    return {row: json.loads(payload) for row, payload in found}


async def extend(tx: Tx, row: Row, now: datetime, lease: timedelta = LEASE) -> bool:
    """Hold on to a claimed row for another while; return whether it is still ours."""
    return await tx.run(_EXTEND, [moment(now + lease), row.id, row.token]) == 1


async def release(tx: Tx, rows: Sequence[Row]) -> None:
    """Give back claimed rows of which nothing was done; that was no attempt."""
    await tx.run_many(_RELEASE, [(row.id, row.token) for row in rows])


async def fail(  # noqa: PLR0913 - all that decides when to try again
    tx: Tx,
    row: Row,
    now: datetime,
    error: str,
    rng: random.Random,
    *,
    permanent: bool = False,
    first: timedelta = BACKOFF,
) -> bool:
    """Note what went wrong and try again later; return whether the row is dead now.

    `LeaseLostError` when it is no longer ours: another worker says what became of it.
    """
    dead = permanent or row.attempts >= row.max_attempts
    touched = await tx.run(
        _FAIL,
        [
            "dead" if dead else "ready",
            moment(now if dead else now + pause(row.attempts, rng, first)),
            error[:2000],
            row.attempts,
            maybe_moment(now if dead else None),
            row.id,
            row.token,
        ],
    )
    if touched != 1:
        raise LeaseLostError(row.id)
    return dead


async def cancel(tx: Tx, prefix: str, now: datetime) -> int:
    """Cancel the ready rows whose unique key begins with `prefix`; return how many there were."""
    return await tx.run(_CANCEL, [moment(now), prefix, _behind(prefix)])


async def cancel_all(tx: Tx, prefixes: Iterable[str], now: datetime) -> None:
    """Do the same for several of them."""
    await tx.run_many(_CANCEL, [(moment(now), prefix, _behind(prefix)) for prefix in prefixes])


async def settle(tx: Tx, prefix: str, now: datetime) -> None:
    """Put aside the dead rows whose unique keys begin with `prefix`: somebody decided about them."""
    await tx.run(_SETTLE, [moment(now), prefix, _behind(prefix)])


async def ask_otherwise(tx: Tx, payloads: Mapping[str, Mapping[str, Any]]) -> None:
    """Change what is asked for by the rows whose unique keys begin with these, and that were not done yet."""
    await tx.run_many(_ANEW, [(dump(payload), prefix, _behind(prefix)) for prefix, payload in payloads.items()])


async def asked(tx: Tx, prefix: str, now: datetime) -> list[Asked]:
    """Return the rows whose unique key begins with `prefix`: those that are ready, and those over before their time."""
    sql = """SELECT "id", "run_at", "state" <> 'ready' FROM "_outbox" WHERE "unique_key" >= ? AND "unique_key" < ?
    AND ("state" = 'ready' OR "run_at" > ?)"""
    found = await tx.rows(sql, [prefix, _behind(prefix), moment(now)])
    return [Asked(row, must_moment(run_at), bool(over)) for row, run_at, over in found]


async def retime(tx: Tx, key: str, at: datetime) -> None:
    """Let what was asked for under a key, and is not begun, happen at another time."""
    await tx.run(_RETIME, [moment(at), key])


async def forget(tx: Tx, row_id: str) -> None:
    """Remove a row as if it had never been asked for: its key can be asked for again."""
    await tx.run('DELETE FROM "_outbox" WHERE "id" = ?', [row_id])


async def empty(tx: Tx, row_id: str) -> None:
    """Keep of a row only that it was done, and nothing of what it asked for."""
    await tx.run("""UPDATE "_outbox" SET "payload" = '{}' WHERE "id" = ?""", [row_id])


async def forget_all(tx: Tx, prefix: str) -> int:
    """Do the same for the rows whose unique keys begin with `prefix`, done or not; return how many there were."""
    sql = 'DELETE FROM "_outbox" WHERE "unique_key" >= ? AND "unique_key" < ?'
    return await tx.run(sql, [prefix, _behind(prefix)])


def _behind(prefix: str) -> str:
    """Return the first text behind all those that begin with `prefix`."""
    return prefix[:-1] + chr(ord(prefix[-1]) + 1)


async def next_by_step(tx: Tx, kinds: Iterable[Kind] = KINDS) -> dict[int, datetime]:
    """Return for each priority of these kinds that has any rows when its next one can be claimed."""
    steps = steps_of(kinds)
    if not steps:
        return {}
    free = await tx.rows(_NEXT_FREE.format(steps=", ".join(f"({step})" for step in steps)))
    leased = await tx.rows(_NEXT_LEASED, [moment(_LONG_AGO)])
    due: dict[int, datetime] = {}
    for step, stored in (*free, *leased):
        at = read_moment(stored)
        if at is not None and step in steps:
            due[step] = min(at, due.get(step, at))
    return due


async def due_steps(tx: Tx, kinds: Iterable[Kind], now: datetime) -> list[int]:
    """Return the priorities of these kinds of which something is due, those that go first at the beginning."""
    return sorted(step for step, at in (await next_by_step(tx, kinds)).items() if at <= now)


async def next_due(tx: Tx, kinds: Iterable[Kind] = KINDS) -> datetime | None:
    """Return when the next row can be claimed, None when there is none."""
    return min((await next_by_step(tx, kinds)).values(), default=None)


async def sort_in(tx: Tx) -> None:
    """Give rows that were asked for before there were lanes their places in them, with all their attempts."""
    for kind, lane in LANES.items():
        await tx.run(_SORT_IN, [lane, min(LANES.values()), kind])


async def put_in_lanes(tx: Tx, rows: Sequence[Row]) -> None:
    """Do the same for claimed rows that a process without lanes asked for, and give them back: nothing was done."""
    await tx.run_many(_PUT_IN, [(LANES[row.kind], row.id, row.token) for row in rows])


async def under_way(tx: Tx, prefix: str, now: datetime) -> int:
    """Return how many of the rows whose unique keys begin with `prefix` a worker is doing just now."""
    found = await tx.row(_UNDER_WAY, [prefix, _behind(prefix), moment(now)])
    return 0 if found is None else int(found[0])


def pause(attempts: int, rng: random.Random, first: timedelta = BACKOFF) -> timedelta:
    """Return the pause after the given number of attempts: doubling, at most `LONGEST`, spread by a half."""
    doubled: timedelta = min(first * 2 ** min(max(attempts - 1, 0), 20), LONGEST)
    return doubled * (0.75 + rng.random() / 2)
