"""Of many networks some rest: closed while nothing is to be done in them, and open again in time."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
import structlog

from admin import rests
from admin.networks import Networks
from admin.settings import Settings
from models.actor import SYSTEM
from models.clock import SetClock
from models.tenant import Tenant, create_tenant
from models.tenants import visiting
from models.tx import Tx
from server import compose
from tests.homes import Homes
from tests.networks import SMALL, counting_ids
from workflows import auditing, outbox
from workflows.unit import open_unit
from workflows.upkeep import EVERY

pytestmark = pytest.mark.anyio

NAMES = ("five", "four", "one", "three", "two")
LATER = timedelta(minutes=40)
"""Less than the time between two times of upkeep."""


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have networks asked again at once whether they may rest."""
    monkeypatch.setattr(rests, "PULSE", 0.0)
    monkeypatch.setattr(rests, "PACE", 0.0)


@pytest.fixture
async def folder(tmp_path: Path, clock: SetClock) -> Path:
    """A folder of five networks."""
    await (await create_tenant(tmp_path / "one.sqlite", "one", files=SMALL, clock=clock)).close()
    for name in NAMES:
        if name != "one":
            shutil.copyfile(tmp_path / "one.sqlite", tmp_path / f"{name}.sqlite")
    return tmp_path


@asynccontextmanager
async def looked_after(settings: Settings, clock: SetClock) -> AsyncIterator[Networks]:
    """Let a process have the networks, of which two are to be open; nothing looks after them but the test."""
    networks = Networks(replace(settings, open_networks=2, secret="x"), clock=clock, new_id=counting_ids())
    try:
        yield networks
    finally:
        await networks.close()


@pytest.fixture
async def networks(folder: Path, clock: SetClock) -> AsyncIterator[Networks]:
    async with looked_after(Settings(folder), clock) as made:
        yield made


async def until(networks: Networks, holds: Callable[[], bool]) -> None:
    """Look after the networks until something holds."""
    async with asyncio.timeout(20):
        while not holds():
            await networks.rests.look()


async def all_seen(networks: Networks) -> None:
    def seen() -> bool:
        resting = networks.rests.resting().keys()
        return len(networks.tenants.opened()) == 2 and networks.workers() | resting == set(NAMES)

    await until(networks, seen)


async def rests_now(networks: Networks, name: str) -> None:
    """Have others used since, until a network rests."""
    for other in [other for other in NAMES if other != name][:2]:
        await networks.get(other)
    await until(networks, lambda: name in networks.rests.resting() and name not in networks.tenants.opened())


async def ask_for(tenant: Tenant, after: timedelta) -> None:
    """Ask for something to be done."""

    async def work(tx: Tx) -> None:
        unit = open_unit(tenant, tx, SYSTEM)
        await outbox.enqueue(unit, "answers", {}, unit.now + after, "asked")

    await tenant.store.write(work)


def kept(folder: Path, name: str, sql: str) -> int:
    """Return a number that is in the file of a network."""
    with closing(sqlite3.connect(folder / f"{name}.sqlite")) as connection:
        found: int = connection.execute(sql).fetchone()[0]
        return found


def asked_states(folder: Path, name: str) -> int:
    return kept(folder, name, """SELECT count(*) FROM "_outbox" WHERE "unique_key" = 'asked' AND "state" = 'done'""")


async def test_of_too_many_networks_some_rest_once_all_were_worked_in(networks: Networks, folder: Path) -> None:
    await all_seen(networks)
    for name in networks.rests.resting():
        done = """SELECT count(*) FROM "_outbox" WHERE "kind" = 'version' AND "state" = 'done'"""
        assert kept(folder, name, done) == 1
    assert networks.at_work == 2


async def test_a_network_that_rests_is_open_before_what_is_due_in_it(
    networks: Networks, folder: Path, clock: SetClock
) -> None:
    tenant = await networks.get("one")
    assert tenant is not None
    await ask_for(tenant, LATER)
    await rests_now(networks, "one")
    assert networks.rests.resting()["one"].owed.later >= 1
    clock.forward(LATER - timedelta(seconds=10))
    await networks.rests.look()
    assert "one" not in networks.workers()
    clock.forward(timedelta(seconds=8))
    await networks.rests.look()
    assert "one" in networks.workers()
    clock.forward(timedelta(seconds=2))
    tenant = await networks.get("one")
    assert tenant is not None
    tenant.changed.set()
    await until(networks, lambda: asked_states(folder, "one") == 1)


async def test_what_is_due_goes_beyond_the_number_that_is_to_be_open(
    networks: Networks, folder: Path, clock: SetClock
) -> None:
    for name in NAMES:
        tenant = await networks.get(name)
        assert tenant is not None
        await ask_for(tenant, LATER)
    await all_seen(networks)
    clock.forward(LATER)
    await until(networks, lambda: all(asked_states(folder, name) for name in set(NAMES) - networks.workers()))
    await all_seen(networks)
    clock.forward(timedelta(seconds=5))
    for tenant in networks.tenants.opened().values():
        tenant.changed.set()
    await until(networks, lambda: all(asked_states(folder, name) for name in NAMES))


async def test_the_upkeep_of_a_network_that_rests_is_not_left_out(networks: Networks, clock: SetClock) -> None:
    await all_seen(networks)
    assert {rest.until for rest in networks.rests.resting().values()} == {clock.now() + EVERY}
    clock.forward(EVERY)
    await until(networks, lambda: all(rest.until > clock.now() for rest in networks.rests.resting().values()))
    await all_seen(networks)


async def test_a_clock_that_is_put_back_has_all_networks_looked_at(networks: Networks, clock: SetClock) -> None:
    await all_seen(networks)
    clock.forward(-timedelta(days=1))
    await networks.rests.look()
    await all_seen(networks)
    assert all(rest.until <= clock.now() + EVERY for rest in networks.rests.resting().values())


async def test_a_network_that_is_visited_does_not_rest(networks: Networks) -> None:
    await all_seen(networks)
    with visiting():
        tenant = await networks.get("one")
        assert tenant is not None
        for name in NAMES[:2] * 3:
            await networks.get(name)
            await networks.rests.look()
        assert await tenant.store.read(lambda tx: tx.row("SELECT 1")) == (1,)
    await rests_now(networks, "one")


async def test_what_a_visit_began_and_outlives_it_keeps_nothing_open(networks: Networks) -> None:
    over = asyncio.Event()

    async def later() -> None:
        await over.wait()
        await networks.get("one")

    with visiting():
        task = asyncio.create_task(later())
    over.set()
    await task
    await rests_now(networks, "one")


async def test_a_request_under_way_keeps_its_network_open(folder: Path, clock: SetClock) -> None:
    settings = Settings(folder, secret="x", open_networks=1)
    app = compose(settings, clock=clock, new_id=counting_ids(), works=False)
    networks: Networks = app.state.networks
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def body() -> AsyncIterator[bytes]:
        begun.set()
        await go_on.wait()
        yield b"email=nobody"

    form = {"content-type": "application/x-www-form-urlencoded"}
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as http, asyncio.timeout(20):
        asked = asyncio.create_task(http.post("/n/one/sign-in", content=body(), headers=form))
        await begun.wait()
        await networks.get("two")
        await networks.get("three")
        assert "one" in networks.tenants.opened()
        assert "two" not in networks.tenants.opened()
        go_on.set()
        assert (await asked).status_code == 403
    await networks.close()


async def test_who_read_what_is_sealed_before_a_network_rests(networks: Networks, folder: Path) -> None:
    await all_seen(networks)
    with visiting():
        tenant = await networks.get("one")
        assert tenant is not None
        await auditing.commanded(tenant, "back_up")
    await rests_now(networks, "one")
    rows = kept(folder, "one", 'SELECT count(*) FROM "_audit"')
    assert rows > 0
    assert kept(folder, "one", 'SELECT count(*) FROM "_seal"') == rows


async def test_a_network_that_goes_while_it_rests_is_forgotten(networks: Networks, folder: Path) -> None:
    await all_seen(networks)
    name = min(networks.rests.resting())
    (folder / f"{name}.sqlite").rename(folder / "other.sqlite")
    await until(networks, lambda: "other" in networks.workers() | networks.rests.resting().keys())
    assert name not in networks.rests.resting()
    assert await networks.get(name) is None


async def test_a_network_that_cannot_be_opened_is_told_once_and_tried_again_after_a_while(
    networks: Networks, folder: Path, clock: SetClock
) -> None:
    good = (folder / "one.sqlite").read_bytes()
    (folder / "one.sqlite").write_bytes(b"no database at all" * 1000)
    with structlog.testing.capture_logs() as lines:
        for _ in range(3):
            await networks.rests.look()
            clock.forward(rests.FIRST * 4)
    assert [line["event"] for line in lines if line.get("network") == "one"] == ["a network cannot be opened"]
    await networks.rests.look()
    (folder / "one.sqlite").write_bytes(good)
    await networks.rests.look()
    assert "one" not in networks.workers()
    clock.forward(rests.LONGEST)
    await until(networks, lambda: "one" in networks.workers())


async def test_where_other_processes_ask_for_work_all_networks_stay_open(homes: Homes, clock: SetClock) -> None:
    async with looked_after(homes.settings, clock) as networks:
        for name in ("one", "two", "three"):
            await networks.create(name, SMALL)
        if homes.dialect == "sqlite":
            await until(networks, lambda: networks.at_work == 2)
        else:
            assert await networks.rests.make_room() is True
            assert networks.workers() == {"one", "two", "three"} == networks.tenants.opened().keys()
