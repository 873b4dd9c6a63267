"""A running server takes new versions: no restart, no failed request, and a broken one never gets in."""

from __future__ import annotations

import asyncio
import io
import json
import re
import socket
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

import httpx
import pytest

from admin.cli.main import main
from admin.control.answers import RefusedError
from admin.control.client import ask
from admin.settings import Settings
from models.tenant import PATIENCE
from tests.admin.office import FILES, token
from tests.networks import edited

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

ROOT = Path(__file__).resolve().parents[2]
LEADER, PASSWORD = "claire.alba@exemple.fr", "douze lettres et plus"
PUBLICATIONS = 20
CLIENTS = 6
WITHIN = 2.0
"""Seconds in which a new version must be there."""

CITY = "  city:         {type: text, personal: contact}\n"
TOWN = edited(
    FILES,
    (CITY, "  town:         {type: text, personal: contact, was: city}\n"),
    (
        "  rating:       {type: decimal, scale: 4}\n",
        "  nickname:     {type: text, personal: identity, default: Toto}\n",
    ),
    ("columns: [first_name, last_name, city, recruiting]", "columns: [first_name, town, recruiting, nickname]"),
    ('where: record.city == "Lyon"', 'where: record.town == "Lyon"'),
    ("  signed:    {label: {fr: Inscrit", "  joined:    {was: signed, label: {fr: Inscrit"),
    ("sign: {from: contacted, to: signed", "sign: {from: contacted, to: joined"),
)
BACK = edited(
    FILES,
    (CITY, "  city:         {type: text, personal: contact, was: town}\n"),
    ("  signed:    {label: {fr: Inscrit", "  signed:    {was: joined, label: {fr: Inscrit"),
)
BROKEN = edited(FILES, ("    to: contacted", "    to: contacte"))


@dataclass
class Running:
    """A server in a process of its own."""

    url: str
    settings: Settings
    answers: Counter[str] = field(default_factory=Counter)
    failed: list[str] = field(default_factory=list)

    async def ask(self, operation: str, **given: Any) -> Any:
        """Ask over the control door, as the command line does."""
        return await ask(self.settings, operation, given, lambda *_: None)

    @asynccontextmanager
    async def visitor(self) -> AsyncIterator[httpx.AsyncClient]:
        """A browser in which the leader has signed in."""
        transport = httpx.AsyncHTTPTransport(retries=8)
        async with httpx.AsyncClient(base_url=self.url, transport=transport, timeout=30) as client:
            page = await client.get("sign-in")
            data = {"_csrf": token(page.text), "email": LEADER, "password": PASSWORD}
            assert (await client.post("sign-in", data=data)).status_code == 303
            yield client

    async def tell(self, what: str, answer: Awaitable[httpx.Response]) -> httpx.Response:
        """Note what came of a request."""
        response = await answer
        self.answers[what] += 1
        if response.status_code >= 400:
            self.failed.append(f"{what}: {response.status_code} {response.text[:300]}")
        return response


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@pytest.fixture
async def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Running]:
    """`maille serve` over a network that `maille network create` made."""
    pack, data, port = tmp_path / "pack", tmp_path / "data", free_port()
    written(pack, FILES)
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{PASSWORD}\n"))
    words = ("network", "create", "alba", str(pack), "--leader", LEADER, "--password", "--data", str(data))
    assert await asyncio.to_thread(main, words) == 0
    command = ("-m", "admin.cli.main", "serve", "--data", str(data), "--port", str(port))
    process = await asyncio.create_subprocess_exec(sys.executable, *command, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
    try:
        yield Running(f"http://127.0.0.1:{port}/n/alba/", Settings(data))
    finally:
        process.terminate()
        await process.communicate()
    assert process.returncode in (0, -15)


def written(folder: Path, files: Any) -> None:
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")


async def made_lead(server: Running, client: httpx.AsyncClient, number: int) -> str:
    """Create a lead and return its address."""
    page = await client.get("e/lead/new")
    data = {"_csrf": token(page.text), "first_name": f"Zoé {number}", "last_name": "Roy", "country": "FR"}
    answer = await server.tell("create", client.post("e/lead/new", data=data))
    found = re.search(r"e/lead/([0-9a-f-]{36})", answer.headers.get("location", ""))
    assert found is not None, answer.text
    return found[0]


async def work(server: Running, client: httpx.AsyncClient, number: int, stop: asyncio.Event) -> None:
    """Look around and change things, as people do, until told to stop."""
    lead = await made_lead(server, client, number)
    csrf = token((await client.get(lead)).text)
    headers = {"Accept": "application/json", "X-CSRF-Token": csrf, "HX-Request": "true"}
    turn = 0
    while not stop.is_set():
        turn += 1
        for what in ("", "e/lead/", "e/lead/board/recruiting", lead, f"{lead}/edit", "tasks", "e/company/"):
            await server.tell("get", client.get(what))
        step = "lose" if turn % 2 else "revive"
        await server.tell("move", client.post(f"{lead}/move/recruiting/{step}", headers=headers))
        await server.tell("note", client.post(f"{lead}/notes", data={"_csrf": csrf, "text": f"Note {turn}"}))


async def published(server: Running, client: httpx.AsyncClient, files: dict[str, str], version: int) -> float:
    """Publish and return the seconds after which the server has the version."""
    begun = perf_counter()
    given = {"files": files, "author": "ops", "note": "", "allow_loss": True, "base": version - 1}
    assert (await server.ask("apply", **given))["version"] == version
    while (await client.get("version")).text != str(version):
        assert perf_counter() - begun < 30
    took = perf_counter() - begun
    for what in ("", "e/lead/", "e/lead/board/recruiting"):
        await server.tell("look", client.get(what))
    return took


async def test_twenty_publications_under_load_and_not_one_failed_request(running: Running) -> None:
    stop = asyncio.Event()
    async with AsyncExitStack() as visitors:
        client, *others = [await visitors.enter_async_context(running.visitor()) for _ in range(1 + CLIENTS)]
        at_work = [asyncio.create_task(work(running, other, number, stop)) for number, other in enumerate(others)]
        took = [
            await published(running, client, TOWN if number % 2 == 0 else BACK, number + 2)
            for number in range(PUBLICATIONS)
        ]
        stop.set()
        await asyncio.gather(*at_work)
    assert running.failed == []
    assert sorted(took)[PUBLICATIONS // 2] < WITHIN
    assert max(took) < WITHIN + PATIENCE, took  # on a busy machine the patience with requests under way may add up
    assert running.answers["move"] > CLIENTS


async def test_a_broken_pack_is_refused_over_every_way_and_the_last_good_version_stays(
    running: Running, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written(tmp_path / "broken", BROKEN)
    async with running.visitor() as client:
        words = ("apply", str(tmp_path / "broken"), "--data", str(running.settings.data), "--yes", "--format", "json")
        assert await asyncio.to_thread(main, words) == 1
        problems = json.loads(capsys.readouterr().out)["refused"]["problems"]
        assert [(one["file"], one["line"], one["hint"]) for one in problems if one["severity"] == "error"] == [
            ("recruiting.yaml", 14, "did you mean 'contacted'?")
        ]
        with pytest.raises(RefusedError) as refused:
            await running.ask("apply", files=BROKEN, author=None, note="", allow_loss=True, base=1)
        assert refused.value.refusal.problems
        assert (await client.get("version")).text == "1"
        assert (await client.get("e/lead/board/recruiting")).status_code == 200
        await made_lead(running, client, 1)


async def test_two_leaders_at_once_one_wins_and_the_other_is_told(running: Running) -> None:
    async with running.visitor() as client:
        assert (await client.get("version")).text == "1"

        async def publish(files: dict[str, str], note: str) -> Any:
            given = {"files": files, "author": LEADER, "note": note, "allow_loss": True, "base": 1}
            try:
                return await running.ask("apply", **given)
            except RefusedError as error:
                return error.refusal

        house = edited(FILES, ("icon: user-plus", "icon: house"))
        found = await asyncio.gather(publish(TOWN, "Towns"), publish(house, "Houses"))
        [refused] = [one for one in found if not isinstance(one, dict)]
        [version] = refused.between
        assert (version["version"], version["author"]) == (2, "Claire Alba")
        assert version["note"] in ("Towns", "Houses")
        assert (await client.get("version")).text == "2"
