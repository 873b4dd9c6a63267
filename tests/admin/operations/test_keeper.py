"""The keeper of a socket outlives what goes wrong with its processes, and none of them outlives it."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from structlog.testing import capture_logs
from structlog.typing import EventDict

from admin.operations.keeper import Keeper
from admin.operations.serving import listening

pytestmark = pytest.mark.anyio

CHILD = """#!{python} -S
import os, signal, sys
line, stays = int(sys.argv[sys.argv.index("--child") + 1]), {stays!r}
os.write(line, b"warm\\n")
if os.read(line, 6) == b"serve\\n":
    os.write(line, b"serving\\n")
    os.read(line, 6)
    while os.path.exists(stays):
        signal.pause()
"""
"""Speaks with a keeper as a process that serves does; it goes when told, or where a file says so when it is killed."""


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not true():  # noqa: ASYNC110 - there is no event for it
            await asyncio.sleep(0)


@pytest.fixture
def stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Another program than Python, and the file that says that it stays when it is told to go."""
    program, file = tmp_path / "python", tmp_path / "stays"
    program.write_text(CHILD.format(python=sys.executable, stays=str(file)), "utf-8")
    program.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(program))
    return file


@asynccontextmanager
async def keeping() -> AsyncIterator[tuple[Keeper, asyncio.Task[int], list[EventDict]]]:
    """A keeper whose process serves, its work, and what was logged."""
    with listening("127.0.0.1", 0) as place, capture_logs() as logged:
        keeper = Keeper(place, 1, alone=True, linger=0.0)
        task = asyncio.create_task(keeper.keep())
        await until(lambda: any(each["event"] == "serving" for each in logged))
        yield keeper, task, logged


async def test_where_no_process_can_be_started_the_one_that_serves_stays(stays: Path) -> None:
    async with keeping() as (keeper, task, logged):
        (serving,) = keeper.children
        await asyncio.to_thread(stays.with_name("python").unlink)  # an update takes the program away just now
        os.kill(os.getpid(), signal.SIGHUP)
        await until(lambda: any("no new one came up" in each["event"] for each in logged))
        assert keeper.children == [serving]
        assert not task.done()
        os.kill(os.getpid(), signal.SIGTERM)
        assert await task == 0
        assert serving.process.returncode == 0


async def test_where_no_process_can_be_started_at_first_the_keeper_ends(stays: Path) -> None:
    stays.with_name("python").unlink()
    with listening("127.0.0.1", 0) as place, capture_logs() as logged:
        assert await Keeper(place, 1, alone=True, linger=0.0).keep() == 1
    assert [each["event"] for each in logged] == ["no process serves"]


async def test_a_keeper_that_ends_in_a_replacement_waits_for_both_processes(stays: Path) -> None:
    async with keeping() as (keeper, task, _):
        (old,) = keeper.children
        await asyncio.to_thread(stays.touch)
        os.kill(os.getpid(), signal.SIGHUP)
        await until(lambda: old.leaving)
        os.kill(os.getpid(), signal.SIGTERM)
        await until(lambda: len(keeper.children) != 1)
        assert keeper.children[0] is old
        assert not task.done()
        (new,) = keeper.children[1:]
        old.process.kill()
        assert await task == 0
        assert [old.process.returncode, new.process.returncode] == [-signal.SIGKILL, 0]
