"""Mails that came back: what a report of one says is kept with the mail and its address."""

from __future__ import annotations

from typing import Any, get_args

from admin.control.answers import Refusal, RefusedError
from admin.control.desk import Desk, Given
from models.actor import SYSTEM
from models.message import say
from models.secrets import Vault
from workflows import bounces
from workflows.bounce_reports import Kind, Report
from workflows.unit import Unit, write

NOWHERE = say(
    "It cannot be told whose report this is: there are no networks here, or no secret. Does this command have the "
    "server's --data and environment?"
)
STRANGE = say(
    "The report came to an address that is written like ours, and is none of the networks here: does this command have "
    "the server's --data and environment?"
)


async def take_bounce(desk: Desk, given: Given) -> Any:
    """Keep what `reports` say about one of our mails; without a return address of ours among `to` nothing is done.

    Return the network and the mail, both None where it is none of ours. Refused where that cannot be told: without
    networks, without a secret (none is drawn here), or when an address is written like ours and was not made here.
    """
    if any(each["kind"] not in get_args(Kind) for each in given["reports"]):
        raise RefusedError(Refusal(say("This is no report of a mail that came back.")))
    to = tuple(map(str, given["to"]))
    settings, names = desk.networks.settings, await desk.networks.names()
    if not names or not settings.has_key:
        raise RefusedError(Refusal(NOWHERE))
    found = bounces.returned(Vault(settings.sealing_keys), names, to)
    if found is None and bounces.claimed(to):
        raise RefusedError(Refusal(STRANGE))
    if found is None:
        return {"network": None, "mail": None}
    (first, *others), mail = found
    reports = [Report(each["kind"], str(each["reason"]), str(each["address"]), to) for each in given["reports"]]

    async def work(unit: Unit) -> bool:
        return all([await bounces.take(unit, mail, report) for report in reports])

    for network in (first, *others):
        if await write(await desk.tenant({"network": network}), SYSTEM, work):
            return {"network": network, "mail": mail}
    return {"network": first, "mail": None}
