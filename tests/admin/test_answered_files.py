"""Files that a form of a move asks for: kept with the move, sent to who may see it; secrets of forms are sealed."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest

from models import uploads
from models.clock import SetClock
from tests.admin.api.program import program
from tests.admin.office import CAMILLE, DIANE, FILES, LEADER, Office, Visitor, office_of
from tests.admin.test_uploads import NEW, PDF, kept, send
from tests.homes import Homes
from tests.networks import edited

pytestmark = pytest.mark.anyio

ASKING = edited(
    FILES,
    (
        "      comment: {type: long_text,",
        "      scan: {type: file, label: Scan}\n      code: {type: text, encrypted: true, label: Code}\n"
        "      comment: {type: long_text,",
    ),
)
CALL = {"comment": "Fine", "next_call_at": "2026-03-05T10:00", "code": "Sesame", "version": "1"}


@pytest.fixture
async def office(homes: Homes, clock: SetClock) -> AsyncIterator[Office]:
    async with office_of(homes, clock, ASKING) as opened:
        yield opened


async def _added(visitor: Visitor) -> str:
    """Add a lead that can be called and return its address."""
    answer = await send(visitor, {}, **NEW, phone="06 39 98 00 01")
    return answer.headers["location"].removeprefix("/n/small/")


async def _called(office: Office) -> tuple[str, str]:
    """Call a lead with a file in the form; return the lead's address and the file's."""
    async with office.signed_in(CAMILLE) as camille:
        at = await _added(camille)
        sent = await send(camille, {"scan": ("scan.pdf", PDF)}, f"{at}/move/recruiting/call", **CALL)
        assert sent.status_code == 303, sent.text
        page = (await camille.get(at)).text
    (file,) = re.findall(rf'href="/n/small/({at}/history/[^"]+/files/scan)"', page)
    assert "Sesame" in page
    return at, file


async def test_the_file_of_a_form_is_sent_to_who_may_see_the_record(office: Office) -> None:
    at, file = await _called(office)
    async with office.signed_in(CAMILLE) as camille, office.signed_in(DIANE) as diane:
        found = await camille.get(file)
        others = [await diane.get(file), await camille.get(file.replace("scan", "code")), await camille.get(f"{at}x")]
        elsewhere = await camille.get(file.replace(at, await _added(camille)))

    assert found.content == PDF
    assert 'filename="scan.pdf"' in found.headers["content-disposition"]
    assert {answer.status_code for answer in (*others, elsewhere)} == {404}


async def test_programs_find_the_file_in_the_history(office: Office) -> None:
    at, file = await _called(office)
    record, history = at.rpartition("/")[2], file.split("/")[4]
    async with program(office, CAMILLE) as mine, program(office, DIANE) as hers:
        path = f"/entities/lead/{record}/history"
        items = (await mine.get(path)).json()["items"]
        event = next(each for each in items if each["kind"] == "moved")
        found: httpx.Response = await mine.get(f"{path}/{history}/files/scan")
        paths = (await mine.get("/openapi.json")).json()["paths"]
        refused = await hers.get(f"{path}/{history}/files/scan")

    assert "/entities/lead/{id}/history/{history}/files/scan" in paths
    assert event["answers"]["scan"]["name"] == "scan.pdf"
    assert (found.content, refused.status_code) == (PDF, 404)


async def test_what_a_form_keeps_secret_is_nowhere_in_the_store(office: Office) -> None:
    await _called(office)
    rows = await office.tenant.store.read(lambda tx: tx.rows('SELECT "after", "text" FROM "_history"'))

    told = [text for row in rows for text in row if text]
    assert "Fine" in told
    assert not [text for text in told if "Sesame" in text]


async def test_the_file_stays_as_long_as_its_history(office: Office) -> None:
    await _called(office)
    for _ in range(3):
        office.clock.forward(timedelta(days=31))
        await uploads.collect(office.tenant)

    assert len(kept(office)) == 1


async def test_the_audit_says_who_took_the_file(office: Office) -> None:
    _, file = await _called(office)
    async with office.signed_in(LEADER) as leader:
        status = (await leader.get(file)).status_code
    await office.tenant.readings.flush()
    query = """SELECT "member", "fields" FROM "_audit" WHERE "kind" = 'download'"""
    rows = await office.tenant.store.read(lambda tx: tx.rows(query))

    assert status == 200
    assert [(row[0], "recruiting.call.scan" in row[1]) for row in rows] == [(office.members[LEADER], True)]
