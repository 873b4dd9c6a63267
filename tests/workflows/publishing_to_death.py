"""A process that is killed in the middle of a publication: run by `test_broken_publications.py`."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import cast

from models.store import Store
from models.stores import Schema
from models.tenant import open_tenant
from tests.workflows.breaking import BreakingStore
from tests.workflows.test_broken_publications import AFTER
from workflows import publishing


def end() -> None:
    """End as in a power cut."""
    os.kill(os.getpid(), signal.SIGKILL)


async def live(place: str, schema: str, at: int) -> None:
    """Publish in the network there, until the write number `at`."""
    tenant = await open_tenant(Schema(place, schema) if schema else Path(place), "small")
    tenant.store = cast("Store", BreakingStore(tenant.store, at, end))
    await publishing.publish(tenant, AFTER)


if __name__ == "__main__":
    asyncio.run(live(sys.argv[1], sys.argv[2], int(sys.argv[3])))
