"""The matrix notices when any check of the product is gone."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.clock import SetClock
from tests.access.opening import world_of
from tests.access.packs import ALL
from tests.access.removed import REMOVED, Removed
from tests.access.removed_offices import OFFICES
from tests.access.test_matrix import compared
from tests.homes import homes_of

pytestmark = [pytest.mark.anyio, pytest.mark.slow]


@pytest.mark.parametrize("removed", [*REMOVED, *OFFICES], ids=lambda removed: removed.name)
async def test_what_is_removed_is_noticed(
    tmp_path: Path, clock: SetClock, monkeypatch: pytest.MonkeyPatch, removed: Removed
) -> None:
    async with homes_of(tmp_path, None) as homes:
        removed.remove(monkeypatch)
        async with world_of(homes, clock, ALL[removed.pack]) as world:
            assert await compared(world, [(removed.level,)], [removed.noticed]) != []
