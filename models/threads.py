"""Threads that wait for work: fewer steps between an event loop and a database than an executor has."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable

Task = Callable[[], None]


class Threads:
    """At most `size` threads, started when they are needed, that run tasks in the order given.

    A task handles its own errors. The threads are daemons: what they do is either committed or it never happened.
    """

    def __init__(self, name: str, size: int) -> None:
        """Prepare; nothing is started yet."""
        self._name = name
        self._size = size
        self._tasks: queue.SimpleQueue[Task] = queue.SimpleQueue()
        self._guard = threading.Lock()
        self._started = 0
        self._unfinished = 0

    def submit(self, task: Task) -> None:
        """Run a task on a thread soon."""
        with self._guard:
            self._unfinished += 1
            start = self._started < min(self._size, self._unfinished)
            self._started += start
        self._tasks.put(task)
        if start:
            threading.Thread(target=self._work, name=f"{self._name}-{self._started}", daemon=True).start()

    def _work(self) -> None:
        while True:
            task = self._tasks.get()
            try:
                task()
            finally:
                with self._guard:
                    self._unfinished -= 1


WRITERS = Threads("maille-write", 8)
"""For all stores of the process: writers wait for the disk."""

READERS = Threads("maille-read", 8)
"""For all stores of the process."""
