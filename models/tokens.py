"""Tokens with which programs act for a member: stored by their hash, never wider than the member's own rights."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache

from models.actor import Actor
from models.connections import stored_datetime
from models.ddl import listed
from models.errors import InvalidError, NotFoundError
from models.members import actor_of, load_actor
from models.message import Message, say
from models.published import Published
from models.system import TOKEN
from models.tenant import Tenant
from models.tx import Row, Tx

PREFIX = "maille_"
"""What every token begins with, so that people and scanners know one when they see it."""
LONGEST = 80
MOST_DAYS = 366
MOST_TOKENS = 50
TOUCH = timedelta(minutes=1)
"""`last_used_at` is written at most so often."""

_COLUMNS = ("id", "member", "name", "levels", "created_at", "expires_at", "last_used_at")
_SELECT = f'SELECT {listed(_COLUMNS)} FROM "_token"'  # noqa: S608 - columns of ours
_TOKEN = listed(_COLUMNS, "t")
_OF_MEMBER = 'JOIN "member" m ON m."id" = t."member"'


@dataclass(frozen=True, slots=True)
class Token:
    """A token of a member; `levels` narrows those of the member, None: all that the member has."""

    id: str
    member: str
    name: str
    levels: tuple[str, ...] | None
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None

    def stale(self, now: datetime) -> bool:
        """Whether it is time to note that it was used."""
        return self.last_used_at is None or now - self.last_used_at > TOUCH


@dataclass(frozen=True, slots=True)
class Made:
    """A new token: `secret` is shown once and stored nowhere."""

    secret: str
    token: Token


async def create(tenant: Tenant, member: str, *, name: str, days: int, levels: Collection[str] = ()) -> Made:
    """Make a token of an active member for `days` days; without `levels` it has all that the member has.

    `InvalidError` by field, `NotFoundError` when there is no such member.
    """
    secret = PREFIX + secrets.token_urlsafe(32)
    return await tenant.store.write(
        lambda tx: _create(tenant, tx, member, _asked(name, days), tuple(sorted(set(levels))), secret)
    )


def _asked(name: str, days: int) -> tuple[str, timedelta]:
    name = " ".join(name.split())
    problems: dict[str, Message] = {}
    if not name or not name.isprintable():
        problems["name"] = say("This is needed.")
    elif len(name) > LONGEST:
        problems["name"] = say("At most {count} characters.", count=LONGEST)
    if not 1 <= days <= MOST_DAYS:
        problems["days"] = say("A token is valid for 1 to {count} days.", count=MOST_DAYS)
    if problems:
        raise InvalidError(problems)
    return name, timedelta(days=days)


async def _create(
    tenant: Tenant, tx: Tx, member: str, asked: tuple[str, timedelta], levels: tuple[str, ...], secret: str
) -> Made:
    actor = await load_actor(tenant.published, tx, member)
    if actor is None:
        raise NotFoundError
    if not set(levels) <= set(actor.levels):
        raise InvalidError({"levels": say("You may only give levels that you have yourself.")})
    name, span = asked
    now = tenant.clock.now()
    kept = await tx.row('SELECT count(*) FROM "_token" WHERE "member" = ?', [member])
    if kept is not None and kept[0] >= MOST_TOKENS:
        raise InvalidError({"name": say("These are too many tokens: revoke some first.")})
    token = Token(tenant.new_id(), member, name, levels or None, now, now + span, None)
    row = [token.id, token_hash(secret), member, name, json.dumps(levels) if levels else None]
    await tx.run(TOKEN.insert(), [*row, stored_datetime(token.expires_at), None, stored_datetime(now)])
    return Made(secret, token)


def token_hash(secret: str) -> str:
    """Return what is stored of a token."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


async def of_member(tenant: Tenant, member: str) -> list[Token]:
    """Return a member's tokens, the newest first, those that have expired too."""
    rows = await tenant.store.read(
        lambda tx: tx.rows(f'{_SELECT} WHERE "member" = ? ORDER BY "created_at" DESC, "id" DESC', [member])
    )
    return [_token(row) for row in rows]


async def revoke(tenant: Tenant, member: str, token: str) -> bool:
    """End one token of a member; return whether there was one."""
    sql = 'DELETE FROM "_token" WHERE "id" = ? AND "member" = ?'
    return await tenant.store.write(lambda tx: tx.run(sql, [token, member])) > 0


async def resume(
    published: Published, tx: Tx, secret: str, *, now: datetime, ip: str | None = None
) -> tuple[Token, Actor] | None:
    """Return the token and who acts with it; None when it is unknown or over, or its member is not active."""
    text = _select_with(published.tables["member"].values)
    row = await tx.row(text, [token_hash(secret)])
    token = None if row is None else _token(row[: len(_COLUMNS)])
    if row is None or token is None or token.expires_at <= now:
        return None
    actor = actor_of(published, row[len(_COLUMNS) :], ip=ip)
    return None if actor is None else (token, narrowed(actor, token.levels))


@lru_cache(maxsize=256)
def _select_with(columns: tuple[str, ...]) -> str:
    """Return what reads a token together with columns of its member."""
    return f'SELECT {_TOKEN}, {listed(columns, "m")} FROM "_token" t {_OF_MEMBER} WHERE t."hash" = ?'  # noqa: S608 (names only)


def narrowed(actor: Actor, levels: Collection[str] | None) -> Actor:
    """Return the actor with those of its levels that are named (None: all), also as expressions see it."""
    if levels is None:
        return actor
    kept = tuple(level for level in actor.levels if level in levels)
    return replace(actor, levels=kept, member={**(actor.member or {}), "levels": kept})


async def touch(tx: Tx, token: Token, now: datetime) -> None:
    """Note that the token was used."""
    await tx.run('UPDATE "_token" SET "last_used_at" = ? WHERE "id" = ?', [stored_datetime(now), token.id])


def _token(row: Row) -> Token:
    identifier, member, name, levels, created_at, expires_at, last_used_at = row
    return Token(
        identifier,
        member,
        name,
        None if levels is None else tuple(json.loads(levels)),
        _moment(created_at),
        _moment(expires_at),
        None if last_used_at is None else _moment(last_used_at),
    )


def _moment(stored: str | datetime) -> datetime:
    return stored if isinstance(stored, datetime) else datetime.fromisoformat(stored)
