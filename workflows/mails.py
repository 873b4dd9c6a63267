"""Lists of mails for the screens: administration sees all, others those about records that they may read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from models.actor import Actor
from models.message import Message
from models.tenant import Tenant

State = Literal["waiting", "sending", "sent", "failed", "unknown", "cancelled"]


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail, sent or not. `error` says why it failed; `may_retry` and `may_cancel` what the reader can do about it.

    `unknown`: the machine stopped while it was being sent, so it may have left or not; only a person sends it again.
    """

    id: str
    at: datetime
    entity: str | None
    record: str | None
    record_title: str
    run: str | None
    template: str
    language: str
    sender: str
    recipient: str
    recipient_member: str | None
    cc: tuple[str, ...]
    subject: str
    html: str
    text: str
    state: State
    hold_until: datetime | None
    attempts: int
    error: Message | None
    sent_at: datetime | None
    may_retry: bool
    may_cancel: bool


@dataclass(frozen=True, slots=True)
class Mails:
    """A page of mails, newest first; `next` goes into `before` for the page after, None at the end."""

    mails: tuple[Mail, ...]
    next: str | None
    counts: Mapping[State, int]


async def mails(
    tenant: Tenant, actor: Actor, *, state: State | None = None, before: str | None = None, limit: int = 50
) -> Mails:
    """Return a page of the mails that the actor may see, and how many there are in each state."""
    raise NotImplementedError


async def about(tenant: Tenant, actor: Actor, entity: str, id: str) -> list[Mail]:
    """Return the mails about a record, newest first; `NotFoundError` when the actor may not read it."""
    raise NotImplementedError


async def mail(tenant: Tenant, actor: Actor, id: str) -> Mail:
    """Return one mail; `NotFoundError` when there is none or the actor may not see it."""
    raise NotImplementedError
