"""A record that is there already: who adds it again is told, if that person may know."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from models.clock import SetClock
from tests.admin.office import CAMILLE, DIANE, FILES, Office, Visitor, office_of
from tests.admin.screens.leads import lead, text_of, titles
from tests.homes import Homes
from tests.networks import edited

pytestmark = pytest.mark.anyio

NEW = "e/lead/new"
MAY_BE_THERE = "This may be there already."


@pytest.fixture
async def office(homes: Homes, clock: SetClock) -> AsyncIterator[Office]:
    """The small network, whose leads are the same with a phone number, or a last name in a city."""
    twice = ("search: [first_name, last_name, email]", "search: [first_name]\nduplicates: [[phone], [last_name, city]]")
    async with office_of(homes, clock, edited(FILES, twice)) as opened:
        yield opened


async def add(visitor: Visitor, **values: str) -> httpx.Response:
    given = {"first_name": "Ana", "last_name": "Núñez", "country": "FR", **values}
    return await visitor.post(NEW, given, on=NEW)


@pytest.mark.parametrize(
    ("values", "same"),
    [
        ({"phone": "+33 6 39 98 00 01", "last_name": "Other"}, True),
        ({"last_name": "NUNEZ", "city": "lyon"}, True),
        ({"last_name": "Nuñez", "city": "Lyons"}, False),
        ({"last_name": "Nu", "city": "Lyon"}, False),
        ({"last_name": "Núñez"}, False),
        ({"phone": "06 39 98 00 02"}, False),
    ],
)
async def test_who_adds_what_is_there_already_is_asked(office: Office, values: dict[str, str], same: bool) -> None:
    there = await lead(office, CAMILLE, "Ana", "Núñez", city="Lyon", phone="06 39 98 00 01")
    async with office.signed_in(CAMILLE) as camille:
        answer = await add(camille, **values)
        assert answer.status_code == (409 if same else 303)
        if same:
            assert MAY_BE_THERE in text_of(answer.text)
            assert f'<a href="/n/small/e/lead/{there.id}">Ana Núñez</a>' in answer.text
            assert len(titles((await camille.get("e/lead/")).text)) == 1
            assert (await add(camille, **values, despite="1")).status_code == 303
        assert len(titles((await camille.get("e/lead/")).text)) == 2


async def test_a_record_out_of_reach_is_no_reason_to_ask(office: Office) -> None:
    await lead(office, DIANE, "Ana", "Núñez", city="Lyon", phone="06 39 98 00 01")
    async with office.signed_in(CAMILLE) as camille:
        assert (await add(camille, city="Lyon", phone="06 39 98 00 01")).status_code == 303


async def test_what_is_wrong_is_said_before(office: Office) -> None:
    await lead(office, CAMILLE, "Ana", "Núñez", city="Lyon", phone="06 39 98 00 01")
    async with office.signed_in(CAMILLE) as camille:
        answer = await add(camille, city="Lyon", calls="many")
        assert answer.status_code == 422
        assert MAY_BE_THERE not in text_of(answer.text)
