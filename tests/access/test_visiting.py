"""Who acts for somebody is one more relation: what is lent and no more, before its day and after the end nothing."""

from __future__ import annotations

import pytest

from models.clock import SetClock
from tests.access import pages, visiting
from tests.access.opening import world_of
from tests.access.packs import ALL
from tests.access.test_matrix import compared, levels_of
from tests.access.visiting import LENDER
from tests.homes import Homes

pytestmark = pytest.mark.anyio

OPEN = (visiting.rights, visiting.deeds, visiting.assistance)
SHUT = (visiting.before_its_day, visiting.after_its_end, visiting.taken_back)


@pytest.mark.slow
@pytest.mark.parametrize("pack", ["nested", "twisted", "suivi"])
async def test_who_acts_for_somebody_may_what_was_lent(homes: Homes, clock: SetClock, pack: str) -> None:
    async with world_of(homes, clock, ALL[pack]) as world:
        assert await compared(world, [(level,) for level in levels_of(world.network)], OPEN) == []


async def test_who_acts_for_a_reader_may_what_the_reader_may(homes: Homes, clock: SetClock) -> None:
    async with world_of(homes, clock, ALL["nested"]) as world:
        assert await compared(world, [("readers",)], OPEN) == []


@pytest.mark.slow
async def test_the_pages_of_an_office_tell_what_was_lent(homes: Homes, clock: SetClock) -> None:
    async with world_of(homes, clock, ALL["nested"]) as world:
        for level in ("readers", "mine_only"):
            await world.visit(LENDER, level)
            await pages.pages(world)
        assert world.differences == []


async def test_an_office_that_is_not_open_shows_and_changes_nothing(homes: Homes, clock: SetClock) -> None:
    async with world_of(homes, clock, ALL["nested"]) as world:
        assert await compared(world, [("leader",)], SHUT) == []
