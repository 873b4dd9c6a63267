"""Making the calls that are due: at least once, each under the id that the receiver can tell repetitions by."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta

from models.message import say
from models.tenant import Tenant
from models.tx import Tx
from workflows import outbox
from workflows.calling import Caller, CallError
from workflows.hooks import signature, stored_secret
from workflows.outbox import LeaseLostError, Row
from workflows.stored import dump_message, moment

AT_ONCE = 16
UNSIGNED = say("What calls are signed with cannot be opened on this server: draw another secret.")
STOPPED = say("Its workers stopped in the middle of it, again and again.")

_SENT = """UPDATE "_hook" SET "state" = 'sent', "status" = ?, "sent_at" = ?, "attempts" = "attempts" + 1,
"error" = NULL, "body" = NULL WHERE "id" = ?"""
_FAILED = """UPDATE "_hook" SET "state" = ?, "status" = ?, "error" = ?, "attempts" = "attempts" + 1
WHERE "id" = ? AND "state" = 'waiting'"""


@dataclass(frozen=True, slots=True)
class _Due:
    hook: str
    url: str
    body: str
    secret: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """Makes one network's calls."""

    tenant: Tenant
    caller: Caller
    rng: random.Random
    room: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))

    async def send(self, rows: Sequence[Row]) -> None:
        """Make the calls that the claimed rows ask for, side by side; each succeeds or fails for itself."""
        await asyncio.gather(*(self._one(row) for row in rows))

    async def _one(self, row: Row) -> None:
        async with self.room:
            due = await self._look(row)
            if due is None:
                return
            try:
                if row.attempts > row.max_attempts:
                    raise CallError(STOPPED, permanent=True)  # noqa: TRY301 - one place says what came of it
                status = await self._call(due)
            except CallError as error:
                await self._not_taken(row, due.hook, error)
            except Exception as error:  # noqa: BLE001 - whatever it is, it is kept with the call and tried again
                await self._not_taken(row, due.hook, CallError(say("This could not be sent: {reason}", reason=error)))
            else:
                await self._taken(row, due.hook, status)

    async def _call(self, due: _Due) -> int:
        if not due.secret:
            raise CallError(UNSIGNED)
        timestamp = int(self.tenant.clock.now().timestamp())
        headers = {
            "webhook-id": due.hook,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": signature(due.secret, due.hook, timestamp, due.body),
        }
        return await self.caller.call(due.url, headers, due.body.encode())

    async def _look(self, row: Row) -> _Due | None:
        """Return what is to be sent, its lease renewed; None when it was called off or is somebody else's now."""
        now = self.tenant.clock.now()

        async def work(tx: Tx) -> _Due | None:
            if not await outbox.extend(tx, row, now):
                return None
            hook = row.payload["hook"]
            found = await tx.row('SELECT "state", "url", "body" FROM "_hook" WHERE "id" = ?', [hook])
            key = await stored_secret(tx, self.tenant.vault)
            if found is None or found[0] != "waiting":
                await outbox.complete(tx, row, now)
                return None
            return _Due(hook, found[1], found[2] or "", key or "")

        return await self.tenant.store.write(work)

    async def _taken(self, row: Row, hook: str, status: int) -> None:
        now = self.tenant.clock.now()

        async def work(tx: Tx) -> None:
            await tx.run(_SENT, [status, moment(now), hook])
            await outbox.complete(tx, row, now)

        try:
            await self.tenant.store.write(work)
        except LeaseLostError:  # it took longer than the lease; what was taken stays taken
            await self.tenant.store.write(lambda tx: tx.run(_SENT, [status, moment(now), hook]))

    async def _not_taken(self, row: Row, hook: str, error: CallError) -> None:
        now = self.tenant.clock.now()

        async def work(tx: Tx) -> None:
            first = timedelta(seconds=row.payload["backoff"]) if "backoff" in row.payload else outbox.BACKOFF
            dead = await outbox.fail(tx, row, now, str(error), self.rng, permanent=error.permanent, first=first)
            state = "failed" if dead else "waiting"
            await tx.run(_FAILED, [state, error.status, dump_message(error.message), hook])

        with suppress(LeaseLostError):  # another worker says what became of it
            await self.tenant.store.write(work)
