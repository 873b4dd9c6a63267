"""What people want of messages: no more of those that can be ended, or notifications by e-mail too."""

from __future__ import annotations

import base64
import binascii
from typing import Literal

from models.secrets import Vault
from models.system import PREFERENCE
from models.tx import Tx
from workflows.stored import moment
from workflows.unit import Unit

What = Literal["unsubscribed", "notices_by_mail"]
PURPOSE = "ending e-mails"
_INSERT = PREFERENCE.insert() + " ON CONFLICT DO NOTHING"
_CALL_OFF = """UPDATE "_mail" SET "state" = 'cancelled' WHERE "state" = 'waiting' AND "unsubscribe" IS NOT NULL
AND (lower("recipient") = ? AND "recipient_member" IS NULL OR "recipient_member" = ?)"""


async def holds(tx: Tx, who: str, what: What) -> bool:
    """Whether a member (its id), or who has an address, wants something."""
    found = await tx.row('SELECT 1 FROM "_preference" WHERE "who" = ? AND "what" = ?', [who.lower(), what])
    return found is not None


async def choose(unit: Unit, who: str, what: What, *, wanted: bool) -> None:
    """Keep that a member, or who has an address, wants something or no longer does."""
    if wanted:
        await unit.tx.run(_INSERT, [unit.new_id(), who.lower(), what, moment(unit.now)])
    else:
        await unit.tx.run('DELETE FROM "_preference" WHERE "who" = ? AND "what" = ?', [who.lower(), what])


async def unsubscribed(tx: Tx, who: str) -> bool:
    """Whether a member, or who has an address, has ended the e-mails that can be ended."""
    return await holds(tx, who, "unsubscribed")


async def unsubscribe(unit: Unit, who: str) -> None:
    """End the e-mails that can be ended, those that wait too."""
    await choose(unit, who, "unsubscribed", wanted=True)
    await unit.tx.run(_CALL_OFF, [who.lower(), who])


def link(unit: Unit, who: str) -> str:
    """Return the page on which a member, or who has an address, ends such e-mails without signing in."""
    named = base64.urlsafe_b64encode(who.encode()).decode().rstrip("=")
    return f"{unit.house.url}/unsubscribe/{named}.{unit.vault.mark(who, PURPOSE)}"


def who_of(vault: Vault, token: str) -> str | None:
    """Return whom the last part of such a link is about; None when it is not one of ours."""
    named, _, mark = token.partition(".")
    try:
        who = base64.urlsafe_b64decode(named + "=" * (-len(named) % 4)).decode()
    except (binascii.Error, ValueError):
        return None
    return who if who and vault.marked(who, PURPOSE, mark) else None
