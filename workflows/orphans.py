"""Claims of processes that died, on a database that many share: their leases end within seconds, not after a minute.

A process that lives holds a lock of the database, of which its claims tell (`models.presence`). Whoever lives looks now
and then for claims without their lock. See docs/decisions/outbox.md.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog

from models.presence import LIVING, Presence
from models.tenant import Tenant
from models.tx import Tx
from workflows import outbox

EVERY = timedelta(seconds=2)
"""The time between two looks."""
MISSED = timedelta(seconds=6)
"""So long a process was not seen before its leases end: who lost its connection alone has another one by then."""

_LOG = structlog.get_logger("maille.worker")


class Orphans:
    """Looks for the claims of processes that are gone."""

    def __init__(self, tenant: Tenant) -> None:
        """Look in one network, for one worker."""
        self._tenant = tenant
        self._looked: datetime | None = None
        self._own: Presence | None = None
        self._missed: dict[int, datetime] = {}

    async def look(self) -> None:
        """End the leases of processes that were not seen for a while by who was there itself all the time."""
        store, now = self._tenant.store, self._tenant.clock.now()
        if store.presence is None or (self._looked is not None and abs(now - self._looked) < EVERY):
            return
        if store.presence != self._own:  # the database may have been away for all: everybody has the time to come back
            self._missed.clear()
        self._looked, self._own = now, store.presence
        claims = await store.read(self._dead)
        self._missed = {key: self._missed.get(key, now) for key in set(claims.values())}
        over = [token for token, key in claims.items() if now - self._missed[key] >= MISSED]
        if over and store.presence == self._own:
            _LOG.warning("leases of a process that is gone end", network=self._tenant.name, claims=len(over))
            await store.write(lambda tx: outbox.take_back(tx, over))

    async def _dead(self, tx: Tx) -> dict[str, int]:
        """Return the claims that were made before nobody held their lock."""
        claims = await outbox.claims(tx, self._tenant.clock.now())
        if not claims:
            return {}
        living = {row[0] for row in await tx.rows(LIVING)}
        return {token: key for token, key in claims.items() if key not in living}
