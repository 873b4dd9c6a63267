"""Sending mail: the transport as a port, and SMTP behind it."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Protocol


class SendError(Exception):
    """The mail could not be handed over; `permanent` when trying again would not help."""

    def __init__(self, reason: str, *, permanent: bool = False) -> None:
        """Keep what the other side said."""
        self.permanent = permanent
        super().__init__(reason)


class Session(Protocol):
    """An open connection; nothing about any message has been said on it before `send`."""

    async def send(self, message: EmailMessage) -> None:
        """Hand the message over; `SendError` when that was refused."""
        ...


class Transport(Protocol):
    """The way out of the house. `address` is the network's own, which its mails come from."""

    address: str

    def open(self) -> AbstractAsyncContextManager[Session]:
        """Connect; `SendError` (never permanent) when that is not possible now."""
        ...


@dataclass(frozen=True, slots=True)
class SmtpTransport:
    """SMTP by URL: `smtp://user:password@host:port?from=office@example.org&starttls=required`, or `smtps://…`."""

    url: str
