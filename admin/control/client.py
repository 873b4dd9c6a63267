"""The command line's side of the control door: through the running server, or on its own where there is none."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from admin.control.answers import EXPECTED, Refusal, RefusedError, plain, read_refusal, refusal
from admin.control.desk import Desk, Progress
from admin.control.operations import OPERATIONS
from admin.control.wire import LONGEST_LINE, read_message, short_path, written
from admin.i18n import spoken_language
from admin.networks import Networks
from admin.settings import Settings
from models.clock import Clock, SystemClock
from models.message import say
from models.tenant import uuid7
from models.tenants import visiting

GONE = say("The server went away before it answered. 'maille history' tells whether something was published.")


async def ask(
    settings: Settings, operation: str, given: Mapping[str, Any], progress: Progress, *, clock: Clock | None = None
) -> Any:
    """Return what the operation answers, as JSON has it; `RefusedError` with the reason when it is not done."""
    streams = await _connect(settings)
    if streams is None:
        return await _alone(settings, operation, given, progress, clock or SystemClock())
    reader, writer = streams
    try:
        writer.write(written({"operation": operation, "given": dict(given), "language": spoken_language()}))
        await writer.drain()
        return await _listen(reader, progress)
    except (ConnectionError, ValueError, TypeError):
        raise RefusedError(Refusal(GONE)) from None
    finally:
        writer.close()


async def _connect(settings: Settings) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
    """Return the way to the server over the data folder; None when none runs, or none is needed (PostgreSQL)."""
    if settings.database_url is not None:
        return None
    try:
        with short_path(settings.data) as path:
            return await asyncio.open_unix_connection(path, limit=LONGEST_LINE)
    except (FileNotFoundError, NotADirectoryError, ConnectionRefusedError):
        return None
    except PermissionError as error:
        sentence = say(
            "A server runs over {folder}, but for another user: {reason}.", folder=settings.data, reason=error.strerror
        )
        raise RefusedError(Refusal(sentence)) from error


async def _listen(reader: asyncio.StreamReader, progress: Progress) -> Any:
    while (message := await read_message(reader)) is not None:
        match message:
            case {"progress": [what, done, total]}:
                progress(what, done, total)
            case {"done": found}:
                return found
            case {"refused": said}:
                raise RefusedError(read_refusal(said))
            case {"failed": said}:
                raise RefusedError(Refusal(say("The server failed: {reason}", reason=said)))
    raise RefusedError(Refusal(GONE))


async def _alone(settings: Settings, operation: str, given: Mapping[str, Any], progress: Progress, clock: Clock) -> Any:
    """Do the operation here: the same function, over networks that this process opens itself."""
    networks = Networks(settings, clock=clock, new_id=uuid7, works=False)
    try:
        with visiting():
            return plain(await OPERATIONS[operation](Desk(networks, progress), given))
    except EXPECTED as error:
        raise RefusedError(refusal(error)) from error
    finally:
        await networks.close()
