"""What happened in this process since it began, counted by kind: for doors that show figures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from threading import Lock


class Happened:
    """Counts by kind, safe between threads. Work that a collision has begin anew counts each time."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._counts: Counter[str] = Counter()
        self._lock = Lock()

    def note(self, what: str, count: int = 1) -> None:
        """Count something."""
        with self._lock:
            self._counts[what] += count

    def counts(self) -> Mapping[str, int]:
        """Return the counts so far."""
        with self._lock:
            return dict(self._counts)


HAPPENED = Happened()
"""The one of the process: `moved`, `undone` and the like as the history calls them, `work.<kind>` of the outbox."""
