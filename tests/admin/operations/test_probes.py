"""What machines ask a server: whether it lives, whether it can serve, and its figures for those who may see them."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from admin.operations.drain import Drain
from admin.operations.probes import Probes
from admin.settings import Settings
from models.actor import SYSTEM
from models.clock import SetClock
from server import compose
from tests.admin.office import CAMILLE, LEADER, Office
from tests.homes import Homes
from workflows import commands

pytestmark = pytest.mark.anyio

TOKEN = "a token for the figures"
NEAR, FAR = "198.51.100.9", "203.0.113.7"


@asynccontextmanager
async def asking(app: Any, address: str = FAR) -> AsyncIterator[httpx.AsyncClient]:
    """A machine at an address that asks the server."""
    transport = httpx.ASGITransport(app=app, client=(address, 1234))
    async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as http:
        yield http


async def ready(app: Any) -> tuple[int, list[str]]:
    async with asking(app) as http:
        answer = await http.get("/readyz")
        assert (await http.get("/healthz")).text == "ok"  # the process lives, whatever else
    return answer.status_code, answer.json()["failing"]


async def test_a_server_over_its_networks_is_ready(homes: Homes) -> None:
    app = compose(homes.settings, works=False)
    async with app.router.lifespan_context(app):
        assert await ready(app) == (200, [])


async def test_a_server_that_is_to_end_says_so(homes: Homes) -> None:
    app = compose(homes.settings, works=False)
    async with app.router.lifespan_context(app):
        app.state.drain.begin()
        assert await ready(app) == (503, ["draining"])


@pytest.mark.parametrize("url", [None, "postgresql://somebody:a-secret@127.0.0.1:1/nowhere"])
async def test_a_database_that_is_away_is_said_without_its_address(tmp_path: Path, url: str | None) -> None:
    (tmp_path / "file").touch()
    app = compose(Settings(tmp_path / "file", secret="x", database_url=url), works=False)
    assert await ready(app) == (503, ["database"])


async def test_whoever_asks_the_database_is_asked_once_a_second(homes: Homes, monkeypatch: pytest.MonkeyPatch) -> None:
    app = compose(homes.settings, works=False)
    asked = 0
    names = app.state.networks.names

    async def counted() -> list[str]:
        nonlocal asked
        asked += 1
        return list(await names())

    monkeypatch.setattr(app.state.networks, "names", counted)
    monkeypatch.setattr("admin.operations.probes.monotonic", lambda: 5.0)
    for _ in range(5):
        assert await ready(app) == (200, [])
    assert asked == 1


def shown(settings: Settings, **more: Any) -> Any:
    return compose(replace(settings, **more), works=False)


@pytest.mark.parametrize(
    ("given", "address", "headers", "status"),
    [
        ({}, NEAR, {}, 404),
        ({}, NEAR, {"authorization": "Bearer "}, 404),
        ({"metrics_token": TOKEN}, FAR, {}, 404),
        ({"metrics_token": TOKEN}, FAR, {"authorization": f"Bearer {TOKEN}"}, 200),
        ({"metrics_token": TOKEN}, FAR, {"authorization": f"Bearer {TOKEN}s"}, 404),
        ({"metrics_token": TOKEN}, FAR, {"authorization": f"Basic {TOKEN}"}, 404),
        ({"metrics_token": "short"}, FAR, {"authorization": "Bearer short"}, 404),
        ({"metrics_from": ("198.51.100.0/24",)}, NEAR, {}, 200),
        ({"metrics_from": ("198.51.100.0/24",)}, FAR, {}, 404),
        ({"metrics_from": (NEAR,)}, NEAR, {"x-forwarded-for": FAR}, 404),
        ({"metrics_from": ("2001:db8::/32",)}, NEAR, {}, 404),
        ({"metrics_from": (NEAR,), "metrics_token": TOKEN}, NEAR, {}, 200),
        ({"metrics_from": (NEAR,), "metrics_token": TOKEN}, NEAR, {"authorization": "Bearer wrong"}, 404),
    ],
)
async def test_the_figures_are_for_whom_the_operator_names(
    tmp_path: Path, given: dict[str, Any], address: str, headers: dict[str, str], status: int
) -> None:
    app = shown(Settings(tmp_path, secret="x"), **given)
    async with asking(app, address) as http:
        answer = await http.get("/metrics", headers=headers)
    assert answer.status_code == status
    assert ("maille_requests" in answer.text) is (status == 200)


def test_an_address_that_is_none_is_no_setting(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="nowhere"):
        shown(Settings(tmp_path, secret="x"), metrics_from=("nowhere",))


async def figures(office: Office, *, named: bool = False) -> dict[str, float]:
    """Return the figures of an office by name and labels."""
    networks = office.networks
    networks.settings = replace(networks.settings, metrics_from=(NEAR,), metrics_networks=named)
    probes = Starlette(routes=Probes(networks, office.app.state.figures, Drain()).routes)
    async with asking(probes, NEAR) as http:
        text = (await http.get("/metrics")).text
    lines = [line.rpartition(" ") for line in text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in lines}


async def test_what_a_network_owes_is_counted(office: Office, clock: SetClock) -> None:
    given = {"first_name": "Paul", "last_name": "Roy", "country": "FR", "owner": office.members[CAMILLE]}
    before = await figures(office)
    await commands.create(office.tenant, SYSTEM, "lead", given)
    after = await figures(office, named=True)
    created = 'maille_happened_total{what="created"}'
    assert after[created] == before.get(created, 0) + 1
    due = sum(count for name, count in after.items() if name.startswith('maille_outbox_due{kind="'))
    assert due == sum(count for name, count in after.items() if name.startswith("maille_outbox_due{"))
    assert any('network="small"' in name for name in after)
    assert not any('network="small"' in name for name in before)
    assert after["maille_networks_open"] == 1
    assert after["maille_networks_unreadable"] == 0


async def test_no_label_has_what_was_sent(office: Office) -> None:
    async with office.signed_in(LEADER) as leader:
        for path in (
            "e/lead/",
            "e/lead/zq77",
            "zq77/zq77",
            "back-office/zq77",
            "/n/zq77/zq77",
            "/zq77",
            "api/v1/entities/zq77?q=zq77",
        ):
            await leader.get(path)
        await leader.http.request("ZQ77", "/n/small/e/lead/")
    found = await figures(office)
    assert "zq77" not in str(found).lower()
    routes = set(re.findall(r'route="([^"]*)"', str(list(found))))
    assert {"/n/{network}/e/{entity}/", "/n/{network}/(none)", "(none)"} <= routes
    assert "/n/{network}/api/v1/entities/{entity}" in routes
    buckets = [name for name in found if name.startswith("maille_request_seconds_bucket{") and 'kind="pages"' in name]
    assert {'le="0.5"', 'le="1.0"'} <= {part for name in buckets for part in re.findall('le="[^"]*"', name)}
