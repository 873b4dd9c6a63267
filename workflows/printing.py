"""Making the documents that runs ask for: beside everything else, in a process of its own, bounded in all it may use.

A run waits for its document and takes it when it is made or has failed; one that is over meanwhile takes none.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any, Protocol

from models.actor import SYSTEM
from models.attachment import Attachment
from models.contents import Limits
from models.message import Message, say
from models.system import DOCUMENT, FILE
from models.tenant import Tenant
from models.tx import Tx
from models.values import ValueRefusedError
from workflows import outbox, runs
from workflows.layout import brand
from workflows.outbox import LeaseLostError, Row
from workflows.stored import dump, dump_message, moment, must_moment, read_message
from workflows.templates import Filled
from workflows.typesetting import TOO_LONG, Sheet, source_of
from workflows.unit import Unit, open_unit

PROGRAM = Path(__file__).with_name("press.py")
TIMEOUT = 20.0
"""Seconds that a document may take, waiting for a processor included."""
_BOUNDS = Limits()
_FIND = """SELECT d."language", d."subject", d."body", d."at", r."state", r."cursor" FROM "_document" d
JOIN "_run" r ON r."id" = d."run" WHERE d."id" = ? AND d."state" = 'waiting'"""
_MADE = """UPDATE "_document" SET "state" = 'made', "file" = ? WHERE "id" = ? AND "state" = 'waiting'"""
_FAILED = """UPDATE "_document" SET "state" = 'failed', "body" = '', "error" = ? WHERE "id" = ?
AND "state" = 'waiting'"""
_KNOWN = 'UPDATE "_file" SET "loose_at" = NULL WHERE "sha" = ?'

STOPPED = say("Its workers stopped in the middle of it, again and again.")


class PressError(Exception):
    """A document that cannot be made; the sentence says why. `permanent`: nor when it is tried again."""

    def __init__(self, message: Message, *, permanent: bool = False) -> None:
        """Keep the sentence."""
        self.message = message
        self.permanent = permanent
        super().__init__(str(message))


class Press(Protocol):
    """What makes a PDF of Typst's source; `room` is held meanwhile, by one at a time, whatever the network."""

    @property
    def room(self) -> asyncio.Semaphore:
        """Who waits for it has not begun yet: its row is looked at once it is its turn."""
        ...

    async def set(self, source: str, at: datetime) -> bytes:
        """Return the document, dated `at`; `PressError`."""
        ...


@dataclass(frozen=True, slots=True)
class TypstPress:
    """Typst in a process of its own."""

    timeout: float = TIMEOUT
    room: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(1))

    async def set(self, source: str, at: datetime) -> bytes:
        """Return the document; the process is gone when this returns, whatever happens."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", str(PROGRAM), str(int(at.timestamp()))),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={},
            cwd="/",
        )
        try:
            async with asyncio.timeout(self.timeout):
                made, said = await process.communicate(source.encode())
        except TimeoutError:
            raise PressError(say("The document takes too long to be made."), permanent=True) from None
        finally:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
        if process.returncode == 0:
            return made
        if TOO_LONG.encode() in said:
            raise PressError(say("The document has too many pages."), permanent=True)
        reason = said.decode(errors="replace")[:300] or f"exit {process.returncode}"
        raise PressError(say("The document could not be made: {reason}", reason=reason))


@dataclass(frozen=True, slots=True)
class Wanted:
    """A document to be made."""

    sheet: Sheet
    body: str
    at: datetime


async def ask(unit: Unit, document: str, run: runs.Run, template: str, language: str, filled: Filled) -> None:
    """Keep what a document is to say, and have it made."""
    row = [document, moment(unit.now), run.entity, run.record, run.id, template, language]
    await unit.tx.run(DOCUMENT.insert(), [*row, filled.subject, filled.body, "waiting", None, None])
    await outbox.enqueue(unit, "document", {"document": document}, None, f"document:{document}")


@dataclass(frozen=True, slots=True)
class Printing:
    """Makes one network's documents."""

    tenant: Tenant
    rng: Random
    press: Press

    async def make(self, rows: Sequence[Row]) -> None:
        """Make the documents that the claimed rows ask for, one after the other."""
        for row in rows:
            await self._one(row)

    async def _one(self, row: Row) -> None:
        document = row.payload["document"]
        with suppress(LeaseLostError):  # somebody else makes it
            try:
                if row.attempts > row.max_attempts:
                    raise PressError(STOPPED, permanent=True)  # noqa: TRY301 - one place says what came of it
                async with self.press.room:
                    wanted = await self._look(row, document)
                    made = None if wanted is None else await self._set(wanted)
                if wanted is not None and made is not None:
                    await self._keep(row, document, made, wanted.sheet.title)
            except PressError as error:
                await self._fail(row, document, error)
            except ValueRefusedError as error:
                await self._fail(row, document, PressError(error.message, permanent=True))
            except LeaseLostError:
                raise
            except Exception as error:  # noqa: BLE001 - a document that cannot be set must not keep the others back
                await self._fail(row, document, PressError(say("{reason}", reason=error)))

    async def _set(self, wanted: Wanted) -> bytes:
        return await self.press.set(source_of(wanted.body, wanted.sheet), wanted.at)

    async def _look(self, row: Row, document: str) -> Wanted | None:
        """Return what is to be made; None when nobody waits for it any more."""
        now = self.tenant.clock.now()

        async def work(tx: Tx) -> Wanted | None:
            if not await outbox.extend(tx, row, now):
                raise LeaseLostError(row.id)
            found = await tx.row(_FIND, [document])
            if found is None or found[4] != "waiting" or json.loads(found[5] or "{}").get("awaits") != document:
                await outbox.complete(tx, row, now)
                return None
            network = self.tenant.published.network
            author = network.label.pick(found[0], *network.languages)
            sheet = Sheet(found[1], author, found[0], brand(network.hue))
            return Wanted(sheet, found[2], must_moment(found[3]))

        return await self.tenant.store.write(work)

    async def _keep(self, row: Row, document: str, made: bytes, title: str) -> None:
        """Keep the document as a content, and let its run go on."""

        async def source() -> AsyncIterator[bytes]:
            yield made

        contents = self.tenant.contents
        if contents.folder is None:
            raise PressError(say("This installation has no folder for files."), permanent=True)
        name = title.removesuffix(".pdf") or "document"
        async with contents.taking(source(), f"{name}.pdf", _BOUNDS) as taken:
            file = taken.value

            async def work(tx: Tx) -> None:
                if await tx.row('SELECT 1 FROM "_file" WHERE "sha" = ?', [file.sha]) is None:
                    await tx.run(FILE.insert(), [file.sha, file["size"], moment(self.tenant.clock.now()), None])
                await tx.run(_KNOWN, [file.sha])
                await tx.run(_MADE, [dump(file), document])
                await outbox.complete(tx, row, self.tenant.clock.now())
                await _wake(open_unit(self.tenant, tx, SYSTEM), document)

            await contents.place(taken)  # before its row: after a crash no record names what is not there
            await self.tenant.store.write(work)
            await contents.place(taken)  # and after it: who removes contents looks at the rows last

    async def _fail(self, row: Row, document: str, error: PressError) -> None:
        now = self.tenant.clock.now()

        async def work(tx: Tx) -> None:
            if await outbox.fail(tx, row, now, str(error), self.rng, permanent=error.permanent):
                await tx.run(_FAILED, [dump_message(error.message), document])
                await _wake(open_unit(self.tenant, tx, SYSTEM), document)

        await self.tenant.store.write(work)


async def _wake(unit: Unit, document: str) -> None:
    """Let the run that waits for the document go on."""
    found = await unit.tx.row('SELECT "run" FROM "_document" WHERE "id" = ?', [document])
    run = None if found is None else await runs.load(unit.tx, found[0])
    if run is not None and run.state == "waiting" and run.cursor.get("awaits") == document:
        await runs.wake(unit, run)


@dataclass(frozen=True, slots=True)
class Made:
    """What became of a document: its file, or why there is none; neither while it is being made, or where it is not.

    `waiting` says which of the two it is.
    """

    file: Attachment | None = None
    error: Message | None = None
    waiting: bool = False


async def made(tx: Tx, document: str) -> Made:
    """Return what became of a document that was asked for."""
    row = await tx.row('SELECT "file", "error", "state" FROM "_document" WHERE "id" = ?', [document])
    if row is None:
        return Made(error=say("The document is gone."))
    file = None if row[0] is None else Attachment(json.loads(row[0]))
    return Made(file, read_message(row[1]), waiting=row[2] == "waiting")


async def leave_out(unit: Unit, payload: Mapping[str, Any]) -> None:
    """Let the run go on without its document: what is only tried out makes none."""
    await taken(unit.tx, payload["document"])
    await _wake(unit, payload["document"])


async def taken(tx: Tx, document: str) -> None:
    """Note that a record has the document now; what it says is in the file alone."""
    await tx.run("""UPDATE "_document" SET "state" = 'done', "body" = '' WHERE "id" = ?""", [document])
