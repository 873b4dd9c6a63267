"""Sending text messages: the transport as a port, and a provider over HTTP behind it."""

from __future__ import annotations

import json
import math
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar, Protocol

from models.message import say
from workflows.calling import Caller, CallError, HttpCaller, target_of
from workflows.hooks import PREFIX, signature
from workflows.mail import SendError
from workflows.sending import Line, Sending

MOST_PARTS = 10
"""So many parts a text message has at most."""
_LATER = frozenset({408, 425, 429})
"""Answers after which another try may be taken."""
_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
"""The alphabet of GSM 03.38, a septet each."""
_EXTENDED = frozenset("\f^{}\\[~]|€")
"""Those behind an escape: two septets."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What a text costs: its alphabet, its length in that alphabet's units, and the parts that it is sent in."""

    alphabet: str
    length: int
    parts: int


def parts_of(text: str) -> Parts:
    """Return what a text costs: 160 septets of GSM-7 or 70 units of UCS-2 in one part, 153 or 67 in each of several."""
    if set(text) <= _BASIC | _EXTENDED:
        return _counted("GSM-7", len(text) + sum(letter in _EXTENDED for letter in text), 160, 153)
    return _counted("UCS-2", len(text.encode("utf-16-be")) // 2, 70, 67)


def _counted(alphabet: str, length: int, alone: int, each: int) -> Parts:
    return Parts(alphabet, length, 1 if length <= alone else math.ceil(length / each))


@dataclass(frozen=True, slots=True)
class TextMessage:
    """A text message: `id` stays the same however often it is sent, `number` is as E.164 has it."""

    id: str
    number: str
    text: str
    at: datetime


class SmsTransport(Protocol):
    """The way to telephones."""

    async def send(self, message: TextMessage) -> None:
        """Hand a message to the provider; `SendError` when it was not taken."""
        ...


@dataclass(frozen=True, slots=True)
class HttpSms:
    """A provider over HTTP: each message is a POST of `{"id", "to", "text", "from"}`; whatever is 2xx took it.

    `token` is sent as a bearer; with a `secret` (`whsec_…`) calls are signed as web hooks are. `webhook-id` is the
    message's, so that a provider can tell a repetition.
    """

    url: str
    token: str = field(default="", repr=False)
    secret: str = field(default="", repr=False)
    sender: str = ""
    caller: Caller = field(default_factory=lambda: HttpCaller(permitted=lambda _: True), repr=False)

    def __post_init__(self) -> None:
        """Look at the address and the secret; `ValueError` says what is wrong."""
        try:
            target_of(self.url)
        except CallError:
            raise ValueError("MAILLE_SMS_URL is the address of a provider: https://…") from None
        if self.secret and not self.secret.startswith(PREFIX):
            raise ValueError(f"MAILLE_SMS_SECRET begins with {PREFIX}.")

    async def send(self, message: TextMessage) -> None:
        """Call the provider; without an answer it is unknown whether the message was taken."""
        said = {"id": message.id, "to": message.number, "text": message.text}
        body = json.dumps({**said, "from": self.sender} if self.sender else said, ensure_ascii=False)
        timestamp = int(message.at.timestamp())
        headers = {"webhook-id": message.id, "webhook-timestamp": str(timestamp)}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        if self.secret:
            headers["webhook-signature"] = signature(self.secret, message.id, timestamp, body)
        try:
            await self.caller.call(self.url, headers, body.encode())
        except CallError as error:
            refused = error.status is not None and 400 <= error.status < 500 and error.status not in _LATER
            raise SendError(str(error), permanent=error.permanent or refused, uncertain=error.uncertain) from error


@dataclass(frozen=True, slots=True)
class Texting(Sending[TextMessage]):
    """Sends one network's text messages over a transport."""

    transport: SmsTransport
    said: ClassVar[str] = say("The provider said: {reason}")
    away: ClassVar[str] = say("The provider cannot be reached: {reason}")

    def open(self) -> AbstractAsyncContextManager[Line[TextMessage]]:
        """Return the transport: each message is a call of its own."""
        return _opened(self.transport)

    def message_id(self, mail: str) -> str:
        """Return the id that the provider knows the message by."""
        return mail

    def compose(self, found: Sequence[str | None], message_id: str, now: datetime) -> TextMessage:
        """Return the message: its text and nothing else."""
        return TextMessage(message_id, found[2] or "", found[7] or "", now)


@asynccontextmanager
async def _opened(transport: SmsTransport) -> AsyncIterator[SmsTransport]:
    yield transport
