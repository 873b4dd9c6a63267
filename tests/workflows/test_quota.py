"""How many mails leave in a minute and in an hour: never more than is allowed, whoever sends them."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import pytest
from aiosmtpd.smtp import SMTP

from models.clock import SetClock
from models.stores import names_in, open_ledger
from tests.homes import Homes
from tests.workflows.conftest import RNG, MakeStage, Stage
from tests.workflows.letters_waiting import ENDS, put
from workflows.mail import SmtpTransport
from workflows.mail_account import MailAccount
from workflows.mail_lines import Lines
from workflows.quota import HOUR, MINUTE, RESERVED, SLOT, Rate
from workflows.worker import Worker

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def account(homes: Homes, rate: Rate) -> AsyncIterator[MailAccount]:
    """The installation's account, as one process has it."""
    made = MailAccount(Lines(4), rate, lambda: open_ledger(homes.all))
    try:
        yield made
    finally:
        await made.close()


def most_within(times: list[datetime], window: timedelta) -> int:
    """Return how many of the times lie within the fullest window."""
    return max((sum(start <= time < start + window for time in times) for start in times), default=0)


@pytest.mark.parametrize("seed", range(3))
async def test_no_minute_and_no_hour_has_more_than_the_account_allows(homes: Homes, clock: SetClock, seed: int) -> None:
    rng, rate, left = random.Random(seed), Rate(minute=10, hour=60), list[datetime]()  # noqa: S311 - a test's course
    homes.folder.mkdir(exist_ok=True)
    async with account(homes, rate) as shared:
        for _ in range(120):
            clock.forward(timedelta(seconds=rng.choice((0, 1, 7, 30, 90, 300))))
            now, most = clock.now(), rng.randint(1, 8)
            for room in await asyncio.gather(*(shared.reserve(now, most) for _ in range(2))):
                used = rng.randint(0, room.first)
                await shared.give_back(now, room, used)
                left += [now] * used
    assert most_within(left, MINUTE) <= 10
    assert most_within(left, HOUR) <= 60
    assert len(left) > 60  # it is no wall either


async def test_what_left_counts_for_the_process_that_comes_after(homes: Homes, clock: SetClock) -> None:
    homes.folder.mkdir(exist_ok=True)
    rate = Rate(minute=10)
    async with account(homes, rate) as before:
        assert (await before.reserve(clock.now(), 32)).first == 10
    async with account(homes, rate) as after:
        assert (await after.reserve(clock.now(), 32)).first == 0
        clock.forward(MINUTE + 2 * SLOT)
        assert (await after.reserve(clock.now(), 32)).first == 10
    assert await names_in(homes.all) == []


async def test_a_place_is_kept_for_what_somebody_waits_for(homes: Homes, clock: SetClock) -> None:
    homes.folder.mkdir(exist_ok=True)
    async with account(homes, Rate(minute=20)) as shared:
        room = await shared.reserve(clock.now(), 32)
    assert (room.first, room.others) == (20, 20 - 20 // RESERVED)


async def set_limits(stage: Stage, **limits: int) -> None:
    """Let the network have limits of its own."""
    sql = 'INSERT INTO "_setting" ("name", "value", "changed_at") VALUES (?, ?, ?)'
    for name, number in limits.items():
        row = [f"_mails_{name}", str(number), "2026-01-01 00:00:00.000000+00:00"]
        await stage.tenant.store.write(lambda tx, row=row: tx.run(sql, row))  # type: ignore[misc] # bound now


async def test_a_network_sends_no_more_than_its_settings_say_and_the_rest_later(stage: Stage) -> None:
    await set_limits(stage, minute=5)
    await put(stage.tenant, *(f"p{number}@exemple.fr" for number in range(12)))
    other = Worker(stage.tenant, SmtpTransport(stage.mailbox.url), name="other", rng=RNG)
    counts = []
    for _ in range(4):
        await asyncio.gather(stage.worker.run_due(), other.run_due())
        counts.append(len(stage.mailbox.letters))
        stage.clock.forward(MINUTE + 2 * SLOT)
    assert counts == [5, 10, 12, 12]


async def test_mails_that_could_not_leave_take_no_room(stage: Stage, homes: Homes) -> None:
    await set_limits(stage, hour=10)
    async with account(homes, Rate(hour=10)) as shared:
        away = Worker(stage.tenant, SmtpTransport("smtp://127.0.0.1:1"), rng=RNG, account=shared)
        back = Worker(stage.tenant, SmtpTransport(stage.mailbox.url), rng=RNG, account=shared)
        await put(stage.tenant, *(f"p{number}@exemple.fr" for number in range(5)))
        for _ in range(4):
            await away.run_due()
            stage.clock.forward(timedelta(minutes=4))
        assert await stage.rows("_quota", "taken", where='"taken" > 0') == []
        await back.run_due()
        assert len(stage.mailbox.letters) == 5
        assert (await shared.reserve(stage.clock.now(), 32)).first == 5


async def test_a_server_that_hangs_up_has_heard_of_the_mails_before(stage: Stage) -> None:
    await set_limits(stage, hour=20)
    await put(stage.tenant, *(f"p{number}@exemple.fr" for number in range(5)))

    async def hang_up(server: SMTP) -> None:
        if len(stage.mailbox.letters) == 2:
            assert server.transport is not None
            server.transport.close()

    stage.mailbox.on_text = hang_up
    await stage.worker.run_due()
    assert len(stage.mailbox.letters) == 3  # the third may have arrived or not
    assert await stage.rows("_quota", "taken") == [(3,)]


async def test_a_clock_that_was_ahead_holds_no_mail_back(stage: Stage) -> None:
    await set_limits(stage, minute=5)
    stage.clock.forward(timedelta(hours=3))
    await put(stage.tenant, *(f"p{number}@exemple.fr" for number in range(5)))
    await stage.worker.run_due()
    stage.clock.forward(timedelta(hours=-3))
    await put(stage.tenant, "paul@exemple.fr")
    await stage.worker.run_due()
    assert len(stage.mailbox.letters) == 6


async def test_networks_share_what_the_account_allows(make_stage: MakeStage, homes: Homes) -> None:
    first, second = await make_stage(), await make_stage()
    for stage in (first, second):
        await put(stage.tenant, *(f"p{number}@exemple.fr" for number in range(20)), unsubscribe=ENDS)
    async with account(homes, Rate(minute=20)) as shared:
        workers = [Worker(stage.tenant, SmtpTransport(stage.mailbox.url), account=shared) for stage in (first, second)]
        await asyncio.gather(*(worker.run_due() for worker in workers))
    assert len(first.mailbox.letters) == 18


@pytest.mark.parametrize("said", ["connections=0", "minute=many", "hour=-1", "connections=x"])
def test_what_is_no_number_is_refused_without_the_password(said: str) -> None:
    with pytest.raises(ValueError, match="connections, minute and hour") as refused:
        SmtpTransport(f"smtp://user:secret@mail.example?{said}")
    assert "secret" not in str(refused.value)


def test_the_address_of_the_server_says_what_the_account_allows() -> None:
    transport = SmtpTransport("smtp://mail.example?connections=3&minute=100&hour=2000&bounces=back@exemple.fr")
    assert (transport.lines, transport.rate, transport.bounces) == (3, Rate(100, 2000), "back@exemple.fr")
