"""Letters that wait to leave, as tests put them there."""

from __future__ import annotations

from models.actor import SYSTEM
from models.tenant import Tenant
from workflows.posting import Letter, post
from workflows.templates import Rendered
from workflows.unit import Unit, write

RENDERED = Rendered("Bonjour", "<p>Bonjour</p>", "Bonjour")
ENDS = "https://reseau.example/end"


def letter(recipient: str, *, unsubscribe: str | None = None, sealed: str | None = None) -> Letter:
    """Return a letter about no record."""
    return Letter(recipient, None, "fr", "hello", RENDERED, "Réseau", unsubscribe=unsubscribe, sealed=sealed)


async def put(tenant: Tenant, *recipients: str, unsubscribe: str | None = None) -> list[str]:
    """Have letters sent to these recipients; return their ids."""

    async def work(unit: Unit) -> list[str]:
        mails = [unit.new_id() for _ in recipients]
        for mail, recipient in zip(mails, recipients, strict=True):
            await post(unit, mail, letter(recipient, unsubscribe=unsubscribe))
        return mails

    return await write(tenant, SYSTEM, work)
