"""A whole server with a mail server beside it, and a browser in front of it."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from aiosmtpd.smtp import SMTP, Envelope, Session
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from admin.networks import Networks
from admin.settings import Settings
from definitions.pack import PACKS, read_folder
from models.accounts import set_password
from models.actor import SYSTEM
from models.clock import SetClock
from models.members import create_member
from models.records import Records
from models.tenant import Tenant, uuid7
from models.tx import Tx
from server import compose
from tests.browser.chromium import chromium
from tests.conftest import NOON
from workflows import commands
from workflows.mail import SmtpTransport

PASSWORD = "douze lettres et plus"
PEOPLE = {"Hélène": ("leader", None), "Camille": ("distributor", "Hélène"), "Diane": ("distributor", "Camille")}
SWITCHES = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
WAIT = 20.0
"""Seconds in which what was asked for must have come; nothing waits that long when all is well."""


@dataclass
class Postbox:
    """The mail server's side: what came in."""

    letters: list[EmailMessage] = field(default_factory=list)
    arrived: threading.Condition = field(default_factory=threading.Condition)

    async def handle_DATA(self, _: SMTP, __: Session, envelope: Envelope) -> str:  # noqa: N802 - the server's name
        """Keep a letter."""
        assert isinstance(envelope.content, bytes)
        letter = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(letter, EmailMessage)
        with self.arrived:
            self.letters.append(letter)
            self.arrived.notify_all()
        return "250 taken"

    def wait_for(self, count: int) -> list[EmailMessage]:
        """Return the letters once there are as many."""
        with self.arrived:
            assert self.arrived.wait_for(lambda: len(self.letters) >= count, timeout=WAIT), "no mail came"
            return list(self.letters)


@dataclass
class House:
    """A running server over one network of a pack, with its people."""

    url: str
    tenant: Tenant
    clock: SetClock
    postbox: Postbox
    loop: asyncio.AbstractEventLoop
    members: dict[str, str]

    def do(self, work: Any) -> Any:
        """Run a coroutine in the server's event loop."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(WAIT)

    def lead(self, owner: str, **values: Any) -> str:
        """Create a lead of a member and return its id."""
        given = {"first_name": "Élodie", "last_name": "Marchand", "mobile": "06 39 98 00 01", "city": "Lyon"}
        made = self.do(commands.create(self.tenant, SYSTEM, "lead", {**given, **values, "owner": self.members[owner]}))
        return str(made.id)

    def forward(self, span: timedelta) -> None:
        """Let time pass, and wake the worker as a commit would."""
        self.clock.forward(span)
        self.loop.call_soon_threadsafe(self.tenant.changed.set)


class _Server(uvicorn.Server):
    """A server in a thread, which has no signals."""

    def install_signal_handlers(self) -> None:
        """Leave signals to the tests' process."""


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """The pack `suivi` on a real server, its worker at work, sending to a real mail server."""
    clock, postbox, loop = SetClock(NOON), Postbox(), asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    def do(work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, loop).result(WAIT)

    async def post_office() -> asyncio.Server:
        return await loop.create_server(lambda: SMTP(postbox, hostname="test", loop=loop), "127.0.0.1", 0)

    post = do(post_office())
    transport = SmtpTransport(
        f"smtp://127.0.0.1:{post.sockets[0].getsockname()[1]}?from=bureau@alba.exemple.fr&starttls=never"
    )
    app = compose(
        Settings(data=tmp_path, secret="a secret of the tests"), clock=clock, new_id=uuid7, transport=transport
    )
    networks: Networks = app.state.networks
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        server = _Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1))
        serving = asyncio.run_coroutine_threadsafe(server.serve([listening]), loop)
        tenant: Tenant = do(_network(networks))
        members: dict[str, str] = do(_people(tenant))
        yield House(f"http://127.0.0.1:{listening.getsockname()[1]}/n/alba/", tenant, clock, postbox, loop, members)
        server.should_exit = True
        serving.result(WAIT)

    async def close() -> None:
        post.close()
        await post.wait_closed()

    do(close())
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


async def _network(networks: Networks) -> Tenant:
    await networks.tenants.create("alba", read_folder(PACKS / "suivi"))
    opened = await networks.get("alba")
    assert opened is not None
    return opened


async def _people(tenant: Tenant) -> dict[str, str]:
    async def work(tx: Tx) -> dict[str, str]:
        records = Records(tenant.published, tx, SYSTEM, tenant.context(), new_id=tenant.new_id)
        made: dict[str, str] = {}
        for name, (level, sponsor) in PEOPLE.items():
            made[name] = await create_member(
                records,
                {
                    "first_name": name, "last_name": "Roux", "email": email(name), "levels": [level],
                    "language": "fr", "country": "FR", "sponsor": made[sponsor] if sponsor else None,
                },
            )  # fmt: skip
        return made

    members = await tenant.store.write(work)
    for member in members.values():
        await set_password(tenant, member, PASSWORD)
    return members


def email(name: str) -> str:
    """Return the address of a member of the tests."""
    return f"{name.lower().replace('é', 'e').replace('è', 'e')}@exemple.fr"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium. A module's at most: while Playwright runs in a process, no other test can have an event loop."""
    path = chromium()
    assert path is not None, "tests that need a browser are left out where there is none"
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=list(SWITCHES))
        yield opened
        opened.close()


SignIn = Callable[..., Page]


@pytest.fixture
def sign_in(house: House, browser: Browser) -> Iterator[SignIn]:
    """Return what signs a member in, with a browser of its own: `sign_in("Camille", width=390)`."""
    contexts: list[BrowserContext] = []

    def signed_in(name: str, *, width: int = 1440, height: int = 900, scheme: str = "light") -> Page:
        phone = width < 600
        context = browser.new_context(
            viewport={"width": width, "height": height},
            locale="fr-FR",
            timezone_id="Europe/Paris",
            color_scheme="dark" if scheme == "dark" else "light",
            has_touch=phone,
            is_mobile=phone,
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(WAIT * 1000)
        page.goto(f"{house.url}sign-in")
        page.get_by_label("E-mail").fill(email(name))
        page.get_by_label("Mot de passe").fill(PASSWORD)
        page.get_by_role("button", name="Se connecter").click()
        page.wait_for_url(lambda url: "sign-in" not in url)
        if "/terms" in page.url:
            accept_terms(page)
        return page

    yield signed_in
    for context in contexts:
        context.close()


def accept_terms(page: Page) -> None:
    """Accept what a member accepts before anything else, one text after the other."""
    for _ in range(5):
        if "/terms" not in page.url:
            return
        page.get_by_role("checkbox").check()
        with page.expect_navigation():
            page.get_by_role("button", name="Accepter").click()
