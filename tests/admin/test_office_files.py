"""Files in somebody's office: read and sent as its member does, as long as the office is open, and noted."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from models.attachment import Attachment
from models.clock import SetClock
from tests.admin.office import CAMILLE, DIANE, LEADER, Office, office_of
from tests.admin.screens.test_offices import enter, lent
from tests.admin.test_uploads import PDF, WITH_FILES, added, picture, send
from tests.homes import Homes
from tests.models.rows import records

pytestmark = pytest.mark.anyio

FILES = {"cv": ("a.pdf", PDF), "photo": ("a.png", picture("PNG"))}
DAY = timedelta(days=1)


@pytest.fixture
async def office(homes: Homes, clock: SetClock) -> AsyncIterator[Office]:
    async with office_of(homes, clock, WITH_FILES) as opened:
        yield opened


async def kept(office: Office) -> list[Attachment | None]:
    return [row["cv"] for row in await records(office.tenant, "lead")]


async def test_who_acts_reads_and_sends_files_as_the_member_until_the_end(office: Office) -> None:
    async with office.signed_in(CAMILLE) as camille, office.signed_in(DIANE) as diane:
        at = await added(camille, **FILES)
        assert (await diane.get(f"{at}/files/cv")).status_code == 404
        delegation = await lent(office)
        assert (await diane.get(f"{at}/files/cv")).status_code == 404
        await enter(diane, delegation)
        assert (await diane.get(f"{at}/files/cv")).content == PDF
        form = (await diane.get(f"{at}/edit")).text
        kept_as = re.search(r'name="cv" value="([^"]*)"', form)
        assert kept_as is not None
        answer = await send(diane, {"cv": ("b.txt", b"Bonjour")}, f"{at}/field/cv", cv=kept_as[1])
        assert answer.status_code == 303
        assert [found and found["name"] for found in await kept(office)] == ["b.txt"]
        await camille.post("account/offices/revoke", {"delegation": delegation}, on="account/offices")
        assert (await diane.get(f"{at}/files/cv")).headers["location"] == "/n/small/"
        assert (await diane.get(f"{at}/files/cv")).status_code == 404


async def test_before_its_day_an_office_has_no_files(office: Office, clock: SetClock) -> None:
    async with office.signed_in(CAMILLE) as camille, office.signed_in(DIANE) as diane:
        at = await added(camille, **FILES)
        begins = (clock.now() + 2 * DAY).date().isoformat()
        delegation = await lent(office, begins=begins)
        refused = await diane.post("office/enter", {"delegation": delegation}, on="account/offices")
        assert refused.status_code == 403
        assert (await diane.get(f"{at}/files/cv")).status_code == 404


async def test_who_assists_has_the_files_of_the_member_and_not_those_of_the_own_level(office: Office) -> None:
    member = office.members[CAMILLE]
    async with office.signed_in(CAMILLE) as camille, office.signed_in(LEADER) as claire:
        at = await added(camille, **FILES)
        async with office.signed_in(DIANE) as diane:
            other = await added(diane, **FILES)
        assert (await claire.get(f"{other}/files/cv")).status_code == 200
        assert (await claire.post(f"members/{member}/office", on=f"members/{member}")).status_code == 303
        assert (await claire.get(f"{at}/files/cv")).content == PDF
        assert (await claire.get(f"{other}/files/cv")).status_code == 404
        await camille.post("account/closed", {"closed": "true"}, on="account")
        assert (await claire.get(f"{at}/files/cv")).headers["location"] == "/n/small/"


async def test_a_file_that_is_taken_away_in_an_office_is_noted_with_who_it_really_was(office: Office) -> None:
    async with office.signed_in(CAMILLE) as camille, office.signed_in(DIANE) as diane:
        at = await added(camille, **FILES)
        await enter(diane, await lent(office))
        await diane.get(f"{at}/files/cv")
        await office.tenant.readings.flush()
        sql = 'SELECT "member", "through", "record" FROM "_audit" WHERE "kind" = ?'
        [row] = await office.tenant.store.read(lambda tx: tx.rows(sql, ["download"]))
        assert row == (office.members[CAMILLE], office.members[DIANE], at.rpartition("/")[2])
        assert "Diane Petit" in (await camille.get("account/seen")).text
