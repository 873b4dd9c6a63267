"""The keeper of a socket: processes that serve on it come and go, the socket stays, and no request finds nobody."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from admin.operations.child import LEAVE, SERVE, SERVING, WARM
from admin.operations.figures import SHARED
from admin.operations.serving import GRACE, QUIET

PATIENCE = 300.0
"""Seconds that a process has to get ready, and as many to open its networks."""
PAUSE = 1.0
"""Seconds before a process that ended by itself is replaced."""
SLACK = 20.0
"""Seconds beyond its own limits after which a process that does not end is killed."""
ROOT = Path(__file__).resolve().parents[2]

log = structlog.get_logger(__name__)


class NotServingError(Exception):
    """A process ended, or took too long, before it served."""


@dataclass(slots=True, eq=False)
class Child:
    """A process, the line to it, and whether it was told to leave."""

    process: asyncio.subprocess.Process
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    leaving: bool = False
    watch: asyncio.Task[None] | None = field(default=None, repr=False)

    async def says(self, word: bytes) -> None:
        """Wait until it says a word."""
        try:
            async with asyncio.timeout(PATIENCE):
                heard = await self.reader.readline()
        except (TimeoutError, ConnectionError):
            heard = b""
        if heard != word:
            raise NotServingError(f"process {self.process.pid} did not say {word.decode().strip()}")

    def tell(self, word: bytes) -> None:
        """Say a word to it."""
        with suppress(ConnectionError):
            self.writer.write(word)


class Keeper:
    """Keeps `count` processes serving on a socket. `alone`: one must be gone before another opens the networks."""

    def __init__(self, listening: socket.socket, count: int, *, alone: bool, linger: float) -> None:
        """Use `keep`; processes that are told to leave go on for `linger` seconds."""
        self.listening = listening
        self.count = count
        self.alone = alone
        self.linger = linger
        self.children: list[Child] = []
        self._renew = asyncio.Event()
        self._ended: asyncio.Queue[Child] = asyncio.Queue()
        self._folder = tempfile.mkdtemp(prefix="maille-figures-")

    async def keep(self) -> int:
        """Serve until a signal says to stop; at a hang-up (SIGHUP) each process is replaced by a new one."""
        stop, loop = asyncio.Event(), asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.set)
        loop.add_signal_handler(signal.SIGHUP, self._renew.set)
        working, stopped = asyncio.ensure_future(self._work()), asyncio.ensure_future(stop.wait())
        try:
            await asyncio.wait({working, stopped}, return_when=asyncio.FIRST_COMPLETED)
            if working.done() and (error := working.exception()) is not None:
                log.error("no process serves", reason=str(error))
                return 1
            return 0
        finally:
            for task in (working, stopped):
                task.cancel()
                with suppress(asyncio.CancelledError, NotServingError, OSError):
                    await task
            await asyncio.gather(*(self._leave(child) for child in self.children))
            shutil.rmtree(self._folder, ignore_errors=True)

    async def _work(self) -> None:
        for _ in range(self.count):
            await self._take(await self._begin())
        log.info("serving", processes=[child.process.pid for child in self.children])
        while True:
            renew = asyncio.ensure_future(self._renew.wait())
            ended = asyncio.ensure_future(self._ended.get())
            try:
                await asyncio.wait({renew, ended}, return_when=asyncio.FIRST_COMPLETED)
                if ended.done():
                    await self._again(ended.result())
                else:
                    self._renew.clear()
                    for child in list(self.children):
                        await self._replace(child)
            finally:
                renew.cancel()
                ended.cancel()

    async def _begin(self) -> Child:
        """Start a process that gets ready and waits for its turn."""
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                process = await asyncio.create_subprocess_exec(
                    *(sys.executable, "-P", "-m", "admin.cli.main", "serve", "--linger", str(self.linger)),
                    *("--child", str(theirs.fileno()), "--fd", str(self.listening.fileno())),
                    pass_fds=(theirs.fileno(), self.listening.fileno()),
                    env=self._environment(os.environ),
                )
            except OSError as error:
                ours.close()
                raise NotServingError(f"no process can be started: {error}") from error
        child = Child(process, *(await asyncio.open_connection(sock=ours)))
        child.watch = asyncio.create_task(self._watch(child))
        try:
            await child.says(WARM)
        except BaseException:
            await self._leave(child)
            raise
        return child

    def _environment(self, own: Mapping[str, str]) -> Mapping[str, str]:
        path = os.pathsep.join([str(ROOT), *filter(None, [own.get("PYTHONPATH")])])
        given = {"MAILLE_PROCESSES": str(self.count), **own}
        return {**given, "PYTHONPATH": path, SHARED: self._folder}

    async def _take(self, child: Child) -> None:
        """Let a process serve, and keep it; one that does not is let go."""
        child.tell(SERVE)
        try:
            await child.says(SERVING)
        except BaseException:
            await self._leave(child)
            raise
        self.children.append(child)

    async def _replace(self, old: Child) -> None:
        """Put a new process into the place of one; when the new one does not come up, the old one stays."""
        if old not in self.children:
            return
        try:
            new = await self._begin()
            if not self.alone:
                await self._take(new)
        except NotServingError as error:
            log.error("the process that serves is kept: no new one came up", reason=str(error))  # noqa: TRY400 - no trace
            return
        try:
            await self._leave(old)
        except asyncio.CancelledError:  # all are to go: those that are kept are seen to
            if self.alone:
                self.children.append(new)
            raise
        self.children.remove(old)
        if self.alone:
            try:
                await self._take(new)
            except NotServingError:
                await self._until_served()
        log.info("a process was replaced", gone=old.process.pid, serving=new.process.pid)

    async def _again(self, gone: Child) -> None:
        """Put another process into the place of one that ended by itself."""
        if gone not in self.children:
            return
        self.children.remove(gone)
        log.warning("a process ended by itself", process=gone.process.pid, code=gone.process.returncode)
        await self._until_served()

    async def _until_served(self) -> None:
        while True:
            try:
                await self._take(await self._begin())
            except NotServingError as error:
                log.error("no process serves in its place yet", reason=str(error))  # noqa: TRY400 - no trace
                await asyncio.sleep(PAUSE)
            else:
                return

    async def _watch(self, child: Child) -> None:
        """Notice the end of a process; what it counted stays, what it had under way does not."""
        await child.process.wait()
        from prometheus_client.multiprocess import mark_process_dead  # noqa: PLC0415 - it looks at the environment

        mark_process_dead(child.process.pid, self._folder)  # type: ignore[no-untyped-call] # it has no types
        child.writer.close()
        if not child.leaving:
            self._ended.put_nowait(child)

    async def _leave(self, child: Child) -> None:
        """Let a process go, and wait until it is gone; one that takes too long is killed."""
        if not child.leaving:
            child.leaving = True
            child.tell(LEAVE)
            if child.writer.can_write_eof():
                with suppress(OSError):
                    child.writer.write_eof()
        try:
            async with asyncio.timeout(self.linger + QUIET + GRACE + SLACK):
                await child.process.wait()
        except TimeoutError:
            log.warning("a process does not end and is killed", process=child.process.pid)
            with suppress(ProcessLookupError):
                child.process.kill()
            await child.process.wait()
        if child.watch is not None:
            await child.watch


def keep(listening: socket.socket, count: int, *, alone: bool, linger: float) -> int:
    """Keep processes serving on a socket until a signal says to stop; return the exit code."""

    async def kept() -> int:
        return await Keeper(listening, count, alone=alone, linger=linger).keep()

    return asyncio.run(kept())
