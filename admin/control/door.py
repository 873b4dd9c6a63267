"""The server's side of the control door."""

from __future__ import annotations

import asyncio
import os
import socket
from contextlib import suppress
from pathlib import Path
from typing import Any

import structlog

from admin.control.answers import EXPECTED, plain, refusal
from admin.control.desk import Desk
from admin.control.operations import OPERATIONS
from admin.control.wire import LONGEST_LINE, SOCKET, read_message, short_path, written
from admin.i18n import SOURCE_LANGUAGE, speaking, spoken
from admin.networks import Networks
from models.connections import FileLock
from models.message import say
from models.store import StoreBusyError
from models.tenants import visiting

log = structlog.get_logger(__name__)


class ControlDoor:
    """Listens on a socket in the data folder that only the server's own user may open.

    The first server over a folder has the door; further ones do without.
    """

    def __init__(self, networks: Networks) -> None:
        """Answer for `networks`."""
        self.networks = networks
        self._server: asyncio.Server | None = None
        self._lock: FileLock | None = None
        self._talks: set[asyncio.Task[None]] = set()

    @property
    def _folder(self) -> Path:
        return self.networks.settings.data

    async def open(self) -> None:
        """Begin to listen. A folder that can hold no socket is no reason not to serve: it is said, and that is all.

        On PostgreSQL nobody needs the door: any process may open a network.
        """
        if self.networks.settings.database_url is not None:
            return
        try:
            listening = await asyncio.to_thread(self._listen)
        except (OSError, StoreBusyError) as error:
            log.warning("no control door: the command line cannot reach this server", reason=str(error))
            return
        self._server = await asyncio.start_unix_server(self._meet, sock=listening, limit=LONGEST_LINE)

    def _listen(self) -> socket.socket:
        """Bind beside the final name, close it to others, then rename: nobody meets an open or a dead socket there."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self._lock = FileLock(self._folder / SOCKET)
        fresh = f"{SOCKET}.{os.getpid()}"
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            (self._folder / fresh).unlink(missing_ok=True)
            with short_path(self._folder, fresh) as path:
                listening.bind(path)
            (self._folder / fresh).chmod(0o600)
            (self._folder / fresh).rename(self._folder / SOCKET)
        except BaseException:
            listening.close()
            self._lock.release()
            raise
        return listening

    async def close(self) -> None:
        """Let nobody in any more; what is being answered is broken off."""
        if self._server is None or self._lock is None:
            return
        self._server.close()
        for talk in self._talks:
            talk.cancel()
        await asyncio.gather(*self._talks, return_exceptions=True)
        await self._server.wait_closed()
        (self._folder / SOCKET).unlink(missing_ok=True)
        self._lock.release()
        self._server = None

    def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talk = asyncio.get_running_loop().create_task(self._talk(reader, writer))
        self._talks.add(talk)
        talk.add_done_callback(self._talks.discard)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request."""
        try:
            message = await read_message(reader)
            if message is not None:
                with speaking(str(message.get("language", SOURCE_LANGUAGE))):
                    writer.write(written(await self._answer(message, writer)))
                await writer.drain()
        except (ValueError, TypeError, ConnectionError) as error:
            log.warning("the control door was asked something unreadable", reason=repr(error))
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def _answer(self, message: dict[str, Any], writer: asyncio.StreamWriter) -> dict[str, Any]:
        loop = asyncio.get_running_loop()

        def progress(what: str, done: int, total: int) -> None:
            loop.call_soon_threadsafe(writer.write, written({"progress": [what, done, total]}))

        operation = OPERATIONS.get(str(message.get("operation")))
        if operation is None:
            unknown = say("This server does not know that operation: it is of another version than the command.")
            return {"failed": spoken(unknown)}
        try:
            with visiting():
                found = await operation(Desk(self.networks, progress, serving=True), message.get("given") or {})
            return {"done": plain(found)}
        except EXPECTED as error:
            return {"refused": plain(refusal(error))}
        except Exception as error:
            log.exception("an operation failed", operation=message.get("operation"))
            return {"failed": f"{type(error).__name__}: {error}"}
