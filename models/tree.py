"""The sponsor tree: each member's `_path` is the line of sponsors above it, its own id last (`/<first>/…/<id>/`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from models.errors import InvalidError
from models.message import say
from models.validation import NO_SUCH_RECORD

if TYPE_CHECKING:
    from models.records import Records

MEMBER = "member"
TREE = "tree"
"""What is held while the tree changes: a path is true as long as no branch above it moves."""


async def place(records: Records, entity: str, values: dict[str, Any]) -> None:
    """Give a new member its path."""
    if entity == MEMBER:
        await records.tx.lock(TREE)
        values["_path"] = f"{await _above(records, values)}{values['id']}/"


async def move(records: Records, entity: str, before: Mapping[str, Any], values: dict[str, Any]) -> None:
    """Give a member that changes its sponsor a new path, and everybody below it."""
    if entity != MEMBER:
        return
    await records.tx.lock(TREE)
    old = before["_path"]
    above = await _above(records, values)
    if above.startswith(old):
        raise InvalidError(
            {"sponsor": say("A member cannot be below itself: choose a sponsor outside of this branch.")}
        )
    new = f"{above}{values['id']}/"
    values["_path"] = new
    await records.tx.run(
        'UPDATE "member" SET "_path" = ? || substr("_path", ?) WHERE "_path" >= ? AND "_path" < ?',
        (new, len(old) + 1, old, f"{old[:-1]}0"),
    )


async def _above(records: Records, values: Mapping[str, Any]) -> str:
    sponsor = values.get("sponsor")
    if sponsor is None:
        return "/"
    row = await records.tx.row('SELECT "_path" FROM "member" WHERE "id" = ?', (sponsor["id"],))
    if row is None:
        raise InvalidError({"sponsor": NO_SUCH_RECORD})
    return str(row[0])
