"""The networks that this server has open, each with the worker that does its outbox."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from contextvars import Context
from dataclasses import dataclass

import structlog

from admin.i18n import in_language
from admin.settings import Settings
from admin.visit import address
from definitions.problems import DefinitionError
from models.clock import Clock
from models.secrets import Vault
from models.store import StoreError, StoreUnreachableError
from models.stores import Home, clear, exists, open_ledger
from models.tenant import Files, Tenant
from models.tenants import Tenants
from workflows.mail import SmtpTransport, Transport
from workflows.mail_account import MailAccount
from workflows.mail_lines import Lines
from workflows.texting import HttpSms, SmsTransport
from workflows.worker import Worker

PAUSE = 5.0
"""Seconds before a worker that stopped begins again."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Working:
    worker: Worker
    stop: asyncio.Event
    task: asyncio.Task[None]


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
        self.tenants = Tenants(settings.homes, clock=clock, new_id=new_id, vault=Vault(settings.sealing_keys))
        self.transport = transport or (SmtpTransport(settings.smtp_url) if settings.smtp_url else None)
        self.account = _account(settings, self.transport)
        self.texts = _texts(settings)
        self.works = works
        self._working: dict[str, _Working] = {}

    async def names(self) -> list[str]:
        """Return the names of all networks, sorted."""
        return await self.tenants.names()

    async def start(self) -> None:
        """Open every network, so that what is due is done without anybody looking.

        One that cannot be opened is told in the log and keeps no other one from being served. The workers of those that
        are gone end.
        """
        names = await self.names()
        for name in self._working.keys() - set(names):
            await self._dismiss(name)
        for name in names:
            with suppress(StoreError):
                await self.get(name)

    @property
    def at_work(self) -> int:
        """How many workers there are."""
        return len(self._working)

    def rest(self) -> None:
        """Let the workers claim nothing more: this process is to end. What it has is served until `close`."""
        self.works = False
        for working in self._working.values():
            working.stop.set()

    async def watch(self, stop: asyncio.Event) -> None:
        """Keep every network open, those that are made meanwhile too, until `stop` is set; the database may go away."""
        await self.start()
        while not stop.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), timeout=PAUSE)
            with suppress(StoreUnreachableError):
                await self.start()

    async def get(self, name: str) -> Tenant | None:
        """Return the open network, opened first when needed; None when there is none of that name.

        `StoreError`: there is one, and it cannot be opened now.
        """
        try:
            tenant = await self.tenants.open(name)
        except LookupError:
            return None
        except StoreError as error:
            log.warning("a network cannot be opened", network=name, reason=str(error))
            raise
        except DefinitionError as error:
            reason = str(error)
            log.warning("the definitions of a network are not understood", network=name, reason=reason)
            raise StoreError(reason) from error
        if name in self._working and self._working[name].worker.tenant is not tenant:
            await self._dismiss(name)  # it was for one of the same name that is gone
        if self.works and name not in self._working:
            self._working[name] = self._employ(name, tenant)
        return tenant

    def _employ(self, name: str, tenant: Tenant) -> _Working:
        worker = self.worker(tenant)
        stop = asyncio.Event()
        work = self._serve(name, worker, stop)  # what it logs is no part of the request that opened the network
        return _Working(worker, stop, asyncio.create_task(work, context=Context()))

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

    async def _serve(self, name: str, worker: Worker, stop: asyncio.Event) -> None:
        """Keep the worker at work: what stops it is logged and it starts again, never silently."""
        async with self.tenants.using(name):
            while not stop.is_set():
                try:
                    await worker.serve(stop)
                except Exception:
                    log.exception("the worker stopped", network=name)
                    with suppress(TimeoutError):
                        await asyncio.wait_for(stop.wait(), timeout=PAUSE)

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
        await self._dismiss(name)
        async with self.tenants.apart(name) as home:
            await self._dismiss(name)  # who asked for the network meanwhile has put another worker to work
            yield home

    async def remove(self, name: str) -> None:
        """Delete a network for good; `LookupError` when there is none, `StoreBusyError` when another process has it."""
        async with self.apart(name) as home:
            if not await exists(home):
                raise LookupError(name)
            await clear(home)

    async def _dismiss(self, name: str) -> None:
        """Let the worker of a network end what it does."""
        working = self._working.pop(name, None)
        if working is not None:
            working.stop.set()
            await working.task

    async def close(self) -> None:
        """Let the workers end what they do, then close the networks."""
        for working in self._working.values():
            working.stop.set()
        await asyncio.gather(*(working.task for working in self._working.values()))
        self._working.clear()
        await self.account.close()
        await self.tenants.close()
