"""Lives of one network: each goes on where the one before it died, until the scene is over."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from models.clock import SetClock
from models.errors import RequestError
from models.secrets import Vault
from models.stores import Home
from models.tenant import Tenant, open_tenant
from tests.workflows.conftest import Mailbox
from tests.workflows.kills.account import Account, account
from tests.workflows.kills.death import DeadError, Death, dying
from tests.workflows.kills.scenes import Cast, Scene
from tests.workflows.receiver import Receiver
from workflows import jobs
from workflows.mail import SmtpTransport
from workflows.outbox import LEASE
from workflows.texting import HttpSms
from workflows.worker import Worker

START = datetime(2026, 3, 2, 11, 5, tzinfo=UTC)
"""A Monday, five past noon in Paris."""
VAULT = Vault(lambda: (b"a secret of this installation",))
PAST_LEASE = LEASE + timedelta(seconds=1)
BATCH = 3


@dataclass
class Outside:
    """Who receives what the network sends."""

    mailbox: Mailbox
    calls: Receiver
    texts: Receiver

    def forget(self) -> None:
        """Let nothing have come in."""
        for kept in (self.mailbox.letters, self.mailbox.recipients, self.calls.calls, self.texts.calls):
            kept.clear()


@dataclass
class Course:
    """How far a scene is: deeds before `at` are over; `acknowledged`: whoever did the one at `at` knows it."""

    at: int = 0
    acknowledged: bool = False
    deaths: int = 0


@dataclass
class Play:
    """A scene in a home: what outlives its processes."""

    home: Home
    scene: Scene
    outside: Outside
    known: dict[str, str]
    clock: SetClock = field(default_factory=lambda: SetClock(START))
    course: Course = field(default_factory=Course)

    async def live(self, death: Death, tell: Callable[[], None] = lambda: None) -> bool:
        """Go on until the scene is over or death comes; return whether it is over. `tell` is called at each deed."""
        with capture_logs(), pytest.MonkeyPatch.context() as patch:
            patch.setattr(jobs, "BATCH", BATCH)
            async with dying(death):
                await self._until(death, tell)
        return not death.came

    async def _until(self, death: Death, tell: Callable[[], None]) -> None:
        try:
            async with self.opened() as tenant:
                await self._go_on(tenant, death, tell)
        except BaseException:
            if not death.came:
                raise
            self.course.deaths += 1

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Tenant]:
        """Open the network; a process that dies writes nothing down before it goes."""
        tenant = await open_tenant(self.home, "small", clock=self.clock)
        tenant.vault = VAULT
        try:
            yield tenant
        finally:
            with suppress(DeadError):
                await tenant.readings.close()
            await tenant.store.close()

    async def _go_on(self, tenant: Tenant, death: Death, tell: Callable[[], None]) -> None:
        course = self.course
        worker = self.worker(tenant)
        await self._work(worker, death)
        while course.at < len(self.scene.deeds):
            after, deed = self.scene.deeds[course.at]
            self.clock.moment = max(self.clock.moment, START + after)
            if deed is not None and not course.acknowledged:
                try:
                    await deed(Cast(tenant, self.known))
                except RequestError:  # it had happened, and was not acknowledged: the account tells
                    assert course.deaths
            course.acknowledged = True
            tell()
            await self._work(worker, death)
            course.at, course.acknowledged = course.at + 1, False
            tell()
        for _ in range(2):
            self.clock.forward(PAST_LEASE)
            await worker.run_due()
            death.refuse()

    async def _work(self, worker: Worker, death: Death) -> None:
        """Work; after a death once more, when what the dead held is free.

        A worker may take a death for a database that is away, and its round end well: no time passes for the dead.
        """
        await worker.run_due()
        death.refuse()
        if self.course.deaths:
            self.clock.forward(PAST_LEASE)
            await worker.run_due()
            death.refuse()

    def worker(self, tenant: Tenant) -> Worker:
        """Return who works for the network."""
        return Worker(
            tenant,
            SmtpTransport(self.outside.mailbox.url),
            rng=random.Random(7),  # noqa: S311 - it spreads pauses
            url="https://reseau.example/n/small",
            caller=self.outside.calls.caller(),
            texts=HttpSms(self.outside.texts.url, caller=self.outside.texts.caller()),
        )

    async def account(self) -> Account:
        """Take the account of what is there."""
        async with AsyncExitStack() as stack:
            tenant = await stack.enter_async_context(self.opened())
            return await account(tenant, self.outside.mailbox, self.outside.calls, self.outside.texts)
