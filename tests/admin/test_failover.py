"""The database's primary is killed and its standby takes its place, once; `make failover` does it again and again."""

from __future__ import annotations

import pytest

from tests.failover import rehearse

pytestmark = [pytest.mark.anyio, pytest.mark.slow, pytest.mark.postgres]


async def test_a_standby_that_takes_over_has_every_acknowledged_move() -> None:
    seen = await rehearse(kills=1, servers=1, workers=0, people=4, leads=12, seed=7)
    assert seen.problems == []
    assert seen.moves + seen.borne + seen.broken >= 48
    assert len(seen.outages) == 1
