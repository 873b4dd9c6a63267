from __future__ import annotations

import pytest

from tests.admin.office import PASSWORD, Office
from workflows import membership

pytestmark = pytest.mark.anyio

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


@pytest.mark.parametrize("token", ["x", "é", "%00", "a" * 5000])
async def test_a_link_that_was_made_up_leads_nowhere(office: Office, token: str) -> None:
    async with office.visitor() as visitor:
        assert (await visitor.get(f"join/{token}")).status_code == 404
