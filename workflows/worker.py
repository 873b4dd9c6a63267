"""The worker: takes what is due from the outbox and does it, until there is nothing left."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import structlog
from structlog.contextvars import bound_contextvars

from models.actor import SYSTEM, Actor
from models.happened import HAPPENED
from models.message import say
from models.published import Published
from models.tenant import Tenant
from models.tx import Tx
from workflows import (
    auditing,
    batches,
    jobs,
    letters,
    outbox,
    printing,
    reminders,
    replays,
    retention,
    runs,
    schedules,
    timers,
    token_notices,
    upkeep,
)
from workflows.batches import Batch
from workflows.calling import Caller, HttpCaller
from workflows.delivery import Delivery
from workflows.mail import Transport
from workflows.mail_account import MailAccount
from workflows.mailing import Mailing
from workflows.orphans import Orphans
from workflows.outbox import KINDS, Kind, LeaseLostError, Row
from workflows.printing import Printing, TypstPress
from workflows.pursuing import pursue
from workflows.sending import Post
from workflows.texting import SmsTransport, Texting
from workflows.unit import House, Unit, Words, in_english, open_unit

BATCH = 64
TOGETHER = 8
"""So many rows share a commit (SQLite) or stand beside each other (PostgreSQL): a request waits for no more of them."""
MANY = 32
"""So many timers and runs are done in one transaction (`workflows.batches`)."""
POLL = 5.0
"""Seconds after which a worker looks again, whatever it was told."""

GRACE = 8.0
"""Seconds that a mail which is being sent has to be finished when the worker is to stop."""

SEALED = timedelta(seconds=2)
"""The time between two sealings of the audit."""

PRESS = TypstPress()
"""The one press of a server: documents are made one after the other, whatever the network."""

_LOG = structlog.get_logger("maille.worker")

_OUTSIDE: tuple[Kind, ...] = ("mail", "sms", "hook", "document")
"""What other systems take their time for: it leaves beside the rest, so that a slow one holds nothing else up."""

_BY_KIND: Mapping[str, Callable[[Unit, Mapping[str, Any]], Awaitable[None]]] = {
    "stays": timers.fire_stays,
    "due": timers.fire_due,
    "every": schedules.fire,
    "batch": schedules.go_on,
    "arm": schedules.arm,
    "answers": replays.purge,
    "job": jobs.go_on,
    "reset": letters.send_reset,
    "token": token_notices.tell,
    "asked": reminders.tell,
    "decided": reminders.decided,
    "retention": retention.go_on,
    "document": printing.leave_out,
}


class Worker:
    """Works through one network's outbox. Several workers on one network do not disturb each other."""

    def __init__(  # noqa: PLR0913 - the ways out of the house, and what tests decide
        self,
        tenant: Tenant,
        transport: Transport | None = None,
        *,
        name: str = "worker",
        rng: random.Random | None = None,
        url: str = "",
        caller: Caller | None = None,
        texts: SmsTransport | None = None,
        words: Words = in_english,
        account: MailAccount | None = None,
        many: int = MANY,
    ) -> None:
        """Work for `tenant`; without a transport mails wait, without `texts` text messages do.

        `rng` spreads the pauses after failures.

        `caller` calls other systems: over HTTP, public addresses only, when none is given.

        `url` is the address of the network's pages, for the links in mails: `https://example.org/n/demo`.
        Without one they say which network it is, and the host is its reader's. `words` says sentences of the product.
        `account` is what networks of one process share that send through the same transport.
        `many` timers and runs at most share a transaction, 1: each has its own.
        """
        self.tenant = tenant
        self.name = name
        self.many = many
        self.rng = rng or random.Random()  # noqa: S311 - chance that spreads pauses guards no secret
        self.house = House((url or f"/n/{tenant.name}").rstrip("/"), words)
        lacking = {"mail": transport is None, "sms": texts is None}
        self.kinds: tuple[Kind, ...] = tuple(kind for kind in KINDS if not lacking.get(kind))
        post = None if transport is None else Post(tenant, self.rng, transport)
        self.mailing = None if post is None else Mailing(tenant, post, account or MailAccount(), name)
        self.texting = None if texts is None else Texting(tenant, self.rng, texts)
        self.printing = Printing(tenant, self.rng, PRESS)
        self.delivery = Delivery(tenant, caller or HttpCaller(), self.rng)
        self._inside = tuple(kind for kind in KINDS if kind not in _OUTSIDE)
        self._leaving: dict[Kind, asyncio.Task[None]] = {}
        self._orphans = Orphans(tenant)
        self._adopted = 0
        self._seen: datetime | None = None
        self._purged: datetime | None = None
        self._sealed: datetime | None = None

    async def run_due(self, stop: asyncio.Event | None = None) -> int:
        """Do everything that is due by the tenant's clock and what follows; return how many rows were worked.

        Once `stop` is set no more rows are claimed, and no more mails begun.
        """
        await self._prepare()
        worked = 0
        while done := await self._drain([kind for kind in self.kinds if kind != "mail"], stop) + await self._mail(stop):
            worked += done
        return worked

    async def _mail(self, stop: asyncio.Event | None, *, patient: bool = False) -> int:
        return 0 if self.mailing is None else await self.mailing.drain(stop, patient=patient)

    async def serve(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set: after a commit, when the next row is due, and every few seconds at least.

        Mails and calls leave beside the rest: another system that takes its time holds nothing else up. What is under
        way when `stop` is set is finished; what leaves has `GRACE` seconds for that.
        """
        stopped = asyncio.ensure_future(stop.wait())
        try:
            while not stop.is_set():
                self.tenant.changed.clear()
                wait = await self._round(stop)
                changed = asyncio.ensure_future(self.tenant.changed.wait())
                await asyncio.wait({stopped, changed}, timeout=wait, return_when=asyncio.FIRST_COMPLETED)
                changed.cancel()
                with suppress(asyncio.CancelledError):
                    await changed
        finally:
            stopped.cancel()
            with suppress(asyncio.CancelledError):
                await stopped
            await self._end_leaving()

    async def _round(self, stop: asyncio.Event) -> float:
        """Do what is due, see to it that mails and calls leave, and return the seconds until there is more to do."""
        try:
            await self._prepare()
            await self._drain(self._inside, stop)
            for kind in _OUTSIDE:
                if kind in self.kinds and kind not in self._leaving and await self._anything((kind,)):
                    self._leaving[kind] = asyncio.create_task(self._leave(kind, stop))
            return await self._pause([kind for kind in self.kinds if kind not in self._leaving])
        except Exception:  # noqa: BLE001 - a worker outlives whatever one round meets; rows keep their leases
            _LOG.exception("a round of work failed", network=self.tenant.name)
            return POLL

    async def _leave(self, kind: Kind, stop: asyncio.Event) -> None:
        """Send the mails, or make the calls, that are due."""
        try:
            await (self._mail(stop, patient=True) if kind == "mail" else self._drain((kind,), stop))
            self.tenant.changed.set()
        except Exception:  # noqa: BLE001 - the same
            _LOG.exception("what leaves the house failed", network=self.tenant.name, kind=kind)
        finally:
            del self._leaving[kind]

    async def _end_leaving(self) -> None:
        """Wait for the mail or call that is under way; what takes longer is broken off, and its fate unknown."""
        leaving = list(self._leaving.values())
        if leaving:
            await asyncio.wait(leaving, timeout=GRACE)
        for task in leaving:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _drain(self, kinds: Sequence[Kind], stop: asyncio.Event | None) -> int:
        worked = 0
        while not (stop and stop.is_set()) and (rows := await self._claim(kinds)):
            astray = [row for row in rows if row.kind in outbox.LANES and row.kind not in kinds]
            if astray:  # asked for by a process that does not know of lanes, while an installation is renewed
                await self.tenant.store.write(lambda tx, rows=astray: outbox.put_in_lanes(tx, rows))  # type: ignore[misc] # bound now
            await self._work([row for row in rows if row not in astray], stop)
            worked += len(rows)
        return worked

    async def _pause(self, kinds: Sequence[Kind]) -> float:
        """Return the seconds until the next row is due, `POLL` at most."""
        due = await self.tenant.store.read(lambda tx: outbox.next_due(tx, kinds))
        if due is None:
            return POLL
        return min(max((due - self.tenant.clock.now()).total_seconds(), 0.01), POLL)

    async def _prepare(self) -> None:
        """Do what comes before the work of a round: once for each version, and when the clock says so."""
        await self._adopt()
        await self._orphans.look()
        now = self.tenant.clock.now()
        if self._seen is None or now < self._seen - upkeep.SLACK:
            await upkeep.mend(self.tenant)
            self._purged = None
        self._seen = now
        if self._purged is None or now >= self._purged + upkeep.EVERY:
            await upkeep.purge(self.tenant)
            self._purged = now
        if self._sealed is None or abs(now - self._sealed) >= SEALED:
            await auditing.seal(self.tenant)
            self._sealed = now

    async def _adopt(self) -> None:
        """Have the schedules and timers of the current version planned; each version asks for it once."""
        version = self.tenant.published.version
        if version == self._adopted:
            return

        async def work(tx: Tx) -> None:
            unit = open_unit(self.tenant, tx, SYSTEM)
            await outbox.enqueue(unit, "version", {"version": version}, None, f"version:{version}")

        await self.tenant.store.write(work)
        self._adopted = version

    async def _claim(self, kinds: Sequence[Kind]) -> list[Row]:
        due = await self._due(kinds)
        if not due:
            return []
        now = self.tenant.clock.now()
        token = outbox.token_of(self.tenant, self.name)
        return await self.tenant.store.write(
            lambda tx: outbox.claim(tx, worker=token, now=now, limit=BATCH, steps=due), claim=True
        )

    async def _anything(self, kinds: Sequence[Kind]) -> bool:
        return bool(await self._due(kinds))

    async def _due(self, kinds: Sequence[Kind]) -> list[int]:
        """Return the priorities of rows that are due: a look that does not keep writers waiting."""
        now = self.tenant.clock.now()
        return await self.tenant.store.read(lambda tx: outbox.due_steps(tx, kinds, now))

    async def _work(self, rows: list[Row], stop: asyncio.Event | None) -> None:
        texts, calls, documents = ([row for row in rows if row.kind == kind] for kind in ("sms", "hook", "document"))
        others = [row for row in rows if row.kind not in ("sms", "hook", "document")]
        others = await self._together(others)
        outcomes: list[BaseException | None] = []
        for begin in range(0, len(others), TOGETHER):
            some = others[begin : begin + TOGETHER]
            outcomes += await asyncio.gather(*map(self._do, some), return_exceptions=True)
        if texts:
            if self.texting is None:
                raise RuntimeError("There is no way out for text messages.")
            await self.texting.send(texts, stop)
        await self.delivery.send(calls)
        await self.printing.make(documents)
        for outcome in outcomes:
            if outcome is not None:
                raise outcome

    async def _together(self, rows: list[Row]) -> list[Row]:
        """Do timers and runs, many in a transaction; return the rows that are left to be done alone."""
        fit = batches.fitting(rows)
        done: set[str] = set()
        for begin in range(0, len(fit), self.many):
            some = fit[begin : begin + self.many]
            if len(some) > 1 and await self._batch(some):
                done.update(row.id for row in some)
        return [row for row in rows if row.id not in done]

    async def _batch(self, rows: Sequence[Row]) -> bool:
        """Do rows in one transaction, and return whether that went well: if not, nothing of it has happened."""
        try:
            versions = {row.id: await self._version(row) for row in rows}
            with bound_contextvars(network=self.tenant.name):
                await self.tenant.store.write(lambda tx: Batch(self.tenant, tx, self.house).work(rows, versions))
        except Exception as error:  # noqa: BLE001 - whatever it is, who does them alone finds out whose it is
            _LOG.info("work together failed", network=self.tenant.name, rows=len(rows), error=repr(error))
            return False
        for row in rows:
            HAPPENED.note(f"work.{row.kind}")
        return True

    async def _do(self, row: Row) -> None:
        """Do what a row asks for, its completion in the same transaction; note a failure for another try."""
        try:
            if row.attempts > row.max_attempts:
                raise RuntimeError("Its workers stopped in the middle of it, again and again.")  # noqa: TRY301
            version = await self._version(row)
            with bound_contextvars(network=self.tenant.name, row=row.id, run=row.payload.get("run")):
                await self.tenant.store.write(lambda tx: self._handle(tx, row, version))
            HAPPENED.note(f"work.{row.kind}")
        except LeaseLostError:
            return
        except Exception as error:  # noqa: BLE001 - whatever it is, it is kept with the row and tried again
            HAPPENED.note(f"failed.{row.kind}")
            told = {"kind": row.kind, "row": row.id, "run": row.payload.get("run"), "error": repr(error)}
            _LOG.warning("work failed", network=self.tenant.name, **told)
            await self._note(row, error)

    async def work_within(self, tx: Tx, row: Row) -> None:
        """Do what a claimed row asks for inside of a transaction that somebody else holds; a failure is its last."""
        await tx.run("SAVEPOINT row")
        try:
            await self._handle(tx, row, await self._version(row))
            await tx.run("RELEASE SAVEPOINT row")
        except Exception as error:  # noqa: BLE001 - whatever it is, it is kept with the row
            await tx.run("ROLLBACK TO SAVEPOINT row")
            await self._fail(tx, replace(row, max_attempts=0), error)
            await tx.run("RELEASE SAVEPOINT row")

    async def _version(self, row: Row) -> Published:
        """Return the version that a run began with; the current one for all else."""
        number = row.payload.get("definition")
        return self.tenant.published if number is None else await self.tenant.version(number)

    async def _handle(self, tx: Tx, row: Row, version: Published) -> None:
        # first: what ends a run cancels its rows that are left
        payload = await outbox.complete(tx, row, self.tenant.clock.now())
        if row.kind in ("run", "check"):
            run = await runs.load(tx, row.payload["run"])
            if run is not None:
                await pursue(self._unit(tx, SYSTEM), run, version, "run" if row.kind == "run" else "check")
        elif row.kind == "version":
            await schedules.adopt(self._unit(tx, SYSTEM))
        else:
            await _BY_KIND[row.kind](self._unit(tx, SYSTEM), payload)

    def _unit(self, tx: Tx, actor: Actor) -> Unit:
        return open_unit(self.tenant, tx, actor, house=self.house)

    async def _note(self, row: Row, error: Exception) -> None:
        with suppress(LeaseLostError):  # somebody else does it
            await self.tenant.store.write(lambda tx: self._fail(tx, row, error))

    async def _fail(self, tx: Tx, row: Row, error: Exception) -> None:
        now = self.tenant.clock.now()
        permanent = row.attempts > row.max_attempts
        dead = await outbox.fail(tx, row, now, f"{type(error).__name__}: {error}", self.rng, permanent=permanent)
        if dead and row.kind == "job":
            await jobs.end(self._unit(tx, SYSTEM), row.payload["job"], "failed")
        if dead and row.kind == "run":
            run = await runs.load(tx, row.payload["run"])
            if run is not None and run.state in ("running", "waiting"):
                why = say("The work failed too often: {reason}", reason=error)
                await runs.end(self._unit(tx, SYSTEM), run, "failed", why)
