"""The backups of each day, written and proven by a running server once their hour has come."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from typing import Any

import structlog

from admin.control import asides
from admin.control.answers import EXPECTED, refusal
from admin.control.backups import Order, UnderWayError, carry_out
from admin.control.desk import Desk
from admin.networks import Networks
from admin.settings import Settings
from models.archive import silent
from models.happened import HAPPENED

DAY = timedelta(days=1)
LOOK = timedelta(hours=1)
"""So often it is looked whether a backup is missing: after a failure, or for a network that was made meanwhile."""

log = structlog.get_logger(__name__)


def hour_before(settings: Settings, now: datetime) -> datetime:
    """Return the last moment (UTC) at which backups were to be written."""
    today = now.replace(hour=settings.backup_at.hour, minute=settings.backup_at.minute, second=0, microsecond=0)
    return today if today <= now else today - DAY


class Daily:
    """Sees to it that each network has a backup since the last time that they were to be written.

    What was missed while no server ran is done when one begins. Several servers over a folder take turns.
    """

    def __init__(self, networks: Networks) -> None:
        """Write what the settings of `networks` say."""
        self.networks = networks
        self.settings = networks.settings

    @property
    def wanted(self) -> bool:
        """Whether the settings say where to, and for whom."""
        return self.settings.backups is not None and bool(self.settings.backup_keys)

    async def once(self) -> dict[str, Any]:
        """Write the backups that are missing now; `RefusedError` when that cannot be done at all."""
        settings = self.settings
        if settings.backups is None:
            return {"backups": [], "removed": [], "left_out": 0}
        names = await self.networks.names()
        since = hour_before(settings, self.networks.tenants.clock.now())
        order = Order(settings.backups, settings.backup_keys, verify=True, kept=settings.backup_keep, since=since)
        return await carry_out(Desk(self.networks, silent, serving=True), order, names, names)

    async def watch(self, stop: asyncio.Event) -> None:
        """Look each hour, and when their time comes, until `stop` is set; what goes wrong is told in the log."""
        while not stop.is_set():
            if self.wanted:
                await self.look()
            now = self.networks.tenants.clock.now()
            following = hour_before(self.settings, now) + DAY - now
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), min(LOOK, following).total_seconds())
                return
            await self.sweep()

    async def sweep(self) -> None:
        """Remove networks that were set aside long ago; what goes wrong is told in the log."""
        try:
            await asides.sweep(self.networks)
        except Exception:
            log.exception("nothing that was set aside is removed")

    async def look(self) -> None:
        """Write what is missing, and tell in the log what came of it."""
        try:
            tell(await self.once())
        except UnderWayError:
            log.info("another server writes the backups")
        except EXPECTED as error:
            HAPPENED.note("backup_failed")
            log.error("no backups are written", reason=str(refusal(error).message))  # noqa: TRY400 - it says all
        except Exception:
            HAPPENED.note("backup_failed")
            log.exception("no backups are written")


def tell(answer: dict[str, Any]) -> None:
    """Write into the log, and count, what became of each backup."""
    for one in answer["backups"]:
        failed = one["error"] is not None
        HAPPENED.note("backup_failed" if failed else "backup")
        if failed:
            log.error("a backup failed", network=one["network"], reason=one["error"])
        else:
            log.info("a backup is written", network=one["network"], rows=one["rows"], bytes=one["bytes"])
    if answer["removed"]:
        log.info("old backups are removed", count=len(answer["removed"]))


@asynccontextmanager
async def backing_up(networks: Networks) -> AsyncIterator[None]:
    """Have the backups of each day written inside the `with`, where settings say so, and old asides removed.

    What is under way ends with it.
    """
    daily = Daily(networks)
    stop = asyncio.Event()
    task = asyncio.create_task(daily.watch(stop))
    try:
        yield
    finally:
        stop.set()
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
