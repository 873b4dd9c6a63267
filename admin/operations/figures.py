"""What a server counts about itself, in the form that monitoring systems read."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from models.happened import HAPPENED

SHARED = "PROMETHEUS_MULTIPROC_DIR"
"""Where processes behind one socket put their figures together: prometheus-client's own variable."""
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper ends in seconds; 0.5 and 1 are those of the published targets."""
FORMAT = "text/plain; version=0.0.4; charset=utf-8"


class _Asked(Collector):
    """What was asked of the networks for one answer."""

    def __init__(self, found: Iterable[Metric]) -> None:
        self.found = found

    def collect(self) -> Iterable[Metric]:
        return self.found


class Figures:
    """The counters of one application. All labels are of few values: no path as it was sent, no id, no name."""

    def __init__(self) -> None:
        """Begin to count."""
        own = self.registry = CollectorRegistry()
        self.requests = Counter("maille_requests", "Requests", ("route", "method", "status"), registry=own)
        self.seconds = Histogram(
            "maille_request_seconds", "Seconds to an answer", ("kind", "method"), registry=own, buckets=BUCKETS
        )
        self.under_way = self._gauge("maille_requests_under_way", "Requests that are being answered")
        self.happened = Counter("maille_happened", "What was written or done, by kind", ("what",), registry=own)
        self.networks = self._gauge("maille_networks_open", "Networks that are open")
        self.workers = self._gauge("maille_workers", "Workers at work")
        self.queue = self._gauge("maille_store_queue", "Pieces of work that wait for, or are in, a store")
        self.connections = self._gauge("maille_pool_connections", "Connections to PostgreSQL")
        self.idle = self._gauge("maille_pool_idle", "Those of them that are free")
        self.processes = self._gauge("maille_processes", "Processes that serve")
        self.processes.set(1)
        if SHARED not in os.environ:
            ProcessCollector(registry=own)
        self._children: dict[tuple[str, str, int], tuple[Callable[[], None], Callable[[float], None]]] = {}
        self._told: dict[str, int] = {}

    def _gauge(self, name: str, what: str) -> Gauge:
        return Gauge(name, what, registry=self.registry, multiprocess_mode="livesum")

    def answered(self, kind: str, route: str, method: str, status: int, seconds: float) -> None:
        """Count a request by its route's template, its method and the class of its status."""
        key = (route, method, status // 100)
        found = self._children.get(key)
        if found is None:
            count = self.requests.labels(route, method, f"{status // 100}xx")
            found = self._children[key] = count.inc, self.seconds.labels(kind, method).observe
        found[0]()
        found[1](seconds)

    def tell(self) -> None:
        """Add what happened in the rooms below since it was told last."""
        for what, count in HAPPENED.counts().items():
            self.happened.labels(what).inc(count - self._told.get(what, 0))
            self._told[what] = count

    def page(self, asked: Iterable[Metric]) -> bytes:
        """Return all figures, with those that were `asked` of the networks for this answer."""
        shown = self.registry
        if SHARED in os.environ:
            shown = CollectorRegistry()
            MultiProcessCollector(shown)  # type: ignore[no-untyped-call] # it has no types
        own = CollectorRegistry()
        own.register(_Asked(list(asked)))
        return generate_latest(shown) + generate_latest(own)
