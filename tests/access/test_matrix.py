"""Every level beside every relation at every door, compared with the naive reference: no difference."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations

import pytest

from admin.api.mount import ROUTES
from definitions.spec.network import Network
from models.clock import SetClock
from tests.access import acting, api, asking, pages
from tests.access.asking import Check
from tests.access.opening import world_of
from tests.access.packs import ALL
from tests.access.world import World
from tests.homes import Homes

pytestmark = pytest.mark.anyio

PAIRED = ("nested", "twisted", "small")
"""The packs over which every two levels are tried together too."""
UNION = (asking.lists, asking.single, acting.moves, acting.removals, asking.counts, acting.words)
QUICK = (asking.lists, asking.single, asking.orders, acting.changes, asking.counts)


def levels_of(network: Network) -> list[str]:
    """Return the levels that members can have."""
    return [name for name in network.levels if name != "public"]


def sets_of(network: Network) -> list[tuple[str, ...]]:
    """Return sets of levels: none, and each alone."""
    return [(), *((level,) for level in levels_of(network))]


async def compared(world: World, sets: Iterable[tuple[str, ...]], checks: Iterable[Check]) -> list[str]:
    """Return all differences between the product and the reference."""
    for levels in sets:
        await world.become(*levels)
        for check in checks:
            await check(world)
    return world.differences


def test_every_address_of_the_api_is_compared() -> None:
    assert {getattr(route, "path", "") for route in ROUTES} == set(api.DOORS)


async def test_a_level_that_sees_some_of_everything_finds_what_the_reference_says(
    homes: Homes, clock: SetClock
) -> None:
    async with world_of(homes, clock, ALL["nested"]) as world:
        assert await compared(world, [("readers",)], QUICK) == []


@pytest.mark.slow
@pytest.mark.parametrize("pack", ALL)
async def test_the_api_agrees_with_the_reference(homes: Homes, clock: SetClock, pack: str) -> None:
    async with world_of(homes, clock, ALL[pack]) as world:
        assert await compared(world, sets_of(world.network), api.CHECKS) == []


@pytest.mark.slow
@pytest.mark.parametrize("pack", PAIRED)
async def test_two_levels_are_the_union_of_both(homes: Homes, clock: SetClock, pack: str) -> None:
    async with world_of(homes, clock, ALL[pack]) as world:
        assert await compared(world, combinations(levels_of(world.network), 2), UNION) == []


@pytest.mark.slow
@pytest.mark.parametrize("pack", ALL)
async def test_the_pages_agree_with_the_reference(homes: Homes, clock: SetClock, pack: str) -> None:
    async with world_of(homes, clock, ALL[pack]) as world:
        assert await compared(world, sets_of(world.network), pages.CHECKS) == []
