"""How long requests take when a server does half of what it can: `python -m benchmarks.latency [--leads N]`.

First eight callers find out how much it can; then requests come at half that rate, whether those before them were
answered or not, and each counts from when it should have begun. Raw is the bare handler at half of its own rate. What
the server holds in memory behind all that is measured too.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from contextlib import AsyncExitStack
from itertools import count
from pathlib import Path

from benchmarks import http, targets
from benchmarks.figure import Figure, load
from benchmarks.http import Server
from benchmarks.load import CALLERS, answer
from benchmarks.processes import resident
from benchmarks.world import NAME, furnish

TARGET = 25.0
"""Milliseconds."""
SECONDS = 4.0
ASKED = ("transition", "list of 50", "one record")
HOW = "{rate:.0f} requests a second, half of what {callers} callers reach; each counts from when it was due"


async def at_half(server: Server, what: str, seconds: float = SECONDS) -> tuple[float, list[float]]:
    """Return a rate, half of the most, and the milliseconds that requests took at it, in their order."""
    rate = (await server.rate(what)).second / 2
    took: list[float] = []
    numbers, begun = count(), time.perf_counter()

    async def caller() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        while (due := begun + next(numbers) / rate) < begun + seconds:
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            writer.write(next(server.asked[what]))
            await answer(reader)
            took.append((time.perf_counter() - due) * 1000)
        writer.close()
        await writer.wait_closed()

    await asyncio.gather(*(caller() for _ in range(CALLERS)))
    return rate, sorted(took)


async def measure(leads: int = 100_000) -> list[Figure]:
    """Return the figures: the time within which 99 of 100 requests are answered, and the server's memory."""
    found = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        world = await furnish(folder / f"{NAME}.sqlite", leads)
        async with AsyncExitStack() as stack:
            ours, bare = [
                await stack.enter_async_context(http.serving(which, folder, world, None, 1.2))
                for which in ("ours", "bare")
            ]
            for what in ASKED:
                rate, took = await at_half(ours, what)
                _, raw = await at_half(bare, what)
                how = HOW.format(rate=rate, callers=CALLERS)
                found.append(Figure(f"{what}, p99", _p99(took), "ms", TARGET, how, _p99(raw), most=True))
            found.append(Figure(targets.named("memory"), resident(ours.watch.pid), "MB", None, "under load", most=True))
    return found


def _p99(took: list[float]) -> float:
    return took[int(len(took) * 0.99)]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.latency", description=__doc__)
    parser.add_argument("--leads", type=int, default=100_000)
    for figure in asyncio.run(measure(parser.parse_args().leads)):
        print(figure)
    print(f"load {load():.1f}")


if __name__ == "__main__":
    main()
