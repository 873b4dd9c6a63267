"""`make kills`: the whole sweep and the storms, on both databases; what is done is kept and not done again."""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.homes import homes_of, postgres_of_run
from tests.workflows.kills.killing import killed
from tests.workflows.kills.outside import outside
from tests.workflows.kills.report import write_report
from tests.workflows.kills.scenes import SCENES
from tests.workflows.kills.storm import Storm
from tests.workflows.kills.sweep import WAYS, Stage, Swept, sweep

KILLS, EACH = 250, 50
"""Kills on each database, and in a storm."""
REAL = 25
"""Every so many points the process is really killed."""
DATABASES = ("sqlite", "postgres")


@dataclass(frozen=True)
class Task:
    """A part of the whole: a scene in one way, or a storm with its seed."""

    database: str
    kind: str
    name: str

    @property
    def key(self) -> str:
        """What it is called in the file of what is done."""
        return f"{self.database} {self.kind} {self.name}"


def tasks(databases: list[str], kinds: list[str]) -> Iterator[Task]:
    """Yield all of it."""
    for database in databases:
        for kind in kinds:
            if kind == "storm":
                yield from (Task(database, kind, str(seed)) for seed in range(1, KILLS // EACH + 1))
            else:
                yield from (Task(database, kind, name) for name in SCENES)


@asynccontextmanager
async def database_of(kind: str) -> AsyncIterator[str | None]:
    """Start a PostgreSQL where one is needed."""
    if kind == "sqlite":
        yield None
        return
    async with postgres_of_run() as url:
        yield url


async def done(task: Task, url: str | None, folder: Path, every: int) -> dict[str, Any]:
    """Do a part and return what came of it."""
    async with outside() as found:
        if task.kind == "storm":
            async with homes_of(folder / task.key.replace(" ", "-"), url) as homes:
                homes.folder.mkdir()
                return asdict(await Storm(homes, found.mailbox, int(task.name), leads=EACH).rage(EACH))
        stage = Stage(url, folder, found)
        if task.kind == "killed":
            return asdict(await really(stage, task.name))
        ways = [way for way in WAYS if way == task.kind]
        return asdict(await sweep(stage, task.name, ways=ways, every=every))


async def really(stage: Stage, name: str) -> Swept:
    """Kill a process at every so many points of a scene, before and after in turns."""
    whole, points = await stage.alive(name)
    swept = Swept(name, len(points))
    for number, at in enumerate(range(0, len(points), REAL)):
        found, wrong = await killed(stage, name, at, "before" if number % 2 else "after", whole)
        if found is not None:
            swept.deaths += 1
            swept.unknown += found.unknown
            swept.repeated += found.repeated
            swept.wrong += wrong
    return swept


async def run(databases: list[str], kinds: list[str], kept: Path, every: int) -> int:
    """Do what is not done yet, telling of each part; return how much was wrong."""
    kept.parent.mkdir(parents=True, exist_ok=True)
    over = {each["key"] for each in read(kept)}
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        for database in databases:
            left = [task for task in tasks([database], kinds) if task.key not in over]
            if not left:
                continue
            async with database_of(database) as url:
                for task in left:
                    began = time.monotonic()
                    found = await done(task, url, Path(folder), every)
                    wrong += len(found["wrong"])
                    line = {"key": task.key, **asdict(task), "seconds": round(time.monotonic() - began, 1), **found}
                    with kept.open("a", encoding="utf-8") as file:
                        file.write(json.dumps({**line, "name": task.name}) + "\n")
                    told = {name: found[name] for name in ("deaths", "kills", "unknown", "repeated") if name in found}
                    print(f"{task.key}: {told}, wrong: {len(found['wrong'])} ({line['seconds']} s)", flush=True)  # noqa: T201 - who runs it reads it
                    for each in found["wrong"][:3]:
                        print(f"  {each[:400]}", flush=True)  # noqa: T201 - the same
    return wrong


def read(kept: Path) -> list[dict[str, Any]]:
    """Return what is done."""
    return [json.loads(line) for line in kept.read_text(encoding="utf-8").splitlines()] if kept.exists() else []


def main() -> int:
    """Run it as the arguments say, and write the report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--databases", nargs="+", default=list(DATABASES), choices=DATABASES)
    kinds = [*WAYS, "killed", "storm"]
    parser.add_argument("--kinds", nargs="+", default=kinds, choices=kinds)
    parser.add_argument("--kept", type=Path, default=Path("var/kills.jsonl"), help="what is done, a part a line")
    parser.add_argument("--every", type=int, default=1, help="of so many points one is swept")
    parser.add_argument("--report", type=Path, default=Path("benchmarks/kills.md"))
    given = parser.parse_args()
    wrong = asyncio.run(run(given.databases, given.kinds, given.kept, given.every))
    write_report(read(given.kept), given.report)
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
