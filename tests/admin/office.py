"""A server over one small network with four members, for tests through its HTTP doors."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import httpx
from argon2 import PasswordHasher
from starlette.applications import Starlette

from admin.networks import Networks
from models.accounts import store_password
from models.actor import SYSTEM
from models.clock import SetClock
from models.limits import Limiter
from models.members import create_member
from models.records import Records
from models.tenant import Tenant
from models.tx import Tx
from server import compose
from tests.homes import Homes
from tests.networks import SMALL, changed
from tests.prepared import prepare

NETWORK = "small"
PASSWORD = "douze lettres et plus"
HASHED = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
"""Weak on purpose: a hash says itself how costly it is to verify, and every test here signs in."""

LEADER, CAMILLE, DIANE, ALICE = "claire@exemple.fr", "camille@exemple.fr", "diane@exemple.fr", "alice@exemple.fr"
PEOPLE: Mapping[str, tuple[str, str, str, str | None]] = {
    LEADER: ("Claire", "Alba", "leader", None),
    CAMILLE: ("Camille", "Roux", "distributor", LEADER),
    DIANE: ("Diane", "Petit", "distributor", CAMILLE),
    ALICE: ("Alice", "Martin", "assistant", LEADER),
}
"""E-mail: first name, last name, level, sponsor."""

FILES = changed(
    SMALL,
    home="""
statistic: by_state
label: {fr: Prospects par étape, en: Leads by stage}
entity: lead
measure: count()
by: [record.recruiting]
chart: funnel
---
statistic: leads_in_all
label: {fr: Prospects en tout, en: Leads in all}
entity: lead
measure: count()
chart: number
---
screen: leads
entity: lead
for: [distributor]
list: {columns: [first_name, last_name, city, recruiting], sort: -created_at}
views:
  lyon: {label: {fr: À Lyon, en: In Lyon}, where: record.city == "Lyon"}
---
home: office
for: [distributor]
tiles:
  - {statistic: leads_in_all}
  - {tasks: mine}
  - {screen: leads, view: lyon}
  - {statistic: by_state}
  - {text: {fr: "Bienvenue **à tous**", en: "Welcome **all**"}}
""",
)
TERMS = """
terms: general
label: {fr: Conditions générales, en: Terms of service}
for: [distributor]
version: 2026-11
body: {fr: "Soyez **corrects**.", en: "Be **fair**."}
"""


@dataclass
class Office:
    """The application and the network behind it."""

    app: Starlette
    tenant: Tenant
    clock: SetClock
    members: dict[str, str]

    @property
    def networks(self) -> Networks:
        """The networks of the server."""
        networks = self.app.state.networks
        assert isinstance(networks, Networks)
        return networks

    @asynccontextmanager
    async def visitor(self, address: str = "203.0.113.7") -> AsyncIterator[Visitor]:
        """A browser of somebody who has not signed in."""
        transport = httpx.ASGITransport(app=self.app, client=(address, 1234))
        headers = {"accept-language": "en"}
        async with httpx.AsyncClient(transport=transport, base_url="http://testserver", headers=headers) as client:
            yield Visitor(client)

    @asynccontextmanager
    async def signed_in(self, email: str) -> AsyncIterator[Visitor]:
        """A browser of a member who has signed in."""
        async with self.visitor() as visitor:
            answer = await visitor.sign_in(email)
            assert answer.status_code == 303, answer.text
            yield visitor


@dataclass
class Visitor:
    """What a person does in a browser without JavaScript."""

    http: httpx.AsyncClient

    async def get(self, path: str = "", **headers: str) -> httpx.Response:
        """Open a page of the network."""
        return await self.http.get(
            _address(path), headers={name.replace("_", "-"): text for name, text in headers.items()}
        )

    async def post(self, path: str, data: Mapping[str, str] | None = None, *, on: str = "") -> httpx.Response:
        """Send a form that stands on the page `on`, with the token that it has there."""
        page = await self.get(on)
        return await self.http.post(_address(path), data={"_csrf": token(page.text), **(data or {})})

    async def sign_in(self, email: str, password: str = PASSWORD, **more: str) -> httpx.Response:
        """Fill the sign-in form and send it."""
        return await self.post("sign-in", {"email": email, "password": password, **more}, on="sign-in")


def _address(path: str) -> str:
    return path if path.startswith("/") else f"/n/{NETWORK}/{path}"


def token(page: str) -> str:
    """Return the token that the forms of a page carry."""
    found = re.search(r'<meta name="csrf" content="([^"]+)">', page)
    assert found is not None, page
    return found[1]


@asynccontextmanager
async def office_of(
    homes: Homes, clock: SetClock, files: Mapping[str, str] = FILES, limiter: Limiter | None = None
) -> AsyncIterator[Office]:
    """Open a server over a new network of `files`; nobody does the outbox unless a test does."""
    settings = replace(homes.settings, secret="a secret of the tests")
    prepared = await prepare(homes(NETWORK), NETWORK, files, clock, _people)
    app = compose(settings, clock=clock, new_id=prepared.new_ids(), works=False, limiter=limiter)
    networks: Networks = app.state.networks
    async with app.router.lifespan_context(app):
        yield Office(app, await networks.tenants.open(NETWORK), clock, dict(prepared.made))


async def _people(tenant: Tenant) -> dict[str, str]:
    async def work(tx: Tx) -> dict[str, str]:
        records = Records(tenant.published, tx, SYSTEM, tenant.context(), new_id=tenant.new_id)
        made: dict[str, str] = {}
        for email, (first, last, level, sponsor) in PEOPLE.items():
            values = {
                "email": email,
                "first_name": first,
                "last_name": last,
                "levels": [level],
                "language": "en",
                "country": "FR",
                "sponsor": made[sponsor] if sponsor else None,
            }
            made[email] = await create_member(records, values)
            await store_password(tx, made[email], HASHED, tenant.clock.now())
        return made

    return await tenant.store.write(work)
