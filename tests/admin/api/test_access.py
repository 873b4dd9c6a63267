from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import httpx
import pytest
from starlette.routing import Route

from admin.api.mount import ROUTES
from models import tokens
from models.clock import SetClock
from tests.admin.api.program import BASE, bare, lead, made, problem, program
from tests.admin.office import CAMILLE, FILES, LEADER, TERMS, Office, office_of, token
from tests.answers import headers_of
from tests.homes import Homes
from tests.networks import changed

pytestmark = pytest.mark.anyio

ABSENT = "00000000-0000-7000-8000-999999999999"
PATHS = [
    (method, route.path)
    for route in ROUTES
    if isinstance(route, Route)
    for method in sorted((route.methods or set()) - {"OPTIONS"})
]
BODIES: dict[str, Any] = {
    "notes": {"text": "x"},
    "transitions": {"next_call_at": "2026-03-05T10:00:00Z"},
    "undo": {},
    "}": {"city": "Nice"},
}


def body_of(path: str) -> Any:
    """Return what is sent to an address."""
    return next((body for part, body in BODIES.items() if part in path.rpartition("{entity}")[2][4:]), None)


def filled(path: str, record: str, history: str) -> str:
    """Return an address of a lead's."""
    given = {"entity": "lead", "id": record, "process": "recruiting", "transition": "call", "history": history}
    return re.sub(r"{(\w+)}", lambda found: given.get(found[1], "nothing"), path)


@pytest.mark.parametrize("match", ["*", '"1"', '"7"', ""])
async def test_a_foreign_record_is_exactly_like_one_that_does_not_exist(
    camille: httpx.AsyncClient, diane: httpx.AsyncClient, match: str
) -> None:
    record = (await made(camille))["id"]
    moved = await camille.post(
        f"/entities/lead/{record}/transitions/recruiting/call", json={"next_call_at": "2026-03-05T10:00:00Z"}
    )
    headers = {"if-match": match} if match else {}
    for method, path in (case for case in PATHS if "{id}" in case[1]):
        answers = []
        for identifier in (record, ABSENT):
            address = filled(path, identifier, moved.json()["history"])
            answer = await diane.request(method, address, json=body_of(path), headers=headers)
            assert answer.status_code in ({404} if match else {404, 428})
            body = answer.content.replace(identifier.encode(), b"")
            answers.append((answer.status_code, body, headers_of(answer)))
        assert answers[0] == answers[1], (method, path)


async def test_a_foreign_record_is_absent_from_bulk_references_tasks_and_undo(
    camille: httpx.AsyncClient, diane: httpx.AsyncClient
) -> None:
    record = await made(camille)
    path = f"/entities/lead/{record['id']}"
    moved = await camille.post(f"{path}/transitions/recruiting/call", json={"next_call_at": "2026-03-05T10:00:00Z"})
    own = await made(diane)
    answers = [
        await diane.post("/tasks", json={"title": "x", "about": {"entity": "lead", "id": identifier}})
        for identifier in (record["id"], ABSENT)
    ]
    assert [problem(answer, 404) for answer in answers] == [answers[0].json()] * 2
    undo = f"/entities/lead/{own['id']}/undo"
    histories = [await diane.post(f"{undo}/{history}") for history in (moved.json()["history"], ABSENT)]
    assert [problem(answer, 404) for answer in histories] == [histories[0].json()] * 2
    task = (await camille.post("/tasks", json={"title": "x"})).json()["id"]
    for end in ("done", "reopen"):
        tasks = [await diane.post(f"/tasks/{identifier}/{end}") for identifier in (task, ABSENT)]
        assert [problem(answer, 404) for answer in tasks] == [tasks[0].json()] * 2


@pytest.mark.parametrize("shown", ["", "Bearer maille_no", "Bearer", "Basic eDp5", "x"])
async def test_nobody_is_let_in_without_a_valid_token(office: Office, shown: str) -> None:
    async with bare(office, {"authorization": shown} if shown else {}) as client:
        for method, path in PATHS:
            answer = await client.request(method, filled(path, ABSENT, ABSENT))
            assert answer.headers["www-authenticate"].startswith("Bearer")
            if method != "HEAD":
                problem(answer, 401)


async def test_a_token_is_over_with_its_time_its_revocation_and_its_member(office: Office) -> None:
    member = office.members[CAMILLE]
    made_token = await tokens.create(office.tenant, member, name="x", days=2)
    async with bare(office, {"authorization": f"Bearer {made_token.secret}"}) as client:
        assert (await client.get("/me")).json()["token"]["expires_at"] == "2026-03-04T11:00:00Z"
        office.clock.forward(timedelta(days=2))
        problem(await client.get("/me"), 401)
    other = await tokens.create(office.tenant, member, name="x", days=2)
    async with bare(office, {"authorization": f"bearer  {other.secret}"}) as client, program(office, LEADER) as claire:
        assert (await client.get("/me")).status_code == 200
        me = (await claire.get(f"/entities/member/{member}")).headers["etag"]
        let_go = await claire.patch(f"/entities/member/{member}", json={"active": False}, headers={"if-match": me})
        assert let_go.status_code == 200
        problem(await client.get("/me"), 401)
        back = {"if-match": let_go.headers["etag"]}
        await claire.patch(f"/entities/member/{member}", json={"active": True}, headers=back)
        problem(await client.get("/me"), 401)  # it ended for good
        third = await tokens.create(office.tenant, member, name="x", days=2)
        client.headers["authorization"] = f"Bearer {third.secret}"
        assert (await client.get("/me")).status_code == 200
        assert await tokens.revoke(office.tenant, member, third.token.id)
        problem(await client.get("/me"), 401)


async def test_a_token_can_be_narrower_than_its_member(office: Office, claire: httpx.AsyncClient) -> None:
    member = office.members[CAMILLE]
    both = {"levels": ["distributor", "leader"]}
    assert (await claire.patch(f"/entities/member/{member}", json=both, headers={"if-match": "*"})).status_code == 200
    async with program(office, CAMILLE, "distributor") as narrow, program(office, CAMILLE) as wide:
        assert (await narrow.get("/me")).json()["levels"] == ["distributor"]
        assert (await narrow.get("/me")).json()["administers"] is False
        assert (await wide.get("/me")).json()["administers"] is True
        assert len((await narrow.get("/entities/member")).json()["items"]) == 2
        assert len((await wide.get("/entities/member")).json()["items"]) == 4
        more = await narrow.patch(f"/entities/member/{member}", json=both, headers={"if-match": "*"})
        assert more.status_code == 200  # nothing differs
        one = {"levels": ["distributor"]}
        await claire.patch(f"/entities/member/{member}", json=one, headers={"if-match": "*"})
        assert (await wide.get("/me")).json()["levels"] == ["distributor"]
        problem(await narrow.patch(f"/entities/member/{member}", json=both, headers={"if-match": "*"}), 422, ["levels"])


async def test_the_use_of_a_token_is_noted_now_and_then(office: Office, camille: httpx.AsyncClient) -> None:
    async def used() -> Any:
        (found,) = await tokens.of_member(office.tenant, office.members[CAMILLE])
        return found.last_used_at

    assert await used() is None
    await camille.get("/me")
    first = office.clock.now()
    assert await used() == first
    office.clock.forward(timedelta(seconds=30))
    await made(camille)
    assert await used() == first
    office.clock.forward(timedelta(seconds=31))
    await made(camille)
    assert await used() == office.clock.now()


async def test_new_terms_come_first(homes: Homes, clock: SetClock) -> None:
    async with (
        office_of(homes, clock, changed(FILES, terms=TERMS)) as office,
        program(office, CAMILLE) as camille,
    ):
        assert "accept" in problem(await camille.get("/me"), 403)["detail"]
        problem(await camille.post("/entities/lead", json=lead()), 403)


async def test_a_browser_s_session_works_with_its_token_of_the_page(homes: Homes, clock: SetClock) -> None:
    async with office_of(homes, clock) as office, office.signed_in(CAMILLE) as visitor:
        page = token((await visitor.get()).text)
        assert (await visitor.http.get(f"{BASE}/me")).json()["token"] is None
        address = f"{BASE}/entities/lead"
        problem(await visitor.http.post(address, json=lead()), 403)
        problem(await visitor.http.post(address, json=lead(), headers={"x-csrf-token": "no"}), 403)
        elsewhere = {"x-csrf-token": page, "origin": "https://evil.example"}
        problem(await visitor.http.post(address, json=lead(), headers=elsewhere), 403)
        assert (await visitor.http.post(address, json=lead(), headers={"x-csrf-token": page})).status_code == 201
        office.clock.forward(timedelta(hours=1))
        problem(await visitor.http.get(f"{BASE}/me"), 401)


async def test_no_token_opens_a_page(office: Office) -> None:
    made_token = await tokens.create(office.tenant, office.members[CAMILLE], name="x", days=2)
    async with office.visitor() as visitor:
        answer = await visitor.get("", authorization=f"Bearer {made_token.secret}")
        assert answer.status_code == 303


async def test_a_network_that_is_not_there_is_not_found(office: Office) -> None:
    async with bare(office, {"authorization": "Bearer x"}) as client:
        problem(await client.get("http://testserver/n/other/api/v1/me"), 404)
        problem(await client.get("http://testserver/n/small/api/v1/a%0Ab"), 404)
        problem(await client.get("http://testserver/n/small/api/v2/me"), 404)
