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
from workflows.unit import write


async def take_bounce(desk: Desk, given: Given) -> Any:
    """Keep what a report says about one of our mails; without a return address of ours nothing is done.

    Return the network and the mail, both None where it is none of ours.
    """
    if given["kind"] not in get_args(Kind):
        raise RefusedError(Refusal(say("This is no report of a mail that came back.")))
    report = Report(given["kind"], str(given["reason"]), str(given["address"]), tuple(map(str, given["to"])))
    vault = Vault(desk.networks.settings.sealing_keys)
    found = bounces.returned(vault, await desk.networks.names(), report.to)
    if found is None:
        return {"network": None, "mail": None}
    network, mail = found
    tenant = await desk.tenant({"network": network})
    known = await write(tenant, SYSTEM, lambda unit: bounces.take(unit, mail, report))
    return {"network": network, "mail": mail if known else None}
