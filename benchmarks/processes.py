"""The CPU that processes have used, and the memory that they hold."""

from __future__ import annotations

import os
from pathlib import Path

TICKS, PAGE = os.sysconf("SC_CLK_TCK"), os.sysconf("SC_PAGE_SIZE")
PARENT, OWN, REAPED = 1, slice(11, 13), slice(13, 15)
"""Where a process's parent, its own CPU and that of its children that ended stand in its `stat`."""


def cpu_of(pid: int) -> float:
    """Return the seconds of CPU that a process has used, its threads included."""
    return sum(map(int, _fields(pid)[OWN])) / TICKS


def resident(pid: int | str = "self") -> float:
    """Return the megabytes that a process holds in memory."""
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * PAGE / 1024**2


def cpu_of_family(pid: int) -> float:
    """Return the seconds that a process and its children have used, those that ended included."""
    total = sum(map(int, _fields(pid)[OWN])) + sum(map(int, _fields(pid)[REAPED]))
    for each in Path("/proc").iterdir():
        if each.name.isdigit():
            fields = _fields(int(each.name))
            if fields and int(fields[PARENT]) == pid:
                total += sum(map(int, fields[OWN]))
    return total / TICKS


def _fields(pid: int) -> list[str]:
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:  # it has ended meanwhile
        return []
    return text.rpartition(")")[2].split()
