"""What people see when the disk, a file or the clock is in trouble: the rest goes on, and nothing is half done."""

from __future__ import annotations

import sqlite3
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from admin.settings import Settings
from models.clock import SetClock
from models.connections import FORMAT, FileLock
from models.tenants import Tenants
from server import compose
from tests.admin.office import CAMILLE, Office
from tests.networks import SMALL

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("homes", ["sqlite"], indirect=True)  # the server's disk is its own affair
async def test_on_a_full_disk_one_reads_on_and_writes_are_refused_in_words(office: Office) -> None:
    lead = {"first_name": "Paul", "last_name": "Roy", "country": "FR", "city": "Lyon" * 20}
    async with office.signed_in(CAMILLE) as camille:
        assert (await camille.post("e/lead/new", lead, on="e/lead/new")).status_code == 303
        office.tenant.store._writer.execute("PRAGMA max_page_count = 1")  # type: ignore[attr-defined] # the same
        office.clock.forward(timedelta(minutes=5))
        answers = []
        for _ in range(40):
            answers.append(await camille.post("e/lead/new", lead, on="e/lead/new"))
            if answers[-1].status_code != 303:
                break
        assert answers[-1].status_code == 503
        assert "Nothing was changed" in answers[-1].text
        listed = await camille.get("e/lead/")
        assert listed.status_code == 200
        assert listed.text.count("Paul Roy") >= len(answers)
        office.tenant.store._writer.execute("PRAGMA max_page_count = 100000")  # type: ignore[attr-defined] # the same
        assert (await camille.post("e/lead/new", lead, on="e/lead/new")).status_code == 303


async def test_one_network_that_cannot_be_opened_keeps_no_other_from_being_served(
    tmp_path: Path, clock: SetClock
) -> None:
    tenants = Tenants(tmp_path, clock=clock)
    for name in ("good", "newer", "held"):
        await tenants.create(name, SMALL)
    await tenants.close()
    newer = sqlite3.connect(tmp_path / "newer.sqlite")
    newer.execute(f"PRAGMA user_version = {FORMAT + 1}")
    newer.close()
    (tmp_path / "broken.sqlite").write_bytes(b"no database at all" * 1000)
    held = FileLock(tmp_path / "held.sqlite")
    app = compose(Settings(data=tmp_path, secret="s"), clock=clock, works=False)
    transport = httpx.ASGITransport(app=app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://testserver", follow_redirects=True) as http,
    ):
        statuses = {name: (await http.get(f"/n/{name}/")).status_code for name in ("good", "newer", "broken", "held")}
        assert statuses == {"good": 200, "newer": 503, "broken": 503, "held": 503}
        choice = await http.get("/")
        assert choice.status_code == 200
        held.release()
        assert (await http.get("/n/held/")).status_code == 200


async def test_a_clock_that_is_put_back_neither_keeps_sessions_for_ever_nor_people_out(office: Office) -> None:
    async with office.visitor() as stranger:
        for _ in range(5):
            await stranger.sign_in(CAMILLE, "wrong")
        assert (await stranger.sign_in(CAMILLE)).status_code != 303
        office.clock.forward(timedelta(days=-365))
        assert (await stranger.sign_in(CAMILLE)).status_code == 303
    async with office.signed_in(CAMILLE) as camille:
        office.clock.forward(timedelta(days=-365))
        assert (await camille.get("")).status_code == 200
        office.clock.forward(timedelta(minutes=21))
        assert (await camille.get("")).status_code == 303


def test_a_secret_that_was_being_drawn_when_the_machine_stopped_is_drawn_again(tmp_path: Path) -> None:
    (tmp_path / ".secret").touch()
    key = Settings(data=tmp_path).signing_key()
    assert len(key) == 64
    assert Settings(data=tmp_path).signing_key() == key
    assert (tmp_path / ".secret").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [".secret"]
