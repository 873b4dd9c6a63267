"""Operators and leaders see how well the installation serves, beside what is promised."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from admin.cli.main import main
from admin.control.desk import Desk
from admin.control.service import status
from models.clock import SetClock
from models.hours import Counts, hours_of
from tests.admin.office import CAMILLE, LEADER, Office
from tests.homes import Homes

GOOD, BAD = Counts(1000, 990, 995, 2), Counts(1000, 970, 995, 2)


async def served(homes: Homes, clock: SetClock, counts: Counts) -> None:
    """Have it written that a server ran for ten of the last twenty minutes, and what it answered."""
    hours = hours_of(homes.all)
    for ago in range(20, 10, -1):
        await hours.add(clock.now() - timedelta(minutes=ago), {"api": counts} if ago == 20 else {})


@pytest.mark.anyio
async def test_a_leader_sees_what_is_missed(office: Office, homes: Homes, clock: SetClock) -> None:
    async with office.signed_in(LEADER) as leader:
        assert "Nothing is measured yet" in (await leader.get("service")).text
        office.app.state.hours = hours_of(homes.all)
        await served(homes, clock, BAD)
        page = (await leader.get("service")).text
        assert 'href="/n/small/service"' in (await leader.get("settings")).text
    assert [page.count(each) for each in ("97%", "99.5%", "50%", "Missed")] == [1, 1, 1, 2]
    assert "1000 calls of the API, 2 of them failed" in page


@pytest.mark.anyio
async def test_for_all_others_there_is_no_such_page(office: Office) -> None:
    async with office.signed_in(CAMILLE) as camille:
        assert (await camille.get("service")).status_code == 404


@pytest.mark.anyio
async def test_operators_are_told_of_every_network(office: Office, homes: Homes, clock: SetClock) -> None:
    await served(homes, clock, GOOD)
    found = await status(Desk(office.networks, lambda *_: None), {})
    assert found["shares"] == {"half": 0.99, "second": 0.995, "available": 0.5}
    assert found["requests"] == {"api": GOOD}
    assert found["process"] is None
    assert [each["name"] for each in found["networks"]] == ["small"]
    assert found["networks"][0]["owes"].dead == {}


def test_the_command_tells_programs_and_people(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "broken.sqlite").write_text("no database")
    assert main(["status", "--data", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert "Nothing is measured yet" in said
    assert "broken: cannot be opened" in said
    assert main(["status", "--data", str(tmp_path), "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["shares"] == {"half": None, "second": None, "available": None}
    assert found["networks"][0]["owes"] is None
