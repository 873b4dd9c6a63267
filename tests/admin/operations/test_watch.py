"""Each request has an id and a line, which say what came of it and nothing about anybody."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from admin.operations.tally import Tally
from models.clock import SetClock
from models.hours import Counts, Kind, hours_of, service
from server import compose
from tests.admin.office import CAMILLE, Office
from tests.homes import Homes

pytestmark = pytest.mark.anyio

NEW = re.compile(r"[0-9a-f]{32}")


@pytest.mark.parametrize("sent", ["my-own-id-1", "0b5e…", "short", "a" * 129, "id\tid-id-id-id", '"><script>alert(1)'])
async def test_an_id_that_is_one_is_taken_over_and_no_other(office: Office, sent: str) -> None:
    transport = httpx.ASGITransport(app=office.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as http:
        answer = await http.get("/n/small/sign-in", headers=[(b"x-request-id", sent.encode())])
    given = answer.headers["x-request-id"]
    assert given == sent if sent == "my-own-id-1" else NEW.fullmatch(given)


async def test_a_request_is_a_line_with_its_template_and_nothing_that_was_sent(office: Office) -> None:
    async with office.signed_in(CAMILLE) as camille:
        with capture_logs() as logged:
            await camille.get("e/lead/?q=zq77")
            await camille.get("api/v1/entities/lead/zq77")
            await camille.get("version")
    told = [
        (each["method"], each["route"], each["network"], each["status"], each["log_level"])
        for each in logged
        if each["event"] == "request"
    ]
    assert told == [
        ("GET", "/n/{network}/e/{entity}/", "small", 200, "info"),
        ("GET", "/n/{network}/api/v1/entities/{entity}/{id}", "small", 404, "info"),
    ]
    assert all(isinstance(each["ms"], float) for each in logged if each["event"] == "request")
    assert "zq77" not in str(logged)
    assert "203.0.113.7" not in str([each for each in logged if each["event"] == "request"])


async def test_over_tls_the_lines_say_the_same(office: Office) -> None:
    transport = httpx.ASGITransport(app=office.app)
    async with httpx.AsyncClient(transport=transport, base_url="https://testserver") as http:
        with capture_logs() as logged:
            await http.get("/n/small/sign-in")
            await http.get("/n/small/sign-in/zq77")
    assert next(each["route"] for each in logged if each["event"] == "request") == "/n/{network}/sign-in"
    assert [each["status"] for each in logged if each["event"] == "refused"] == [404]


async def test_a_failure_of_ours_has_the_id_and_a_warning(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fails(*_: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(office.networks, "get", fails)
    transport = httpx.ASGITransport(app=office.app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as http:
        with capture_logs() as logged:
            answer = await http.get("/n/small/", headers={"x-request-id": "failing-request"})
    assert answer.status_code == 500
    assert answer.headers["x-request-id"] == "failing-request"
    assert [(each["status"], each["log_level"]) for each in logged if each["event"] == "request"] == [(500, "warning")]


async def test_who_is_answered_by_a_server_that_is_to_end_comes_back_elsewhere(office: Office) -> None:
    async with office.visitor() as visitor:
        before = await visitor.get("sign-in")
        office.app.state.drain.begin()
        after = await visitor.get("sign-in")
    assert "connection" not in before.headers
    assert (after.status_code, after.headers["connection"]) == (200, "close")
    assert not office.networks.works


@pytest.mark.parametrize(
    ("seconds", "failed", "counted"),
    [
        (0.4, False, Counts(1, 1, 1, 0)),
        (0.5, False, Counts(1, 0, 1, 0)),
        (1.0, False, Counts(1, 0, 0, 0)),
        (0.1, True, Counts(1, 0, 0, 1)),
    ],
)
async def test_a_request_counts_for_the_targets(
    office: Office, clock: SetClock, seconds: float, failed: bool, counted: Counts
) -> None:
    hours = hours_of(office.networks.settings.homes)
    tally = Tally(hours, clock)
    tally.note("api", seconds, failed=failed)
    await tally.write()
    await tally.write()  # what was written is not written again
    assert (await service(hours, clock.now())).kinds == {"api": counted}


async def test_a_server_writes_down_what_it_answered_before_it_ends(homes: Homes, clock: SetClock) -> None:
    hours = hours_of(homes.all)
    app = compose(homes.settings, clock=clock, works=False, hours=hours)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://testserver") as http,
    ):
        for path in ("/n/nowhere/api/v1/me", "/n/nowhere/", "/healthz", "/n/nowhere/version"):
            await http.get(path)
    clock.forward(timedelta(minutes=1))
    found = await service(hours, clock.now())
    assert {kind: counts.answered for kind, counts in found.kinds.items()} == {"api": 1, "pages": 1}
    assert found.up == 1


async def test_what_could_not_be_written_is_written_later(tmp_path: Path, clock: SetClock) -> None:
    hours = hours_of(tmp_path / "folder")
    (tmp_path / "folder").touch()  # a file stands where the folder should be
    tally = Tally(hours, clock)
    tally.note("api", 0.1, failed=False)
    with capture_logs() as logged:
        await tally.write()
    assert [each["log_level"] for each in logged] == ["warning"]
    tally.note("api", 0.1, failed=False)
    (tmp_path / "folder").unlink()
    await tally.write()
    assert (await service(hours, clock.now())).kinds == {"api": Counts(2, 2, 2, 0)}


class Odd:
    """Hours that fail as nobody expects, once."""

    def __init__(self) -> None:
        self.added: list[Mapping[Kind, Counts]] = []
        self.failed = 0

    async def add(self, _: datetime, counted: Mapping[Kind, Counts]) -> None:
        if not self.failed:
            self.failed += 1
            raise KeyError("odd")
        self.added.append(dict(counted))

    async def rows(self, _: str) -> Sequence[Sequence[Any]]:
        return []


async def test_whatever_goes_wrong_the_figures_of_the_next_minutes_are_written(clock: SetClock) -> None:
    hours, stop = Odd(), asyncio.Event()
    tally = Tally(hours, clock)
    tally.note("api", 0.1, failed=False)
    with capture_logs() as logged:
        await tally.write()
    assert [each["exc_info"] for each in logged] == [True]
    stop.set()
    await tally.go_on(stop, lambda: None)
    assert hours.added == [{"api": Counts(1, 1, 1, 0)}]
