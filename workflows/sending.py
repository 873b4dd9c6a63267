"""Sending the mails that are due: each is marked before its first word is said, so none is sent twice unnoticed."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from functools import lru_cache
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from models.attachment import Attachment
from models.message import Message, say
from models.store import StoreError, StoreUnreachableError, UnknownError
from models.tenant import Tenant
from models.tx import Tx
from workflows import bounces, letters, mime, outbox
from workflows.bounces import return_path
from workflows.mail import SendError, Transport
from workflows.outbox import LeaseLostError, Row
from workflows.posting import OF_THE_HOUSE
from workflows.stored import dump_message, moment

_SELECT = """SELECT "state", "sender", "recipient", "cc", "reply_to", "subject", "html", "text", "message_id",
"attached", "unsubscribe", "template" FROM "_mail" WHERE "id" = ?"""
_SENDING = """UPDATE "_mail" SET "state" = 'sending', "message_id" = ?, "attempts" = "attempts" + 1, "hold_until" = NULL
WHERE "id" = ?"""
_SENT = """UPDATE "_mail" SET "state" = 'sent', "sent_at" = ?, "error" = NULL WHERE "id" = ?"""
_STATE = 'UPDATE "_mail" SET "state" = ?, "error" = ? WHERE "id" = ?'

PAUSES = (0.2, 1.0, 3.0, 6.0)
"""Seconds between tries to write down that a mail was sent, while the database is away."""
UNKNOWN = say("The server stopped while this was being sent: it may have arrived or not.")


M = TypeVar("M")
M_contra = TypeVar("M_contra", contravariant=True)


@dataclass(frozen=True, slots=True)
class Outgoing(Generic[M]):
    """A mail that is about to be sent."""

    row: Row
    id: str
    message: M
    attached: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True)
class _Marked:
    """A mail that was marked as being sent: its row as `_SELECT` has it."""

    found: Sequence[str | None]
    message_id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class _Said(Generic[M]):
    """A mail that was said, what went wrong, and which copies' addresses there are not."""

    outgoing: Outgoing[M]
    error: Exception | None = None
    nobody: Mapping[str, str] = field(default_factory=dict)

    @property
    def heard(self) -> bool:
        """Whether the other side may have heard of it."""
        return not (isinstance(self.error, SendError) and self.error.unsaid)


class Line(Protocol[M_contra]):
    """An open connection over which messages leave."""

    async def send(self, message: M_contra) -> Mapping[str, str] | None:
        """Hand the message over; `SendError` when that was refused. Return as `mail.Session.send` does."""
        ...


@dataclass(frozen=True, slots=True)
class Sending(Generic[M]):
    """Sends messages that are rows of `_mail`: what e-mails and text messages have in common."""

    tenant: Tenant
    rng: random.Random
    said: ClassVar[str] = say("The mail server said: {reason}")
    away: ClassVar[str] = say("The mail server cannot be reached: {reason}")

    def open(self) -> AbstractAsyncContextManager[Line[M]]:
        """Connect; `SendError` when that is not possible now."""
        raise NotImplementedError

    def message_id(self, mail: str) -> str:
        """Return the id of the mail's message: the same however often it is sent."""
        raise NotImplementedError

    def compose(self, found: Sequence[str | None], message_id: str, now: datetime) -> M:
        """Return the message of a row: its id, then what `_SELECT` names from the sender to the text, and the page."""
        raise NotImplementedError

    async def complete(self, outgoing: Outgoing[M]) -> None:
        """Add what takes time to find."""

    async def refused(self, tx: Tx, found: Sequence[str | None]) -> Message | None:  # noqa: ARG002 - others do
        """Return why a row of `_SELECT` is not to be sent at all, None when it is."""
        return None

    async def to_say(self, tx: Tx, found: Sequence[str | None]) -> Sequence[str | None]:  # noqa: ARG002 - others do
        """Return what of a row of `_SELECT` is said."""
        return found

    async def nobody(self, tx: Tx, mail: str, addresses: Mapping[str, str], now: datetime) -> None:
        """Note addresses that there are not, by how that was said."""

    async def send(self, rows: Sequence[Row], stop: asyncio.Event | None = None) -> int:
        """Send what the claimed rows ask for, over one connection; once `stop` is set, those not begun are left.

        Return of how many the other side heard, whatever it answered.
        """
        said = 0
        try:
            async with AsyncExitStack() as stack:
                session = await stack.enter_async_context(self.open())
                said = await self._through(session, rows, stop)
        except SendError as error:  # no connection: nothing was said about any of the mails that are left
            for row in rows:
                await self._give_back(row, str(error))
        return said

    async def _through(self, session: Line[M], rows: Sequence[Row], stop: asyncio.Event | None) -> int:
        """Send one after the other: while it is written down that one was sent, the next is marked, in one commit."""
        last: _Said[M] | None = None
        said = 0
        for at, row in enumerate(rows):
            if stop and stop.is_set():
                await self.tenant.store.write(lambda tx, left=rows[at:]: outbox.release(tx, left))  # type: ignore[misc] # the default binds the rows
                break
            outgoing, _ = await asyncio.gather(self._begin(row), self._end(last))
            last = None if outgoing is None else await self._say(session, outgoing)
            said += last is not None and last.heard
        await self._end(last)
        return said

    async def _begin(self, row: Row) -> Outgoing[M] | None:
        """Mark one mail and write its message; whatever goes wrong stays with this one, and nothing was said of it."""
        try:
            marked = await self._mark(row)
            return None if marked is None else await self._composed(row, marked)
        except LeaseLostError:  # another worker says what became of it
            return None
        except StoreError:  # the database went away: that is no fault of the mail's, of which nothing was said
            await self._return(row)
            return None
        except Exception as error:  # noqa: BLE001 - a mail that cannot even be written must not keep the others back
            await self._broke(row, error, "failed")
            return None

    async def _return(self, row: Row) -> None:
        """Let a mail of which nothing was said wait on; where that cannot be written down either, its lease ends."""
        with suppress(StoreError):
            await self.tenant.store.write(lambda tx: outbox.release(tx, [row]))

    async def _say(self, session: Line[M], outgoing: Outgoing[M]) -> _Said[M]:
        """Say a message, and return what came of it."""
        try:
            await self.complete(outgoing)
            nobody = await session.send(outgoing.message)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is kept with the mail
            return _Said(outgoing, error)
        return _Said(outgoing, None, nobody or {})

    async def _end(self, said: _Said[M] | None) -> None:
        """Write down what came of a mail."""
        if said is None:
            return
        try:
            if said.error is None:
                await self._sent_for_certain(said)
            elif isinstance(said.error, SendError):
                await self._not_sent(said.outgoing, said.error)
            else:
                await self._broke(said.outgoing.row, said.error, "unknown")
        except LeaseLostError:  # another worker says what became of it
            return
        except Exception as error:  # noqa: BLE001 - the same
            await self._broke(said.outgoing.row, error, "unknown")

    async def _broke(self, row: Row, error: Exception, state: str) -> None:
        """Keep what went wrong with a mail: its fate is unknown when its text may have been said."""
        now, mail = self.tenant.clock.now(), row.payload["mail"]
        reason = dump_message(say("This could not be sent: {reason}", reason=error))

        async def work(tx: Tx) -> None:
            found = await tx.row('SELECT "state" FROM "_mail" WHERE "id" = ?', [mail])
            await outbox.fail(tx, row, now, repr(error), self.rng, permanent=True)
            if found is not None:
                await tx.run(_STATE, [state if found[0] == "sending" else "failed", reason, mail])

        with suppress(LeaseLostError):
            await self.tenant.store.write(work)

    async def _mark(self, row: Row) -> _Marked | None:
        """Commit that the mail is being sent, and return what it says; None when it is not to be sent."""
        now = self.tenant.clock.now()

        async def work(tx: Tx) -> _Marked | None:
            if not await outbox.extend(tx, row, now):
                return None
            mail = row.payload["mail"]
            found = await tx.row(_SELECT, [mail])
            if found is None or found[0] not in ("waiting", "sending"):
                await outbox.complete(tx, row, now)
                return None
            if found[0] == "sending":  # whoever was sending it stopped in the middle
                await tx.run(_STATE, ["unknown", dump_message(UNKNOWN), mail])
                await outbox.complete(tx, row, now)
                return None
            why = await self.refused(tx, found)
            if why is not None:
                await tx.run(_STATE, ["failed", dump_message(why), mail])
                await outbox.complete(tx, row, now)
                return None
            message_id = found[8] or self.message_id(mail)
            await tx.run(_SENDING, [message_id, mail])
            return _Marked(await self.to_say(tx, found), message_id, now)

        return await self.tenant.store.write(work)

    async def _composed(self, row: Row, marked: _Marked) -> Outgoing[M]:
        """Write the message of a marked mail, outside of the transaction: writers do not wait for it."""
        found, mail = marked.found, row.payload["mail"]
        html, text = letters.opened(self.tenant.vault, mail, row.payload, (found[6] or "", found[7] or ""))
        message = self.compose((mail, *found[1:6], html, text, found[10]), marked.message_id, marked.at)
        return Outgoing(row, mail, message, tuple(map(Attachment, json.loads(found[9] or "[]"))))

    async def _sent_for_certain(self, said: _Said[M]) -> None:
        """Write down that a mail was sent, and wait a while for a database that went away: nobody else knows."""
        for pause in PAUSES:
            try:
                await self._sent(said)
            except (StoreUnreachableError, UnknownError):
                await asyncio.sleep(pause)
            else:
                return
        await self._sent(said)

    async def _sent(self, said: _Said[M]) -> None:
        now, outgoing = self.tenant.clock.now(), said.outgoing

        async def work(tx: Tx) -> None:
            await tx.run(_SENT, [moment(now), outgoing.id])
            await self.nobody(tx, outgoing.id, said.nobody, now)
            await outbox.complete(tx, outgoing.row, now)
            if "sealed" in outgoing.row.payload:  # what left was for its recipient alone
                await outbox.empty(tx, outgoing.row.id)

        try:
            await self.tenant.store.write(work)
        except LeaseLostError:  # another worker found it "sending" and called it unknown; we know better
            await self.tenant.store.write(lambda tx: tx.run(_SENT, [moment(now), outgoing.id]))

    async def _not_sent(self, outgoing: Outgoing[M], error: SendError) -> None:
        now, row = self.tenant.clock.now(), outgoing.row
        reason = dump_message(Message(self.said, {"reason": str(error)}))

        async def work(tx: Tx) -> None:
            if error.uncertain:
                await tx.run(_STATE, ["unknown", reason, outgoing.id])
                await outbox.complete(tx, row, now)
                return
            first = timedelta(seconds=row.payload["backoff"]) if "backoff" in row.payload else outbox.BACKOFF
            dead = await outbox.fail(tx, row, now, str(error), self.rng, permanent=error.permanent, first=first)
            await tx.run(_STATE, ["failed" if dead else "waiting", reason, outgoing.id])
            await self.nobody(tx, outgoing.id, {} if error.nobody is None else {error.nobody: str(error)}, now)

        await self.tenant.store.write(work)

    async def _give_back(self, row: Row, error: str) -> None:
        """Try again later; a mail of which nothing was said waits on, and says why."""
        now = self.tenant.clock.now()
        reason = dump_message(Message(self.away, {"reason": error}))

        async def work(tx: Tx) -> None:
            dead = await outbox.fail(tx, row, now, error, self.rng)
            state = "failed" if dead else "waiting"
            sql = """UPDATE "_mail" SET "state" = ?, "error" = ? WHERE "id" = ? AND "state" = 'waiting'"""
            await tx.run(sql, [state, reason, row.payload["mail"]])

        with suppress(LeaseLostError):
            await self.tenant.store.write(work)


@dataclass(frozen=True, slots=True)
class Post(Sending[EmailMessage]):
    """Sends one network's mails over a transport."""

    transport: Transport

    def open(self) -> AbstractAsyncContextManager[Line[EmailMessage]]:
        """Connect to the mail server."""
        return self.transport.open()

    def message_id(self, mail: str) -> str:
        """Return the id of the mail's message."""
        return f"<{mail}@{self.transport.address.rpartition('@')[2]}>"

    def compose(self, found: Sequence[str | None], message_id: str, now: datetime) -> EmailMessage:
        """Return the letter: text and HTML of the same words."""
        mail, sender, recipient, cc, reply_to, subject, html, text, page = found
        message = mime.letter()
        message["From"] = _from(_line(sender), self.transport.address)
        message["To"] = recipient
        copies = json.loads(cc or "[]")
        if copies:
            message["Cc"] = ", ".join(copies)
        if reply_to:
            message["Reply-To"] = reply_to
        message["Subject"] = _line(subject)
        message["Date"] = format_datetime(now)
        message["Message-ID"] = message_id
        if self.transport.bounces:
            message["Return-Path"] = return_path(self.tenant, self.transport.bounces, mail or "")
        message["Auto-Submitted"] = "auto-generated"
        if page is not None and page.startswith("https://"):  # one click, where mail programs offer it (RFC 8058)
            message["List-Unsubscribe"] = f"<{page}>"
            message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        mime.fill(message, text or "", html or "")
        return message

    async def refused(self, tx: Tx, found: Sequence[str | None]) -> Message | None:
        """Return why nothing goes to an address; letters about signing in are tried all the same."""
        return None if found[11] == OF_THE_HOUSE else await bounces.refusal(tx, found[2] or "")

    async def to_say(self, tx: Tx, found: Sequence[str | None]) -> Sequence[str | None]:
        """Leave out copies to addresses that nothing is sent to."""
        copies = json.loads(found[3] or "[]")
        gone = await bounces.marked(tx, copies)
        return [*found[:3], json.dumps([copy for copy in copies if copy not in gone]), *found[4:]] if gone else found

    async def nobody(self, tx: Tx, mail: str, addresses: Mapping[str, str], now: datetime) -> None:
        """Note addresses that the mail server says there are not."""
        for address, reason in addresses.items():
            await bounces.mark(tx, address, bounces.Bounce(reason, mail), now)

    async def complete(self, outgoing: Outgoing[EmailMessage]) -> None:
        """Add the files that go along; one that is gone will not come back."""
        for file in outgoing.attached:
            path = self.tenant.contents.path(file.sha)
            try:
                content = await asyncio.to_thread(path.read_bytes)
            except FileNotFoundError:
                raise SendError(f"{file.name}: not found", permanent=True, unsaid=True) from None
            main, _, sub = file.type.partition("/")
            outgoing.message.add_attachment(content, maintype=main, subtype=sub, filename=file.name)


@lru_cache(maxsize=256)
def _from(name: str, address: str) -> Any:
    """Return the header that says who writes: a text where it is plain, else what was read of it."""
    user, _, domain = address.rpartition("@")
    read = mime.WRITTEN.header_factory("From", Address(name, user, domain))
    return str(read) if str(read).isascii() else read


def _line(text: str | None) -> str:
    """Return a text without line breaks, which headers do not have."""
    return " ".join((text or "").split())
