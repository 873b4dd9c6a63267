"""Definitions through the API: who runs the network plans, publishes, looks back and goes back; nobody else does."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from admin.under_way import TYPE
from tests.admin.api.living import IMPORTING
from tests.admin.api.program import problem, program
from tests.admin.office import CAMILLE, LEADER, Office
from tests.networks import edited

pytestmark = pytest.mark.anyio

CITY = "  city: {type: text}\n"
WEB = edited(IMPORTING, (CITY, CITY + "  web: {type: url}\n"))
BROKEN = edited(IMPORTING, ("    to: contacted", "    to: contacte"))


async def test_a_version_is_planned_published_looked_at_and_taken_back(
    claire: httpx.AsyncClient, camille: httpx.AsyncClient
) -> None:
    plan = (await claire.post("/definitions/plan", json={"files": WEB})).json()
    assert (plan["base"], plan["unchanged"], plan["refused"]) == (1, False, [])
    assert {"kind": "entity", "name": "company", "change": "changed", "was": None} in plan["definitions"]
    (table,) = plan["tables"]
    assert (table["entity"], table["change"], len(table["details"])) == ("company", "changed", 1)
    sent = {"files": WEB, "note": "Companies have a site", "base": plan["base"]}
    published = (await claire.post("/definitions", json=sent)).json()
    assert published == {"version": 2, "hash": plan["hash"], "changed": True}
    assert (await claire.post("/definitions", json={"files": WEB})).json() == {**published, "changed": False}
    assert "web" in (await camille.get("/definitions")).json()["entities"]["company"]["fields"]
    versions = (await claire.get("/definitions/versions")).json()["items"]
    assert [(each["version"], each["note"], each["current"]) for each in versions] == [
        (2, "Companies have a site", True),
        (1, "", False),
    ]
    assert versions[0]["author"] == "Claire Alba"
    assert versions[0]["files"] == ["company.yaml"]
    earlier = (await claire.get("/definitions/versions", params={"before": 2})).json()["items"]
    assert earlier == versions[1:]
    one = (await claire.get("/definitions/versions/1")).json()
    assert one["contents"]["company.yaml"] == IMPORTING["company.yaml"]
    assert {name: value for name, value in one.items() if name != "contents"} == versions[1]
    back = await claire.post("/definitions/versions/1/roll-back", json={"base": 2, "allow_loss": True})
    assert (back.json()["version"], back.json()["changed"]) == (3, True)
    assert (await claire.post("/definitions/versions/1/roll-back")).json()["changed"] is False


async def test_definitions_with_errors_are_refused_with_each_place(claire: httpx.AsyncClient) -> None:
    for path in ("/definitions", "/definitions/plan"):
        answer = await claire.post(path, json={"files": BROKEN}, headers={"accept-language": "fr"})
        (wrong,) = problem(answer, 422)["problems"]
        assert (wrong["file"], wrong["line"], wrong["code"]) == ("recruiting.yaml", 14, "process.unknown_state")
        assert "contacted" in wrong["hint"]
    assert (await claire.get("/definitions")).json()["version"] == 1


async def test_what_would_lose_values_needs_the_leave_to(claire: httpx.AsyncClient) -> None:
    await claire.post("/entities/company", json={"name": "Alba", "city": "Lyon"})
    files = edited(IMPORTING, (CITY, ""))
    (refused,) = (await claire.post("/definitions/plan", json={"files": files})).json()["refused"]
    assert refused["code"] == "plan.loses_values"
    assert problem(await claire.post("/definitions", json={"files": files}), 422)["problems"] == [refused]
    allowed = {"files": files, "allow_loss": True}
    assert (await claire.post("/definitions/plan", json=allowed)).json()["refused"] == []
    assert (await claire.post("/definitions", json=allowed)).json()["version"] == 2


async def test_who_was_too_late_is_told_which_version_is_current(claire: httpx.AsyncClient) -> None:
    assert (await claire.post("/definitions", json={"files": WEB, "base": 1})).status_code == 200
    late = problem(await claire.post("/definitions", json={"files": IMPORTING, "base": 1}), 409)
    assert late["version"] == 2
    assert late["changed"] == ["entity company"]
    assert late["detail"].endswith("meanwhile version 2 was published, and changed: entity company.")


async def test_definitions_are_checked_without_their_data(claire: httpx.AsyncClient) -> None:
    found = (await claire.post("/definitions/check", json={"files": BROKEN})).json()["items"]
    assert [each["code"] for each in found if each["severity"] == "error"] == ["process.unknown_state"]
    remarks = (await claire.post("/definitions/check", json={"files": IMPORTING})).json()["items"]
    assert {each["severity"] for each in remarks} <= {"warning"}


async def test_definitions_are_tried_out_over_the_last_days(claire: httpx.AsyncClient) -> None:
    lead = {"first_name": "Ana", "last_name": "Roy", "email": "ana@exemple.fr", "phone": "+33639980001"}
    made = (await claire.post("/entities/lead", json=lead)).json()
    sent = {"files": edited(IMPORTING, ("entered: recruiting.contacted", "created: lead")), "days": 3}
    found = (await claire.post("/definitions/simulate", json=sent)).json()
    assert (found["automations"], found["replayed"], found["unfit"]) == (["welcome"], 1, {})
    lines = {(line["kind"], line["what"], line["result"], line["count"]) for line in found["lines"]}
    assert {("run", "welcome", "done", 1), ("mail", "welcome", "ana@exemple.fr", 1)} <= lines
    assert next(line["about"] for line in found["lines"] if line["kind"] == "mail") == ["lead", made["id"]]


@pytest.mark.parametrize(
    ("asked", "field"), [({"days": "3"}, "days"), ({"automation": 1}, "automation"), ({"process": "x"}, "process")]
)
async def test_what_cannot_be_tried_out_is_said_by_field(
    claire: httpx.AsyncClient, asked: dict[str, Any], field: str
) -> None:
    problem(await claire.post("/definitions/simulate", json={"files": IMPORTING, **asked}), 422, {field})


@pytest.mark.parametrize(("asked", "known"), [({}, "result"), ({"process": "x"}, "problem")])
async def test_a_trial_tells_meanwhile_how_far_it_is(
    claire: httpx.AsyncClient, asked: dict[str, str], known: str
) -> None:
    sent = {"files": IMPORTING, **asked}
    answer = await claire.post("/definitions/simulate", json=sent, headers={"Accept": f"{TYPE}, application/json"})
    told = [json.loads(line) for line in answer.text.splitlines()]
    assert (answer.headers["content-type"], told[0]) == (TYPE, {"what": "begin", "done": 0, "total": 0})
    assert list(told[-1]) == [known]


async def test_for_who_does_not_run_the_network_there_is_no_such_thing(
    office: Office, camille: httpx.AsyncClient
) -> None:
    asked: tuple[tuple[str, str, Any], ...] = (
        ("GET", "/definitions/versions", None),
        ("GET", "/definitions/versions/1", None),
        ("POST", "/definitions", {"files": WEB}),
        ("POST", "/definitions/check", {"files": WEB}),
        ("POST", "/definitions/plan", {"files": WEB}),
        ("POST", "/definitions/simulate", {"files": WEB}),
        ("POST", "/definitions/versions/1/roll-back", {}),
    )
    for method, path, body in asked:
        problem(await camille.request(method, path, json=body), 405 if path == "/definitions" else 404)
    paths = (await camille.get("/openapi.json")).json()["paths"]
    assert [path for path in paths if path.startswith("/definitions")] == ["/definitions"]
    assert set(paths["/definitions"]) == {"get"}
    async with program(office, LEADER, "leader") as narrowed:
        assert (await narrowed.get("/definitions/versions")).status_code == 200
    assert office.tenant.published.version == 1
    assert CAMILLE in office.members


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, ["files"]),
        ({"files": {}}, ["files"]),
        ({"files": {"a.yaml": 3}}, ["files"]),
        ({"files": {"../a.yaml": ""}}, ["files"]),
        ({"files": {"/a.yaml": ""}}, ["files"]),
        (
            {"files": WEB, "note": "x" * 501, "allow_loss": 1, "base": "1", "more": 1},
            ["note", "allow_loss", "base", "more"],
        ),
    ],
)
async def test_what_is_sent_wrongly_is_said_by_field(
    claire: httpx.AsyncClient, body: dict[str, Any], fields: list[str]
) -> None:
    problem(await claire.post("/definitions", json=body), 422, fields)


@pytest.mark.parametrize("version", ["0", "2", "x", "9" * 20])
async def test_a_version_that_is_not_there_is_not_found(claire: httpx.AsyncClient, version: str) -> None:
    problem(await claire.get(f"/definitions/versions/{version}"), 404)
    problem(await claire.post(f"/definitions/versions/{version}/roll-back"), 404)


@pytest.mark.parametrize("before", ["0", "1", "x", "-1", "9" * 20])
async def test_a_page_of_the_history_ends_before_a_number(claire: httpx.AsyncClient, before: str) -> None:
    problem(await claire.get("/definitions/versions", params={"before": before}), 422, ["before"])
