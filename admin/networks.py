"""The networks that this server has open, each with the worker that does its outbox."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from contextvars import Context
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog

from admin.i18n import in_language
from admin.rests import Rest, Rests
from admin.settings import Settings
from admin.visit import address
from definitions.problems import DefinitionError
from models.clock import Clock
from models.secrets import Vault
from models.store import StoreError
from models.stores import Home, clear, exists, open_ledger, replaced
from models.tenant import Files, Tenant
from models.tenants import Tenants
from workflows.mail import SmtpTransport, Transport
from workflows.mail_account import MailAccount
from workflows.mail_lines import Lines
from workflows.owed import owed
from workflows.resting import next_work, settle
from workflows.texting import HttpSms, SmsTransport
from workflows.upkeep import EVERY
from workflows.worker import Worker

PAUSE = 5.0
"""Seconds before a worker that stopped begins again."""
EAGER = 32
"""So many networks are open when a server begins to answer; the others follow one by one."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Working:
    worker: Worker
    since: datetime
    stop: asyncio.Event
    begun: asyncio.Event
    task: asyncio.Task[None]

    def upkeep(self, now: datetime) -> datetime:
        """Return when the worker sees to the upkeep of its network next."""
        return self.since + EVERY * ((now - self.since) // EVERY + 1)


def _texts(settings: Settings) -> SmsTransport | None:
    """Return the way to telephones, None where there is none."""
    if settings.sms_url is None:
        return None
    return HttpSms(settings.sms_url, settings.sms_token, settings.sms_secret, settings.sms_from)


def _account(settings: Settings, transport: Transport | None) -> MailAccount:
    """Return what all networks share that send over a transport."""
    if not isinstance(transport, SmtpTransport):
        return MailAccount()
    return MailAccount(Lines(transport.lines), transport.rate, lambda: open_ledger(settings.homes))


class Networks:
    """Networks by name. `works` False leaves the outbox to others (tests call `worker(tenant).run_due()`)."""

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Clock,
        new_id: Callable[[], str],
        transport: Transport | None = None,
        works: bool = True,
    ) -> None:
        """Serve the networks of `settings.homes`; without a transport its `smtp_url` makes one, or mails wait."""
        self.settings = settings
        self.tenants = Tenants(
            settings.homes, settings.open_networks, clock=clock, new_id=new_id, vault=Vault(settings.sealing_keys)
        )
        self.transport = transport or (SmtpTransport(settings.smtp_url) if settings.smtp_url else None)
        self.account = _account(settings, self.transport)
        self.texts = _texts(settings)
        self.works = works
        self.rests = Rests(self)
        self._working: dict[str, _Working] = {}
        self._told: dict[str, str] = {}
        self._stop = asyncio.Event()
        self._tending: asyncio.Task[None] | None = None

    async def names(self) -> list[str]:
        """Return the names of all networks, sorted."""
        return await self.tenants.names()

    async def start(self) -> None:
        """Open the networks, so that what is due is done without anybody looking: some now, the others one by one.

        One that cannot be opened is told in the log and keeps no other one from being served. From now on those that
        are made meanwhile are opened too, and of too many some rest (see `admin.rests`).
        """
        for name in (await self.names())[:EAGER]:
            with suppress(StoreError):
                await self.get(name)
        if self.works and self._tending is None:
            self._tending = asyncio.create_task(self.rests.tend(self._stop), context=Context())

    @property
    def at_work(self) -> int:
        """How many workers there are."""
        return len(self._working)

    def workers(self) -> set[str]:
        """Return the names of the networks that have a worker."""
        return set(self._working)

    def rest(self) -> None:
        """Let the workers claim nothing more: this process is to end. What it has is served until `close`."""
        self.works = False
        self._stop.set()
        for working in self._working.values():
            working.stop.set()

    async def watch(self, stop: asyncio.Event) -> None:
        """Do what is due in every network, those that are made meanwhile too, until `stop` is set."""
        await self.start()
        await stop.wait()

    async def get(self, name: str) -> Tenant | None:
        """Return the open network, opened first when needed; None when there is none of that name.

        `StoreError`: there is one, and it cannot be opened now.
        """
        try:
            tenant = await self.tenants.open(name)
        except LookupError:
            return None
        except StoreError as error:
            self._tell("a network cannot be opened", name, str(error))
            raise
        except DefinitionError as error:
            self._tell("the definitions of a network are not understood", name, str(error))
            raise StoreError(str(error)) from error
        self._told.pop(name, None)
        if name in self._working and self._working[name].worker.tenant is not tenant:
            await self.dismiss(name)  # it was for one of the same name that is gone
            return await self.get(name)
        if self.works and name not in self._working:
            self._working[name] = self._employ(name, tenant)
            self.rests.forget(name)
        return tenant

    def _tell(self, what: str, name: str, reason: str) -> None:
        """Say in the log why a network cannot be had, once until it can or something else is the reason."""
        if self._told.get(name) != reason:
            self._told[name] = reason
            log.warning(what, network=name, reason=reason)

    def _employ(self, name: str, tenant: Tenant) -> _Working:
        worker = self.worker(tenant)
        stop, begun = asyncio.Event(), asyncio.Event()
        release = self.tenants.hold(name)
        work = self._serve(name, worker, stop, begun)
        # what it logs is no part of the request that opened the network, and the visit holds nothing for it
        task = asyncio.create_task(work, context=Context())
        task.add_done_callback(lambda _: release())
        return _Working(worker, tenant.clock.now(), stop, begun, task)

    def worker(self, tenant: Tenant) -> Worker:
        """Return a worker that sends through the server's transport and links to its public address."""
        url = f"{self.settings.public_url}{address(tenant.name)}" if self.settings.public_url else ""
        return Worker(
            tenant,
            self.transport,
            name=f"server-{tenant.name}",
            url=url,
            texts=self.texts,
            words=in_language,
            account=self.account,
        )

    async def _serve(self, name: str, worker: Worker, stop: asyncio.Event, begun: asyncio.Event) -> None:
        """Keep the worker at work: what stops it is logged and it starts again, never silently."""
        begun.set()  # from here to its first round nothing else happens
        while not stop.is_set():
            try:
                await worker.serve(stop)
            except Exception:
                log.exception("the worker stopped", network=name)
                with suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), timeout=PAUSE)

    async def let_rest(self, name: str, until: datetime) -> bool:
        """Close a network that nobody visits and where nothing is to be done before `until`; False: it goes on.

        Whoever asks for the network opens it again.
        """
        working = self._working.get(name)
        if working is None:
            return await self.tenants.shut(name, unless=lambda: name in self._working)
        try:
            if not working.begun.is_set() or self.tenants.users(name) != 1 or await self._next(working) < until:
                return False
        except StoreError:
            return False
        if await self._left(name, working, until):
            if await self.tenants.shut(name, unless=lambda: name in self._working):
                return True
            self.rests.forget(name)
        with suppress(StoreError):
            await self.get(name)  # another worker: what came meanwhile is done
        return False

    async def _left(self, name: str, working: _Working, until: datetime) -> bool:
        """End the worker of a network, and remember until when nothing is to be done; False: there is, or may be."""
        tenant = working.worker.tenant
        release = self.tenants.hold(name)
        try:
            if self._working.get(name) is working:
                await self.dismiss(name)
            await settle(tenant)
            rest = Rest(await self._next(working), await owed(tenant))
        except (StoreError, LookupError) as error:
            log.warning("a network cannot be left alone", network=name, reason=str(error))
            return False
        finally:
            release()
        if rest.until < until or name in self._working:
            return False
        self.rests.keep(name, rest)
        return True

    async def _next(self, working: _Working) -> datetime:
        """Return when the worker has more to do."""
        due = await next_work(working.worker.tenant, working.worker.kinds)
        return min(due or datetime.max.replace(tzinfo=UTC), working.upkeep(working.worker.tenant.clock.now()))

    async def create(self, name: str, files: Files, author: str | None = None) -> Tenant:
        """Make a network and put a worker to work in it."""
        await self.tenants.create(name, files, author)
        tenant = await self.get(name)
        if tenant is None:
            raise LookupError(name)
        return tenant

    @asynccontextmanager
    async def apart(self, name: str) -> AsyncIterator[Home]:
        """Take a network out of work inside the `with`; see `Tenants.apart`."""
        self.rests.forget(name)
        await self.dismiss(name)
        async with self.tenants.apart(name) as home:
            await self.dismiss(name)  # who asked for the network meanwhile has put another worker to work
            yield home

    async def remove(self, name: str) -> None:
        """Delete a network for good; `LookupError` when there is none, `StoreBusyError` when another process has it."""
        async with self.apart(name) as home:
            if not await exists(home):
                raise LookupError(name)
            await clear(replaced(home))
            await clear(home)

    async def dismiss(self, name: str) -> None:
        """Let the worker of a network end what it does."""
        working = self._working.pop(name, None)
        if working is not None:
            working.stop.set()
            await working.task

    async def close(self) -> None:
        """Let the workers end what they do, then close the networks."""
        self._stop.set()
        if self._tending is not None:
            await self._tending
        for working in self._working.values():
            working.stop.set()
        await asyncio.gather(*(working.task for working in self._working.values()))
        self._working.clear()
        await self.account.close()
        await self.tenants.close()
