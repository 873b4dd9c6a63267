"""Requests and publications do not meet."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from models.tenant import Tenant
from models.turnstile import Turnstile
from tests.networks import SMALL, edited

pytestmark = pytest.mark.anyio

CITY = "  city: {type: text}\n"


async def settle() -> None:
    """Let every task go as far as it can."""
    for _ in range(20):
        await asyncio.sleep(0)


async def held_once(turnstile: Turnstile) -> None:
    """Hold the turnstile as soon as nobody is inside."""
    async with turnstile.held(60):
        await settle()


async def test_who_holds_it_waits_for_those_inside_and_keeps_others_out() -> None:
    turnstile, told, leave = Turnstile(), [], asyncio.Event()

    async def visitor(name: str, until: asyncio.Event | None = None) -> None:
        async with turnstile.passing():
            told.append(f"{name} in")
            if until is not None:
                await until.wait()
            told.append(f"{name} out")

    async def holder() -> None:
        async with turnstile.held(60):
            told.append("held")
            await settle()
            told.append("free")

    first = asyncio.create_task(visitor("first", leave))
    await settle()
    holding = asyncio.create_task(holder())
    await settle()
    second = asyncio.create_task(visitor("second"))
    await settle()
    assert told == ["first in"]
    leave.set()
    await asyncio.gather(first, holding, second)
    assert told == ["first in", "first out", "held", "free", "second in", "second out"]


async def test_a_request_that_never_ends_holds_nobody_up_for_ever() -> None:
    turnstile, leave = Turnstile(), asyncio.Event()

    async def endless() -> None:
        async with turnstile.passing():
            await leave.wait()

    task = asyncio.create_task(endless())
    await settle()
    async with turnstile.held(0.001):
        assert not task.done()
    leave.set()
    await task
    await asyncio.wait_for(held_once(turnstile), 5)


async def test_a_request_that_publishes_does_not_wait_for_itself(tenant: Tenant) -> None:
    files = edited(SMALL, (CITY, CITY + "  siret: {type: text}\n"))
    async with asyncio.timeout(1.5), tenant.turnstile.passing():
        assert (await tenant.publish(files)).version == 2
    await asyncio.wait_for(held_once(tenant.turnstile), 5)


async def test_two_requests_that_publish_do_not_wait_for_each_other(tenant: Tenant) -> None:
    async def request(files: dict[str, str]) -> int:
        async with tenant.turnstile.passing():
            return (await tenant.publish(files)).version

    one = edited(SMALL, (CITY, CITY + "  siret: {type: text}\n"))
    two = edited(SMALL, (CITY, CITY + "  web: {type: url}\n"))
    async with asyncio.timeout(1.5):
        assert sorted(await asyncio.gather(request(one), request(two))) == [2, 3]


async def test_a_refused_publication_lets_requests_in_again(tenant: Tenant, tmp_path: Path) -> None:
    with pytest.raises(Exception, match="network"):
        await tenant.publish({"network.yaml": ""})
    async with asyncio.timeout(5), tenant.turnstile.passing():
        assert tenant.published.version == 1
