"""Tokens with which programs act for a member: stored by their hash, never wider than the member's own rights."""

from __future__ import annotations

import hashlib
import json
import secrets
import zlib
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache

from models.actor import Actor, Narrow
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
LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
CHANCE, CHECK = 43, 6
"""Letters of chance (256 bits), and those behind them that say whether it is a token at all (`checks`)."""
LONGEST = 80
USUAL_DAYS = 90
MOST_DAYS = 365
MOST_TOKENS = 50
TOUCH = timedelta(minutes=1)
"""`last_used_at` is written at most so often."""

_COLUMNS = (
    *("id", "member", "name", "levels", "entities", "access", "created_at", "expires_at", "last_used_at", "last_ip"),
)
_SELECT = f'SELECT {listed(_COLUMNS)} FROM "_token"'  # noqa: S608 - columns of ours
_TOKEN = listed(_COLUMNS, "t")
_OF_MEMBER = 'JOIN "member" m ON m."id" = t."member"'


@dataclass(frozen=True, slots=True)
class _Wish:
    name: str
    days: int
    levels: tuple[str, ...]
    entities: tuple[str, ...]
    reads_only: bool


@dataclass(frozen=True, slots=True)
class Token:
    """A token of a member; `levels` and `entities` narrow what the member may, None: all of it.

    `last_ip` is from where it was last used.
    """

    id: str
    member: str
    name: str
    levels: tuple[str, ...] | None
    entities: tuple[str, ...] | None
    reads_only: bool
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None = None
    last_ip: str | None = None

    def stale(self, now: datetime) -> bool:
        """Whether it is time to note that it was used."""
        return self.last_used_at is None or now - self.last_used_at > TOUCH


@dataclass(frozen=True, slots=True)
class Made:
    """A new token: `secret` is shown once and stored nowhere."""

    secret: str
    token: Token


Also = Callable[[Tx, Token], Awaitable[None]]
"""What else happens in the transaction that makes a token."""


def new_secret() -> str:
    """Return a new token's text: the prefix, 256 bits of chance, and a checksum for scanners."""
    chance = "".join(secrets.choice(LETTERS) for _ in range(CHANCE))
    return PREFIX + chance + _checksum(chance)


def checks(text: str) -> bool:
    """Whether a text is made like a token, its checksum included: nothing is looked up."""
    body = text.removeprefix(PREFIX)
    return text != body and len(body) == CHANCE + CHECK and _checksum(body[:CHANCE]) == body[CHANCE:]


def _checksum(chance: str) -> str:
    number, found = zlib.crc32(chance.encode("utf-8", "replace")), ""
    for _ in range(CHECK):
        number, rest = divmod(number, len(LETTERS))
        found = LETTERS[rest] + found
    return found


async def create(  # noqa: PLR0913 - what a token is
    tenant: Tenant,
    member: str,
    *,
    name: str,
    days: int = USUAL_DAYS,
    levels: Collection[str] = (),
    entities: Collection[str] = (),
    reads_only: bool = False,
    also: Also | None = None,
) -> Made:
    """Make a token of an active member for `days` days; `also` happens in the same transaction.

    Without `levels` it has all that the member has at any time, without `entities` it reaches all of them.
    `InvalidError` by field, `NotFoundError` when there is no such member.
    """
    secret = new_secret()
    wish = _asked(_Wish(name, days, tuple(sorted(set(levels))), tuple(sorted(set(entities))), reads_only))

    async def work(tx: Tx) -> Made:
        made = await _create(tenant, tx, member, wish, secret)
        if also is not None:
            await also(tx, made.token)
        return made

    return await tenant.store.write(work)


def _asked(wish: _Wish) -> _Wish:
    name = " ".join(wish.name.split())
    problems: dict[str, Message] = {}
    if not name or not name.isprintable():
        problems["name"] = say("This is needed.")
    elif len(name) > LONGEST:
        problems["name"] = say("At most {count} characters.", count=LONGEST)
    if not 1 <= wish.days <= MOST_DAYS:
        problems["days"] = say("A token is valid for 1 to {count} days.", count=MOST_DAYS)
    if problems:
        raise InvalidError(problems)
    return replace(wish, name=name)


async def _create(tenant: Tenant, tx: Tx, member: str, wish: _Wish, secret: str) -> Made:
    actor = await load_actor(tenant.published, tx, member)
    if actor is None:
        raise NotFoundError
    levels, entities = wish.levels, wish.entities
    if not set(levels) <= set(actor.levels):
        raise InvalidError({"levels": say("You may only give levels that you have yourself.")})
    if not set(entities) <= set(tenant.published.network.entities):
        raise InvalidError({"entities": say("There is no such entity.")})
    now = tenant.clock.now()
    kept = await tx.row('SELECT count(*) FROM "_token" WHERE "member" = ?', [member])
    if kept is not None and kept[0] >= MOST_TOKENS:
        raise InvalidError({"name": say("These are too many tokens: revoke some first.")})
    until = now + timedelta(days=wish.days)
    made = Token(tenant.new_id(), member, wish.name, levels or None, entities or None, wish.reads_only, now, until)
    row = [made.id, token_hash(secret), member, made.name, _listed(levels), _listed(entities)]
    row += ["read" if made.reads_only else None, stored_datetime(until), None, None, stored_datetime(now)]
    await tx.run(TOKEN.insert(), row)
    return Made(secret, made)


def _listed(names: tuple[str, ...]) -> str | None:
    return json.dumps(names) if names else None


def token_hash(secret: str) -> str:
    """Return what is stored of a token."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


async def of_member(tenant: Tenant, member: str) -> list[Token]:
    """Return a member's tokens, the newest first, those that have expired too."""
    rows = await tenant.store.read(
        lambda tx: tx.rows(f'{_SELECT} WHERE "member" = ? ORDER BY "created_at" DESC, "id" DESC', [member])
    )
    return [_token(row) for row in rows]


async def of_all(tx: Tx, limit: int = 500) -> list[Token]:
    """Return the tokens of all members, those last used first, at most `limit`."""
    order = """ORDER BY coalesce("last_used_at", "created_at") DESC, "id" DESC LIMIT ?"""
    return [_token(row) for row in await tx.rows(f"{_SELECT} {order}", [limit])]


async def load(tx: Tx, identifier: str) -> Token | None:
    """Return the token with an id; None when it is not there any more."""
    row = await tx.row(f'{_SELECT} WHERE "id" = ?', [identifier])
    return None if row is None else _token(row)


async def revoke(tenant: Tenant, member: str, token: str) -> bool:
    """End one token of a member; return whether there was one."""
    sql = 'DELETE FROM "_token" WHERE "id" = ? AND "member" = ?'
    return await tenant.store.write(lambda tx: tx.run(sql, [token, member])) > 0


async def revoke_any(tenant: Tenant, token: str) -> bool:
    """End a token, whosever it is: for who administers; return whether there was one."""
    return await tenant.store.write(lambda tx: tx.run('DELETE FROM "_token" WHERE "id" = ?', [token])) > 0


async def resume(
    published: Published, tx: Tx, secret: str, *, now: datetime, ip: str | None = None
) -> tuple[Token, Actor] | None:
    """Return the token and who acts with it; None when it is unknown or over, or its member is not active.

    A token that names a level which its member has no more is over too.
    """
    text = _select_with(published.tables["member"].values)
    row = await tx.row(text, [token_hash(secret)])
    token = None if row is None else _token(row[: len(_COLUMNS)])
    if row is None or token is None or token.expires_at <= now:
        return None
    actor = actor_of(published, row[len(_COLUMNS) :], ip=ip)
    if actor is None or not set(token.levels or ()) <= set(actor.levels):
        return None
    return token, narrowed(actor, token)


async def enter(published: Published, tx: Tx, identifier: str, now: datetime) -> Actor | None:
    """Return who acts with the token of an id, for what was asked with it earlier; None where `resume` gives none."""
    token = await load(tx, identifier)
    actor = None if token is None else await load_actor(published, tx, token.member)
    if token is None or actor is None or token.expires_at <= now or not set(token.levels or ()) <= set(actor.levels):
        return None
    return replace(narrowed(actor, token), entry=f"token:{token.id}")


@lru_cache(maxsize=256)
def _select_with(columns: tuple[str, ...]) -> str:
    """Return what reads a token together with columns of its member."""
    return f'SELECT {_TOKEN}, {listed(columns, "m")} FROM "_token" t {_OF_MEMBER} WHERE t."hash" = ?'  # noqa: S608 (names only)


def narrowed(actor: Actor, token: Token) -> Actor:
    """Return the actor with what the token leaves of its rights, also as expressions see it."""
    entities = None if token.entities is None else frozenset(token.entities)
    narrow = Narrow(entities, token.reads_only) if token.reads_only or entities is not None else None
    if token.levels is None:
        return replace(actor, narrow=narrow)
    kept = tuple(level for level in actor.levels if level in token.levels)
    return replace(actor, levels=kept, member={**(actor.member or {}), "levels": kept}, narrow=narrow)


async def touch(tx: Tx, token: Token, now: datetime, ip: str | None) -> None:
    """Note that the token was used, and from where."""
    values = [stored_datetime(now), ip, token.id]
    await tx.run('UPDATE "_token" SET "last_used_at" = ?, "last_ip" = ? WHERE "id" = ?', values)


def _token(row: Row) -> Token:
    identifier, member, name, levels, entities, access, created_at, expires_at, last_used_at, last_ip = row
    return Token(
        identifier,
        member,
        name,
        None if levels is None else tuple(json.loads(levels)),
        None if entities is None else tuple(json.loads(entities)),
        access == "read",
        _moment(created_at),
        _moment(expires_at),
        None if last_used_at is None else _moment(last_used_at),
        last_ip,
    )


def _moment(stored: str | datetime) -> datetime:
    return stored if isinstance(stored, datetime) else datetime.fromisoformat(stored)
