"""Networks that a backup took the place of: kept aside for a while, in case the backup was the wrong one."""

from __future__ import annotations

from datetime import timedelta

import structlog

from admin.networks import Networks
from models.store import StoreError
from models.stored import look
from models.stores import clear, replaced, replaced_in
from workflows.stored import moment

COMMAND = "restore_network"
"""What the audit of a restored network calls it."""
KEPT = timedelta(days=30)
"""For how long they are kept: they hold what was erased since."""

_SINCE = """SELECT 1 FROM "_audit" WHERE "kind" = 'command' AND "detail" = ? AND "at" >= ?"""

log = structlog.get_logger(__name__)


async def sweep(networks: Networks) -> list[str]:
    """Remove those whose place was taken so long ago, and return their names; what cannot be told of stays.

    The network that took the place remembers when it did; its audit is kept as long at least, or was taken out of it.
    """
    since, gone = moment(networks.tenants.clock.now() - KEPT), list[str]()
    for name in await replaced_in(networks.settings.homes):
        home = networks.tenants.home(name)
        try:
            if await look(home, _SINCE, [COMMAND, since]):
                continue
            await clear(replaced(home))
        except StoreError as error:
            log.warning("a network that was set aside stays", network=name, reason=str(error))
            continue
        log.info("a network that was set aside is removed", network=name)
        gone.append(name)
    return gone
