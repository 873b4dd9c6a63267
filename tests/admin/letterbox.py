"""A way out for mails that ends in a list."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage

from tests.admin.office import Office
from workflows.worker import Worker


@dataclass
class Letterbox:
    """A transport that keeps what is sent."""

    address: str = "bureau@exemple.fr"
    bounces: str = ""
    letters: list[EmailMessage] = field(default_factory=list)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Letterbox]:
        """Return a session."""
        yield self

    async def send(self, message: EmailMessage) -> None:
        """Keep the mail."""
        self.letters.append(message)


async def delivered(office: Office) -> list[EmailMessage]:
    """Do all that is due and return the mails that left, the latest last."""
    box = Letterbox()
    await Worker(office.tenant, box).run_due()
    return box.letters


def text_of(letter: EmailMessage) -> str:
    """Return what a mail says without HTML."""
    body = letter.get_body(("plain",))
    assert body is not None
    return str(body.get_content())
