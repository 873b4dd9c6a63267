"""A process that serves on a socket which its keeper has: it gets ready, waits for its turn, and goes when told."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

from admin.operations.serving import LeavingServer, config_of

WARM, SERVE, SERVING, LEAVE = b"warm\n", b"serve\n", b"serving\n", b"leave\n"
"""What a child says once it could serve, is told, says once it serves, and is told then; the line's end is LEAVE."""


def serve(line: socket.socket, listening: socket.socket, linger: float) -> int:
    """Load everything, wait for the word, serve until the keeper says so or is gone."""
    config = config_of()
    config.load()  # what costs time, before the turn: no network is opened by it
    line.sendall(WARM)
    try:
        if line.recv(len(SERVE)) != SERVE:
            return 0
    except KeyboardInterrupt:
        return 0
    server = LeavingServer(config, linger=linger)
    server.told = _telling(line, server)
    server.run(sockets=[listening])
    return 0


def _telling(line: socket.socket, server: LeavingServer) -> Callable[[], None]:
    """Return what tells the keeper that requests are answered, and listens to it from then on."""

    def listen() -> None:
        server.should_exit = True  # LEAVE, or the keeper is gone
        asyncio.get_running_loop().remove_reader(line)

    def tell() -> None:
        line.sendall(SERVING)
        asyncio.get_running_loop().add_reader(line, listen)

    return tell
