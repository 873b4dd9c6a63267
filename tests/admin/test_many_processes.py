"""Servers and workers share one PostgreSQL database: nothing fails, nothing happens twice, a version reaches all."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import asyncpg  # type: ignore[import-untyped] # it has no types
import httpx
import pytest

from models.database import CHANNEL
from models.stores import home_of
from models.tenant import open_tenant
from tests.admin.served import Served
from tests.admin.test_kill_server import FILES, Worked, furnish, mailbox, sign_in, work
from tests.homes import Homes, homes_of
from tests.networks import changed
from tests.poolers import pooled
from tests.workflows.conftest import Mailbox

__all__ = ["mailbox"]
pytestmark = [pytest.mark.anyio, pytest.mark.slow]

CLIENTS, LEADS = 32, 5
LEFT = """SELECT 1 FROM "_outbox" WHERE "state" = 'ready' AND "kind" IN ('run', 'mail') LIMIT 1"""


@pytest.fixture
async def shared(postgres: str, tmp_path: Path) -> AsyncIterator[Homes]:
    """A database that several processes use."""
    async with homes_of(tmp_path, postgres) as found:
        yield found


@pytest.fixture
async def address(request: pytest.FixtureRequest, shared: Homes) -> AsyncIterator[dict[str, str]]:
    """What says where that database is: itself, or a pooler that has fewer connections than they together."""
    url = shared.url or ""
    if request.param == "direct":
        yield {"DATABASE_URL": url}
        return
    async with pooled(url, 6) as found:
        yield {"DATABASE_URL": found.url, "DATABASE_DIRECT_URL": found.direct}


@pytest.fixture
async def processes(shared: Homes, address: Mapping[str, str], mailbox: Mailbox) -> AsyncIterator[list[Served]]:
    """Two servers and two workers, not started yet."""
    environment = {
        **address,
        "MAILLE_SCHEMA_PREFIX": shared.prefix,
        "MAILLE_SECRET": "a secret of the tests",
        "MAILLE_WORKERS": "off",
        "SMTP_URL": mailbox.url,
    }
    made = [Served(shared.folder, environment, serves=serves) for serves in (True, True, False, False)]
    yield made
    for each in made:
        if each.process is not None and each.process.returncode is None:
            await each.end()


async def rows(shared: Homes, sql: str) -> list[tuple[Any, ...]]:
    """Look into the database beside the processes."""
    connection = await asyncpg.connect(shared.url)
    try:
        await connection.execute(f'SET search_path TO "{shared.prefix}small"')
        return [tuple(row) for row in await connection.fetch(sql)]
    finally:
        await connection.close()


async def nothing_left(shared: Homes) -> None:
    """Wait until the outbox is empty, looking at it after each commit that is told."""
    told = asyncio.Event()
    connection = await asyncpg.connect(shared.url)
    await connection.add_listener(CHANNEL, lambda *_: told.set())
    async with asyncio.timeout(120):
        while await rows(shared, LEFT):
            await told.wait()
            told.clear()
    await connection.close()


@pytest.mark.parametrize("address", ["pooled"], indirect=True)
async def test_two_servers_and_two_workers_do_everything_once(
    shared: Homes, processes: Sequence[Served], mailbox: Mailbox
) -> None:
    leads = await furnish(shared("small"), CLIENTS // 2, LEADS)
    await asyncio.gather(*(each.start() for each in processes))
    worked, stop = Worked(), asyncio.Event()
    # Each person sits at both servers at once: of two calls of the same lead, one is taken and one refused.
    await asyncio.gather(
        *(work(server.url, email, ids, worked, stop) for email, ids in leads.items() for server in processes[:2])
    )
    await nothing_left(shared)
    assert worked.broken == 0
    everything = [id for ids in leads.values() for id in ids]
    assert worked.acknowledged == Counter(everything)
    assert await rows(shared, 'SELECT DISTINCT "recruiting", "calls", "version" FROM "lead"') == [("contacted", 1, 2)]
    for sql in (
        """SELECT "record", count(*) FROM "_history" WHERE "kind" = 'moved' GROUP BY 1""",
        """SELECT "record", count(*) FROM "_run" WHERE "state" = 'done' GROUP BY 1""",
        """SELECT "record", count(*) FROM "_mail" WHERE "state" = 'sent' AND "record" IS NOT NULL GROUP BY 1""",
    ):
        assert dict(await rows(shared, sql)) == dict.fromkeys(everything, 1), sql
    assert await rows(shared, """SELECT * FROM "_outbox" WHERE "state" = 'dead'""") == []
    written = Counter(str(letter["To"]) for letter in mailbox.letters if str(letter["To"]) not in leads)
    assert set(written.values()) == {1}
    assert len(written) == len(everything)
    workers = {
        row[0].partition(":")[0] for row in await rows(shared, 'SELECT DISTINCT "worker" FROM "_outbox"') if row[0]
    }
    assert workers
    assert [await each.end() for each in processes[2:]] == [0, 0]


@pytest.mark.parametrize("address", ["direct"], indirect=True)
async def test_a_version_reaches_every_process_without_a_failed_request(
    shared: Homes, processes: Sequence[Served]
) -> None:
    leads = await furnish(shared("small"), 2, 40)
    await asyncio.gather(*(each.start() for each in processes))
    stop = asyncio.Event()
    statuses: Counter[int] = Counter()

    async def read(url: str, email: str) -> None:
        async with httpx.AsyncClient(base_url=url, timeout=30) as http:
            await sign_in(http, email)
            while not stop.is_set():
                statuses[(await http.get("/n/small/e/lead/")).status_code] += 1

    worked = Worked()
    readers = [
        asyncio.ensure_future(read(server.url, email)) for server, email in zip(processes[:2], leads, strict=True)
    ]
    movers = [
        asyncio.ensure_future(work(server.url, email, leads[email], worked, stop))
        for server, email in zip(processes[:2], leads, strict=True)
    ]
    here = await open_tenant(home_of(shared.all, "small"), "small")
    lead_file = next(name for name, text in FILES.items() if text.lstrip().startswith("entity: lead"))
    fields = FILES[lead_file].replace("  first_name:", "  nickname: {type: text, default: Ami}\n  first_name:", 1)
    await here.publish(changed(FILES, **{lead_file.removesuffix(".yaml"): fields}))
    async with httpx.AsyncClient(timeout=30) as http:
        for server, email in zip(processes[:2], leads, strict=True):
            async with httpx.AsyncClient(base_url=server.url, timeout=30) as own:
                await sign_in(own, email)
                page = await own.get(f"/n/small/e/lead/{leads[email][0]}")
                assert "Ami" in page.text
        assert (await http.get(f"{processes[0].url}/n/small/")).status_code == 303
    await asyncio.gather(*movers)
    stop.set()
    await asyncio.gather(*readers)
    await here.close()
    assert set(statuses) == {200}
    assert worked.broken == 0
    assert worked.acknowledged.total() == 80
