from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest

from models.tx import Tx
from tests.admin.api.program import lead, made, names, problem, program
from tests.admin.office import ALICE, CAMILLE, Office

pytestmark = pytest.mark.anyio

CALL = {"comment": "Très bien", "next_call_at": "2026-03-05T10:00:00Z"}


async def stored(office: Office, table: str) -> int:
    """Return how many rows a table has."""

    async def work(tx: Tx) -> int:
        row = await tx.row(f'SELECT count(*) FROM "{table}"')  # noqa: S608 - a name of the tests
        return 0 if row is None else int(row[0])

    return await office.tenant.store.read(work)


async def test_what_can_be_done_is_offered_with_its_form_or_the_reason(camille: httpx.AsyncClient) -> None:
    record = await made(camille, phone=None)
    answer = await camille.get(f"/entities/lead/{record['id']}/transitions", headers={"accept-language": "fr"})
    call, lose = answer.json()["items"]
    assert (call["transition"], call["allowed"], call["reason"]) == ("call", False, "Il manque un téléphone.")
    assert call["form"] == [
        {
            "name": "comment",
            "type": "long_text",
            "label": {"fr": "Commentaire", "en": "Comment"},
            "required": False,
            "field": None,
        },
        {
            "name": "next_call_at",
            "type": "datetime",
            "label": {"fr": "Next call at", "en": "Next call at"},
            "required": True,
            "field": "next_call_at",
        },
    ]
    assert (lose["transition"], lose["allowed"], lose["to"]) == ("lose", True, "lost")
    assert answer.headers["etag"] == '"1"'


async def test_a_step_is_taken_and_taken_back(camille: httpx.AsyncClient) -> None:
    path = f"/entities/lead/{(await made(camille))['id']}"
    step = f"{path}/transitions/recruiting/call"
    problem(await camille.post(step, json={}), 422, ["next_call_at"])
    problem(await camille.post(step, json={**CALL, "next_call_at": 5, "x": 1}), 422, ["next_call_at", "x"])
    problem(await camille.post(step, json=CALL, headers={"if-match": '"2"'}), 412)
    moved = await camille.post(step, json=CALL, headers={"if-match": '"1"'})
    found = moved.json()
    assert (moved.status_code, moved.headers["etag"]) == (200, '"2"')
    assert (found["record"]["recruiting"], found["record"]["calls"]) == ("contacted", 1)
    assert found["undo_until"] == "2026-03-02T11:10:00Z"
    back = await camille.post(f"{path}/undo/{found['history']}")
    assert (back.json()["record"]["recruiting"], back.json()["undo_until"]) == ("new", None)
    problem(await camille.post(f"{path}/undo/{found['history']}"), 403)
    problem(await camille.post(f"{path}/transitions/recruiting/sign"), 403)
    problem(await camille.post(f"{path}/transitions/recruiting/fly"), 404)
    problem(await camille.post(f"{path}/transitions/flying/call"), 404)


async def test_what_happened_is_told_with_what_may_be_seen(office: Office, camille: httpx.AsyncClient) -> None:
    record = await made(camille)
    path = f"/entities/lead/{record['id']}"
    await camille.patch(path, json={"phone": "+33639980002", "city": "Lyon"}, headers={"if-match": "*"})
    await camille.post(f"{path}/notes", json={"text": "Rappeler"})
    office.clock.forward(timedelta(minutes=1))
    await camille.post(f"{path}/transitions/recruiting/call", json=CALL)
    mine = (await camille.get(f"{path}/history")).json()["items"]
    moved = next(event for event in mine if event["kind"] == "moved")
    assert (moved["from_state"], moved["to_state"], moved["text"]) == ("new", "contacted", "Très bien")
    assert moved["actor"] == {"kind": "member", "id": office.members[CAMILLE], "name": "Camille Roux"}
    updated = next(event for event in mine if event["kind"] == "updated")
    assert {change["field"]: change["after"] for change in updated["changes"]} == {
        "phone": "+33639980002",
        "city": "Lyon",
    }
    assert next(event for event in mine if event["kind"] == "note")["text"] == "Rappeler"
    assert len((await camille.get(f"{path}/history", params={"limit": "1"})).json()["items"]) == 1
    async with program(office, ALICE) as alice:
        hers = (await alice.get(f"{path}/history")).json()["items"]
        updated = next(event for event in hers if event["kind"] == "updated")
        assert [change["field"] for change in updated["changes"]] == ["city"]
        assert "phone" not in (await alice.get(f"{path}/history")).text
        problem(await alice.post(f"{path}/transitions/recruiting/lose"), 404)


@pytest.mark.parametrize("body", [{}, {"text": ""}, {"text": None}, {"text": 5}])
async def test_a_note_has_words(camille: httpx.AsyncClient, body: dict[str, Any]) -> None:
    record = await made(camille)
    problem(await camille.post(f"/entities/lead/{record['id']}/notes", json=body), 422, ["text"])


async def test_tasks_are_given_done_and_reopened(office: Office, camille: httpx.AsyncClient) -> None:
    record = await made(camille)
    about = {"entity": "lead", "id": record["id"]}
    given = {"title": "Rappeler", "about": about, "due_at": "2026-03-05T10:00:00+01:00"}
    answer = await camille.post("/tasks", json=given)
    task = answer.json()["id"]
    assert answer.status_code == 201
    (found,) = (await camille.get("/tasks")).json()["items"]
    assert found == {
        "id": task,
        "title": "Rappeler",
        "about": {**about, "title": "Zoé Marchand"},
        "member": {"id": office.members[CAMILLE], "title": "Camille Roux"},
        "due_at": "2026-03-05T09:00:00Z",
        "done_at": None,
        "created_at": "2026-03-02T11:00:00Z",
    }
    assert (await camille.get(f"/entities/lead/{record['id']}/tasks")).json()["items"] == [found]
    assert (await camille.post(f"/tasks/{task}/done")).status_code == 204
    assert (await camille.get("/tasks")).json()["items"] == []
    assert (await camille.get("/tasks?done=true")).json()["items"][0]["done_at"] == "2026-03-02T11:00:00Z"
    assert (await camille.post(f"/tasks/{task}/reopen")).status_code == 204
    assert len((await camille.get("/tasks")).json()["items"]) == 1


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({}, "title"),
        ({"title": "x", "due_at": "soon"}, "due_at"),
        ({"title": "x", "about": "lead"}, "about"),
        ({"title": "x", "about": {"entity": "lead"}}, "about"),
        ({"title": "x", "member": 5}, "member"),
        ({"title": "x", "member": "nobody"}, "member"),
        ({"title": "x", "colour": "red"}, "colour"),
        ({"title": "x" * 301}, "title"),
    ],
)
async def test_a_task_that_is_wrong_is_said_by_field(
    camille: httpx.AsyncClient, body: dict[str, Any], wrong: str
) -> None:
    problem(await camille.post("/tasks", json=body), 422, [wrong])


async def test_many_are_created_at_once_each_for_itself(office: Office, camille: httpx.AsyncClient) -> None:
    items = [
        lead(first_name="Anna", email="anna@exemple.fr"),
        lead(first_name=None),
        lead(first_name="Bea", email="anna@exemple.fr"),
        lead(first_name="Carl"),
    ]
    answer = await camille.post("/entities/lead/bulk", json={"items": items})
    found = answer.json()
    assert (answer.status_code, found["done"], found["failed"]) == (200, 2, 2)
    assert [result["status"] for result in found["results"]] == [201, 422, 422, 201]
    assert set(found["results"][1]["problem"]["fields"]) == {"first_name"}
    assert set(found["results"][2]["problem"]["fields"]) == {"email"}
    assert names(await camille.get("/entities/lead", params={"sort": "first_name"})) == ["Anna", "Carl"]
    assert await stored(office, "_history") == 2


@pytest.mark.parametrize(
    "body", [{}, {"items": []}, {"items": [1]}, {"items": [{}] * 1001}, {"items": {}}, {"items": [{}], "x": 1}]
)
async def test_many_are_a_list_of_objects(camille: httpx.AsyncClient, body: dict[str, Any]) -> None:
    assert problem(await camille.post("/entities/lead/bulk", json=body), 422, ["x"] if "x" in body else ["items"])


async def test_who_may_not_import_creates_one_by_one(office: Office, camille: httpx.AsyncClient) -> None:
    problem(await camille.post("/entities/member/bulk", json={"items": [{}]}), 403)
    async with program(office, ALICE) as alice:
        problem(await alice.post("/entities/lead/bulk", json={"items": [lead()]}), 403)
        paths = (await alice.get("/openapi.json")).json()["paths"]
        assert not [path for path in paths if "bulk" in path]


async def test_many_take_a_step_at_once_that_is_meant_for_many(
    camille: httpx.AsyncClient, diane: httpx.AsyncClient
) -> None:
    records = [await made(camille, first_name=f"N{number}") for number in range(3)]
    foreign = await made(diane)
    items = [
        {"id": records[0]["id"], "version": 1},
        {"id": records[1]["id"], "version": 7},
        {"id": foreign["id"]},
        {"id": "nothing"},
        {"version": 1},
        {"id": records[2]["id"]},
    ]
    found = (await camille.post("/entities/lead/bulk/recruiting/lose", json={"items": items})).json()
    assert [result["status"] for result in found["results"]] == [200, 412, 404, 404, 422, 200]
    assert found["results"][2] == found["results"][3]
    assert found["results"][0]["version"] == 2
    states = (await camille.get("/entities/lead", params={"sort": "first_name"})).json()["items"]
    assert [record["recruiting"] for record in states] == ["lost", "new", "lost"]
    problem(await camille.post("/entities/lead/bulk/recruiting/call", json={"items": items[:1]}), 403)
    problem(await camille.post("/entities/lead/bulk/recruiting/fly", json={"items": items[:1]}), 404)


async def test_a_request_that_is_sent_again_is_done_once(office: Office, camille: httpx.AsyncClient) -> None:
    key = {"idempotency-key": "import-1"}
    first = await camille.post("/entities/lead", json=lead(), headers=key)
    again = await camille.post("/entities/lead", json=lead(), headers=key)
    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["idempotent-replayed"] == "true"
    assert {again.headers[name] for name in ("etag", "location")} == {
        first.headers[name] for name in ("etag", "location")
    }
    assert "idempotent-replayed" not in first.headers
    assert await stored(office, "lead") == 1
    other = await camille.post("/entities/lead", json=lead(city="Lyon"), headers=key)
    assert problem(other, 422)["detail"]
    elsewhere = await camille.post("/entities/company", json=lead(), headers=key)
    assert problem(elsewhere, 422)["detail"]


async def test_a_key_is_its_member_s_own_and_free_after_a_failure(
    office: Office, camille: httpx.AsyncClient, diane: httpx.AsyncClient
) -> None:
    key = {"idempotency-key": "1"}
    problem(await camille.post("/entities/lead", json=lead(country="DE"), headers=key), 422, ["country"])
    assert (await camille.post("/entities/lead", json=lead(), headers=key)).status_code == 201
    assert (await diane.post("/entities/lead", json=lead(), headers=key)).status_code == 201
    assert await stored(office, "lead") == 2
    for bad in ("", "x" * 256):
        problem(await camille.post("/entities/lead", json=lead(), headers={"idempotency-key": bad}), 400)


async def test_an_answer_is_forgotten_after_a_day(office: Office, camille: httpx.AsyncClient) -> None:
    key = {"idempotency-key": "1"}
    await camille.post("/entities/lead", json=lead(), headers=key)
    gone = await camille.post("/tasks", json={"title": "x"}, headers={"idempotency-key": "2"})
    await camille.post(f"/tasks/{gone.json()['id']}/done", headers={"idempotency-key": "3"})
    assert await stored(office, "_answer") == 3
    office.clock.forward(timedelta(days=1))
    assert (await camille.post("/entities/lead", json=lead(), headers=key)).status_code == 201
    assert await stored(office, "lead") == 2
    office.clock.forward(timedelta(hours=1))
    await office.networks.worker(office.tenant).run_due()
    assert await stored(office, "_answer") == 1


async def test_a_statistic_is_computed_from_what_may_be_seen(
    camille: httpx.AsyncClient, diane: httpx.AsyncClient, claire: httpx.AsyncClient
) -> None:
    await made(camille)
    record = await made(diane)
    await diane.post(f"/entities/lead/{record['id']}/transitions/recruiting/lose")
    listed = (await camille.get("/statistics")).json()["items"]
    assert [each["name"] for each in listed] == ["by_state", "leads_in_all"]
    own = (await camille.get("/statistics/by_state")).json()
    assert own["rows"] == [{"group": ["new"], "value": 1, "count": 1, "merged": False}]
    everybody = (await claire.get("/statistics/by_state")).json()["rows"]
    assert sorted(row["group"][0] for row in everybody) == ["lost", "new"]
    problem(await camille.get("/statistics/nothing"), 404)


async def test_a_step_is_taken_back_of_the_version_that_was_read(camille: httpx.AsyncClient) -> None:
    record = await made(camille)
    path = f"/entities/lead/{record['id']}"
    moved = (
        await camille.post(f"{path}/transitions/recruiting/call", json={"next_call_at": "2026-03-05T10:00"})
    ).json()
    undo = f"{path}/undo/{moved['history']}"
    problem(await camille.post(undo, headers={"if-match": '"1"'}), 412)
    assert (await camille.post(undo, headers={"if-match": '"2"'})).json()["record"]["recruiting"] == "new"
