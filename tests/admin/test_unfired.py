"""Why an automation did not begin, on the record, on the page of the run and in the API: its conditions, in words."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from models.clock import SetClock
from tests.admin.api.program import program
from tests.admin.office import CAMILLE, FILES, LEADER, Office, office_of
from tests.admin.screens.leads import lead, text_of
from tests.homes import Homes
from tests.networks import edited

pytestmark = pytest.mark.anyio

IF = 'if: has(record.phone) && record.country == "BE" && actor == record.owner'
ENGLISH = [("Phone is filled in", True), ("Country is Belgium", False), ("who caused it is who follows it", True)]


@pytest.fixture
async def office(homes: Homes, clock: SetClock) -> AsyncIterator[Office]:
    async with office_of(homes, clock, edited(FILES, ("if: has(record.email)", IF))) as found:
        yield found


async def test_a_program_is_told_with_the_history_and_with_the_run(office: Office) -> None:
    zoe = await lead(office, CAMILLE, "Zoé", phone="06 39 98 00 01")
    async with program(office, CAMILLE) as camille, program(office, LEADER) as claire:
        call = f"/entities/lead/{zoe.id}/transitions/recruiting/call"
        await camille.post(call, json={"next_call_at": "2026-03-05T10:00:00Z"})
        history = (await camille.get(f"/entities/lead/{zoe.id}/history")).json()["items"]
        [run] = [event["run"] for event in history if event["run"]]
        told = [{"text": text, "holds": holds, "values": []} for text, holds in ENGLISH]
        assert (run["why"], run["conditions"]) == ("The conditions of this automation were not met.", told)
        one = (await claire.get(f"/runs/{run['id']}", headers={"accept-language": "en"})).json()
        assert (one["reason"], one["conditions"]) == (run["why"], told)


async def test_people_read_it_on_the_record_and_leaders_on_the_page_of_the_run(office: Office) -> None:
    zoe = await lead(office, CAMILLE, "Zoé", phone="06 39 98 00 01")
    async with program(office, CAMILLE) as camille:
        call = f"/entities/lead/{zoe.id}/transitions/recruiting/call"
        await camille.post(call, json={"next_call_at": "2026-03-05T10:00:00Z"})
        history = (await camille.get(f"/entities/lead/{zoe.id}/history")).json()["items"]
    [run] = [event["run"]["id"] for event in history if event["run"]]
    async with office.signed_in(CAMILLE) as visitor:
        page = text_of((await visitor.get(f"e/lead/{zoe.id}")).text)
    async with office.signed_in(LEADER) as visitor:
        seen = text_of((await visitor.get(f"runs/{run}")).text)
    for text, holds in ENGLISH:
        assert f"{'Met' if holds else 'Not met'} {text}" in page
        assert f"{'Met' if holds else 'Not met'} · {text}" in seen
    assert "record.country" not in page + seen
