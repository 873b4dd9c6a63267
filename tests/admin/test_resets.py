"""A new password by mail, mails about new devices, and the log of sign-ins."""

from __future__ import annotations

import re
from datetime import timedelta

import httpx
import pytest

from models.resets import ACCOUNT_LIMIT, ADDRESS_LIMIT
from models.tries import KEPT
from tests.admin.letterbox import delivered, text_of
from tests.admin.office import ALICE, CAMILLE, LEADER, PASSWORD, Office, Visitor
from tests.admin.test_second_step import add_app, code, rows
from workflows import upkeep

pytestmark = pytest.mark.anyio

NEW = "une phrase assez longue"


async def ask(visitor: Visitor, email: str) -> httpx.Response:
    return await visitor.post("sign-in/forgotten", {"email": email}, on="sign-in/forgotten")


async def link(office: Office) -> str:
    """Return the link of the only mail that is due, without the host."""
    (letter,) = await delivered(office)
    found = re.search(r"http://testserver(/n/small/sign-in/reset/[\w-]+)", text_of(letter))
    assert found is not None, text_of(letter)
    return found[1]


async def test_a_link_by_mail_leads_to_a_new_password_once(office: Office) -> None:
    async with office.signed_in(CAMILLE) as elsewhere, office.visitor() as camille:
        await ask(camille, " Camille@Exemple.fr")
        address = await link(office)
        page = await camille.get(address)
        assert page.status_code == 200
        short = await camille.post(address, {"password": "short"}, on=address)
        assert (short.status_code, "12 to 200 characters" in short.text) == (422, True)
        known = await camille.post(address, {"password": "azertyuiop123"}, on=address)
        assert (known.status_code, "attackers try first" in known.text) == (422, True)
        done = await camille.post(address, {"password": NEW}, on=address)
        assert done.headers["location"] == "/n/small/sign-in"
        assert (await camille.get(address)).status_code == 404, "it served"
        assert (await elsewhere.get()).status_code == 303, "sessions have ended"
        assert (await camille.sign_in(CAMILLE)).status_code == 422
        assert (await camille.sign_in(CAMILLE, NEW)).status_code == 303


async def test_a_new_password_is_no_way_around_the_second_factor(office: Office) -> None:
    async with office.signed_in(CAMILLE) as before, office.visitor() as camille:
        key, _ = await add_app(office, before)
        await ask(camille, CAMILLE)
        address = await link(office)
        await camille.post(address, {"password": NEW}, on=address)
        asked = await camille.sign_in(CAMILLE, NEW)
        assert asked.headers["location"].startswith("/n/small/sign-in/factor")
        form = {"code": code(office, key)}
        assert (await camille.post("sign-in/factor", form, on="sign-in/factor")).status_code == 303


async def test_a_link_is_too_old_after_half_an_hour_and_when_a_later_one_was_asked_for(office: Office) -> None:
    async with office.visitor() as camille:
        await ask(camille, CAMILLE)
        first = await link(office)
        await ask(camille, CAMILLE)
        second = await link(office)
        assert (await camille.get(first)).status_code == 404
        office.clock.forward(timedelta(minutes=29))
        assert (await camille.get(second)).status_code == 200
        office.clock.forward(timedelta(minutes=2))
        assert (await camille.get(second)).status_code == 404


async def test_nobody_learns_whether_an_email_has_an_account(office: Office) -> None:
    """The pages are the same, and so is all that is written meanwhile: who it is, a worker finds out later."""
    seen = []
    for email in (CAMILLE, "nobody@exemple.fr"):
        async with office.visitor() as visitor:
            page = await ask(visitor, email)
            kept = [row[0] for row in await rows(office, 'SELECT "kind" FROM "_outbox" WHERE "kind" <> \'version\'')]
            tries = await rows(office, 'SELECT "outcome" FROM "_sign_in"')
            seen.append(
                (page.status_code, re.sub(r'content="[^"]{20,}"|value="[^"]{20,}"|CSRF-Token[^}]*', "", page.text))
            )
            assert (kept[-1], len(kept), len(tries), tries[-1][0]) == ("reset", len(seen), len(seen), "reset_asked")
    assert seen[0] == seen[1]
    assert [letter["To"] for letter in await delivered(office)] == [CAMILLE]


async def test_a_link_is_known_to_its_reader_alone(office: Office) -> None:
    """Who administers sees that there was a mail, and neither screens nor tables have its link."""
    async with office.visitor() as camille, office.signed_in(LEADER) as claire:
        await ask(camille, CAMILLE)
        token = (await link(office)).rpartition("/")[2]
        for kept in ("_mail", "_outbox", "_pending", "_sign_in"):
            assert token not in str(await rows(office, f'SELECT * FROM "{kept}"')), kept  # noqa: S608 - tables of ours
        (mail,) = await rows(office, 'SELECT "id" FROM "_mail"')
        page = await claire.get(f"outbox/{mail[0]}")
        assert (page.status_code, "What this mail says is for its recipient alone." in page.text) == (200, True)


async def test_links_are_limited_for_an_account_and_for_an_address_and_nobody_is_told(office: Office) -> None:
    async with office.visitor() as visitor:
        pages = [(await ask(visitor, CAMILLE)).text for _ in range(ACCOUNT_LIMIT + 2)]
        assert len(await delivered(office)) == ACCOUNT_LIMIT
        assert all("a link is on its way" in page for page in pages)
        for number in range(ADDRESS_LIMIT):
            await ask(visitor, f"{number}@exemple.fr")
        await ask(visitor, ALICE)
        assert await delivered(office) == []
    async with office.visitor("198.51.100.3") as elsewhere:
        await ask(elsewhere, ALICE)
        assert [letter["To"] for letter in await delivered(office)] == [ALICE], "others are not held up"
        office.clock.forward(timedelta(minutes=61))
        await ask(elsewhere, CAMILLE)
        assert len(await delivered(office)) == 1


async def test_who_asks_as_another_host_gets_no_link_to_it(office: Office) -> None:
    async with office.visitor() as visitor:
        page = await visitor.http.get("http://evil.example/n/small/sign-in/forgotten")
        assert "This server sends no links." in page.text
        form = {"email": CAMILLE, "_csrf": re.findall(r'name="csrf" content="([^"]+)"', page.text)[0]}
        await visitor.http.post("http://evil.example/n/small/sign-in/forgotten", data=form)
    assert await delivered(office) == []


async def test_a_member_is_told_of_a_sign_in_from_a_new_device(office: Office) -> None:
    async with office.signed_in(CAMILLE) as mine:
        assert await delivered(office) == [], "the first is no news"
        await mine.post("sign-out")
        await mine.sign_in(CAMILLE)
        assert await delivered(office) == [], "it is known"
    async with office.visitor() as other:
        other.http.headers["user-agent"] = "[click](https://evil.example) Firefox/120 Windows"
        await other.sign_in(CAMILLE)
    (letter,) = await delivered(office)
    assert (letter["To"], letter["Subject"]) == (CAMILLE, "A new device signed in to Small network")
    assert "Firefox · Windows" in text_of(letter)
    assert "203.0.113.7" in text_of(letter)
    assert "203.0.113.7" not in str(await rows(office, 'SELECT "text", "html" FROM "_mail"')), "it is nobody else's"


async def test_a_member_reads_who_tried_to_sign_in(office: Office) -> None:
    async with office.visitor("198.51.100.4") as thief:
        await thief.sign_in(CAMILLE, "not her password")
    async with office.signed_in(CAMILLE) as camille, office.signed_in(ALICE) as alice:
        page = (await camille.get("account/security")).text
        assert page.index("Signed in") < page.index("Wrong password")
        assert "198.51.100.4" in page
        assert "198.51.100.4" not in (await alice.get("account/security")).text


async def test_the_password_is_changed_with_the_old_one_and_other_devices_are_signed_out(office: Office) -> None:
    async with office.signed_in(CAMILLE) as camille, office.signed_in(CAMILLE) as elsewhere:
        before = camille.http.cookies["maille"]
        wrong = {"old": "not my password", "password": NEW}
        refused = await camille.post("account/security/password", wrong, on="account/security")
        assert (refused.status_code, "This is not your password." in refused.text) == (422, True)
        right = {"old": PASSWORD, "password": NEW}
        assert (await camille.post("account/security/password", right, on="account/security")).status_code == 303
        assert camille.http.cookies["maille"] != before
        assert (await camille.get("account/security")).status_code == 200
        assert (await elsewhere.get()).status_code == 303


async def test_addresses_and_tries_are_forgotten_after_a_year(office: Office) -> None:
    logs = ('SELECT * FROM "_sign_in"', 'SELECT * FROM "_device"')
    async with office.signed_in(CAMILLE) as camille:
        await camille.post("tasks", {"title": "Call"}, on="tasks")
        await office.tenant.store.write(
            lambda tx: tx.run(
                'INSERT INTO "_history" ("id", "at", "entity", "record", "kind", "actor_kind", "ip") '
                "SELECT 'h', \"at\", 'lead', 'x', 'note', 'member', \"ip\" FROM \"_sign_in\""
            )
        )
    office.clock.forward(KEPT)
    await upkeep.purge(office.tenant)
    assert [len(await rows(office, log)) for log in logs] == [1, 1]
    assert await rows(office, 'SELECT "ip" FROM "_history" WHERE "id" = \'h\'') == [("203.0.113.7",)]
    office.clock.forward(timedelta(seconds=1))
    await upkeep.purge(office.tenant)
    assert [len(await rows(office, log)) for log in logs] == [0, 0]
    assert [tuple(row) for row in await rows(office, 'SELECT "ip" FROM "_history" WHERE "id" = \'h\'')] == [(None,)]
