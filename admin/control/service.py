"""How an installation serves, for operators: what is measured over 30 days beside its targets, and what is owed now."""

from __future__ import annotations

import os
from typing import Any

from admin.control.answers import UNPUBLISHED, why
from admin.control.desk import Desk, Given
from admin.i18n import spoken
from models.hours import TARGETS, hours_of, service
from models.tenants import Tenants
from workflows.owed import owed


async def status(desk: Desk, given: Given) -> Any:  # noqa: ARG001 - all operations are called alike
    """Return how well the API answered and the server was there, and what each network owes."""
    tenants = desk.networks.tenants
    found = await service(hours_of(tenants.homes), tenants.clock.now())
    return {
        "process": os.getpid() if desk.serving else None,
        "since": found.since,
        "until": found.until,
        "minutes": found.minutes,
        "up": found.up,
        "targets": dict(TARGETS),
        "shares": dict(found.shares),
        "requests": dict(sorted(found.kinds.items())),
        "networks": [await _owed(tenants, name) for name in await tenants.names()],
    }


async def _owed(tenants: Tenants, name: str) -> dict[str, Any]:
    """Return what a network owes; one that cannot be opened with the reason."""
    try:
        async with tenants.using(name) as tenant:
            return {"name": name, "owes": await owed(tenant)}
    except LookupError:
        return {"name": name, "owes": None, "reason": spoken(UNPUBLISHED)}
    except Exception as error:  # noqa: BLE001 - whatever is wrong with one network, the others are told of
        return {"name": name, "owes": None, "reason": why(error, name)}
