"""What a proxy says of who asks is believed where the operator trusts it, over real connections, and nobody else is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from aiosmtpd.smtp import SMTP

from models.stores import home_of
from models.tries import PAIR_LIMIT
from tests.admin.letterbox import text_of
from tests.admin.office import Visitor
from tests.admin.served import Served
from tests.admin.test_kill_server import furnish
from tests.workflows.conftest import Mailbox, mailbox

__all__ = ["mailbox"]
pytestmark = [pytest.mark.anyio, pytest.mark.slow]

REAL, FORGED, OTHER, HERE = "203.0.113.9", "198.51.100.66", "203.0.113.10", "127.0.0.1"
PEOPLE = ("d0@exemple.fr", "d1@exemple.fr")
TRUSTS = {"": True, "127.0.0.1": True, "127.0.0.0/8": True, "192.0.2.1": False}
"""What an operator names as proxies, and whether this machine, from which the tests ask, is among them."""


@dataclass
class Proxy(httpx.AsyncBaseTransport):
    """What stands before the server: it ends TLS and says, behind what the browser wrote there, whom it saw."""

    url: str
    address: str
    forged: str
    way: httpx.AsyncHTTPTransport = field(default_factory=httpx.AsyncHTTPTransport)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request on, in the open."""
        said = {
            "x-forwarded-for": f"{self.forged}, {self.address}",
            "x-forwarded-proto": "https",
            "x-forwarded-host": "evil.example",
            "x-real-ip": self.forged,
            "forwarded": f"for={self.forged};proto=https;host=evil.example",
        }
        url = httpx.URL(self.url).join(request.url.raw_path.decode())
        on = httpx.Request(request.method, url, headers={**request.headers, **said}, stream=request.stream)
        return await self.way.handle_async_request(on)

    async def aclose(self) -> None:
        """Hang up."""
        await self.way.aclose()


@pytest.fixture(params=TRUSTS)
async def trusts(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def served(tmp_path: Path, mailbox: Mailbox, trusts: str) -> AsyncIterator[Served]:
    environment = {"SMTP_URL": mailbox.url, "MAILLE_SECRET": "a secret of the tests", "FORWARDED_ALLOW_IPS": trusts}
    if not trusts:
        del environment["FORWARDED_ALLOW_IPS"]
    await furnish(home_of(tmp_path, "small"), people=len(PEOPLE), leads_each=0)
    made = Served(tmp_path, {**environment, "MAILLE_PUBLIC_URL": "https://maille.example"})
    await made.start()
    yield made
    await made.end()


@asynccontextmanager
async def browser(served: Served, address: str, *, forged: str = FORGED) -> AsyncIterator[Visitor]:
    proxy = Proxy(served.url, address, forged)
    headers = {"accept-language": "en", "host": "maille.example"}
    async with httpx.AsyncClient(transport=proxy, base_url="https://maille.example", headers=headers) as http:
        yield Visitor(http)


async def test_addresses_cookies_limits_and_links_are_those_of_a_trusted_proxy_alone(
    served: Served, mailbox: Mailbox, trusts: str
) -> None:
    trusted = TRUSTS[trusts]
    await _cookies_and_log(served, trusted=trusted)
    await _limits(served, trusted=trusted)
    await _links(served, mailbox)


async def _cookies_and_log(served: Served, *, trusted: bool) -> None:
    async with browser(served, REAL) as visitor:
        page = await visitor.get("sign-in")
        assert ("strict-transport-security" in page.headers) == trusted
        answer = await visitor.sign_in(PEOPLE[0])
        assert (answer.status_code, answer.headers["location"]) == (303, "/n/small/")
        given = {each.name: each.secure for each in visitor.http.cookies.jar}
        assert given["__Host-maille-small" if trusted else "maille"] == trusted
        assert ("maille" in given) != trusted
        log = (await visitor.get("account")).text
    assert (REAL if trusted else HERE) in log
    assert FORGED not in log
    assert "evil.example" not in log


async def _limits(served: Served, *, trusted: bool) -> None:
    """Whatever a browser writes there itself, its tries are counted together."""
    for number in range(PAIR_LIMIT):
        async with browser(served, REAL, forged=f"198.51.100.{number}") as visitor:
            assert (await visitor.sign_in(PEOPLE[1], "wrong, and long enough")).status_code == 422
    async with browser(served, REAL, forged="198.51.100.99") as visitor:
        assert (await visitor.sign_in(PEOPLE[1])).status_code == 429
    async with browser(served, OTHER) as visitor:
        assert (await visitor.sign_in(PEOPLE[1])).status_code == (303 if trusted else 429)


async def _links(served: Served, mailbox: Mailbox) -> None:
    came = asyncio.Event()

    async def comes(_: SMTP) -> None:
        came.set()

    mailbox.on_text = comes
    async with browser(served, REAL) as visitor:
        await visitor.post("sign-in/forgotten", {"email": PEOPLE[0]}, on="sign-in/forgotten")
    async with asyncio.timeout(30):
        while "/sign-in/reset/" not in (told := "".join(map(text_of, mailbox.letters))):
            came.clear()
            await came.wait()
    assert "https://maille.example/n/small/sign-in/reset/" in told
    assert "evil.example" not in told
