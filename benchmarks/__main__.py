"""Measure everything beside its raw limit and write `results.md` with its pictures: `python -m benchmarks [--quick]`.

Each figure is the median of several rounds in which ours and raw take turns, so that what else the machine does
meanwhile falls on both.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import bulk, growth, http, inside, latency, mails, networks, report, targets, timers
from benchmarks.database import postgres
from benchmarks.figure import Figure
from benchmarks.load import Rate
from benchmarks.people import BATCH
from benchmarks.world import NAME, furnish
from models.stores import Home, Schema

HERE = Path(__file__).parent
Found = dict[tuple[str, str, str], list[tuple[Rate, Rate]]]


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured: leads, rounds, seconds a round, and on which databases."""

    count: int
    rounds: int
    seconds: float
    databases: tuple[str, ...] = ("SQLite", "PostgreSQL")
    pages: bool = True
    figures: tuple[str, ...] = ()


FIGURES: Mapping[str, Callable[[bool], list[Figure]]] = {
    "bulk": lambda quick: bulk.in_a_folder(500 if quick else 5_000),
    "bulk, PostgreSQL": lambda quick: bulk.in_a_database(500 if quick else 5_000),
    "mails": lambda quick: asyncio.run(mails.measure(100 if quick else 1_000)),
    "growth": lambda quick: asyncio.run(growth.measure(1_000, 20_000) if quick else growth.measure()),
    "latency": lambda quick: asyncio.run(latency.measure(2_000 if quick else 100_000)),
    "networks": lambda quick: networks.measure(20 if quick else networks.COUNT),
    "timers": lambda quick: asyncio.run(timers.measure(200 if quick else timers.COUNT)),
}
"""What has a target of its own, each a module that can be run alone."""


async def measure(plan: Plan, database: str, home: Home, folder: Path, pid: int | None) -> Found:
    """Return the rates on one database, a pair for each round; the first round is for warming up."""
    found: Found = defaultdict(list)
    world = await furnish(home, plan.count)
    async with inside.opened(world, pid, plan.seconds) as both:
        for number in range(plan.rounds + 1):
            for what, pair in (await both.measure()).items():
                if number:
                    found[database, "in the process", what].append(pair)
        if database == "SQLite":
            pairs = [inside.evaluations(both.tenant) for _ in range(plan.rounds)]
            found[database, "in the process", "condition over a record"] = pairs
    async with AsyncExitStack() as stack:
        ours, bare = [
            await stack.enter_async_context(http.serving(which, folder, world, pid, plan.seconds))
            for which in ("ours", "bare")
        ]
        for number in range(plan.rounds + 1):
            for what, pair in (await http.measure(ours, bare, pages=plan.pages)).items():
                if number:
                    found[database, "over HTTP", what].append(pair)
    return found


def run(plan: Plan) -> tuple[Found, str]:
    """Measure on each database; return what was found, and the version of PostgreSQL."""
    found: Found = {}
    version = "none"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if "SQLite" in plan.databases:
            found |= asyncio.run(measure(plan, "SQLite", folder / f"{NAME}.sqlite", folder, None))
        if "PostgreSQL" in plan.databases:
            with postgres() as server:
                version = server.version
                home = Schema(server.url, NAME)
                found |= asyncio.run(measure(plan, "PostgreSQL", home, folder, server.pid))
    return found, version


def asked(arguments: Iterable[str] | None = None) -> tuple[Plan, bool]:
    """Return the plan of the command line, and whether the results are to be kept."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few leads, one short round; nothing is written")
    parser.add_argument("--only", choices=("SQLite", "PostgreSQL"), help="one database; nothing is written")
    parser.add_argument("--leads", type=int, default=100_000)
    given = parser.parse_args(None if arguments is None else list(arguments))
    databases = (given.only,) if given.only else ("SQLite", "PostgreSQL")
    if given.quick:
        return Plan(min(given.leads, 5_000), 1, 0.5, databases, figures=tuple(FIGURES)), False
    return Plan(given.leads, 3, 1.2, databases, figures=tuple(FIGURES)), given.only is None


def main() -> None:
    """Measure, print and write the results."""
    plan, kept = asked()
    before = os.getloadavg()[0]
    found, version = run(plan)
    figures = [*targets.of_rates(found), *(each for name in plan.figures for each in FIGURES[name](not kept))]
    now = datetime.now(UTC)
    facts = {"day": now, "count": plan.count, "rounds": plan.rounds, "seconds": plan.seconds, "postgres": version}
    text = report.page(found, {**facts, "batch": BATCH, "before": before, "after": os.getloadavg()[0]})
    text += targets.page(figures)
    print(text)
    if kept:
        (HERE / "results.md").write_text(text, encoding="utf-8")
        (HERE / "results.svg").write_text(report.picture(found, now), encoding="utf-8")
        (HERE / "targets.svg").write_text(targets.picture(figures, now), encoding="utf-8")


if __name__ == "__main__":
    main()
