"""Who acts for somebody is one more relation: what is lent and no more, and nothing after the end."""

from __future__ import annotations

import pytest

from models.clock import SetClock
from tests.access import pages
from tests.access.opening import world_of
from tests.access.packs import ALL
from tests.access.test_matrix import compared, levels_of
from tests.access.visiting import LENDER, rights
from tests.access.world import NAME
from tests.homes import Homes

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("pack", ["nested", "twisted"])
async def test_who_acts_for_somebody_may_what_was_lent(homes: Homes, clock: SetClock, pack: str) -> None:
    async with world_of(homes, clock, ALL[pack]) as world:
        assert await compared(world, [(level,) for level in levels_of(world.network)], [rights]) == []


@pytest.mark.slow
async def test_the_pages_of_an_office_tell_what_was_lent(homes: Homes, clock: SetClock) -> None:
    async with world_of(homes, clock, ALL["nested"]) as world:
        for level in ("readers", "mine_only"):
            await world.visit(LENDER, level)
            await pages.pages(world)
        assert world.differences == []


async def test_after_the_end_an_office_shows_nothing(homes: Homes, clock: SetClock) -> None:
    async with world_of(homes, clock, ALL["nested"]) as world:
        await world.visit(LENDER, "readers", days=-1)
        for row in world.rows("file"):
            for method in ("GET", "POST"):
                answer = await world.page(method, f"e/file/{row['id']}")
                assert (answer.status_code, answer.headers["location"]) == (303, f"/n/{NAME}/")
