"""The networks of a folder are opened by name, kept while they are used, and closed when others are."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from definitions.problems import DefinitionError
from models.store import StoreClosedError
from models.tenants import Tenants
from tests.homes import Homes
from tests.models.rows import insert
from tests.networks import SMALL

pytestmark = pytest.mark.anyio


@pytest.fixture
async def tenants(homes: Homes) -> AsyncIterator[Tenants]:
    opened = Tenants(homes.all, capacity=2)
    for name in ("one", "two", "three"):
        await opened.create(name, SMALL)
    yield opened
    await opened.close()


async def test_a_network_is_found_by_its_name(tenants: Tenants) -> None:
    assert await tenants.names() == ["one", "three", "two"]
    assert (await tenants.open("two")).name == "two"


@pytest.mark.parametrize("name", ["four", "../one", "One", "", "one.sqlite"])
async def test_what_is_not_there_is_not_found(tenants: Tenants, name: str) -> None:
    with pytest.raises(LookupError):
        await tenants.open(name)


async def test_the_one_used_least_lately_is_closed(tenants: Tenants) -> None:
    two = await tenants.open("two")
    one = await tenants.open("one")
    assert await tenants.open("two") is two
    await tenants.open("three")
    with pytest.raises(StoreClosedError):
        await insert(one, "company", name="Alba")
    await insert(two, "company", name="Alba")
    assert await tenants.open("one") is not one


async def test_a_network_in_use_stays_open(tenants: Tenants) -> None:
    async with tenants.using("one") as one:
        for name in ("two", "three", "two"):
            await tenants.open(name)
        await insert(one, "company", name="Alba")
    await tenants.open("three")
    with pytest.raises(StoreClosedError):
        await insert(one, "company", name="Alba")


async def test_opening_at_once_opens_once(tenants: Tenants) -> None:
    found = await asyncio.gather(*(tenants.open("one") for _ in range(5)))
    assert len({id(tenant) for tenant in found}) == 1


async def test_a_broken_pack_makes_no_network(tenants: Tenants) -> None:
    with pytest.raises(DefinitionError):
        await tenants.create("four", {"network.yaml": "network: 4"})
    assert "four" not in await tenants.names()
