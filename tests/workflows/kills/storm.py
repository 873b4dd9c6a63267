"""The storm: people move records over HTTP while servers and workers are killed at random; then the account."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import httpx

from models.accounts import store_password
from models.actor import SYSTEM
from models.passwords import hash_password
from models.stores import Home
from models.tenant import Tenant, create_tenant, open_tenant
from tests.admin.forked import fork
from tests.admin.office import PASSWORD
from tests.admin.served import Served
from tests.admin.test_kill_server import AGAIN, rows, sign_in
from tests.homes import Homes
from tests.networks import edited
from tests.workflows.conftest import Mailbox
from tests.workflows.kills.pack import files
from tests.workflows.kills.scenes import named
from workflows import changes, commands
from workflows.mail_account import LINES
from workflows.unit import write

PACK = edited(files("https://crm.invalid/in"), ("    undo: 10m\n", ""))
"""Without a time in which moves can be taken back: mails leave at once. Calls wait for a day: there is no such host."""
STEPS: Sequence[tuple[str, Mapping[str, str]]] = (
    ("call", {"comment": "Bien", "next_call_at": "2030-01-01T10:00", "version": "1"}),
    ("lose", {"version": "2"}),
)
LONGEST = 0.3
"""Seconds at most from the move that a kill waits for to the kill: workers do meanwhile what it owes."""
PATIENCE = 300.0
"""Seconds until everything owed must be done: the leases of the dead run out after one minute."""


@dataclass
class Load:
    """What clients know: which moves were acknowledged, and how many requests broke off."""

    acknowledged: Counter[tuple[str, str]] = field(default_factory=Counter)
    broken: int = 0
    made: int = 0
    """Moves that happened: those acknowledged, and those of which who asks again is told."""
    moved: asyncio.Event = field(default_factory=asyncio.Event)
    ration: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))
    """The moves that may be made until the next kill: so there is work before each, however fast the machine is."""

    def give(self, moves: int) -> None:
        """Let so many more be made."""
        for _ in range(moves):
            self.ration.release()

    async def until(self, goal: int, working: Sequence[asyncio.Future[None]]) -> None:
        """Wait until so many moves were made, or all are done."""
        while self.made < goal and (left := [each for each in working if not each.done()]):
            self.moved.clear()
            more = asyncio.create_task(self._more())
            await asyncio.wait({more, *left}, return_when=asyncio.FIRST_COMPLETED)
            more.cancel()

    async def _more(self) -> None:
        await self.moved.wait()


@dataclass
class Stormed:
    """What came of a storm."""

    seed: int
    kills: int = 0
    acknowledged: int = 0
    broken: int = 0
    mails: int = 0
    unknown: int = 0
    wrong: list[str] = field(default_factory=list)


@dataclass
class Storm:
    """An installation: its homes, its mail server, and its processes."""

    homes: Homes
    mailbox: Mailbox
    seed: int
    processes: list[Served] = field(default_factory=list)
    people: int = 8
    leads: int = 30

    async def rage(self, kills: int) -> Stormed:
        """Kill so many times while people work, let what is owed be done, and take the account."""
        chance = random.Random(self.seed)  # noqa: S311 - when and whom to kill
        leads = await furnish(self.homes("small"), self.people, self.leads)
        load, stormed = Load(), Stormed(self.seed)
        async with self._running():
            servers = [each.url for each in self.processes if each.serves]
            working = [
                asyncio.ensure_future(work(servers[at % len(servers)], email, ids, load))
                for at, (email, ids) in enumerate(leads.items())
            ]
            moves = self.people * self.leads * len(STEPS)
            for kill in range(kills):
                given, more = (moves * at // (kills + 1) for at in (kill, kill + 1))
                load.give(more - given)
                await load.until(given + chance.randint(0, more - given - 1), working)
                await asyncio.wait(working, timeout=chance.uniform(0, LONGEST))
                await self._strike(chance.choice(self.processes))
                stormed.kills += 1
            load.give(moves - moves * kills // (kills + 1))
            for failure in await asyncio.gather(*working, return_exceptions=True):
                if failure is not None:
                    stormed.wrong.append(f"somebody could not go on: {failure!r}")
            await self._nothing_left()
        stormed.acknowledged, stormed.broken = load.acknowledged.total(), load.broken
        await self._account(leads, load, stormed)
        return stormed

    async def _strike(self, process: Served) -> None:
        await process.kill()
        await process.start()

    @asynccontextmanager
    async def _running(self) -> AsyncIterator[None]:
        shared = {"MAILLE_SECRET": "a secret of the tests", "SMTP_URL": self.mailbox.url}
        if self.homes.url is None:
            self.processes = [Served(self.homes.folder, shared, begin=fork)]
        else:
            where = {"DATABASE_URL": self.homes.url, "MAILLE_SCHEMA_PREFIX": self.homes.prefix, "MAILLE_WORKERS": "off"}
            serves = (True, True, False, False)
            given = {**shared, **where}
            self.processes = [Served(self.homes.folder, given, serves=each, begin=fork) for each in serves]
        try:
            for process in self.processes:
                await process.start()
            yield
        finally:
            for process in self.processes:
                if process.process is not None and process.process.returncode is None:
                    await process.end()

    async def _nothing_left(self) -> None:
        """Wait until nothing is owed, or for so long that the account will tell what is."""
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                while await self._left():  # noqa: ASYNC110 - it is other processes that do it
                    await asyncio.sleep(0.5)

    async def _left(self) -> bool:
        sql = """SELECT 1 FROM "_outbox" WHERE "state" = 'ready' AND "kind" IN ('run', 'mail') LIMIT 1"""
        if self.homes.url is None:
            return bool(rows(self.homes.folder / "small.sqlite", sql))
        tenant = await open_tenant(self.homes("small"), "small")
        try:
            return bool(await tenant.store.read(lambda tx: tx.rows(sql)))
        finally:
            await tenant.close()

    async def _account(self, leads: Mapping[str, Sequence[str]], load: Load, stormed: Stormed) -> None:
        tenant = await open_tenant(self.homes("small"), "small")
        try:
            await self._compare(tenant, [id for ids in leads.values() for id in ids], load, stormed)
        finally:
            await tenant.close()

    async def _compare(self, tenant: Tenant, ids: Sequence[str], load: Load, stormed: Stormed) -> None:
        async def rows(sql: str) -> list[tuple[Any, ...]]:
            return [tuple(row) for row in await tenant.store.read(lambda tx: tx.rows(sql))]

        def differs(what: str, found: Any, expected: Any) -> None:
            if found != expected:
                stormed.wrong.append(f"{what}: {str(found)[:300]} instead of {str(expected)[:300]}")

        once = dict.fromkeys(ids, 1)
        moves = await rows(
            """SELECT "record", "transition", count(*) FROM "_history" WHERE "kind" = 'moved' GROUP BY 1, 2"""
        )
        differs(
            "moves",
            {row[:2]: row[2] for row in moves},
            dict.fromkeys(((id, step) for id in ids for step, _ in STEPS), 1),
        )
        differs("acknowledged", {count for count in load.acknowledged.values() if count > 1}, set())
        states = await rows('SELECT DISTINCT "recruiting", "calls", "version" FROM "lead"')
        differs("records", states, [("lost", 1, 3)])
        for what, sql in _ONCE.items():
            differs(what, dict(await rows(sql)), once)
        differs("companies", await rows('SELECT count(*) FROM "company"'), [(len(ids),)])
        differs("rows that are dead or left", await rows(_LEFT), [])
        mails = await rows("""SELECT "message_id", "state" FROM "_mail" WHERE "record" IS NOT NULL""")
        came = Counter(str(letter["Message-ID"]) for letter in self.mailbox.letters)
        for message, state in mails:
            most = {"sent": (1,), "unknown": (0, 1)}.get(state, ())
            if came[message] not in most:
                stormed.wrong.append(f"a mail is {state} and came {came[message]} times")
        stormed.mails, stormed.unknown = len(mails), sum(state == "unknown" for _, state in mails)
        if stormed.unknown > stormed.kills * LINES:
            stormed.wrong.append(f"{stormed.unknown} mails of unknown fate after {stormed.kills} kills")


_ONCE: Mapping[str, str] = {
    "runs": """SELECT "record", count(*) FROM "_run" WHERE "automation" = 'called' AND "state" = 'done' GROUP BY 1""",
    "mails": """SELECT "record", count(*) FROM "_mail" WHERE "record" IS NOT NULL GROUP BY 1""",
    "calls": """SELECT "record", count(*) FROM "_hook" GROUP BY 1""",
}
_LEFT = """SELECT "kind", "last_error" FROM "_outbox"
WHERE "state" = 'dead' OR "state" = 'ready' AND "kind" IN ('run', 'mail')"""


async def furnish(home: Home, people: int, each: int) -> dict[str, list[str]]:
    """Make the network with distributors and leads, and return the leads by the distributor's e-mail."""
    tenant = await create_tenant(home, "small", files=PACK)
    hashed, found = await hash_password(PASSWORD), {}
    for number in range(people):
        email = f"d{number}@exemple.fr"
        person = {"first_name": "Lea", "last_name": f"Roux{number}", "email": email, "country": "FR", "active": True}
        member = await commands.create(tenant, SYSTEM, "member", {**person, "levels": ["distributor"]})
        await tenant.store.write(lambda tx, id=member.id: store_password(tx, id, hashed, tenant.clock.now()))  # type: ignore[misc] # bound now
        given = [named(f"P{number}x{at}", owner=member.id) for at in range(each)]
        made = await write(tenant, SYSTEM, lambda unit, given=given: changes.create_many(unit, "lead", given))  # type: ignore[misc] # bound now
        found[email] = [record.id for record in made if not isinstance(record, Exception)]
        assert len(found[email]) == each
    await tenant.close()
    return found


async def work(url: str, email: str, leads: Sequence[str], load: Load) -> None:
    """Sign in and move lead after lead; who is cut off asks again, and is told when it had happened."""
    async with httpx.AsyncClient(base_url=url, timeout=20) as http:
        csrf = ""
        for step, form in STEPS:
            for id in leads:
                await load.ration.acquire()
                while True:
                    try:
                        csrf = csrf or await sign_in(http, email)
                        answer = await http.post(
                            f"/n/small/e/lead/{id}/move/recruiting/{step}",
                            data=dict(form),
                            headers={"accept": "application/json", "x-csrf-token": csrf},
                        )
                    except (httpx.TransportError, AssertionError):
                        load.broken += 1
                        await asyncio.sleep(AGAIN)
                        continue
                    if answer.status_code == 503:
                        load.broken += 1
                        await asyncio.sleep(AGAIN)
                        continue
                    assert answer.status_code in {200, 409}, answer.text
                    load.acknowledged[id, step] += answer.status_code == 200
                    load.made += 1
                    load.moved.set()
                    break
