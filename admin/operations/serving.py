"""A server that ends without a failed request: it goes on for a while, sends everybody elsewhere, then stops."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from threading import current_thread, main_thread
from time import monotonic

import uvicorn

from admin.operations.drain import STATE, Drain

APPLICATION = "server:app"
GRACE = 10
"""Seconds that requests which were begun have to be finished."""
KEEP_ALIVE = 5
"""Seconds that a connection on which nothing is asked is kept."""
QUIET = 1.0
"""Seconds that somebody who has just connected has to ask for something, once nobody else is let in."""
BACKLOG = 2048
"""Connections that wait in the kernel for a process to take them."""
_TICK = 0.02


class LeavingServer(uvicorn.Server):
    """Uvicorn's server, which tells when it serves, and which is left before it stops.

    Asked to end, it goes on for `linger` seconds: `/readyz` says so, each answer ends its connection, workers claim
    nothing more. A connection that was in use is over then: others were idle for as long as connections are
    kept at all. Then it takes no more connections, which wait in the kernel for another process on the same socket, and
    ends what was begun.
    """

    def __init__(self, config: uvicorn.Config, *, linger: float = 0.0, told: Callable[[], None] | None = None) -> None:
        """Serve as `config` says; `told` is called once requests are answered."""
        super().__init__(config)
        self.linger = linger
        self.told = told

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """End at a hang-up (SIGHUP) as at SIGTERM, unless whoever began the process has it overlooked."""
        with super().capture_signals():
            ends = current_thread() is main_thread() and signal.getsignal(signal.SIGHUP) is signal.SIG_DFL
            if ends:
                signal.signal(signal.SIGHUP, lambda _, frame: self.handle_exit(signal.SIGTERM, frame))
            try:
                yield
            finally:
                if ends:
                    signal.signal(signal.SIGHUP, signal.SIG_DFL)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to serve, and say so."""
        await super().startup(sockets)
        if self.started and self.told is not None:
            self.told()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop in the order of the class's promise; a second interrupt makes it short."""
        drain = self.lifespan.state.get(STATE)
        if isinstance(drain, Drain):
            drain.begin()
        await self._until(self.linger, lambda: False)
        for server in self.servers:
            server.close()
        await self._until(QUIET if self.linger else 0, lambda: not self.server_state.connections)
        await super().shutdown(sockets)

    async def _until(self, seconds: float, over: Callable[[], bool]) -> None:
        end = monotonic() + seconds
        while monotonic() < end and not over() and not self.force_exit:  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(_TICK)


def config_of(host: str = "127.0.0.1", port: int = 8000) -> uvicorn.Config:
    """Return how uvicorn serves the application; its own log is written as ours is."""
    return uvicorn.Config(
        APPLICATION,
        host=host,
        port=port,
        log_config=None,
        log_level="warning",
        access_log=False,
        backlog=BACKLOG,
        timeout_graceful_shutdown=GRACE,
        timeout_keep_alive=KEEP_ALIVE,
    )


def listening(host: str, port: int) -> socket.socket:
    """Return a socket that listens; `OSError` says why there is none."""
    (family, kind, _, _, address), *_ = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    made = socket.socket(family, kind)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(address)
        made.listen(BACKLOG)
    except BaseException:
        made.close()
        raise
    return made


def handed_over(environment: Mapping[str, str] = os.environ) -> int | None:
    """Return the descriptor of the socket that systemd hands over (`sd_listen_fds`), None without one."""
    mine = environment.get("LISTEN_PID") == str(os.getpid())
    return 3 if mine and environment.get("LISTEN_FDS") == "1" else None
