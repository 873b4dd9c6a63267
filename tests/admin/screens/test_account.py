"""My account: my fields, my e-mail, the leader's access, what I accepted, and the end of it."""

from __future__ import annotations

import json
import re

import pytest

from models.clock import SetClock
from models.tx import Tx
from tests.admin.office import CAMILLE, DIANE, FILES, LEADER, PASSWORD, TERMS, Office, Visitor, office_of
from tests.homes import Homes
from tests.networks import changed
from workflows.letters import opened

pytestmark = pytest.mark.anyio

MEMBER = """
entity: member
fields:
  street: {type: text, label: {fr: Rue, en: Street}, personal: contact, purpose: {fr: Écrire, en: Writing}}
  mobile: {type: phone, label: {fr: Portable, en: Mobile}, personal: contact, purpose: {fr: Appeler, en: Calling}}
  rank:   {type: integer, label: {fr: Rang, en: Rank}}
retention: {after: =settings.lead_retention, since: last_activity_at, then: erase}
"""


async def test_the_fields_that_members_have_of_themselves_are_theirs_to_change(homes: Homes, clock: SetClock) -> None:
    async with office_of(homes, clock, changed(FILES, member=MEMBER)) as office, office.signed_in(CAMILLE) as visitor:
        page = await visitor.get("account")
        assert "Street" in page.text
        assert 'name="rank"' not in page.text
        sent = {"first_name": "Camille", "last_name": "Roux", "street": "1, rue Haute", "mobile": "0639980003"}
        await visitor.post("account", sent, on="account")
        page = await visitor.get("account")
        assert 'value="1, rue Haute"' in page.text
        wrong = await visitor.post("account", {**sent, "mobile": "nonsense"}, on="account")
        assert wrong.status_code == 422


async def mailed(office: Office) -> str:
    """Return the link of the last mail of the house, as it would be sent."""

    async def work(tx: Tx) -> str:
        rows = await tx.rows("""SELECT "payload" FROM "_outbox" WHERE "kind" = 'mail' ORDER BY "id" DESC LIMIT 1""")
        return str(rows[0][0])

    payload = json.loads(await office.tenant.store.read(work))
    _, text = opened(office.tenant.vault, payload["mail"], payload, ("", ""))
    found = re.search(r"/n/small/(account/email/[\w-]+)", text)
    assert found is not None, text
    return found[1]


async def over(visitor: Visitor, link: str) -> None:
    """See that a link is over: in words, and like one that never was any."""
    never = "account/email/" + "x" * len(link.rpartition("/")[2])
    looked = [await visitor.get(each) for each in (link, never)]
    for answers in (looked, [await visitor.post(each, on="account") for each in (link, never)]):
        assert [answer.status_code for answer in answers] == [404, 404]
        assert "This link is no longer good" in answers[0].text
        assert 'href="/n/small/account/email"' in answers[0].text
    assert looked[0].text.replace(link, never) == looked[1].text


async def test_another_email_is_asked_for_and_counts_once_its_link_was_opened(office: Office) -> None:
    async with office.signed_in(CAMILLE) as visitor:
        form = {"email": "new@exemple.fr", "password": PASSWORD}
        assert (await visitor.post("account/email", form, on="account/email")).status_code == 303
        link = await mailed(office)
        assert "new@exemple.fr" in (await visitor.get(link)).text
        async with office.signed_in(DIANE) as diane:
            await over(diane, link)
        async with office.visitor() as stranger:
            assert (await stranger.get(link)).headers["location"].startswith("/n/small/sign-in")
        assert (await visitor.post(link, on=link)).status_code == 303
        assert "new@exemple.fr" in (await visitor.get("account")).text
        await over(visitor, link)
    async with office.visitor() as visitor:
        assert (await visitor.sign_in("new@exemple.fr")).status_code == 303


async def test_what_is_wrong_with_another_email_is_said_beside_it(office: Office) -> None:
    async with office.signed_in(CAMILLE) as visitor:
        for form, said in (
            ({"email": "nonsense", "password": PASSWORD}, "e-mail"),
            ({"email": CAMILLE, "password": PASSWORD}, "Write the new address."),
            ({"email": "new@exemple.fr", "password": "wrong"}, "f-password-error"),
        ):
            answer = await visitor.post("account/email", form, on="account/email")
            assert answer.status_code == 422
            assert said in answer.text


async def test_the_leader_does_not_see_what_a_member_closed(office: Office) -> None:
    async def listed() -> bool:
        async with office.signed_in(LEADER) as leader:
            return "Zulma" in (await leader.get("e/lead/")).text

    async with office.signed_in(CAMILLE) as visitor:
        await visitor.post("e/lead/new", {"first_name": "Zulma", "last_name": "Q", "country": "FR"}, on="e/lead/new")
        assert await listed()
        await visitor.post("account/closed", {"closed": "true"}, on="account")
        assert "Open my data again" in (await visitor.get("account")).text
        assert not await listed()
        await visitor.post("account/closed", {"closed": "false"}, on="account")
        assert await listed()


SECOND = TERMS.replace("2026-11", "2027-01").replace("Soyez **corrects**", "Restez **corrects**").replace("Be", "Stay")


async def accept(visitor: Visitor, version: str) -> None:
    """Accept the terms that are shown."""
    form = {"terms": "general", "version": version, "accepted": "true"}
    assert (await visitor.post("terms", form, on="terms")).status_code == 303


async def test_a_new_version_is_asked_again_and_all_accepted_ones_stay_readable(homes: Homes, clock: SetClock) -> None:
    async with office_of(homes, clock, changed(FILES, terms=TERMS)) as office, office.signed_in(CAMILLE) as visitor:
        await accept(visitor, "2026-11")
        assert (await visitor.get("")).status_code == 200
        await office.tenant.publish(changed(FILES, terms=SECOND), None)
        assert (await visitor.get("")).headers["location"].startswith("/n/small/terms")
        await accept(visitor, "2027-01")
        page = (await visitor.get("account/terms")).text
        assert page.index("Version 2027-01") < page.index("Version 2026-11")
        assert page.index("Stay <strong>fair") < page.index("Be <strong>fair")
        assert page.count("203.0.113.7") == 2


async def test_who_refuses_the_terms_can_end_the_contract(homes: Homes, clock: SetClock) -> None:
    async with office_of(homes, clock, changed(FILES, terms=TERMS)) as office:
        async with office.signed_in(CAMILLE) as visitor:
            assert 'href="/n/small/terms/refuse"' in (await visitor.get("terms")).text
            page = await visitor.get("terms/refuse")
            assert "End my contract" in page.text
            form = {"password": PASSWORD, "sure": "true"}
            unsure = await visitor.post("terms/refuse", {"password": PASSWORD}, on="terms/refuse")
            wrong = await visitor.post("terms/refuse", {**form, "password": "wrong"}, on="terms/refuse")
            assert (unsure.status_code, wrong.status_code) == (422, 422)
            gone = await visitor.post("terms/refuse", form, on="terms/refuse")
            assert gone.headers["location"] == "/n/small/sign-in"
        async with office.visitor() as visitor:
            assert (await visitor.sign_in(CAMILLE)).status_code == 422


async def test_the_contract_ends_on_the_account_too(office: Office) -> None:
    async with office.signed_in(CAMILLE) as visitor:
        assert 'href="/n/small/account/leave"' in (await visitor.get("account")).text
        form = {"password": PASSWORD, "sure": "true", "reason": "moving away"}
        gone = await visitor.post("account/leave", form, on="account/leave")
        assert gone.headers["location"] == "/n/small/sign-in"
    kept = 'SELECT "state", "reason" FROM "_standing"'
    assert await office.tenant.store.read(lambda tx: tx.rows(kept)) == [("terminated", "moving away")]
    async with office.signed_in(LEADER) as leader:
        assert "Camille Roux has ended the contract" in (await leader.get("tasks")).text
