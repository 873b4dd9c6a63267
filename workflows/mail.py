"""Sending mail: the transport as a port, and SMTP behind it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import getaddresses, parseaddr
from functools import lru_cache
from typing import Literal, Protocol, get_args
from urllib.parse import parse_qs, unquote, urlsplit

from aiosmtplib import SMTP, SMTPException, SMTPRecipientRefused, SMTPResponseException

from workflows import mime
from workflows.bounce_reports import says_nobody
from workflows.mail_account import LINES
from workflows.quota import Rate

StartTls = Literal["auto", "required", "never"]
TIMEOUT = 30.0
"""Seconds that the other side has for each answer."""
_COUNTS = ("connections", "minute", "hour")
_PLAIN = re.compile(r"[A-Za-z0-9._+-]+@[A-Za-z0-9.-]+\Z")
"""An address that needs no reading."""


class SendError(Exception):
    """The mail could not be handed over.

    `permanent`: trying again would not help. `uncertain`: the connection broke after the text had been said, so that it
    may have been taken or not. `unsaid`: the other side heard nothing of it. `nobody` is an address that the other side
    says there is not.
    """

    def __init__(
        self,
        reason: str,
        *,
        permanent: bool = False,
        uncertain: bool = False,
        unsaid: bool = False,
        nobody: str | None = None,
    ) -> None:
        """Keep what the other side said."""
        self.unsaid = unsaid
        self.nobody = nobody
        self.permanent = permanent
        self.uncertain = uncertain
        super().__init__(reason)


class Session(Protocol):
    """An open connection; nothing about any message has been said on it before `send`."""

    async def send(self, message: EmailMessage) -> Mapping[str, str] | None:
        """Hand the message over; `SendError` when that was refused.

        Return the addresses of copies that the other side says there are not, and how it says so.
        """
        ...


class Transport(Protocol):
    """The way out of the house. `address` is the network's own, which its mails come from."""

    @property
    def address(self) -> str:
        """The address that mails come from."""
        ...

    @property
    def bounces(self) -> str:
        """The address that mails which cannot be delivered come back to, with their own mark in it; "" for none."""
        ...

    def open(self) -> AbstractAsyncContextManager[Session]:
        """Connect; `SendError` (never permanent) when that is not possible now."""
        ...


@dataclass(frozen=True, slots=True)
class SmtpTransport:
    """SMTP by URL: `smtp://user:password@host:port?from=office@example.org&starttls=required`, or `smtps://…`.

    `starttls` is `auto` (when the server offers it), `required` or `never`. Without `from` the address is the
    user's, or `maille@` the host. What the account allows: `connections` (of a process), `minute` and `hour` (mails of
    all networks together). `bounces` is an address of ours whose mail is given to `maille bounce`.
    """

    url: str = field(repr=False)
    host: str = field(init=False)
    port: int | None = field(init=False)
    user: str | None = field(init=False)
    password: str | None = field(init=False, repr=False)
    tls: bool = field(init=False)
    starttls: StartTls = field(init=False)
    address: str = field(init=False)
    bounces: str = field(init=False)
    lines: int = field(init=False)
    rate: Rate = field(init=False)

    def __post_init__(self) -> None:
        """Read the URL; `ValueError` says what is wrong with it, without its password."""
        parts = urlsplit(self.url)
        options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        starttls = options.get("starttls", "auto")
        if parts.scheme not in {"smtp", "smtps"} or not parts.hostname or starttls not in get_args(StartTls):
            raise ValueError(
                "SMTP_URL is smtp://user:password@host:port or smtps://…, starttls auto, required or never."
            )
        if not all(options.get(name, "1").isdigit() for name in _COUNTS) or "0" in (options.get("connections"),):
            raise ValueError("SMTP_URL: connections, minute and hour are numbers.")
        user = unquote(parts.username) if parts.username else None
        own = user if user and "@" in user else f"maille@{parts.hostname}"
        read = {
            "host": parts.hostname,
            "port": parts.port,
            "user": user,
            "password": unquote(parts.password) if parts.password else None,
            "tls": parts.scheme == "smtps",
            "starttls": starttls,
            "address": options.get("from", own),
            "bounces": options.get("bounces", ""),
            "lines": int(options.get("connections", LINES)),
            "rate": Rate(int(options.get("minute", 0)), int(options.get("hour", 0))),
        }
        for name, value in read.items():
            object.__setattr__(self, name, value)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Session]:
        """Connect and sign in; leaving the context says goodbye, or hangs up when in trouble."""
        wanted: dict[str, bool | None] = {"auto": None, "required": True, "never": False}
        client = SMTP(
            hostname=self.host,
            port=self.port,
            username=self.user,
            password=self.password,
            use_tls=self.tls,
            start_tls=False if self.tls else wanted[self.starttls],
            timeout=TIMEOUT,
        )
        try:
            await client.connect()
        except Exception as error:  # whatever the other side sent instead of a welcome: nothing was said yet
            raise SendError(_reason(error)) from error
        try:
            yield SmtpSession(client)
            with suppress(SMTPException, OSError):
                await client.quit()
        finally:
            client.close()


class SmtpSession:
    """A connection to a server that knows us."""

    def __init__(self, client: SMTP) -> None:
        """Speak over a connected client."""
        self._client = client

    async def send(self, message: EmailMessage) -> Mapping[str, str]:
        """Say sender, recipients and text. Only a break after the text began leaves the fate of the message open."""
        nobody: dict[str, str] = {}
        sender = _address((mime.written(message, "Return-Path") or mime.written(message, "From"))[0])
        del message["Return-Path"]  # who delivers it writes it
        to, others = _addresses(message, "To"), _addresses(message, "Cc")
        utf8 = not all(address.isascii() for address in (sender, *to, *others))
        encoding = "utf-8" if utf8 else "ascii"
        content = mime.content(message, mime.SMTP_UTF8 if utf8 else mime.SMTP)
        try:
            await self._client.mail(sender, options=["SMTPUTF8"] if utf8 else [], encoding=encoding)
            for address in to:
                await self._client.rcpt(address, encoding=encoding)
            for address in others:
                try:
                    await self._client.rcpt(address, encoding=encoding)
                except SMTPResponseException as error:  # a copy that is refused does not keep the letter back
                    if _nobody(error) is not None:
                        nobody[address] = _reason(error)
        except (SMTPException, OSError) as error:
            await self._forget()
            answered = isinstance(error, SMTPResponseException)
            raise SendError(
                _reason(error), permanent=_permanent(error), unsaid=not answered, nobody=_nobody(error)
            ) from error
        try:
            await self._client.data(content)
        except SMTPResponseException as error:
            await self._forget()
            raise SendError(_reason(error), permanent=_permanent(error)) from error
        except (SMTPException, OSError) as error:
            raise SendError(_reason(error), uncertain=True) from error
        return nobody

    async def _forget(self) -> None:
        """Take back what was begun, so that the next message finds a clean connection."""
        with suppress(SMTPException, OSError):
            await self._client.rset()


def _addresses(message: EmailMessage, header: str) -> list[str]:
    found = mime.written(message, header)
    return found if all(map(_PLAIN.match, found)) else [address for _, address in getaddresses(found) if address]


def _address(written: str) -> str:
    return written if _PLAIN.match(written) else _named(written)


@lru_cache(maxsize=256)
def _named(written: str) -> str:
    """Return the address beside a name; many mails are from the same sender."""
    return parseaddr(written)[1]


def _permanent(error: Exception) -> bool:
    return isinstance(error, SMTPResponseException) and error.code >= 500


def _nobody(error: Exception) -> str | None:
    """Return the address that a server says there is not."""
    if not isinstance(error, SMTPRecipientRefused) or not _permanent(error):
        return None
    return str(error.recipient) if says_nobody(error.code, error.message) else None


def _reason(error: Exception) -> str:
    if isinstance(error, SMTPResponseException):
        return f"{error.code} {error.message}"
    return str(error) or type(error).__name__
