"""The way to the control door: a Unix domain socket in the data folder, and lines of JSON over it.

A request is `{"operation": …, "given": {…}}`. Answered are any number of `{"progress": [what, done, total]}`, then one
`{"done": …}`, `{"refused": {…}}` or `{"failed": …}`.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SOCKET = ".control"
LONGEST_LINE = 64 * 1024 * 1024
LONGEST_PATH = 100
"""Addresses of sockets are short (104 to 108 bytes, by system)."""


@contextmanager
def short_path(folder: Path, name: str = SOCKET) -> Iterator[str]:
    """Return an address of the socket that fits: for a folder far down, one through an open descriptor of it."""
    path = folder.resolve() / name
    if len(os.fsencode(path)) <= LONGEST_PATH:
        yield str(path)
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{descriptor}/{name}"
    finally:
        os.close(descriptor)


def written(message: dict[str, Any]) -> bytes:
    """Return a message as a line."""
    return json.dumps(message).encode("ascii") + b"\n"


async def read_message(reader: asyncio.StreamReader) -> dict[str, Any] | None:
    """Return the next message; None when the other side is gone. `ValueError` for what is none."""
    line = await reader.readline()
    if not line.endswith(b"\n"):
        return None
    message = json.loads(line)
    if not isinstance(message, dict):
        raise TypeError("a message is an object")
    return message
