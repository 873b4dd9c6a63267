"""Jobs over the API: a step of many records that goes on in the background, told of by record, left and taken back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest

from models import tokens
from models.actor import Actor
from models.clock import SetClock
from models.tx import Tx
from tests.admin.api.program import BASE, bare, made, problem, program
from tests.admin.office import CAMILLE, FILES, LEADER, Office, office_of, token
from tests.homes import Homes
from tests.networks import edited
from workflows import jobs
from workflows.worker import Worker

pytestmark = pytest.mark.anyio

LOSE = "/entities/lead/jobs/recruiting/lose"
FEW = 2
"""A batch of these tests."""


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a job of a few records have several batches."""
    monkeypatch.setattr(jobs, "BATCH", FEW)


async def leads(client: httpx.AsyncClient, count: int, **more: Any) -> list[str]:
    """Create leads and return their ids."""
    return [(await made(client, first_name=f"N{number}", **more))["id"] for number in range(count)]


async def states(client: httpx.AsyncClient, *ids: str) -> list[str]:
    return [(await client.get(f"/entities/lead/{each}")).json()["recruiting"] for each in ids]


def counts(job: dict[str, Any]) -> tuple[str, int, int, int]:
    return job["state"], job["total"], job["done"], job["failed"]


async def test_a_job_goes_on_by_itself_and_says_of_each_record_why_it_was_refused(
    office: Office, camille: httpx.AsyncClient, diane: httpx.AsyncClient
) -> None:
    own, (foreign,) = await leads(camille, 3), await leads(diane, 1)
    await camille.post(f"/entities/lead/{own[2]}/transitions/recruiting/lose", json={})
    begun = await camille.post(LOSE, json={"ids": [*own, own[0], foreign]})
    job = begun.json()
    assert (begun.status_code, counts(job)) == (202, ("running", 4, 2, 0))
    assert (job["action"], job["process"], job["transition"]) == ("move", "recruiting", "lose")
    assert begun.headers["location"].endswith(f"/api/v1/jobs/{job['id']}")
    await Worker(office.tenant).run_due()
    found = (await camille.get(f"/jobs/{job['id']}")).json()
    assert counts(found) == ("done", 4, 2, 2)
    refused = {each["id"]: each for each in found["failures"]}
    assert set(refused) == {own[2], foreign}
    assert (refused[own[2]]["title"], refused[foreign]["title"]) == ("N2 Marchand", "")
    assert refused[own[2]]["reason"] != refused[foreign]["reason"]
    assert found["next"] is None
    assert await states(camille, *own) == ["lost"] * 3
    assert await states(diane, foreign) == ["new"]


async def test_failures_are_told_page_by_page(
    office: Office, camille: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "SHOWN", 2)
    job = (await camille.post(LOSE, json={"ids": ["a", "b", "c"]})).json()
    await Worker(office.tenant).run_due()
    page = (await camille.get(f"/jobs/{job['id']}")).json()
    rest = (await camille.get(f"/jobs/{job['id']}", params={"offset": page["next"]})).json()
    assert [[each["id"] for each in found["failures"]] for found in (page, rest)] == [["a", "b"], ["c"]]
    assert (page["next"], rest["next"]) == (2, None)


async def test_all_of_a_list_is_what_the_caller_may_read_of_it(
    office: Office, camille: httpx.AsyncClient, diane: httpx.AsyncClient
) -> None:
    paris, lyon, foreign = (
        await leads(camille, 3, city="Paris"),
        await leads(camille, 1, city="Lyon"),
        await leads(diane, 1, city="Paris"),
    )
    begun = await camille.post(LOSE, json={"filter": 'record.city == "Paris"'})
    assert begun.json()["total"] == 3
    await Worker(office.tenant).run_due()
    assert await states(camille, *paris, *lyon) == ["lost"] * 3 + ["new"]
    assert await states(diane, *foreign) == ["new"]
    problem(await camille.post(LOSE, json={"filter": 'record.city == "Nice"'}), 422, ["filter"])
    assert (await camille.post(LOSE, json={"filter": "", "q": "N0"})).json()["total"] == 2


async def test_what_is_not_done_yet_is_left_and_nobody_else_sees_it(
    office: Office, camille: httpx.AsyncClient, diane: httpx.AsyncClient, claire: httpx.AsyncClient
) -> None:
    own = await leads(camille, 3)
    job = f"/jobs/{(await camille.post(LOSE, json={'ids': own})).json()['id']}"
    for method, path in (("GET", job), ("POST", f"{job}/cancel"), ("POST", f"{job}/undo")):
        problem(await diane.request(method, path), 404)
    assert counts((await claire.get(job)).json()) == ("running", 3, 2, 0)
    assert (await camille.post(f"{job}/cancel")).json()["state"] == "cancelled"
    await Worker(office.tenant).run_due()
    assert await states(camille, *own) == ["lost", "lost", "new"]
    problem(await camille.post(f"{job}/undo"), 403)  # the step is not one that can be taken back


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({}, "ids"),
        ({"ids": []}, "ids"),
        ({"ids": [1]}, "ids"),
        ({"ids": ["x"] * 10_001}, "ids"),
        ({"ids": ["x"], "filter": ""}, "ids"),
        ({"ids": ["x"], "q": "x"}, "ids"),
        ({"filter": 1}, "filter"),
        ({"filter": "record.nothing == 1"}, "filter"),
        ({"ids": ["x"], "form": []}, "form"),
        ({"ids": ["x"], "form": {"x": 1}}, "x"),
        ({"ids": ["x"], "more": 1}, "more"),
    ],
)
async def test_what_a_job_is_begun_with_is_checked(camille: httpx.AsyncClient, body: Any, wrong: str) -> None:
    problem(await camille.post(LOSE, json=body), 422, [wrong])


async def test_a_step_that_is_not_meant_for_many_begins_none(camille: httpx.AsyncClient) -> None:
    problem(await camille.post("/entities/lead/jobs/recruiting/revive", json={"ids": ["x"]}), 403)
    problem(await camille.post("/entities/lead/jobs/recruiting/fly", json={"ids": ["x"]}), 404)


async def test_a_job_that_is_asked_for_again_is_begun_once(camille: httpx.AsyncClient) -> None:
    (own,), key = await leads(camille, 1), {"idempotency-key": "lose"}
    first, again = [await camille.post(LOSE, json={"ids": [own]}, headers=key) for _ in range(2)]
    assert (again.status_code, again.content) == (202, first.content)
    assert again.headers["location"] == first.headers["location"]


async def test_a_job_has_no_more_rights_than_its_token_to_its_end(office: Office) -> None:
    async with program(office, CAMILLE) as camille, program(office, LEADER) as claire:
        own = await leads(camille, 4)
        made_token = await tokens.create(office.tenant, office.members[CAMILLE], name="x", days=2)
        async with bare(office, {"authorization": f"Bearer {made_token.secret}"}) as short:
            job = (await short.post(LOSE, json={"ids": own})).json()
        assert await tokens.revoke(office.tenant, office.members[CAMILLE], made_token.token.id)
        await Worker(office.tenant).run_due()
        assert counts((await camille.get(f"/jobs/{job['id']}")).json()) == ("failed", 4, 2, 0)
        assert await states(claire, *own) == ["lost"] * 2 + ["new"] * 2


async def test_what_a_job_did_is_taken_back_by_another(homes: Homes, clock: SetClock) -> None:
    many = edited(FILES, ("set: {calls: =record.calls + 1}\n", "set: {calls: =record.calls + 1}\n    bulk: true\n"))
    async with office_of(homes, clock, many) as office, program(office, CAMILLE) as camille:
        own = await leads(camille, 3)
        body = {"ids": own, "form": {"next_call_at": "2026-03-05T10:00:00Z"}}
        job = (await camille.post("/entities/lead/jobs/recruiting/call", json=body)).json()
        await Worker(office.tenant).run_due()
        done = (await camille.get(f"/jobs/{job['id']}")).json()
        assert (counts(done), done["undo_until"]) == (("done", 3, 3, 0), "2026-03-02T11:10:00Z")
        taken_back = await camille.post(f"/jobs/{job['id']}/undo")
        assert (taken_back.status_code, taken_back.json()["action"]) == (202, "undo")
        await Worker(office.tenant).run_due()
        assert await states(camille, *own) == ["new"] * 3
        assert (await camille.get(f"/jobs/{job['id']}")).json()["state"] == "undone"
        assert (await camille.get(taken_back.headers["location"].removeprefix(BASE))).json()["done"] == 3


@pytest.mark.parametrize("narrow", [{}, {"levels": ["distributor"]}, {"entities": ["lead"]}, {"reads_only": True}])
async def test_who_goes_on_with_a_job_has_the_rights_of_its_token(office: Office, narrow: dict[str, Any]) -> None:
    made_token = await tokens.create(office.tenant, office.members[CAMILLE], name="x", days=2, **narrow)

    async def both(tx: Tx) -> tuple[Actor, Actor]:
        published, now = office.tenant.published, office.clock.now()
        resumed = await tokens.resume(published, tx, made_token.secret, now=now)
        entered = await tokens.enter(published, tx, made_token.token.id, now)
        assert await tokens.enter(published, tx, made_token.token.id, now + timedelta(days=2)) is None
        assert resumed is not None
        assert entered is not None
        return resumed[1], entered

    once, later = await office.tenant.store.read(both)
    assert (later.levels, later.narrow, later.member) == (once.levels, once.narrow, once.member)


async def test_a_browser_s_session_begins_a_job_as_its_member(office: Office, camille: httpx.AsyncClient) -> None:
    own = await leads(camille, 3)
    async with office.signed_in(CAMILLE) as visitor:
        headers = {"x-csrf-token": token((await visitor.get()).text)}
        begun = await visitor.http.post(BASE + LOSE, json={"ids": own}, headers=headers)
    assert counts(begun.json()) == ("running", 3, 2, 0)
    await Worker(office.tenant).run_due()
    assert await states(camille, *own) == ["lost"] * 3
