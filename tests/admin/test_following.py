"""Open pages follow the network: what they ask for costs nothing and keeps nobody signed in."""

from __future__ import annotations

from datetime import timedelta

import pytest

from models.clock import SetClock
from tests.admin.office import CAMILLE, FILES, LEADER, Office
from tests.networks import edited
from workflows import publishing

pytestmark = pytest.mark.anyio

CITY = "  city: {type: text}\n"
COMPANY = "back-office/api/tables/Company/schema/"
TOWN = edited(FILES, (CITY, "  town: {type: text, was: city}\n"))


async def test_a_page_knows_its_version_and_where_to_ask_for_the_current_one(office: Office) -> None:
    async with office.signed_in(CAMILLE) as visitor:
        assert '<meta name="version" content="1" data-address="/n/small/version">' in (await visitor.get()).text
        assert (await visitor.get("version")).text == "1"
        await publishing.publish(office.tenant, TOWN)
        assert (await visitor.get("version")).text == "2"
        assert '<meta name="version" content="2"' in (await visitor.get()).text


async def test_asking_for_the_version_does_not_keep_a_session_alive(office: Office, clock: SetClock) -> None:
    async with office.signed_in(CAMILLE) as visitor:
        for _ in range(5):
            clock.forward(timedelta(minutes=5))
            assert (await visitor.get("version")).status_code == 200
        assert (await visitor.get("tasks")).status_code == 303


async def test_the_back_office_is_that_of_the_new_version(office: Office) -> None:
    async with office.signed_in(LEADER) as visitor:
        assert "city" in (await visitor.get(COMPANY)).json()["properties"]
        await publishing.publish(office.tenant, TOWN)
        properties = (await visitor.get(COMPANY)).json()["properties"]
        assert "town" in properties
        assert "city" not in properties


async def test_publishing_from_a_page_does_not_wait_for_that_page(office: Office) -> None:
    await publishing.publish(office.tenant, TOWN)
    async with office.signed_in(LEADER) as visitor:
        answer = await visitor.post("definitions/1/roll-back", {"base": "2"}, on="definitions/1")
        assert answer.status_code == 303
        assert answer.elapsed < timedelta(seconds=1.5)
