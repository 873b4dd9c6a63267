"""Processes of the command line that begin at once: forked from one that has imported everything already."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import sys
from collections.abc import Mapping, Sequence
from multiprocessing.process import BaseProcess

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(
    [__name__, "admin.cli.serve", "admin.cli.worker", "admin.routes", "admin.operations.daily"]
)
"""Not `server`: it is made of the environment that it is imported in."""


class Forked:
    """One of them; what a process of `asyncio` can do, as far as it is asked for."""

    def __init__(self, process: BaseProcess) -> None:
        """Use `fork`."""
        self._process = process

    @property
    def returncode(self) -> int | None:
        """Its exit code, None while it lives."""
        return self._process.exitcode

    def kill(self) -> None:
        """Kill it as a power cut would."""
        self._process.kill()

    def terminate(self) -> None:
        """Ask it to end."""
        self._process.terminate()

    async def wait(self) -> int:
        """Wait for its end, and return its exit code."""
        await asyncio.to_thread(self._process.join)
        assert self._process.exitcode is not None
        return self._process.exitcode


async def fork(arguments: Sequence[str], environment: Mapping[str, str]) -> Forked:
    """Begin `maille` with these arguments, in this environment alone."""
    process = _FORKS.Process(target=_live, args=(list(arguments), dict(environment)), daemon=True)
    await asyncio.to_thread(process.start)  # the first one waits for the imports
    return Forked(process)


def _live(arguments: list[str], environment: Mapping[str, str]) -> None:
    from admin.cli.main import main  # noqa: PLC0415 - its commands are imported here, and not where processes are begun

    os.environ.clear()
    os.environ.update(environment)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    sys.exit(main(arguments))
