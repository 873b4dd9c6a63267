"""How a run of the tests goes: its files in memory, few rounds of the garbage collector, what takes long first."""

from __future__ import annotations

import gc
import os
import shutil
import tempfile
from pathlib import Path

import pytest

MEMORY = Path("/dev/shm")  # noqa: S108 - where Linux keeps files in memory; what is made there has names of its own
ROOM = 6 << 30
"""So many bytes must be free in it and in the memory: a run takes a sixth of that, and others may run beside it."""

SHARE = float(os.environ.get("MAILLE_EXAMPLES", "1"))
"""Which share of its examples each property test tries: `make quick` a few; who has a night, ten times as many."""

LONG = ("slow", "browser")
"""Markers of tests that take seconds: begun last, one of them would go on alone when all others are over."""


def keep_files_in_memory() -> None:
    """Let all temporary files of this process, and of those that it starts, be in memory, where there is room.

    A commit waits for the disk, and a test makes dozens of them. Whoever sets `TMPDIR` chooses another place.
    """
    if "TMPDIR" not in os.environ and MEMORY.is_dir() and min(shutil.disk_usage(MEMORY).free, _free_memory()) > ROOM:
        os.environ["TMPDIR"] = tempfile.tempdir = str(MEMORY)


def _free_memory() -> int:
    """Return how many bytes of memory programs can have; 0 where the system does not say."""
    told = Path("/proc/meminfo")
    lines = told.read_text(encoding="ascii").splitlines() if told.exists() else []
    return next((int(line.split()[1]) << 10 for line in lines if line.startswith("MemAvailable:")), 0)


def tries(number: int) -> int:
    """Return how many examples a property test tries of so many that are usual."""
    return max(round(number * SHARE), 1)


def longest_first(items: list[pytest.Item]) -> None:
    """Put the tests that take seconds before all others; apart from that the order stays."""
    items.sort(key=lambda item: not any(map(item.get_closest_marker, LONG)))


def pytest_collection_finish() -> None:
    """Let the garbage collector look at what tests leave only, and seldom: a tenth of the time was its."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
