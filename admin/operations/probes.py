"""What machines ask a server: whether it lives, whether it can serve, and its figures."""

from __future__ import annotations

import asyncio
import hmac
import ipaddress
import os
from collections.abc import Sequence
from pathlib import Path
from time import monotonic

import structlog
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from admin.networks import Networks
from admin.operations.drain import Drain
from admin.operations.figures import FORMAT, Figures
from models.store import StoreError
from workflows.owed import Owed, owed

PATIENCE = 2.0
"""Seconds that a database has to answer when it is asked whether the server can serve."""
REMEMBERED = 1.0
"""Seconds that an answer holds: whoever asks, the database is not asked more often."""
SHORTEST = 16
"""Characters of a token for the figures; a shorter one opens nothing."""
FORWARDED = frozenset({"x-forwarded-for", "forwarded", "via", "x-real-ip"})
"""Headers by which a request is known to come through a proxy."""

log = structlog.get_logger(__name__)


class Probes:
    """The three addresses. None names a network, an address or a reason that only operators may know."""

    def __init__(self, networks: Networks, figures: Figures, drain: Drain) -> None:
        """Answer for `networks`, by its settings."""
        self.networks = networks
        self.figures = figures
        self.drain = drain
        settings = networks.settings
        self._token = settings.metrics_token if len(settings.metrics_token) >= SHORTEST else ""
        if settings.metrics_token and not self._token:
            log.warning("MAILLE_METRICS_TOKEN is too short and opens nothing", least=SHORTEST)
        self._from = tuple(ipaddress.ip_network(each, strict=False) for each in settings.metrics_from)
        self._asked = -REMEMBERED
        self._failing: Sequence[str] = ()
        self._asking = asyncio.Lock()

    @property
    def routes(self) -> list[BaseRoute]:
        """Their routes."""
        return [Route("/healthz", self.alive), Route("/readyz", self.ready), Route("/metrics", self.metrics)]

    async def alive(self, _: Request) -> Response:
        """Say that the process answers, whatever its databases do."""
        return PlainTextResponse("ok")

    async def ready(self, _: Request) -> Response:
        """Say whether requests should be sent here; 503 and what fails when not."""
        failing = [*(["draining"] if self.drain.begun else ()), *await self._checks()]
        return JSONResponse({"ready": not failing, "failing": failing}, 503 if failing else 200)

    async def _checks(self) -> Sequence[str]:
        async with self._asking:
            if monotonic() - self._asked >= REMEMBERED:
                self._failing = await self._fails()
                self._asked = monotonic()
            return self._failing

    async def _fails(self) -> list[str]:
        try:
            async with asyncio.timeout(PATIENCE):
                await self.networks.names()
        except (StoreError, TimeoutError, OSError) as error:
            log.warning("not ready: the database does not answer", reason=repr(error))
            return ["database"]
        homes = self.networks.settings.homes
        if isinstance(homes, Path) and not await asyncio.to_thread(_writable, homes):
            log.warning("not ready: the folder of networks cannot be written")
            return ["folder"]
        return []

    async def metrics(self, request: Request) -> Response:
        """Return the figures to whom the operator lets see them; for all others there is nothing here."""
        if not self._may(request):
            return PlainTextResponse("", 404)
        networks = self.networks
        self.figures.tell()
        observe(self.figures, networks)
        opened = networks.tenants.opened()
        found = {name: rest.owed for name, rest in networks.rests.resting().items() if name not in opened}
        resting = len(found)
        for name, tenant in opened.items():
            try:
                found[name] = await owed(tenant)
            except Exception as error:  # noqa: BLE001 - whatever is wrong with one network, the others are told of
                log.warning("what a network owes cannot be read", network=name, reason=repr(error))
        named = networks.settings.metrics_networks
        unread = len(opened) + resting - len(found)
        text = await asyncio.to_thread(self.figures.page, families(found, unread, named=named))
        return Response(text, media_type=FORMAT)

    def _may(self, request: Request) -> bool:
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if self._token and scheme.lower() == "bearer":
            return hmac.compare_digest(given.strip().encode(), self._token.encode())
        if not self._from or request.client is None or FORWARDED & set(request.headers):
            return False
        try:
            address = ipaddress.ip_address(request.client.host)
        except ValueError:
            return False
        return any(address in each for each in self._from)


def _writable(folder: Path) -> bool:
    """Whether networks can be written there; a folder that is not there yet is made by the first network."""
    return os.access(folder, os.W_OK | os.X_OK) if folder.exists() else True


def observe(figures: Figures, networks: Networks) -> None:
    """Have the figures say how this process is now."""
    opened = networks.tenants.opened()
    figures.networks.set(len(opened))
    figures.workers.set(networks.at_work)
    figures.queue.set(sum(tenant.store.waiting for tenant in opened.values()))
    if networks.settings.database_url is not None:
        from models.database import connections  # noqa: PLC0415 - a server on SQLite needs no PostgreSQL driver

        size, idle = connections()
        figures.connections.set(size)
        figures.idle.set(idle)


def families(found: dict[str, Owed], unread: int, *, named: bool) -> list[Metric]:
    """Return what networks owe, together or each by its name (`named`)."""
    labels = ("network",) if named else ()
    due = GaugeMetricFamily("maille_outbox_due", "Rows of the outbox that are due", labels=[*labels, "kind"])
    later = GaugeMetricFamily("maille_outbox_later", "Rows of the outbox that are not due yet", labels=labels)
    oldest = GaugeMetricFamily("maille_outbox_oldest_seconds", "How long the oldest has been due", labels=labels)
    dead = GaugeMetricFamily("maille_outbox_dead", "Rows of the outbox that failed for good", labels=[*labels, "kind"])
    runs = GaugeMetricFamily("maille_runs", "Runs of automations by state", labels=[*labels, "state"])
    mails = GaugeMetricFamily("maille_mails", "Mails that are not sent, by state", labels=[*labels, "state"])
    missing = GaugeMetricFamily("maille_networks_unreadable", "Open networks that could not be asked")
    missing.add_metric([], unread)
    for name, each in sorted(found.items()) if named else [("", _together(list(found.values())))]:
        own = [name] if named else []
        later.add_metric(own, each.later)
        oldest.add_metric(own, each.oldest)
        for family, counts in ((due, each.due), (dead, each.dead), (runs, each.runs), (mails, each.mails)):
            for what, count in sorted(counts.items()):
                family.add_metric([*own, what], count)
    return [due, later, oldest, dead, runs, mails, missing]


def _together(found: Sequence[Owed]) -> Owed:
    def summed(part: str) -> dict[str, int]:
        counts: dict[str, int] = {}
        for each in found:
            for what, count in getattr(each, part).items():
                counts[what] = counts.get(what, 0) + count
        return counts

    oldest = max((each.oldest for each in found), default=0.0)
    later = sum(each.later for each in found)
    return Owed(summed("due"), later, oldest, summed("dead"), summed("runs"), summed("mails"))
