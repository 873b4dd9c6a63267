"""Every level goes wherever the pages of the demo lead it: no link is refused, fails, breaks a picture or complains."""

from __future__ import annotations

import asyncio
import re
import socket
import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urldefrag, urljoin, urlsplit

import pytest
import uvicorn
from playwright.sync_api import Browser, ConsoleMessage, Page

from admin.settings import Settings
from definitions.pack import PACKS, read_folder
from models.accounts import set_password
from models.clock import SetClock
from models.tenant import Tenant, open_tenant
from server import compose
from tests.browser.house import PASSWORD, WAIT, _Server, accept_terms
from tests.conftest import NOON
from workflows.demo import create_demo

pytestmark = [pytest.mark.browser, pytest.mark.slow]

ASKED = 2
"""Addresses of one pattern that are asked for: two records, two orders of a list, and so on."""
MOST = 60
"""Pages that a browser opens, one of each kind; a level with more kinds of pages needs a look at this test."""
NOT_FOLLOWED = re.compile(r"/(?:export|openapi\.json|back-office/)|\.(?:css|js|svg|zip|csv|xlsx)$")
"""What is no page of ours: files, and piccolo-admin, which has tests of its own."""
LINKS = """
[...document.querySelectorAll("a[href], button[formaction], [hx-get], [data-href]")]
.filter(each => each.form?.method !== "post")
.map(each => each.href || each.getAttribute("hx-get") || each.dataset.href || each.formAction)
"""
BROKEN = "[...document.images].filter(each => each.complete && !each.naturalWidth).map(each => each.src)"
LEAKED = re.compile(r"Undefined|<built-in|object at 0x")
RAW = re.compile(rf"\{{[{{%]|[}}%]\}}|{LEAKED.pattern}")
"""What no page says but those that show definitions."""
ID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{16,}")


@dataclass(frozen=True)
class Site:
    """A running server over the demo, and who has which level."""

    url: str
    people: dict[str, str]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The demo of `suivi` on a real server."""
    folder, clock, loop = tmp_path_factory.mktemp("demo"), SetClock(NOON), asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    def do(work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, loop).result(60)

    people: dict[str, str] = do(_demo(folder))
    app = compose(Settings(data=folder, secret="a secret of the tests"), clock=clock, works=False)
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        server = _Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1))
        serving = asyncio.run_coroutine_threadsafe(server.serve([listening]), loop)
        yield Site(f"http://127.0.0.1:{listening.getsockname()[1]}/n/alba/", people)
        server.should_exit = True
        serving.result(WAIT)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


async def _demo(folder: Path) -> dict[str, str]:
    await create_demo(folder / "alba.sqlite", "alba", read_folder(PACKS / "suivi"), now=NOON)
    tenant = await open_tenant(folder / "alba.sqlite", "alba", clock=SetClock(NOON))
    try:
        return await _one_of_each_level(tenant)
    finally:
        await tenant.close()


async def _one_of_each_level(tenant: Tenant) -> dict[str, str]:
    """Give a password to the first member of each level and return their e-mails."""
    rows = await tenant.store.read(
        lambda tx: tx.rows('SELECT "id", "email", "levels" FROM "member" WHERE "active" ORDER BY "id"')
    )
    found: dict[str, str] = {}
    for member, email, levels in rows:
        for level in re.findall(r"\w+", levels or ""):
            if level not in found:
                found[level] = email
                await set_password(tenant, member, PASSWORD)
    return found


@dataclass
class Crawl:
    """Follows what pages lead to, and keeps what is wrong with them."""

    page: Page
    start: str
    wrong: list[str] = field(default_factory=list)
    seen: dict[tuple[int, str], int] = field(default_factory=dict)
    opened: list[str] = field(default_factory=list)
    asked: int = 0

    def run(self) -> None:
        """Open the first page and all that it leads to: one page of each kind in the browser, others without."""
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self._note(f"script: {error}"))
        self.page.on("response", lambda answer: self._answered(answer.status, answer.url))
        waiting = deque([self.start])
        while waiting:
            address = waiting.popleft()
            if not self._due(address, ASKED):
                continue
            if self._due(_kind(address), 1):
                assert len(self.opened) < MOST, self.opened
                waiting.extend(self._open(address))
            else:
                self._ask(address)

    def _due(self, address: str, most: int) -> bool:
        pattern = _pattern(address)
        self.seen[most, pattern] = self.seen.get((most, pattern), 0) + 1
        return self.seen[most, pattern] <= most

    def _ask(self, address: str) -> None:
        answer = self.page.request.get(address)
        self.asked += 1
        self._answered(answer.status, address)
        if answer.headers.get("content-type", "").startswith("text/html") and (raw := LEAKED.search(answer.text())):
            self._note(f"{address} has {raw[0]}")

    def _open(self, address: str) -> list[str]:
        self.opened.append(address)
        self.page.goto(address, wait_until="load")
        if "/definitions" not in address and (raw := RAW.search(self.page.inner_text("body"))):
            self._note(f"shows {raw[0]}")
        for image in self.page.evaluate(BROKEN):
            self._note(f"broken picture {image}")
        found: list[str] = self.page.evaluate(LINKS)
        links = (urldefrag(urljoin(self.page.url, link)).url for link in found if link)
        return [link for link in dict.fromkeys(links) if self._ours(link)]

    def _ours(self, link: str) -> bool:
        return link.startswith(self.start) and NOT_FOLLOWED.search(urlsplit(link).path) is None

    def _answered(self, status: int, address: str) -> None:
        if status in (403, 404, 405) or status >= 500:
            self._note(f"{status} {address}")

    def _console(self, said: ConsoleMessage) -> None:
        if said.type in ("error", "warning"):
            self._note(f"console: {said.text}")

    def _note(self, what: str) -> None:
        self.wrong.append(f"{self.opened[-1]}: {what}")


def _pattern(address: str) -> str:
    """Return what addresses have in common that lead to the same kind of page."""
    parts = urlsplit(address)
    names = sorted({pair.partition("=")[0] for pair in parts.query.split("&") if pair})
    return ID.sub("*", parts.path) + ("?" + "&".join(names) if names else "")


def _kind(address: str) -> str:
    """Return an address without what only chooses among pages of a kind: its query, the step, the version."""
    path = re.sub(r"/move/.*|/board/.*|/\d+$", "/…", urlsplit(address).path)
    return re.sub(r"/e/\w+/", "/e/…/", path)


def _enter(page: Page, site: Site, email: str | None) -> None:
    page.set_default_timeout(WAIT * 1000)
    if email is None:
        return
    page.goto(f"{site.url}sign-in")
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Mot de passe").fill(PASSWORD)
    page.get_by_role("button", name="Se connecter").click()
    page.wait_for_url(lambda url: "sign-in" not in url)
    accept_terms(page)


@pytest.mark.parametrize("level", ["leader", "distributor", "assistant", "public"])
def test_no_link_of_a_level_is_refused_or_fails(site: Site, browser: Browser, level: str) -> None:
    assert level == "public" or level in site.people, sorted(site.people)
    context = browser.new_context(viewport={"width": 1440, "height": 900}, locale="fr-FR", timezone_id="Europe/Paris")
    try:
        page = context.new_page()
        _enter(page, site, site.people.get(level))
        crawl = Crawl(page, site.url)
        crawl.run()
    finally:
        context.close()
    assert crawl.wrong == []
    assert (len(crawl.opened), crawl.asked) > ((1, -1) if level == "public" else (8, 10)), crawl.opened
