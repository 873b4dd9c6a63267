"""Runs over the API: seen and decided about by who administers the network, and nobody else."""

from __future__ import annotations

import pytest

from tests.admin.api.program import problem, program
from tests.admin.office import CAMILLE, LEADER, Office
from tests.admin.test_runs import city, run

__all__ = ["run"]
pytestmark = pytest.mark.anyio


async def test_a_program_sees_what_failed_and_decides_about_it(office: Office, run: str) -> None:
    async with program(office, LEADER) as leader:
        page = (await leader.get("/runs", params={"state": "failed"})).json()
        assert ([each["id"] for each in page["items"]], page["counts"]["failed"], page["next"]) == ([run], 1, None)
        assert page["items"][0]["about"]["title"] == "Paul Roy"
        one = (await leader.get(f"/runs/{run}")).json()
        assert (one["step"], one["may"], one["steps"][-1]["outcome"]) == (
            "signing",
            ["cancel", "retry", "skip"],
            "failed",
        )
        assert [each["turn"] for each in one["steps"]] == [None, "1", "2", None]
        assert one["reason"] == one["steps"][-1]["reason"]
        skipped = await leader.post(f"/runs/{run}/skip")
        assert (skipped.status_code, skipped.json()["state"]) == (200, "running")
        assert await city(office) == "Lyon"
        problem(await leader.post(f"/runs/{run}/retry"), 403)
        problem(await leader.get("/runs", params={"state": "asleep"}), 422, ["state"])
        assert (await leader.get("/runs", params={"state": "waiting"})).json()["items"] == []


async def test_to_others_there_are_none(office: Office, run: str) -> None:
    async with program(office, CAMILLE) as camille:
        for method, path in (("GET", "/runs"), ("GET", f"/runs/{run}"), ("POST", f"/runs/{run}/cancel")):
            problem(await camille.request(method, path), 404)
        described = (await camille.get("/openapi.json")).json()
        assert not [path for path in described["paths"] if path.startswith("/runs")]
