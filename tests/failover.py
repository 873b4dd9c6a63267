"""A primary is killed under load and its standby takes its place: what was acknowledged is there, and done once.

`python -m tests.failover` does it again and again, with several servers and workers (`make failover`).
"""

from __future__ import annotations

import argparse
import asyncio
import random
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

import asyncpg  # type: ignore[import-untyped] # it has no types
import httpx
from aiosmtpd.controller import Controller

from models.database import CHANNEL
from models.stores import Schema
from tests.admin.served import Served, free_port
from tests.admin.test_kill_server import Worked, enough, furnish, until, work
from tests.standby import Pair, pair

NAME = "small"
OWED = """SELECT count(*) FROM "_outbox" WHERE "state" = 'ready' AND "kind" IN ('run', 'mail')"""


class Letters:
    """A mail server that counts, by recipient."""

    def __init__(self) -> None:
        """Have none yet."""
        self.came: Counter[str] = Counter()

    async def handle_DATA(self, _server: object, _session: object, envelope: object) -> str:  # noqa: N802 - aiosmtpd's
        """Take one."""
        self.came.update(envelope.rcpt_tos)  # type: ignore[attr-defined] # its envelopes
        return "250 OK"


@dataclass
class Seen:
    """What came of a rehearsal; `problems` is empty when every promise was kept."""

    moves: int = 0
    borne: int = 0
    broken: int = 0
    unknown: int = 0
    outages: list[float] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


@dataclass
class Rehearsal:
    """People work at servers over two databases, of which the first is killed so many times."""

    pair: Pair
    folder: Path
    servers: int
    workers: int
    kills: int
    people: int
    leads: int
    chance: random.Random

    async def run(self) -> Seen:
        """Let it happen and look at what is left."""
        letters = Letters()
        post = Controller(letters, hostname="127.0.0.1", port=free_port())
        post.start()
        given = await furnish(Schema(self.pair.url, NAME, self.folder), self.people, self.leads)
        made = self._processes(f"smtp://127.0.0.1:{post.port}")
        await asyncio.gather(*(each.start() for each in made))
        worked, stop, seen = Worked(bears=frozenset({503})), asyncio.Event(), Seen()
        crowd = [
            asyncio.create_task(work(made[at % self.servers].url, email, ids, worked, stop))
            for at, (email, ids) in enumerate(given.items())
        ]
        try:
            for number in range(self.kills):
                await self._kill(worked, crowd, made[0].url, seen)
                if number + 1 < self.kills:
                    await self.pair.follow()
            await asyncio.gather(*crowd)
            await self._wait_for_work()
            await self._look(worked, given, letters.came, seen)
        finally:
            stop.set()
            await asyncio.gather(*crowd, return_exceptions=True)
            await asyncio.gather(*(each.end() for each in made))
            await asyncio.to_thread(post.stop)
        return seen

    def _processes(self, smtp: str) -> list[Served]:
        environment = {
            "DATABASE_URL": self.pair.url,
            "MAILLE_SECRET": "a secret of the tests",
            "MAILLE_WORKERS": "off" if self.workers else "on",
            "MAILLE_RATES": "off",
            "SMTP_URL": smtp,
        }
        kinds = [True] * self.servers + [False] * self.workers
        return [Served(self.folder, environment, serves=serves) for serves in kinds]

    async def _kill(self, worked: Worked, crowd: Sequence[asyncio.Task[None]], url: str, seen: Seen) -> None:
        """Kill the primary somewhere in the load; the outage is over once a server says that it is ready."""
        each = self.people * self.leads // (self.kills + 1)
        goal = worked.acknowledged.total() + self.chance.randint(each // 2, each)
        await until(lambda: enough(worked, goal, crowd), seconds=180)
        begun = perf_counter()
        await self.pair.fail_over()
        async with httpx.AsyncClient(timeout=20) as http:
            await until(lambda: _ready(http, url))
        seen.outages.append(perf_counter() - begun)

    async def _wait_for_work(self) -> None:
        """Look after each commit that is told."""
        told = asyncio.Event()
        connection = await asyncpg.connect(self.pair.primary.url)
        await connection.add_listener(CHANNEL, lambda *_: told.set())
        async with asyncio.timeout(180):
            while await self._rows(OWED) != [(0,)]:
                await told.wait()
                told.clear()
        await connection.close()

    async def _rows(self, sql: str) -> list[tuple[Any, ...]]:
        connection = await asyncpg.connect(self.pair.primary.url, server_settings={"search_path": NAME})
        try:
            return [tuple(row) for row in await connection.fetch(sql)]
        finally:
            await connection.close()

    async def _look(self, worked: Worked, given: Mapping[str, Sequence[str]], came: Counter[str], seen: Seen) -> None:
        everything = {id for ids in given.values() for id in ids}
        seen.moves, seen.borne, seen.broken = worked.acknowledged.total(), worked.borne, worked.broken
        moved = dict(
            await self._rows("""SELECT "record", count(*) FROM "_history" WHERE "kind" = 'moved' GROUP BY 1""")
        )
        if missing := [id for id in worked.acknowledged if worked.acknowledged[id] and id not in moved]:
            seen.problems.append(f"{len(missing)} acknowledged moves are missing")
        if moved != dict.fromkeys(everything, 1):
            seen.problems.append("not every lead moved once")
        if await self._rows('SELECT DISTINCT "recruiting", "calls", "version" FROM "lead"') != [("contacted", 1, 2)]:
            seen.problems.append("records are not as one move leaves them")
        done = dict(await self._rows("""SELECT "record", count(*) FROM "_run" WHERE "state" = 'done' GROUP BY 1"""))
        if done != dict.fromkeys(everything, 1):
            seen.problems.append("not every run was done once")
        mails = await self._rows("""SELECT "recipient", "state" FROM "_mail" WHERE "record" IS NOT NULL""")
        seen.unknown = sum(state == "unknown" for _, state in mails)
        if len(mails) != len(everything):
            seen.problems.append(f"{len(mails)} mails are owed for {len(everything)} moves")
        if wrong := [to for to, state in mails if state == "sent" and came[str(to)] != 1]:
            seen.problems.append(f"{len(wrong)} mails that were sent came another number of times than once")
        if left := Counter(str(state) for _, state in mails if state not in {"sent", "unknown"}):
            seen.problems.append(f"mails are left: {dict(left)}")


async def _ready(http: httpx.AsyncClient, url: str) -> bool:
    return (await http.get(f"{url}/readyz")).status_code == 200


async def rehearse(kills: int, servers: int, workers: int, people: int, leads: int, seed: int) -> Seen:
    """Have two database servers and do it."""
    with tempfile.TemporaryDirectory() as folder:
        async with pair() as databases:
            chance = random.Random(seed)  # noqa: S311 - when to kill is no secret
            made = Rehearsal(databases, Path(folder), servers, workers, kills, people, leads, chance)
            return await made.run()


def main() -> int:
    """Say what came of it; 1 when a promise was broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, usual in (("kills", 20), ("servers", 2), ("workers", 2), ("people", 16), ("leads", 200), ("seed", 1)):
        parser.add_argument(f"--{name}", type=int, default=usual)
    seen = asyncio.run(rehearse(**vars(parser.parse_args())))
    outages = [f"{each:.2f}" for each in sorted(seen.outages)]
    counts = f"{seen.moves} acknowledged moves, {seen.borne} answers 503, {seen.broken} broken requests"
    print(f"{len(outages)} failovers, {counts}, {seen.unknown} mails unknown")  # noqa: T201 - it is called by people
    print(f"ready again after (seconds): {' '.join(outages)}")  # noqa: T201 - the same
    for problem in seen.problems:
        print(f"BROKEN: {problem}")  # noqa: T201 - the same
    return bool(seen.problems)


if __name__ == "__main__":
    raise SystemExit(main())
