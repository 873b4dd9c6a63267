from __future__ import annotations

import httpx
import pytest

from tests.admin.api.program import made, problem
from tests.admin.office import ALICE, CAMILLE, Office

pytestmark = pytest.mark.anyio


async def test_who_runs_the_network_is_told_why(
    office: Office, claire: httpx.AsyncClient, camille: httpx.AsyncClient
) -> None:
    record = (await made(camille))["id"]
    asked = {"member": office.members[ALICE], "entity": "lead", "record": record}
    found = (await claire.get("/reasons", params=asked)).json()
    assert (found["allowed"], found["active"], found["hindrance"]) == (True, True, None)
    (level,) = found["levels"]
    assert (level["level"], level["grants"]) == ("assistant", True)
    (reason,) = level["reasons"]
    assert (reason["text"], reason["file"], reason["holds"]) == ('read: record.country == "FR"', "levels.yaml", True)
    assert reason["parts"][0]["values"] == [{"text": "record.country", "value": "FR"}]
    hidden = (await claire.get("/reasons", params={**asked, "ask": "read:phone"})).json()
    assert [(each["text"], each["holds"]) for each in hidden["levels"][0]["reasons"]][1:] == [
        ("phone: {read: none}", False)
    ]
    own = {"member": office.members[CAMILLE], "entity": "lead", "record": record, "ask": "move:recruiting.sign"}
    step = (await claire.get("/reasons", params=own)).json()
    assert (step["allowed"], step["hindrance"]) == (
        True,
        "The record is in a state that this step does not start from.",
    )


async def test_to_others_there_is_no_such_address(
    office: Office, claire: httpx.AsyncClient, camille: httpx.AsyncClient
) -> None:
    asked = {"member": office.members[ALICE], "entity": "lead"}
    problem(await camille.get("/reasons", params=asked), 404)
    problem(await claire.get("/reasons", params={"member": "x"}), 422, ["entity"])
    for wrong in (
        {"ask": "nothing"},
        {"ask": "move:nothing.call"},
        {"ask": "move:.x"},
        {"ask": "create:x"},
        {"entity": "x"},
    ):
        problem(await claire.get("/reasons", params={**asked, **wrong}), 404)
    assert "/reasons" in (await claire.get("/openapi.json")).json()["paths"]
    assert "/reasons" not in (await camille.get("/openapi.json")).json()["paths"]
