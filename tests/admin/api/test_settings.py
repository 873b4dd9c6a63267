"""Settings through the API: those of who runs the network alone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest

from definitions.duration import Duration
from tests.admin.api.program import problem, program
from tests.admin.office import LEADER, Office

pytestmark = pytest.mark.anyio


def values(answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    """Return the settings of the definition, without those that every network has."""
    return {each["name"]: each["value"] for each in answer.json()["items"] if not each["name"].startswith("_")}


async def test_settings_are_changed_and_let_go(office: Office) -> None:
    async with program(office, LEADER) as claire:
        assert values(await claire.get("/settings")) == {"lead_retention": "36 months", "support": "aide@exemple.fr"}
        changed = await claire.patch("/settings", json={"lead_retention": "90d", "support": "x@exemple.fr"})
        assert values(changed) == {"lead_retention": "90d", "support": "x@exemple.fr"}
        assert changed.json()["items"][1]["default"] == "aide@exemple.fr"
        assert changed.json()["items"][1]["changed_at"] == "2026-03-02T11:00:00Z"
        held = await office.tenant.store.read(office.tenant.settings)
        assert held["lead_retention"] == Duration(exact=timedelta(days=90))
        assert values(await claire.patch("/settings", json={"support": None}))["support"] == "aide@exemple.fr"


@pytest.mark.parametrize(
    ("sent", "field"),
    [({"support": "nobody"}, "support"), ({"support": 7}, "support"), ({"nothing": "x"}, "nothing")],
)
async def test_what_is_wrong_changes_nothing(office: Office, sent: dict[str, Any], field: str) -> None:
    async with program(office, LEADER) as claire:
        answer = await claire.patch("/settings", json={"lead_retention": "90d", **sent})
        problem(answer, 422, [field])
        assert values(await claire.get("/settings"))["lead_retention"] == "36 months"


async def test_to_others_there_are_no_settings(camille: httpx.AsyncClient) -> None:
    problem(await camille.get("/settings"), 404)
    problem(await camille.patch("/settings", json={"support": "x@exemple.fr"}), 404)
