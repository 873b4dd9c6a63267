"""The caller's notifications over the API: its own alone, page by page, marked as read."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from models.actor import SYSTEM
from models.clock import SetClock
from tests.admin.api.program import problem, program
from tests.admin.office import CAMILLE, DIANE, Office, office_of
from tests.admin.test_notice_pages import TELLS
from tests.homes import Homes
from workflows import commands
from workflows.worker import Worker

pytestmark = pytest.mark.anyio


@pytest.fixture
async def office(homes: Homes, clock: SetClock) -> AsyncIterator[Office]:
    """An office in which Camille was told of three new leads."""
    async with office_of(homes, clock, TELLS) as made:
        for name in ("Paul", "Zoé", "Hugo"):
            values = {"first_name": name, "last_name": "Roy", "owner": made.members[CAMILLE], "city": "Lyon"}
            await commands.create(made.tenant, SYSTEM, "lead", values)
            await Worker(made.tenant).run_due()
        yield made


async def test_a_program_reads_and_marks_its_members_notifications(office: Office) -> None:
    async with program(office, CAMILLE) as camille:
        first = (await camille.get("/notices", params={"limit": 2})).json()
        second = (await camille.get("/notices", params={"limit": 2, "cursor": first["next"]})).json()
        assert [each["title"] for each in (*first["items"], *second["items"])] == ["New Hugo", "New Zoé", "New Paul"]
        assert second["next"] is None
        newest = first["items"][0]
        assert (newest["text"], newest["about"]["title"], newest["read_at"]) == ("Call <b>Lyon</b>", "Hugo Roy", None)
        assert (await camille.post(f"/notices/{newest['id']}/read")).status_code == 204
        unread = (await camille.get("/notices", params={"unread": "true"})).json()["items"]
        assert [each["title"] for each in unread] == ["New Zoé", "New Paul"]
        assert (await camille.post("/notices/read")).status_code == 204
        assert (await camille.get("/notices", params={"unread": "true"})).json()["items"] == []


async def test_those_of_others_are_not_there(office: Office) -> None:
    async with program(office, CAMILLE) as camille, program(office, DIANE) as diane:
        notice = (await camille.get("/notices")).json()["items"][0]["id"]
        assert (await diane.get("/notices")).json()["items"] == []
        problem(await diane.post(f"/notices/{notice}/read"), 404)
        await diane.post("/notices/read")
        assert len((await camille.get("/notices", params={"unread": "true"})).json()["items"]) == 3
