"""Processes come and go behind a socket, and no request fails; one that dies is replaced."""

from __future__ import annotations

import os
import signal

import httpx
import pytest

from tests.admin.rolling import REPLACED, Kept, roll
from tests.admin.test_kill_server import furnish
from tests.homes import Homes

pytestmark = [pytest.mark.anyio, pytest.mark.slow]


async def replaced_and_ended(kept: Kept, process: int) -> None:
    """Kill the process that serves: another takes its place. Then ask the keeper to end."""
    os.kill(process, signal.SIGKILL)
    await kept.heard("a process ended by itself")
    async with httpx.AsyncClient(timeout=60) as http:  # it waits in the kernel until somebody takes it
        assert (await http.get(f"{kept.url}/readyz")).status_code == 200
    assert await kept.end() == 0


async def taken_along(kept: Kept, _: int) -> None:
    """Kill the keeper alone: its process ends too."""
    assert kept.process is not None
    kept.process.kill()
    await kept.process.wait()
    await kept.silence()


ENDS = {"sqlite": replaced_and_ended, "postgres": taken_along}
"""What happens then: neither depends on the database, so each is tried on one."""


async def test_processes_come_and_go_and_no_request_fails(homes: Homes) -> None:
    leads = await furnish(homes("small"), 1, 300)
    given = {"DATABASE_URL": homes.url or "", "MAILLE_SCHEMA_PREFIX": homes.prefix, "MAILLE_SECRET": "x" * 32}
    kept = Kept(homes.folder, given)
    load = await roll(kept, leads, 1)
    (replaced,) = kept.events(REPLACED)
    process = replaced["serving"]
    assert isinstance(process, int)
    assert process != replaced["gone"]
    assert load.failed == []
    assert set(load.answers) == {200}
    assert set(load.moved.values()) == {1}
    await ENDS[homes.dialect](kept, process)
