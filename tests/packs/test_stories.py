"""Packs that people wrote from LANGUAGE.md alone, knowing nothing else, are lived with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from definitions.pack import load, read_folder
from models.clock import SetClock
from tests.homes import Homes
from tests.packs import agency_story, association_story, fieldwork_story
from tests.packs.living import Life, check_doors, life
from tests.workflows.conftest import Mailbox, mailbox

__all__ = ["mailbox"]
pytestmark = [pytest.mark.anyio, pytest.mark.slow]

Story = Callable[[Life], Awaitable[None]]
STORIES: dict[str, Story] = {
    "agency": agency_story.story,
    "association": association_story.story,
    "fieldwork": fieldwork_story.story,
}
HERE = Path(__file__).parent


@pytest.mark.parametrize("name", list(STORIES))
def test_the_pack_is_without_problem(name: str) -> None:
    assert [f"{each.place} {each.code}: {each.message}" for each in load(read_folder(HERE / name)).problems] == []


@pytest.mark.parametrize("name", list(STORIES))
async def test_every_way_is_gone_every_automation_runs_and_every_message_goes_out(
    name: str, homes: Homes, clock: SetClock, mailbox: Mailbox
) -> None:
    async with life(homes, clock, mailbox, read_folder(HERE / name)) as lived:
        await STORIES[name](lived)
        assert await lived.never() == {"transitions": set(), "automations": set(), "templates": set()}
        assert await lived.failed() == []
        await check_doors(lived)
