"""The memory of one process with 1,000 networks, each looked after: `python -m benchmarks.networks`.

What is measured runs in a process of its own (`--inside FOLDER`), so that nothing else counts.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from admin.networks import Networks
from admin.settings import Settings
from benchmarks.figure import Figure
from benchmarks.processes import resident
from benchmarks.world import NAME, furnish
from models.clock import SystemClock
from models.store import StoreError
from models.tenant import uuid7

COUNT = 1_000
MOST = 500
HOW = "{count:,} networks of one pack, {leads} leads each, each opened by one process and worked in"
FIRST = 50
"""So many closed networks are asked for, one after the other."""
LEADS = 100
MORE = (
    "; the most of the time ({before:.0f} MB before). The server answers after {started:.1f} s, all were worked in "
    "after {seconds:.0f} s, {opened} stay open, the others rest: with nothing to do {idle:.0%} of a core. A network "
    "that rests is open in {first:.0f} ms"
)


async def _inside(folder: Path) -> dict[str, float]:
    settings = Settings(folder, secret="of the benchmarks")  # noqa: S106 - it opens nothing that stays
    networks = Networks(settings, clock=SystemClock(), new_id=uuid7, works=True)
    before, begun = resident(), time.perf_counter()
    try:
        await networks.start()
        started, most = time.perf_counter() - begun, resident()
        names = set(await networks.names())
        while names - networks.workers() - networks.rests.resting().keys():
            await asyncio.sleep(0.1)
            most = max(most, resident())
        took = time.perf_counter() - begun
        await asyncio.sleep(2.0)
        cpu = time.process_time()
        await asyncio.sleep(5.0)
        idle, opened = (time.process_time() - cpu) / 5.0, len(networks.tenants.opened())
        first = await _first(networks)
        most = max(most, resident())
        return {
            **{"before": before, "started": started, "most": most, "after": resident(), "seen": len(names)},
            **{"opened": opened, "seconds": took, "idle": idle, "first": first},
        }
    finally:
        await networks.close()


async def _first(networks: Networks) -> float:
    """Return the milliseconds until a network that rests is open, the median of some."""
    took: list[float] = []
    for name in sorted(networks.rests.resting())[:FIRST]:
        begun = time.perf_counter()
        await networks.get(name)
        took.append((time.perf_counter() - begun) * 1000)
    return sorted(took)[len(took) // 2] if took else 0.0


async def _copied(folder: Path, count: int) -> None:
    """Make so many networks: one, and copies of its file."""
    await furnish(folder / f"{NAME}.sqlite", LEADS)
    for number in range(count - 1):
        shutil.copyfile(folder / f"{NAME}.sqlite", folder / f"{NAME}{number}.sqlite")


def measure(count: int = COUNT) -> list[Figure]:
    """Return the figure."""
    with tempfile.TemporaryDirectory() as name:
        asyncio.run(_copied(Path(name), count))
        found = asyncio.run(_apart(name))
    if found["seen"] != count:
        raise StoreError(f"{found['seen']} of {count} networks were opened")
    how = HOW.format(count=count, leads=LEADS) + MORE.format(**found)
    return [Figure(f"{count:,} networks", found["most"], "MB", MOST, how, most=True)]


async def _apart(folder: str) -> dict[str, Any]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.networks", "--inside", folder, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    found: dict[str, Any] = json.loads(out.splitlines()[-1])
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.networks", description=__doc__)
    parser.add_argument("--networks", type=int, default=COUNT)
    parser.add_argument("--inside", type=Path)
    given = parser.parse_args()
    if given.inside is not None:
        print(json.dumps(asyncio.run(_inside(given.inside))))
    else:
        print(*measure(given.networks), sep="\n")


if __name__ == "__main__":
    main()
