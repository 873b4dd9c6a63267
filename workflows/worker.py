"""The worker: takes what is due from the outbox and does it, until there is nothing left."""

from __future__ import annotations

import asyncio
import random

from models.tenant import Tenant

from workflows.mail import Transport


class Worker:
    """Works through one network's outbox. Several workers on one network do not disturb each other."""

    def __init__(
        self,
        tenant: Tenant,
        transport: Transport | None = None,
        *,
        name: str = "worker",
        rng: random.Random | None = None,
    ) -> None:
        """Work for `tenant`; without a transport mails wait. `rng` spreads the pauses after failures."""

    async def run_due(self) -> int:
        """Do everything that is due by the tenant's clock and what follows; return how many rows were worked."""
        raise NotImplementedError

    async def serve(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set: after a commit, when the next row is due, and every few seconds at least."""
        raise NotImplementedError
