"""In somebody else's office: the banner, the pages that there are, and the way out."""

from __future__ import annotations

from pathlib import Path

import pytest

from admin.settings import Settings
from admin.visiting import ALWAYS, PAGES
from models.clock import SetClock
from server import compose
from tests.admin.door_table import addresses, examples
from tests.admin.office import CAMILLE, DIANE, FILES, LEADER, TERMS, Office, Visitor, office_of, token
from tests.homes import Homes
from tests.networks import changed, counting_ids

pytestmark = pytest.mark.anyio

LENT = {"email": DIANE, "levels": "distributor", "ends": "2026-03-20"}


async def lent(office: Office, **given: str) -> str:
    """Let Diane act for Camille and return the delegation's id."""
    async with office.signed_in(CAMILLE) as camille:
        answer = await camille.post("account/offices", {**LENT, **given}, on="account/offices")
        assert answer.status_code == 303, answer.text
    [(made,)] = await office.tenant.store.read(lambda tx: tx.rows('SELECT "id" FROM "_delegation"'))
    return str(made)


async def enter(visitor: Visitor, delegation: str) -> None:
    """Come into an office."""
    answer = await visitor.post("office/enter", {"delegation": delegation}, on="account/offices")
    assert answer.status_code == 303, answer.text


async def test_every_page_says_for_whom_and_has_the_way_out(office: Office) -> None:
    delegation = await lent(office)
    async with office.signed_in(DIANE) as diane:
        assert "Camille Roux" in (await diane.get("account/offices")).text
        await enter(diane, delegation)
        for page in ("", "tasks", "outbox", "e/lead/", "menu"):
            shown = (await diane.get(page)).text
            assert "Diane Petit, you act for Camille Roux." in shown
            assert 'href="/n/small/account"' not in shown
        assert (await diane.post("office/leave")).headers["location"] == "/n/small/"
        back = (await diane.get("account")).text
        assert "you act for" not in back
        assert "You are back in your own office." in back


@pytest.mark.parametrize(
    ("method", "page"),
    [
        ("GET", "account"),
        ("POST", "account"),
        ("GET", "account/tokens"),
        ("POST", "account/sessions"),
        ("GET", "account/offices"),
        ("POST", "terms"),
        ("GET", "settings"),
        ("GET", "definitions"),
        ("GET", "back-office/"),
        ("GET", "no-such-page"),
    ],
)
async def test_what_is_the_members_own_is_not_there(office: Office, method: str, page: str) -> None:
    delegation = await lent(office)
    async with office.signed_in(DIANE) as diane:
        await enter(diane, delegation)
        answer = await (diane.get(page) if method == "GET" else diane.post(page))
        assert answer.status_code == 403
        assert "This is for the member alone" in answer.text


CLOSED = tuple(
    each
    for each in addresses(compose(Settings(Path("nowhere"), secret="x"), new_id=counting_ids(), works=False))
    if each.path.partition("/")[0] not in PAGES | ALWAYS
)


async def test_no_page_is_there_that_is_not_named(office: Office) -> None:
    assert {"account", "members", "settings", "terms", "back-office"} <= {
        each.path.partition("/")[0] for each in CLOSED
    }
    delegation = await lent(office)
    async with office.signed_in(DIANE) as diane:
        await enter(diane, delegation)
        csrf = token((await diane.get()).text)
        for each in CLOSED:
            path = f"/n/small/{each.filled(**examples())}"
            sent = diane.http.get(path) if each.method == "GET" else diane.http.post(path, data={"_csrf": csrf})
            assert (await sent).status_code == 403, each


CHAIN = changed(FILES, chain="automation: moves\nlabel: Moves\nwhen: {created: lead}\ndo: [{set: {city: Lyon}}]\n")


async def test_what_an_automation_did_says_who_began_it_in_the_office(homes: Homes, clock: SetClock) -> None:
    async with office_of(homes, clock, CHAIN) as office:
        delegation = await lent(office)
        async with office.signed_in(DIANE) as diane, office.signed_in(CAMILLE) as camille:
            await enter(diane, delegation)
            form = {"first_name": "Zoé", "last_name": "Marin", "country": "FR"}
            there = (await diane.post("e/lead/new", form, on="e/lead/new")).headers["location"]
            here = (await camille.post("e/lead/new", form, on="e/lead/new")).headers["location"]
            await office.networks.worker(office.tenant).run_due()
            assert "Moves, begun by Diane Petit" in (await camille.get(there)).text
            assert "begun by" not in (await camille.get(here)).text


async def test_a_change_after_the_end_is_done_in_no_office(office: Office) -> None:
    delegation = await lent(office)
    async with office.signed_in(DIANE) as diane, office.signed_in(CAMILLE) as camille:
        await enter(diane, delegation)
        await camille.post("account/offices/revoke", {"delegation": delegation}, on="account/offices")
        csrf = {"x-csrf-token": "whatever it is"}
        answer = await diane.http.post("/n/small/e/lead/new", data={"first_name": "Zoé"}, headers=csrf)
        assert answer.headers["location"] == "/n/small/"
        assert "the other is closed" in (await diane.get()).text
        assert await office.tenant.store.read(lambda tx: tx.rows('SELECT 1 FROM "lead"')) == []


async def test_the_api_knows_no_office_of_others(office: Office) -> None:
    delegation = await lent(office)
    async with office.signed_in(DIANE) as diane:
        await enter(diane, delegation)
        assert (await diane.get("api/v1/me")).status_code == 403
        await diane.post("office/leave")
        assert (await diane.get("api/v1/me")).status_code == 200


async def test_what_is_wrong_with_a_delegation_is_said_beside_it(office: Office) -> None:
    async with office.signed_in(CAMILLE) as camille:
        for given, said in (
            ({"email": "nobody@exemple.fr"}, "Nobody whom you may see"),
            ({"ends": "2026-02-30"}, "This is not a date."),
            ({"ends": "0001-01-01"}, "This is not a date."),
            ({"ends": "2026-01-01"}, "The end comes before the beginning."),
            ({"ends": ""}, "This is needed."),
        ):
            answer = await camille.post("account/offices", {**LENT, **given}, on="account/offices")
            assert answer.status_code == 422
            assert said in answer.text


async def test_nobody_accepts_terms_for_somebody_else(homes: Homes, clock: SetClock) -> None:
    async with office_of(homes, clock, FILES) as office:
        delegation = await lent(office)
        async with office.signed_in(LEADER) as leader, office.signed_in(DIANE) as diane:
            await enter(diane, delegation)
            await office.tenant.publish(changed(FILES, terms=TERMS), None)
            answer = await diane.get("e/lead/")
            assert answer.headers["location"] == "/n/small/"
            assert (await diane.get("")).headers["location"].startswith("/n/small/terms")
            assert (await leader.get("")).status_code == 200
