"""What people and programs are told when PostgreSQL has no connection left, or goes away while it saves."""

from __future__ import annotations

import asyncio

import asyncpg  # type: ignore[import-untyped] # it has no types
import httpx
import pytest

from models import postgres as stores
from models.database import CONNECTIONS
from models.postgres import PostgresStore
from models.tx import Tx
from tests.admin.office import CAMILLE, Office, Visitor

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("homes", ["postgres"], indirect=True)]

LEAD = {"first_name": "Paul", "last_name": "Roy", "country": "FR"}
SLOW = """
SET search_path TO "{schema}";
CREATE FUNCTION waits() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN PERFORM pg_advisory_xact_lock(78); RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER waits AFTER INSERT ON "lead" DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION waits();
SELECT pg_advisory_lock(78)
"""
"""What lets the commit of each new lead wait."""


async def test_when_all_connections_are_in_use_one_is_told_to_come_back(office: Office) -> None:
    store = office.tenant.store
    assert isinstance(store, PostgresStore)
    go, begun = asyncio.Event(), asyncio.Semaphore(0)

    async def holds(_: Tx) -> None:
        begun.release()
        await go.wait()

    async with office.signed_in(CAMILLE) as camille:
        holders = [asyncio.ensure_future(store.read(holds)) for _ in range(CONNECTIONS)]
        for _ in holders:
            await begun.acquire()
        store.database.wait = 0.05
        try:
            page, told = await asking(office, camille)
        finally:
            go.set()
            await asyncio.gather(*holders)
        assert [page.status_code, told.status_code] == [503, 503]
        assert "Nothing was changed" in page.text
        assert [page.headers["retry-after"], told.headers["retry-after"]] == ["5", "5"]
        store.database.wait = 10.0
        assert (await camille.get("e/lead/")).status_code == 200


async def asking(office: Office, who: Visitor) -> tuple[httpx.Response, httpx.Response]:
    """Ask as a server does: what failed outside of all handlers is answered, and raised for the log alone."""
    transport = httpx.ASGITransport(app=office.app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://testserver", cookies=who.http.cookies) as http:
        return await http.get("/n/small/e/lead/"), await http.get("/n/small/api/v1/me")


async def test_who_cannot_be_told_whether_it_was_saved_is_told_that(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = office.tenant.store
    assert isinstance(store, PostgresStore)
    async with office.signed_in(CAMILLE) as camille:
        other = await asyncpg.connect(store.database.url)
        await other.execute(SLOW.format(schema=store.schema))
        monkeypatch.setattr(stores, "ACKNOWLEDGE", 0.05)
        try:
            answer = await camille.post("e/lead/new", LEAD, on="e/lead/new")
        finally:
            await other.close()
        assert answer.status_code == 503
        assert "Look whether it was before you do it again" in answer.text
        assert "Nothing was changed" not in answer.text
