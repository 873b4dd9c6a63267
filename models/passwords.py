"""Passwords: argon2id, off the event loop."""

from __future__ import annotations

import asyncio
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from models.errors import InvalidError
from models.message import say

SHORTEST = 10
LONGEST = 200
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


async def hash_password(password: str) -> str:
    """Return what is stored of a password. `InvalidError` when it is too short, or absurdly long."""
    if not SHORTEST <= len(password) <= LONGEST:
        sentence = say("A password has {least} to {most} characters.", least=SHORTEST, most=LONGEST)
        raise InvalidError({"password": sentence})
    return await asyncio.to_thread(_HASHER.hash, password)


async def matches(stored: str | None, password: str) -> bool:
    """Whether the password is the stored one. Without a stored one it takes the same time and is False."""
    return await asyncio.to_thread(_matches, stored, password[: LONGEST + 1])


def _matches(stored: str | None, password: str) -> bool:
    try:
        _HASHER.verify(stored or _nobodys(), password)
    except (VerificationError, InvalidHashError):
        return False
    return stored is not None


@cache
def _nobodys() -> str:
    """Return the hash that stands in for an account that does not exist, so that refusing takes as long."""
    return _HASHER.hash("nobody has this password")
