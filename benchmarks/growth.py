"""What a transition and a list cost in a network that is a hundred times as large: `python -m benchmarks.growth`.

Both networks are open at once and take turns, in CPU of the process: what else the machine does falls on both.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from collections import defaultdict
from contextlib import AsyncExitStack
from pathlib import Path
from statistics import median

from benchmarks import inside
from benchmarks.figure import Figure
from benchmarks.world import NAME, furnish

SMALL, LARGE = 10_000, 1_000_000
MOST = 1.3
ROUNDS, SECONDS = 7, 0.5
HOW = "CPU of one in a network of {large:,} leads beside one of {small:,} ({ms[0]:.3f} ms beside {ms[1]:.3f} ms)"
MEASURED = ("transition", "list of 50", "one record")


async def measure(small: int = SMALL, large: int = LARGE) -> list[Figure]:
    """Return the figures: how many times the cost."""
    spent: dict[tuple[str, int], list[float]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as name:
        async with AsyncExitStack() as stack:
            both = {}
            for count in (small, large):
                folder = Path(name) / str(count)
                folder.mkdir()
                world = await furnish(folder / f"{NAME}.sqlite", count)
                both[count] = await stack.enter_async_context(inside.opened(world, None, SECONDS))
            for number in range(ROUNDS + 1):
                for count, each in both.items():
                    for what, rate in (await each.ours(MEASURED)).items():
                        if number:
                            spent[what, count].append(rate.cpu)
    return [_figure(what, median(spent[what, large]), median(spent[what, small]), small, large) for what in MEASURED]


def _figure(what: str, grown: float, first: float, small: int, large: int) -> Figure:
    how = HOW.format(small=small, large=large, ms=(grown, first))
    return Figure(f"{what}, growth", grown / first, "times", MOST, how, most=True)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.growth", description=__doc__)
    parser.add_argument("--large", type=int, default=LARGE)
    print(*asyncio.run(measure(large=parser.parse_args().large)), sep="\n")


if __name__ == "__main__":
    main()
