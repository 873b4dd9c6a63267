"""What ends at once when a member loses a level or is let go: it does not come back when the level does."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from models.tx import Tx


async def settle(tx: Tx, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    """End the tokens of a member that was let go, and those that are narrowed to a level that it lost."""
    member, lost = before["id"], set(before.get("levels") or ()) - set(after.get("levels") or ())
    if before.get("active") and not after.get("active"):
        await tx.run('DELETE FROM "_token" WHERE "member" = ?', [member])
    elif lost:
        named = await tx.rows('SELECT "id", "levels" FROM "_token" WHERE "member" = ?', [member])
        for token, levels in named:
            if lost & set(json.loads(levels or "[]")):
                await tx.run('DELETE FROM "_token" WHERE "id" = ?', [token])
