"""What a process had claimed that is gone is done within seconds; one that comes back has lost it."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg  # type: ignore[import-untyped] # it has no types
import pytest

from models.presence import SIGNS, Presence, sign
from models.stores import Schema
from tests.homes import Homes, homes_of
from tests.poolers import pooled
from tests.workflows.conftest import MakeStage, Stage
from tests.workflows.test_outbox import ask, claimed
from workflows import orphans, outbox
from workflows.outbox import LEASE, LeaseLostError

pytestmark = [pytest.mark.anyio, pytest.mark.postgres]

ROOT = Path(__file__).resolve().parents[2]
KEY = 7_000_000
ENDED = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND classid = $1 AND objid = $2"


@pytest.fixture
async def homes(postgres: str, tmp_path: Path) -> AsyncIterator[Homes]:
    """Homes that several processes may use."""
    async with homes_of(tmp_path, postgres) as found:
        yield found


@pytest.fixture
async def other(postgres: str) -> AsyncIterator[Any]:
    """A connection beside those of this process."""
    connection = await asyncpg.connect(postgres)
    yield connection
    await connection.close()


@pytest.fixture
async def here(make_stage: MakeStage) -> Stage:
    """A network in which this process is seen to live, with a piece of work that is due."""
    made = await make_stage()
    await made.worker.run_due()
    made.tenant.changed.clear()
    await present(made, 1)
    await ask(made.tenant)
    return made


async def present(stage: Stage, session: int) -> None:
    """Wait until others see that this process lives."""
    async with asyncio.timeout(30):
        while (found := stage.tenant.store.presence) is None or found.session < session:
            stage.tenant.changed.clear()
            await stage.tenant.changed.wait()


async def later(stage: Stage, by: timedelta) -> str:
    """Do what is due a while later; return the state of the piece of work."""
    stage.clock.forward(by)
    await stage.worker.run_due()
    [(state,)] = await stage.rows("_outbox", "state", where="\"kind\" = 'check'")
    return str(state)


async def claimed_by(stage: Stage, other: Any) -> outbox.Row:
    """Claim the work as a process that is seen to live by a connection."""
    await other.execute(sign(KEY, other.get_server_pid()))
    [row] = await claimed(stage.tenant, f"worker:@{KEY}:1")
    return row


async def gone(other: Any, key: int) -> None:
    """Wait until nobody holds a sign of life."""
    async with asyncio.timeout(30):
        await other.execute(f"SELECT pg_advisory_lock({SIGNS}, {key}), pg_advisory_unlock({SIGNS}, {key})")


async def test_the_work_of_a_process_that_is_killed_goes_on_within_seconds(
    here: Stage, other: Any, homes: Homes
) -> None:
    home = homes("network0")
    assert isinstance(home, Schema)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.workflows.vanishing", homes.url or "", home.name),
        here.clock.now().isoformat(),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    said, states = process.stdout, []
    assert said is not None
    async with asyncio.timeout(60):
        assert await said.readline() == b"1\n"
    states += [await later(here, by) for by in (orphans.EVERY, orphans.MISSED, orphans.MISSED)]
    claims = await here.tenant.store.read(lambda tx: outbox.claims(tx, here.clock.now()))
    process.send_signal(signal.SIGKILL)
    assert await process.wait() == -signal.SIGKILL
    await gone(other, *claims.values())
    states += [await later(here, orphans.EVERY), await later(here, orphans.MISSED)]
    assert states == ["ready"] * 4 + ["done"]
    assert 4 * (orphans.EVERY + orphans.MISSED) < LEASE


async def test_who_was_slow_or_cut_off_and_comes_back_has_lost_it(here: Stage, other: Any) -> None:
    row = await claimed_by(here, other)
    assert await later(here, orphans.EVERY) == "ready"
    await other.execute(f"SELECT pg_advisory_unlock_shared({SIGNS}, {KEY})")
    assert await later(here, orphans.EVERY) == "ready"
    await other.execute(sign(KEY, other.get_server_pid()))  # back in time
    assert await later(here, orphans.MISSED) == "ready"
    await other.execute(f"SELECT pg_advisory_unlock_shared({SIGNS}, {KEY})")
    await later(here, orphans.EVERY)
    assert await later(here, orphans.MISSED) == "done"
    now = here.clock.now()
    assert not await here.tenant.store.write(lambda tx: outbox.extend(tx, row, now))
    with pytest.raises(LeaseLostError):
        await here.tenant.store.write(lambda tx: outbox.complete(tx, row, now))


async def test_after_the_database_was_away_everybody_has_the_time_to_come_back(here: Stage, other: Any) -> None:
    await claimed_by(here, other)
    await other.execute(f"SELECT pg_advisory_unlock_shared({SIGNS}, {KEY})")
    assert await later(here, orphans.EVERY) == "ready"
    own = here.tenant.store.presence
    assert own is not None
    await other.fetch(ENDED, SIGNS, own.key)
    await present(here, own.session + 1)
    assert here.tenant.store.presence == Presence(own.key, own.session + 1)
    assert await later(here, orphans.MISSED) == "ready"
    assert await later(here, orphans.MISSED) == "done"


async def test_a_claim_that_says_nothing_of_its_process_is_held_to_the_end_of_its_lease(here: Stage) -> None:
    await claimed(here.tenant, "worker:1")
    seconds = [await later(here, LEASE / 10) for _ in range(10)]
    assert seconds == ["ready"] * 9 + ["done"]


async def test_behind_a_pooler_that_lends_connections_nobody_is_said_to_live(postgres: str) -> None:
    taken = []
    async with pooled(postgres, 2) as address:
        for url in (address.url, address.direct):
            connection = await asyncpg.connect(url, statement_cache_size=0)
            taken.append(await connection.execute(sign(KEY + 1, connection.get_server_pid())))
            await connection.close()
    assert taken == ["SELECT 0", "SELECT 1"]
