"""Real deaths: a share of the swept points, each in a process that is killed there."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from datetime import datetime
from pathlib import Path

from models.stores import Schema
from tests.workflows.kills.account import Account
from tests.workflows.kills.death import Side
from tests.workflows.kills.play import Play
from tests.workflows.kills.sweep import Stage, finish

ROOT = Path(__file__).resolve().parents[3]


async def killed(stage: Stage, name: str, at: int, side: Side, whole: Account) -> tuple[Account | None, list[str]]:
    """Play a scene in a process that is killed at a point; return its account and what is wrong, None for no death."""
    async with stage.play(name) as play:
        told = {"scene": name, "known": play.known, "at": at, "side": side, "mailbox": stage.outside.mailbox.url}
        ports = {"calls": stage.outside.calls.port, "texts": stage.outside.texts.port}
        home = play.home
        where = (str(home.url), home.name, str(home.files)) if isinstance(home, Schema) else (str(home), "", "")
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.workflows.kills.child", *where, json.dumps({**told, **ports})),
            cwd=ROOT,
            stdout=asyncio.subprocess.PIPE,
        )
        said, _ = await process.communicate()
        if process.returncode == 0:
            return None, []
        assert process.returncode == -signal.SIGKILL
        _catch_up(play, said.decode().splitlines()[-1])
        found, wrong = await finish(play, whole)
    return found, [f"{name}, killed {side} point {at}: {each}" for each in wrong]


def _catch_up(play: Play, last: str) -> None:
    """Know what the process said before it was killed, and nothing else."""
    at, acknowledged, moment = last.split(" ")
    play.course.at, play.course.acknowledged, play.course.deaths = int(at), acknowledged == "1", 1
    play.clock.moment = datetime.fromisoformat(moment)
