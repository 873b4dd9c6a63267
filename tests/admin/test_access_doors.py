"""What strangers and colleagues find at the doors: nothing that is not theirs, whatever they send."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from admin.door import KEYED, OPEN
from admin.settings import Settings
from models.actor import Actor
from models.members import load_actor
from models.postgres_tx import PostgresTx
from models.sqlite_tx import SqliteTx
from models.tx import SqlValue, Tx
from server import compose
from tests.admin.door_table import Address, about, addresses, examples, unsafe
from tests.admin.office import ALICE, CAMILLE, DIANE, LEADER, Office, Visitor, token
from tests.answers import headers_of
from tests.networks import counting_ids
from workflows import commands

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

TABLE = addresses(compose(Settings(Path("nowhere"), secret="x"), new_id=counting_ids(), works=False))
ABSENT = "00000000-0000-7000-8000-999999999999"
LOOKS: tuple[dict[str, str], ...] = ({}, {"hx-request": "true"}, {"accept": "application/json"})
"""The three ways in which pages ask."""
FRESH = r'name="token" value="[^"]+"'
"""What is new each time that an empty form is shown."""


@dataclass
class Foreign:
    """A lead of Diane's, which Camille's sponsor may read and Alice too, with all that hangs on it."""

    id: str
    history: str
    mail: str
    task: str


@dataclass
class Statements:
    """What the store was asked, as text without values."""

    asked: list[str] = field(default_factory=list)

    def take(self) -> list[str]:
        """Return what was asked since the last time."""
        taken, self.asked = self.asked, []
        return taken


def recording(method: Callable[..., Awaitable[Any]], kept: Statements) -> Callable[..., Awaitable[Any]]:
    async def recorded(tx: Tx, sql: str, values: Sequence[SqlValue] = ()) -> Any:
        kept.asked.append(sql)
        return await method(tx, sql, values)

    return recorded


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> Statements:
    """What the store is asked from now on."""
    kept = Statements()

    for transaction in (SqliteTx, PostgresTx):
        for name in ("rows", "row", "run"):
            monkeypatch.setattr(transaction, name, recording(getattr(transaction, name), kept))
    return kept


async def actor(office: Office, email: str) -> Actor:
    tenant = office.tenant
    found = await tenant.store.read(lambda tx: load_actor(tenant.published, tx, office.members[email]))
    assert found is not None
    return found


@pytest.fixture
async def foreign(office: Office) -> Foreign:
    """A lead that is not Camille's: moved, noted, with a task and a mail."""
    diane, tenant = await actor(office, DIANE), office.tenant
    given = {"first_name": "Zulma", "last_name": "Quatrefages", "email": "z@exemple.fr", "phone": "0639980001"}
    lead = await commands.create(tenant, diane, "lead", given)
    moved = await commands.move(
        tenant, diane, "lead", lead.id, "call", form={"next_call_at": "2026-03-04T10:00"}, version=1
    )
    await commands.note(tenant, diane, "lead", lead.id, "Tout un secret")
    task = await commands.add_task(tenant, diane, title="Relancer Zulma", about=("lead", lead.id))
    await office.networks.worker(tenant).run_due()
    [(mail,)] = await tenant.store.read(lambda tx: tx.rows('SELECT "id" FROM "_mail"'))
    return Foreign(lead.id, moved.history, mail, task)


async def asked(visitor: Visitor, address: Address, path: str, headers: dict[str, str], csrf: str) -> httpx.Response:
    url = f"/n/small/{path}"
    if address.method == "GET":
        return await visitor.http.get(url, headers=headers)
    return await visitor.http.post(url, data={"_csrf": csrf, "text": "x", "first_name": "x"}, headers=headers)


def outside(answer: httpx.Response, *ids: str) -> tuple[int, str]:
    """Return all that an answer tells, without the ids of the question."""
    told = f"{headers_of(answer)} {re.sub(FRESH, '', answer.text)}"
    for each in ids:
        told = told.replace(each, "ID").replace(quote(each), "ID")
    return answer.status_code, told


@pytest.mark.parametrize("headers", LOOKS, ids=str)
async def test_a_foreign_lead_is_at_every_address_an_absent_one(
    office: Office, foreign: Foreign, statements: Statements, headers: dict[str, str]
) -> None:
    async with office.signed_in(CAMILLE) as visitor:
        csrf = token((await visitor.get("menu")).text)
        for address in about(TABLE, "id"):
            statements.take()
            found = []
            for each in (foreign.id, ABSENT):
                path = address.filled(**examples(id=each, history=foreign.history))
                answer = await asked(visitor, address, path, headers, csrf)
                found.append((outside(answer, each), statements.take()))
            assert found[0] == found[1], str(address)
            assert found[0][0][0] == 404, str(address)


@pytest.mark.parametrize("headers", LOOKS, ids=str)
@pytest.mark.parametrize("name", ["history", "mail", "task"])
async def test_what_hangs_on_a_foreign_lead_is_absent_too(
    office: Office, foreign: Foreign, name: str, headers: dict[str, str]
) -> None:
    own = await commands.create(
        office.tenant, await actor(office, CAMILLE), "lead", {"first_name": "Paul", "last_name": "Roy"}
    )
    async with office.signed_in(CAMILLE) as visitor:
        csrf = token((await visitor.get("menu")).text)
        for address in about(TABLE, name):
            found = []
            for each in (str(getattr(foreign, name)), ABSENT):
                path = address.filled(**examples(**{"id": own.id, name: each}))
                found.append(outside(await asked(visitor, address, path, headers, csrf), each))
            assert found[0] == found[1], str(address)
            assert found[0][0] == 404, str(address)


ASKING = (
    "search?q={q}",
    "e/lead/options?q={q}",
    "e/lead/?q={q}",
    "e/lead/?f.first_name={q}",
    "e/lead/?f.email={mail}&sort=-last_name",
    "e/lead/?f.phone={phone}",
    "e/lead/?view=lyon&q={q}",
    "e/lead/board/recruiting?q={q}",
    "e/lead/board/recruiting/contacted?q={q}",
    "e/member/?q={q}",
    "outbox?state=waiting&before={id}",
    "e/lead/?f.company={id}",
    "e/lead/new?f.company={id}",
    "sign-in?next=/n/small/e/lead/{id}",
)


@pytest.mark.parametrize("path", ASKING)
async def test_no_search_and_no_count_knows_a_foreign_lead(
    office: Office, foreign: Foreign, statements: Statements, path: str
) -> None:
    there = {"q": "Zulma", "mail": "z@exemple.fr", "phone": "0639980001", "id": foreign.id}
    nowhere = {"q": "Zilma", "mail": "y@exemple.fr", "phone": "0639980009", "id": ABSENT}
    async with office.signed_in(CAMILLE) as visitor:
        for headers in LOOKS:
            found = []
            for given in (there, nowhere):
                statements.take()
                answer = await visitor.http.get(f"/n/small/{path.format(**given)}", headers=headers)
                found.append((outside(answer, *given.values()), statements.take()))
            assert found[0] == found[1]


@pytest.mark.parametrize("headers", LOOKS, ids=str)
async def test_who_has_not_signed_in_finds_the_sign_in_alone(
    office: Office, foreign: Foreign, headers: dict[str, str]
) -> None:
    said = examples(id=foreign.id, history=foreign.history, mail=foreign.mail, task=foreign.task)
    for address in TABLE:
        async with office.visitor() as visitor:
            csrf = token((await visitor.get("sign-in")).text)
            answer = await asked(visitor, address, address.filled(**said), headers, csrf)
        if address.path.partition("/")[0] in OPEN:
            assert answer.status_code < 500, str(address)
            continue
        led = answer.headers.get("hx-redirect") or answer.headers["location"]
        assert led.startswith("/n/small/sign-in"), str(address)
        assert answer.text == "", str(address)


async def test_nothing_is_changed_without_the_token_of_the_session(
    office: Office, foreign: Foreign, statements: Statements
) -> None:
    said = examples(id=foreign.id, history=foreign.history, mail=foreign.mail, task=foreign.task)
    async with office.signed_in(LEADER) as visitor, office.visitor() as stranger:
        strange = token((await stranger.get("sign-in")).text)
        own = token((await visitor.get("menu")).text)
        statements.take()
        for address in (each for each in unsafe(TABLE) if each.path.partition("/")[0] not in KEYED):
            for data, headers in (
                ({}, {}),
                ({"_csrf": strange}, {}),
                ({}, {"x-csrf-token": strange}),
                ({"_csrf": own}, {"origin": "https://evil.example"}),
                ({"_csrf": own}, {"sec-fetch-site": "cross-site"}),
            ):
                answer = await visitor.http.post(f"/n/small/{address.filled(**said)}", data=data, headers=headers)
                assert answer.status_code == 403, str(address)
            changing = [sql for sql in statements.take() if not sql.startswith("SELECT")]
            assert changing == [], str(address)


@pytest.mark.parametrize(
    "path", ["account", "e/member/{me}/edit", "e/member/{me}/field/levels", "e/member/{boss}/edit"]
)
async def test_nobody_makes_a_leader_of_themselves(office: Office, path: str) -> None:
    ids = {"me": office.members[CAMILLE], "boss": office.members[LEADER]}
    async with office.signed_in(CAMILLE) as visitor:
        forms = {
            "levels": "leader",
            "sponsor": office.members[ALICE],
            "active": "true",
            "id": ids["boss"],
            "version": "1",
        }
        await visitor.post(path.format(**ids), {**forms, "first_name": "Camille", "last_name": "Roux"}, on="menu")
        assert (await visitor.get("back-office/")).status_code == 404
    found = await actor(office, CAMILLE)
    assert (found.levels, found.id) == (("distributor",), ids["me"])
    assert found.member is not None
    assert found.member["sponsor"] == {"id": ids["boss"]}


async def test_a_move_fills_nothing_but_its_form(office: Office) -> None:
    camille = await actor(office, CAMILLE)
    given = {"first_name": "Paul", "last_name": "Roy", "phone": "0639980001"}
    lead = await commands.create(office.tenant, camille, "lead", given)
    crafted = {
        "next_call_at": "2026-03-04T10:00",
        "income_goal": "5",
        "calls": "99",
        "recruiting": "signed",
        "version": "1",
    }
    async with office.signed_in(CAMILLE) as visitor:
        owner = {"owner": office.members[DIANE]}
        await visitor.post(f"e/lead/{lead.id}/move/recruiting/call", {**crafted, **owner}, on="menu")
        page = await visitor.get(f"e/lead/{lead.id}")
        assert page.status_code == 200
    [row] = await office.tenant.store.read(
        lambda tx: tx.rows('SELECT "income_goal", "calls", "recruiting", "owner" FROM "lead"')
    )
    assert tuple(row) == (None, 1, "contacted", camille.id)
