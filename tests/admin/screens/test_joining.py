from __future__ import annotations

import re

import pytest

from models import resets
from tests.admin.office import CAMILLE, PASSWORD, Office
from workflows import membership

pytestmark = pytest.mark.anyio

FRESH = re.compile(r'(content|value|hx-headers)=("[^"]{20,}"|\'[^\']{20,}\')|CSRF-Token[^}]*')
"""What is new in each page."""
ZOE = {"first_name": "Zoé", "last_name": "Roy", "email": "zoe@exemple.fr", "language": "en", "levels": ["distributor"]}


@pytest.fixture
async def link(office: Office) -> str:
    """The link of somebody who is invited."""
    return f"join/{(await membership.join(office.tenant, ZOE)).token}"


async def test_who_is_invited_chooses_a_password_and_is_in(office: Office, link: str) -> None:
    async with office.visitor() as visitor:
        page = await visitor.get(link)
        assert "Welcome, Zoé Roy" in page.text
        short = await visitor.post(link, {"password": "short"}, on=link)
        assert short.status_code == 422
        assert "A password has 12 to 200 characters." in short.text
        answer = await visitor.post(link, {"password": PASSWORD}, on=link)
        assert (answer.status_code, answer.headers["location"]) == (303, "/n/small/")
        assert "Zoé Roy" in (await visitor.get("account")).text
    async with office.visitor() as visitor:
        assert (await visitor.get(link)).status_code == 404
        assert (await visitor.post(link, {"password": "another long one"}, on="sign-in")).status_code == 404
        assert (await visitor.sign_in("zoe@exemple.fr")).status_code == 303


async def test_a_form_without_the_token_of_the_page_is_refused(office: Office, link: str) -> None:
    async with office.visitor() as visitor:
        answer = await visitor.http.post(f"/n/small/{link}", data={"password": PASSWORD})
        assert answer.status_code == 403
        assert (await visitor.get(link)).status_code == 200


async def test_a_link_that_was_used_and_one_that_never_was_lead_to_the_same_page_with_a_way_on(
    office: Office, link: str
) -> None:
    async with office.visitor() as visitor:
        await visitor.post(link, {"password": PASSWORD}, on=link)
    for kind, used, way in (
        ("join", link, "ask who invited you to send the invitation again"),
        ("sign-in/reset", await used_reset(office), 'href="/n/small/sign-in/forgotten"'),
    ):
        async with office.visitor() as visitor:
            never = f"{kind}/{'x' * len(used.rpartition('/')[2])}"
            looked = [await visitor.get(address) for address in (used, never)]
            sent = [await visitor.post(each, {"password": "another long one"}, on="sign-in") for each in (used, never)]
        for answers in (looked, sent):
            assert [answer.status_code for answer in answers] == [404, 404]
            assert "This link is no longer good" in answers[0].text
            assert way in answers[0].text
            assert 'href="/n/small/sign-in"' in answers[0].text
            said, of_none = (FRESH.sub("", answer.text) for answer in answers)
            assert said.replace(used, never) == of_none


async def used_reset(office: Office) -> str:
    """Return a link to a new password that served."""
    begun = await office.tenant.store.write(lambda tx: resets.begin(tx, CAMILLE, office.clock.now()))
    assert begun is not None
    await resets.accept(office.tenant, begun[1], "une autre phrase longue")
    return f"sign-in/reset/{begun[1]}"


@pytest.mark.parametrize("token", ["x", "é", "%00", "a" * 5000])
async def test_a_link_that_was_made_up_leads_nowhere(office: Office, token: str) -> None:
    async with office.visitor() as visitor:
        assert (await visitor.get(f"join/{token}")).status_code == 404
