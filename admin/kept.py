"""What pages keep between requests: made of a version for some levels in a language, never of records or people."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import lru_cache
from typing import Any, TypeVar

from models.actor import Actor
from models.published import Published

T = TypeVar("T")
VIEWPOINTS = 256
"""So many versions, sets of levels and languages are remembered in a process; the least recently used go first."""


class Kept:
    """What was made before for visitors with the same levels and language, on the same version.

    Keys come from the definitions, not from addresses or records: there are only so many. What is kept shows no token
    of a session, no record and no time.
    """

    def __init__(self) -> None:
        """Keep nothing yet."""
        self._made: dict[Hashable, Any] = {}

    def once(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return what is kept as `key`; the first time, make it."""
        if key not in self._made:
            self._made[key] = make()
        found: T = self._made[key]
        return found


@lru_cache(maxsize=VIEWPOINTS)
def _kept(published: Published, kind: str, levels: tuple[str, ...], language: str, *, visits: bool) -> Kept:  # noqa: ARG001 - they are the key
    return Kept()


def kept_for(published: Published, actor: Actor, language: str) -> Kept:
    """Return what is kept for all who see this version as the actor does."""
    return _kept(published, actor.kind, actor.levels, language, visits=actor.through is not None)
