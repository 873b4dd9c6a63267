"""Timers and ticks that wait, when the automations and entities that they are about are called differently."""

from __future__ import annotations

from collections.abc import Mapping

from models.plan import Plan
from models.tx import Tx

TIMERS = ("stays", "due")
"""Kinds of rows of the outbox that wait for a time of a record."""
KEYS = (*TIMERS, "every", "arm")
"""What the keys of timers and ticks begin with, the automation's name behind it."""

_COUNT = """SELECT count(*) FROM "_outbox" WHERE "state" = 'ready' AND "unique_key" >= ? AND "unique_key" < ?"""
_FOLLOW = """UPDATE "_outbox" SET "unique_key" = ? || substr("unique_key", ?), "payload" = replace("payload", ?, ?)
WHERE "unique_key" >= ? AND "unique_key" < ?"""
_ABOUT = """UPDATE "_outbox" SET "payload" = replace("payload", ?, ?)
WHERE "state" = 'ready' AND "kind" IN ('stays', 'due') AND "payload" LIKE ?"""


async def waiting(tx: Tx, automation: str) -> int:
    """Return how many timers of an automation wait for their time."""
    rows = [await tx.row(_COUNT, list(_range(f"{kind}:{automation}:"))) for kind in TIMERS]
    return sum(int(row[0]) for row in rows if row is not None)


async def follow(tx: Tx, plan: Plan) -> None:
    """Let timers and ticks follow the names of a plan, those that fired too: none fires twice.

    Names may be exchanged, so each is marked first.
    """
    for names in _marked(plan.automations):
        for old, new in names.items():
            for kind in KEYS:
                before, after = f"{kind}:{old}:", f"{kind}:{new}:"
                payload = [f'"automation":"{old}"', f'"automation":"{new}"']
                await tx.run(_FOLLOW, [after, len(before) + 1, *payload, *_range(before)])
    for names in _marked(plan.entities):
        for old, new in names.items():
            was = f'"entity":"{old}"'
            await tx.run(_ABOUT, [was, f'"entity":"{new}"', f"%{was}%"])


def _marked(names: Mapping[str, str]) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """Return two steps: to names that nothing has, and to the new ones."""
    return {old: f"*{new}" for old, new in names.items()}, {f"*{new}": new for new in names.values()}


def _range(prefix: str) -> tuple[str, str]:
    """Return between which texts all those are that begin with a prefix."""
    return prefix, prefix[:-1] + chr(ord(prefix[-1]) + 1)
