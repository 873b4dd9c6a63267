"""A process that plays a scene and is killed at one of its points: run by `killing.py`."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from pathlib import Path
from typing import NoReturn

from models.stores import Schema
from tests.workflows.conftest import Mailbox
from tests.workflows.kills.death import Death
from tests.workflows.kills.play import Outside, Play
from tests.workflows.kills.scenes import SCENES
from tests.workflows.receiver import Receiver


def end() -> NoReturn:
    """End as in a power cut."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("this is never reached")


async def live(where: str, schema: str, files: str, told: str) -> None:
    """Play what `told` says, and say each time that something was acknowledged or is over."""
    given = json.loads(told)
    outside = Outside(Mailbox(given["mailbox"]), Receiver(given["calls"]), Receiver(given["texts"]))
    home = Schema(where, schema, Path(files)) if schema else Path(where)
    play = Play(home, SCENES[given["scene"]], outside, given["known"])

    def tell() -> None:
        at = play.course.at, int(play.course.acknowledged), play.clock.now().isoformat()
        sys.stdout.write(f"{at[0]} {at[1]} {at[2]}\n")
        sys.stdout.flush()

    tell()
    await play.live(Death(given["at"], given["side"], end), tell)


if __name__ == "__main__":
    asyncio.run(live(*sys.argv[1:5]))
