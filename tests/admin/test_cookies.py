"""Over TLS the cookies of a network are `__Host-` cookies of its own; within, nothing knows of it."""

from __future__ import annotations

import re
from dataclasses import replace

import httpx
import pytest

from admin.cookies import outer
from models.clock import SetClock
from server import compose
from tests.admin.office import CAMILLE, LEADER, Office, Visitor
from tests.homes import Homes

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("name", "network", "said"),
    [
        ("maille", "small", "__Host-maille-small"),
        ("maille_gate", "small", "__Host-maille-small.gate"),
        ("maille", "small_gate", "__Host-maille-small_gate"),
    ],
)
def test_their_names_tell_networks_apart(name: str, network: str, said: str) -> None:
    assert outer(name, network) == said


async def test_over_tls_they_are_of_the_host_and_of_one_network(office: Office) -> None:
    async with _over_tls(office) as http:
        visitor = Visitor(http)
        answer = await visitor.sign_in(CAMILLE)
        assert answer.status_code == 303
        home = await visitor.get()
        assert home.status_code == 200
        given = {cookie.name: cookie for cookie in http.cookies.jar}
        assert {"__Host-maille-small", "__Host-maille-small.gate", "__Host-maille-small.device"} <= given.keys()
        assert all((each.secure, each.path, each.domain_specified) == (True, "/", False) for each in given.values())
        api = await http.get("/n/small/api/v1/me")
        assert api.status_code == 200


async def test_over_tls_a_cookie_that_another_could_have_set_opens_nothing(office: Office) -> None:
    async with _over_tls(office) as http:
        await Visitor(http).sign_in(CAMILLE)
        token = next(cookie.value for cookie in http.cookies.jar if cookie.name == "__Host-maille-small")
    for name in ("maille", "__Host-maille-other", "__Host-maille-small.x", "__host-maille-small"):
        async with _over_tls(office) as http:
            answer = await http.get("/n/small/tasks", headers={"cookie": f"{name}={token}"})
        assert answer.status_code == 303, name
        assert "sign-in" in answer.headers["location"]


async def test_signing_out_takes_the_cookie_away(office: Office) -> None:
    async with _over_tls(office) as http:
        visitor = Visitor(http)
        await visitor.sign_in(LEADER)
        answer = await visitor.post("sign-out")
        gone = [each for each in answer.headers.get_list("set-cookie") if each.startswith("__Host-maille-small=")]
        assert len(gone) == 1
        assert re.search(r"Max-Age=0;.*Path=/; Secure$", gone[0])


def _over_tls(office: Office) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=office.app, client=("203.0.113.7", 1))
    return httpx.AsyncClient(transport=transport, base_url="https://testserver", headers={"accept-language": "en"})


HOSTS = [
    ("maille.example.org", 200),
    ("MAILLE.example.org:8443", 200),
    ("a.example.net", 200),
    ("a.b.example.net:80", 200),
    ("example.net.evil.test", 400),
    ("evil.test", 400),
    ("maille.example.org.evil.test", 400),
    ("maille.example.org@evil.test", 400),
    ("[::1", 400),
    ("", 400),
]


@pytest.mark.parametrize(("host", "status"), HOSTS)
async def test_only_what_is_asked_of_our_names_is_answered(
    homes: Homes, clock: SetClock, host: str, status: int
) -> None:
    settings = replace(homes.settings, secret="x", hosts=("maille.example.org", ".example.net"))
    transport = httpx.ASGITransport(app=compose(settings, clock=clock, works=False))
    async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as http:
        answer = await http.get("/static/x/base.css", headers={"host": host})
        health = await http.get("/healthz", headers={"host": host})
    assert (answer.status_code, health.status_code) == (status, 200)


async def test_the_public_address_is_a_known_name(homes: Homes) -> None:
    public = replace(homes.settings, public_url="https://maille.example.org:8443/x")
    assert public.known_hosts == ("maille.example.org", "localhost", "127.0.0.1", "::1")
    assert replace(public, public_url="http://192.0.2.1:8000").known_hosts == ()
    assert replace(public, hosts=("a.test",)).known_hosts == ("a.test",)
    assert homes.settings.known_hosts == ()
