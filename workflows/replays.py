"""Answers that are kept for a day: what is sent again under the same key is answered, not done again.

The key is a row of the database, so it does not matter which process of several is asked the second time.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

from models.errors import RefusedError
from models.message import say
from workflows import changes, outbox
from workflows.sealing import opened, sealed
from workflows.stored import moment
from workflows.unit import Unit

KEPT = timedelta(days=1)

_CLAIM = 'INSERT INTO "_answer" ("key", "request", "at") VALUES (?, ?, ?) ON CONFLICT DO NOTHING'
_KEPT = 'SELECT "request", "status", "headers", "body" FROM "_answer" WHERE "key" = ?'
_ANSWER = "answer"
_KEEP = 'UPDATE "_answer" SET "status" = ?, "headers" = ?, "body" = ? WHERE "key" = ?'


class OtherRequestError(RefusedError):
    """A key that stands for another request already."""

    def __init__(self) -> None:
        """Say what to do."""
        super().__init__(say("This Idempotency-Key was sent with another request: use a new one."))


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer as it was given."""

    status: int
    headers: Mapping[str, str]
    body: str | None


async def begin(unit: Unit, key: str, request: str) -> Kept | None:
    """Take the key for a request (`request` is its hash), or return what the same request was answered with.

    The key is kept by the transaction that does the work: when that fails, the key is free again.
    """
    await unit.tx.run('DELETE FROM "_answer" WHERE "key" = ? AND "at" <= ?', [key, moment(unit.now - KEPT)])
    if await unit.tx.run(_CLAIM, [key, request, moment(unit.now)]):
        hour = unit.now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
        await outbox.enqueue(unit, "answers", {}, hour + KEPT, f"answers:{hour:%Y-%m-%dT%H}")
        return None
    row = await unit.tx.row(_KEPT, [key])
    if row is None or row[0] != request:
        raise OtherRequestError
    return Kept(row[1], json.loads(row[2] or "{}"), None if row[3] is None else opened(unit, row[3], _ANSWER))


async def keep(unit: Unit, key: str, kept: Kept) -> None:
    """Keep the answer, in the transaction of what was done."""
    body = None if kept.body is None else sealed(unit, kept.body, _ANSWER)
    await unit.tx.run(_KEEP, [kept.status, json.dumps(dict(kept.headers)), body, key])


@dataclass(frozen=True, slots=True)
class Made:
    """What a form made."""

    id: str
    title: str


async def create_once(unit: Unit, entity: str, values: Mapping[str, Any], key: str) -> Made:
    """Create a record, or return what the same actor made under the same key already."""
    parts = ("form", str(unit.actor.id), entity, key)
    digest = hashlib.sha256("\x1f".join(parts).encode("utf-8", "replace")).hexdigest()
    kept = await begin(unit, digest, digest)
    if kept is not None:
        return Made(**json.loads(kept.body or "{}"))
    record = await changes.create(unit, entity, values)
    made = Made(record.id, record.title)
    await keep(unit, digest, Kept(201, {}, json.dumps(asdict(made))))
    return made


async def purge(unit: Unit, _: Mapping[str, Any]) -> None:
    """Remove the answers that are older than a day; asked for once an hour in which any was kept."""
    await unit.tx.run('DELETE FROM "_answer" WHERE "at" <= ?', [moment(unit.now - KEPT)])
