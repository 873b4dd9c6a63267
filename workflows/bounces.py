"""Addresses that take no mail: marked when a mail comes back or a server says so, and not written to any more.

Each mail leaves with a return address of its own (`bounces+<network><mail><mark>@…`), so that what comes back is known
by where it comes back to. The mark shows that the address is one of ours.
"""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from models.message import Message, say
from models.secrets import Vault
from models.system import BOUNCED
from models.tenant import Tenant
from models.tx import Tx
from workflows import preferences
from workflows.bounce_reports import Report
from workflows.stored import dump_message, moment
from workflows.unit import Unit

PURPOSE = "a return address"
_TAG, _ID, _MARK = 6, 32, 12
"""How many letters say the network, the mail, and that it is ours."""
_OURS = re.compile(f"[0-9a-f]{{{_TAG + _ID + _MARK}}}")
REFUSED = say("Nothing is sent to this address any more, since a mail to it came back: {reason}")
CAME_BACK = say("It came back: {reason}")
COMPLAINED = say("Who got it complained about it, and gets no more e-mails that can be ended.")
_MARKED = f"""{BOUNCED.insert()} ON CONFLICT ("address") DO UPDATE
SET "at" = excluded."at", "reason" = excluded."reason", "mail" = excluded."mail" """
_THESE = 'SELECT "address" FROM "_bounced" WHERE "address" IN ({places})'
_BACK = """UPDATE "_mail" SET "state" = 'failed', "error" = ? WHERE "id" = ?
AND "state" IN ('sent', 'sending', 'unknown')"""


@dataclass(frozen=True, slots=True)
class Bounce:
    """Why an address takes no mail, and which mail showed that."""

    reason: str
    mail: str


async def refusal(tx: Tx, address: str) -> Message | None:
    """Return why nothing is sent to an address, None when it is."""
    found = await tx.row('SELECT "reason" FROM "_bounced" WHERE "address" = ?', [address.casefold()])
    return None if found is None else Message(REFUSED, {"reason": found[0]})


async def marked(tx: Tx, addresses: Collection[str]) -> set[str]:
    """Return those of some addresses that nothing is sent to."""
    if not addresses:
        return set()
    asked = sorted({address.casefold() for address in addresses})
    found = {row[0] for row in await tx.rows(_THESE.format(places=", ".join("?" * len(asked))), asked)}
    return {address for address in addresses if address.casefold() in found}


async def mark(tx: Tx, address: str, bounce: Bounce, now: datetime) -> None:
    """Note that an address takes no mail."""
    await tx.run(_MARKED, [address.casefold(), moment(now), bounce.reason, bounce.mail])


async def lift(tx: Tx, address: str) -> None:
    """Forget that an address took no mail: somebody says that it does now."""
    await tx.run('DELETE FROM "_bounced" WHERE "address" = ?', [address.casefold()])


def return_path(tenant: Tenant, bounces: str, mail: str) -> str:
    """Return the address that a mail comes back to when it cannot be delivered."""
    user, _, domain = bounces.rpartition("@")
    named = _tag(tenant.name) + _packed(mail)
    return f"{user}+{named}{tenant.vault.mark(named, PURPOSE)[:_MARK]}@{domain}"


def returned(vault: Vault, networks: Iterable[str], addresses: Iterable[str]) -> tuple[tuple[str, ...], str] | None:
    """Return networks and the mail of the first address that is one of ours, None where none is.

    An address has room for a few digits of its network's name alone: where several networks share them, one of these
    has sent the mail.
    """
    tags: dict[str, tuple[str, ...]] = {}
    for name in networks:
        tags[_tag(name)] = (*tags.get(_tag(name), ()), name)
    for address in addresses:
        named = address.rpartition("@")[0].rpartition("+")[2].casefold()
        tag, mail, shown = named[:_TAG], named[_TAG : _TAG + _ID], named[_TAG + _ID :]
        if tag in tags and len(shown) == _MARK and vault.marked(tag + mail, PURPOSE, shown, length=_MARK):
            return tags[tag], _unpacked(mail)
    return None


def claimed(addresses: Iterable[str]) -> bool:
    """Whether one of the addresses is written like ours, whoever made it and whatever its network."""
    return any(_OURS.fullmatch(address.rpartition("@")[0].rpartition("+")[2].casefold()) for address in addresses)


def _tag(network: str) -> str:
    return hashlib.sha256(network.encode()).hexdigest()[:_TAG]


def _packed(mail: str) -> str:
    return uuid.UUID(mail).hex


def _unpacked(mail: str) -> str:
    return str(uuid.UUID(mail))


async def take(unit: Unit, mail: str, report: Report) -> bool:
    """Do what follows from a report about a mail; return whether the mail is known."""
    found = await unit.tx.row('SELECT "recipient", "recipient_member", "cc" FROM "_mail" WHERE "id" = ?', [mail])
    if found is None:
        return False
    recipient, member, copies = found[0], found[1], json.loads(found[2] or "[]")
    if report.kind == "complaint":
        await preferences.unsubscribe(unit, member or recipient)
        await unit.tx.run('UPDATE "_mail" SET "error" = ? WHERE "id" = ?', [dump_message(COMPLAINED), mail])
        return True
    copied = {copy.casefold() for copy in copies} - {recipient.casefold()}
    about = report.address if report.address.casefold() in copied else recipient
    if report.kind == "hard":
        await mark(unit.tx, about, Bounce(report.reason, mail), unit.now)
    if about == recipient:
        await unit.tx.run(_BACK, [dump_message(Message(CAME_BACK, {"reason": report.reason})), mail])
    return True
