"""Signing in and staying signed in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from models.actor import Actor
from models.tenant import Tenant

IDLE = timedelta(minutes=20)


@dataclass(frozen=True, slots=True)
class Session:
    """A session of a member; `id` is what is stored (a hash), never what the browser holds."""

    id: str
    member: str
    csrf: str
    created_at: datetime
    seen_at: datetime
    ip: str | None
    agent: str


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A sign-in that worked: `token` goes into the cookie and is stored nowhere."""

    token: str
    session: Session
    actor: Actor


@dataclass(frozen=True, slots=True)
class Refusal:
    """A sign-in that did not: the wrong e-mail or password (never which), or too many tries, until `until`."""

    reason: Literal["credentials", "too_many"]
    until: datetime | None = None


async def set_password(tenant: Tenant, member: str, password: str) -> None:
    """Give a member a password (at least 10 characters: `InvalidError`) and end the member's sessions."""
    raise NotImplementedError


async def sign_in(
    tenant: Tenant,
    email: str,
    password: str,
    *,
    ip: str | None,
    agent: str = "",
    new_token: Callable[[], str] | None = None,
    previous: str | None = None,
) -> SignedIn | Refusal:
    """Check the password, log the try, open a session and end the one of the token `previous`.

    An unknown e-mail takes as long as a wrong password. The hash is computed in a thread.
    """
    raise NotImplementedError


async def resume(tenant: Tenant, token: str, *, ip: str | None, idle: timedelta = IDLE) -> tuple[Session, Actor] | None:
    """Return the session of a cookie's token and who acts in it; None when there is none, or it was idle too long."""
    raise NotImplementedError


async def sign_out(tenant: Tenant, token: str) -> None:
    """End the session of the token."""
    raise NotImplementedError


async def sessions(tenant: Tenant, member: str) -> list[Session]:
    """Return a member's open sessions, the latest first."""
    raise NotImplementedError


async def revoke(tenant: Tenant, member: str, session: str | None = None) -> int:
    """End one session of a member (by `Session.id`), or all; return how many."""
    raise NotImplementedError
