"""Steps that others must agree to, as people see them: asked for on the record, decided there and among the tasks."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest

from models.clock import SetClock
from models.members import load_actor
from models.record import Record
from tests.admin.office import ALICE, CAMILLE, DIANE, FILES, LEADER, Office, Visitor, office_of
from tests.admin.test_uploads import PDF, send
from tests.homes import Homes
from tests.networks import edited
from workflows import commands

pytestmark = pytest.mark.anyio

SIGN = "  sign: {from: contacted, to: signed, by: [distributor], label: {fr: Inscrire, en: Sign up}}\n"
ASKED = """  sign:
    from: contacted
    to: signed
    by: [distributor]
    label: {fr: Inscrire, en: Sign up}
    form: {why: {type: long_text, label: {fr: Pourquoi, en: Why}}}
    approval: {by: [leader], four_eyes: true}
"""


@pytest.fixture
async def office(homes: Homes, clock: SetClock) -> AsyncIterator[Office]:
    """A server over a network in which the leader must agree to sign-ups."""
    async with office_of(homes, clock, edited(FILES, (SIGN, ASKED))) as opened:
        yield opened


async def contacted(office: Office) -> Record:
    """Return a lead of Camille's that could sign up."""
    published, members = office.tenant.published, office.members
    actor = await office.tenant.store.read(lambda tx: load_actor(published, tx, members[CAMILLE]))
    assert actor is not None
    given = {"first_name": "Paul", "last_name": "Roy", "phone": "06 39 98 00 01"}
    lead = await commands.create(office.tenant, actor, "lead", given)
    form = {"next_call_at": "2026-03-04T10:00"}
    await commands.move(office.tenant, actor, "lead", lead.id, "call", form=form)
    return lead


async def ask(visitor: Visitor, lead: Record) -> str:
    """Ask for the sign-up as a person does, and return what the page says then."""
    page = f"e/lead/{lead.id}/move/recruiting/sign"
    answer = await visitor.post(page, {"why": "Il est prêt", "version": "2"}, on=page)
    assert answer.status_code == 303, answer.text
    return (await visitor.get(f"e/lead/{lead.id}")).text


def address(page: str, deed: str) -> str:
    """Return where a button leads."""
    found = re.search(rf'action="([^"]*/approvals/[^"]*/{deed})"', page)
    assert found is not None, deed
    return found[1]


async def test_a_distributor_asks_and_the_leader_agrees(office: Office) -> None:
    lead = await contacted(office)
    async with office.signed_in(CAMILLE) as camille, office.signed_in(LEADER) as claire:
        page = await ask(camille, lead)
        assert "The step is asked for: others must agree to it." in page
        assert "Asked for by Camille Roux" in page
        assert "/grant" not in page
        waiting = (await claire.get("tasks")).text
        assert "Waits for your agreement" in waiting
        assert "Il est prêt" in waiting
        answer = await claire.post(address(waiting, "grant"), on="tasks")
        assert answer.headers["location"].endswith("/tasks")
        after = (await claire.get("tasks")).text
        assert "You have agreed: the step is taken." in after
        assert "Waits for your agreement" not in after
        told = (await camille.get(f"e/lead/{lead.id}")).text
        assert "agreed to: Sign up" in told
        assert "asked for: Sign up" in told
        assert "Asked for by" not in told


async def test_a_refusal_is_told_with_its_reason(office: Office) -> None:
    lead = await contacted(office)
    async with office.signed_in(CAMILLE) as camille, office.signed_in(LEADER) as claire:
        await ask(camille, lead)
        page = f"e/lead/{lead.id}"
        refuse = address((await claire.get(page)).text, "refuse")
        await claire.post(refuse, {"reason": "Trop tôt", "back": f"/n/small/{page}"}, on=page)
        told = (await camille.get(page)).text
        assert "refused: Sign up" in told
        assert "Trop tôt" in told


async def test_who_asked_takes_the_request_back(office: Office) -> None:
    lead = await contacted(office)
    async with office.signed_in(CAMILLE) as camille, office.signed_in(LEADER) as claire:
        withdraw = address(await ask(camille, lead), "withdraw")
        await camille.post(withdraw, on="tasks")
        assert "takes back the request: Sign up" in (await camille.get(f"e/lead/{lead.id}")).text
        assert "Waits for your agreement" not in (await claire.get("tasks")).text
        assert (await claire.post(withdraw.replace("withdraw", "grant"), on="tasks")).status_code == 403


@pytest.mark.parametrize("deed", ["grant", "refuse", "withdraw"])
async def test_the_request_of_somebody_else_is_not_there(office: Office, deed: str) -> None:
    lead = await contacted(office)
    async with office.signed_in(CAMILLE) as camille, office.signed_in(DIANE) as diane:
        real = address(await ask(camille, lead), "withdraw").replace("withdraw", deed)
        absent = re.sub(r"approvals/[^/]*/", "approvals/01a20861-09d7-740d-90f7-000000000000/", real)
        answers = [await diane.post(each, on="tasks") for each in (real, absent)]
        assert [answer.status_code for answer in answers] == [404, 404]
        assert answers[0].text.count("Sign up") == answers[1].text.count("Sign up") == 0


async def test_a_step_that_is_asked_for_says_so_instead_of_refusing(office: Office) -> None:
    lead = await contacted(office)
    move = f"e/lead/{lead.id}/move/recruiting/sign"
    async with office.signed_in(CAMILLE) as camille:
        page = await ask(camille, lead)
        (button,) = re.findall(r'<div class="pending">(.*?)</div>', page, re.DOTALL)
        assert ("#asked" in button, "Asked for" in button, "Sign up" in button) == (True, True, True)
        assert move not in page
        again = await camille.get(move)
        assert (again.status_code, again.headers["location"][-6:]) == (303, "#asked")
        assert "This step is asked for already" in (await camille.get(f"e/lead/{lead.id}")).text
        menu = (await camille.get(f"e/lead/{lead.id}/menu")).text
        assert "#asked" in menu
        assert move not in menu


async def test_the_step_says_who_has_agreed(homes: Homes, clock: SetClock) -> None:
    two = ASKED.replace("four_eyes: true", "quorum: 2")
    async with office_of(homes, clock, edited(FILES, (SIGN, two))) as office:
        lead = await contacted(office)
        async with office.signed_in(CAMILLE) as camille, office.signed_in(LEADER) as claire:
            await ask(camille, lead)
            await claire.post(address((await claire.get("tasks")).text, "grant"), on="tasks")
            page = (await camille.get(f"e/lead/{lead.id}")).text
            assert "Agreed: Claire Alba" in page
            assert "1 of 2 have agreed (Claire Alba)" in page


async def test_what_waits_is_counted_in_the_menu_and_told_on_the_first_page(office: Office) -> None:
    lead = await contacted(office)
    async with office.signed_in(CAMILLE) as camille, office.signed_in(LEADER) as claire:

        async def waits(visitor: Visitor) -> tuple[str, bool]:
            page = (await visitor.get("")).text
            (link,) = re.findall(r'href="/n/small/tasks"[^>]*>(?:(?!</a>).)*?Tasks(.*?)</a>', page, re.DOTALL)[:1]
            return re.sub(r"<[^>]*>|\s", "", link), "1 request waits for your agreement." in page

        assert await waits(claire) == ("", False)
        await ask(camille, lead)
        assert (await waits(claire), await waits(camille)) == (("1", True), ("", False))
        await claire.post(address((await claire.get("tasks")).text, "grant"), on="tasks")
        assert await waits(claire) == ("", False)


ATTACHED = ASKED.replace("form: {", "form: {scan: {type: file, label: Scan}, ")


@pytest.fixture
async def attached(homes: Homes, clock: SetClock) -> AsyncIterator[Office]:
    """The same, with a file in the form."""
    async with office_of(homes, clock, edited(FILES, (SIGN, ATTACHED))) as opened:
        yield opened


async def with_file(office: Office, visitor: Visitor) -> str:
    """Ask for the sign-up with a file, and return where it is found."""
    lead = await contacted(office)
    at = f"e/lead/{lead.id}"
    await send(visitor, {"scan": ("scan.pdf", PDF)}, f"{at}/move/recruiting/sign", why="Prêt", version="2")
    (found,) = re.findall(r'href="/n/small/(approvals/[^"]*/files/scan)"', (await visitor.get(at)).text)
    return str(found)


async def test_who_decides_opens_the_files_of_a_request(attached: Office) -> None:
    async with attached.signed_in(CAMILLE) as camille, attached.signed_in(LEADER) as claire:
        file = await with_file(attached, camille)
        assert f'href="/n/small/{file}"' in (await claire.get("tasks")).text
        answers = [await camille.get(file), await claire.get(file)]
        assert [answer.content for answer in answers] == [PDF, PDF]
        assert 'filename="scan.pdf"' in answers[0].headers["content-disposition"]
        others = [await claire.get(file.replace("scan", name)) for name in ("why", "none")]
        assert [answer.status_code for answer in others] == [404, 404]
        await claire.post(f"{file.removesuffix('/files/scan')}/refuse", {}, on="tasks")
        assert (await claire.get(file)).status_code == 404
    await attached.tenant.readings.flush()
    query = """SELECT "member", "fields" FROM "_audit" WHERE "kind" = 'download'"""
    rows = await attached.tenant.store.read(lambda tx: tx.rows(query))
    assert {(row[0], "recruiting.sign.scan" in row[1]) for row in rows} == {
        (attached.members[each], True) for each in (CAMILLE, LEADER)
    }


async def test_the_files_of_a_request_are_not_there_for_who_only_reads_the_record(attached: Office) -> None:
    async with attached.signed_in(CAMILLE) as camille, attached.signed_in(ALICE) as alice:
        file = await with_file(attached, camille)
        (lead,) = re.findall(r"/e/lead/([0-9a-f-]{36})", (await alice.get("e/lead/")).text)[:1]
        page = await alice.get(f"e/lead/{lead}")
        assert (page.status_code, "scan.pdf" in page.text, file in page.text) == (200, True, False)
        assert (await alice.get(file)).status_code == 404
        assert (await camille.get(file)).content == PDF
    async with attached.signed_in(DIANE) as diane:
        assert (await diane.get(file)).status_code == 404


async def test_a_step_for_many_says_that_others_must_agree_and_leaves_what_is_asked_for(
    homes: Homes, clock: SetClock
) -> None:
    many = ASKED.rstrip() + "\n    bulk: true\n"
    async with office_of(homes, clock, edited(FILES, (SIGN, many))) as office:
        lead = await contacted(office)
        chosen = {"do": "move:recruiting:sign", "id": lead.id}
        async with office.signed_in(CAMILLE) as camille:
            asked = await camille.post("e/lead/bulk", chosen, on="e/lead/")
            assert "Others must agree to it" in asked.text
            for _ in range(2):
                done = await camille.post("e/lead/bulk", {**chosen, "sure": "1"}, on="e/lead/")
                assert done.headers["location"].endswith("/e/lead/"), done.text
                assert "Sign up · 1 record · The step is asked for" in (await camille.get("e/lead/")).text
        assert len(await office.tenant.store.read(lambda tx: tx.rows('SELECT "id" FROM "_approval"'))) == 1
