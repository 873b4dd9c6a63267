"""Members: records of the entity `member` that stand in a sponsor tree, and the actors they become."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from models.actor import Actor
from models.published import Published
from models.records import Records
from models.tx import Tx


async def create_member(records: Records, values: Mapping[str, Any]) -> str:
    """Create a member below `values["sponsor"]` (at the top without one) and return its id."""
    raise NotImplementedError


async def move_branch(records: Records, member: str, sponsor: str | None) -> None:
    """Put a member with everybody below it under another sponsor. `InvalidError` when that is in the own branch."""
    raise NotImplementedError


async def load_actor(
    published: Published, tx: Tx, member: str, *, ip: str | None = None, run: str | None = None
) -> Actor | None:
    """Return the actor that an active member is; None when there is no such member or it is not active."""
    raise NotImplementedError
