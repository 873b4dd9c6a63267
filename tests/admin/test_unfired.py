"""Why an automation did not begin, on the record, on the page of the run and in the API: its conditions, in words."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from models.clock import SetClock
from tests.admin.api.program import program
from tests.admin.office import CAMILLE, FILES, LEADER, Office, office_of
from tests.admin.screens.leads import lead, text_of
from tests.homes import Homes
from tests.networks import changed, edited
from workflows.publishing import publish

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


CALLS_OFF = """
automation: cautious
label: {fr: Prudente, en: Cautious}
when: {entered: recruiting.contacted}
do:
  - {task: {title: {fr: Relancer, en: Call again}, for: =record.owner}, if: 'record.country == "BE"'}
  - wait: {for: 2d, cancel_if: 'record.city == "Lyon"'}
"""


async def test_conditions_of_steps_and_waits_are_told_in_words_too(homes: Homes, clock: SetClock) -> None:
    async with office_of(homes, clock, changed(FILES, cautious=CALLS_OFF)) as office:
        zoe = await lead(office, CAMILLE, "Zoé", phone="06 39 98 00 01")
        async with program(office, CAMILLE) as camille, program(office, LEADER) as claire:
            path = f"/entities/lead/{zoe.id}"
            await camille.post(f"{path}/transitions/recruiting/call", json={"next_call_at": "2026-03-05T10:00:00Z"})
            await office.networks.worker(office.tenant).run_due()
            await camille.patch(path, json={"city": "Lyon"}, headers={"if-match": "*"})
            await office.networks.worker(office.tenant).run_due()
            runs = (await claire.get("/runs", params={"automation": "cautious"})).json()["items"]
            one = (await claire.get(f"/runs/{runs[0]['id']}", headers={"accept-language": "en"})).json()
        async with office.signed_in(CAMILLE) as visitor:
            page = text_of((await visitor.get(f"e/lead/{zoe.id}")).text)
        async with office.signed_in(LEADER) as visitor:
            listed = text_of((await visitor.get("runs?automation=cautious")).text)
    skipped, called_off = "The condition does not hold: Country is Belgium", "The wait was called off: City is Lyon"
    assert [step["reason"] for step in one["steps"]][:1] == [skipped]
    assert (one["state"], one["reason"]) == ("cancelled", called_off)
    assert skipped in page
    assert called_off in page
    assert called_off in listed


async def test_a_changed_condition_is_told_in_the_words_of_its_version(office: Office) -> None:
    zoe = await lead(office, CAMILLE, "Zoé", phone="06 39 98 00 01")
    async with program(office, CAMILLE) as camille, program(office, LEADER) as claire:
        call = f"/entities/lead/{zoe.id}/transitions/recruiting/call"
        await camille.post(call, json={"next_call_at": "2026-03-05T10:00:00Z"})
        await publish(office.tenant, edited(FILES, ("if: has(record.email)", "if: record.calls > 8")))
        history = (await camille.get(f"/entities/lead/{zoe.id}/history")).json()["items"]
        [run] = [event["run"] for event in history if event["run"]]
        one = (await claire.get(f"/runs/{run['id']}", headers={"accept-language": "en"})).json()
    said = "Phone is filled in, Country is Belgium and who caused it is who follows it"
    assert run["why"] == one["reason"] == f"The condition does not hold: {said}"
