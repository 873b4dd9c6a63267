"""What people and programs see of states inside of states and side by side: pages, the API, the back office."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from definitions.pack import read_folder
from models.clock import SetClock
from models.members import load_actor
from models.record import Record
from tests.admin.api.program import program
from tests.admin.office import CAMILLE, LEADER, NETWORK, Office, office_of, token
from tests.homes import Homes
from workflows import commands

pytestmark = pytest.mark.anyio

PACK = read_folder(Path(__file__).parents[1] / "packs" / "joining")
ASSISTANT = """
---
level: assistant
label: {fr: Assistant, en: Assistant}
functions: [consult]
entities:
  application: {read: all, create: false, update: none}
"""
FILES = {name: text.replace("adviser", "distributor") for name, text in PACK.items()}
FILES["network.yaml"] += ASSISTANT


@pytest.fixture
async def cooperative(homes: Homes, clock: SetClock) -> AsyncIterator[Office]:
    """The cooperative behind its doors."""
    async with office_of(homes, clock, FILES) as opened:
        yield opened


async def applied(office: Office, name: str, *moves: str, **values: str) -> Record:
    """Let Camille create an application that takes moves."""
    camille = office.members[CAMILLE]
    actor = await office.tenant.store.read(lambda tx: load_actor(office.tenant.published, tx, camille))
    assert actor is not None
    record = await commands.create(office.tenant, actor, "application", {"name": name, **values})
    for move in moves:
        await commands.move(office.tenant, actor, "application", record.id, move)
    return record


def columns(page: str) -> dict[str, list[str]]:
    """Return the titles of a board's cards by column."""
    parts = re.split(r'<section class="col" data-state="', page)[1:]
    return {part.split('"', 1)[0]: re.findall(r'data-title="([^"]+)"', part) for part in parts}


async def test_there_is_a_board_for_each_region(cooperative: Office) -> None:
    await applied(cooperative, "Paul", "submit", "send_papers")
    async with cooperative.signed_in(CAMILLE) as visitor:
        payment = (await visitor.get("e/application/board/joining")).text
        papers = (await visitor.get("e/application/board/joining/in/papers")).text
        assert (await visitor.get("e/application/board/joining/in/review")).status_code == 404
        assert (await visitor.get("e/application/board/joining/in/papers/unpaid")).status_code == 404
        more = await visitor.get("e/application/board/joining/in/papers/queued")
    assert columns(payment) == {
        "draft": [],
        "unpaid": ["Paul"],
        "instalments": [],
        "paid": [],
        "trial": [],
        "confirmed": [],
        "left": [],
    }
    assert columns(papers)["queued"] == ["Paul"]
    assert "Paul" in more.text
    assert "Board: Joining – Papers" in papers


async def test_a_board_knows_into_which_of_its_columns_a_move_leads(cooperative: Office) -> None:
    async with cooperative.signed_in(CAMILLE) as visitor:
        pages = [
            (await visitor.get(f"e/application/board/joining{region}")).text for region in ("/in/payment", "/in/papers")
        ]
    scripts = (re.search(r'id="transitions">(.*?)</script>', page) for page in pages)
    payment, papers = (json.loads(script[1]) for script in scripts if script)
    assert payment["submit"]["ways"] == {"draft": "unpaid"}
    assert papers["submit"]["ways"] == {"draft": "awaited"}
    assert payment["send_papers"]["ways"] == {}
    assert papers["ask_again"]["ways"] == {"queued": "awaited", "read": "awaited"}
    assert payment["leave"]["ways"] == dict.fromkeys(
        ("draft", "unpaid", "instalments", "paid", "trial", "confirmed"), "left"
    )
    assert "settle" not in payment


async def test_a_record_shows_where_it_stands_in_each_region(cooperative: Office) -> None:
    record = await applied(cooperative, "Paul", "submit", "send_papers")
    async with cooperative.signed_in(CAMILLE) as visitor:
        page = (await visitor.get(f"e/application/{record.id}")).text
        listed = (await visitor.get("e/application/?f.joining=papers")).text
        none = (await visitor.get("e/application/?f.joining=member")).text
    for text in ("Progress: Joining", "Progress: Payment", "Progress: Papers"):
        assert text in page
    assert ">Unpaid</span> <span" in listed
    assert "Paul" not in none


async def test_programs_are_told_lists_of_states(cooperative: Office) -> None:
    await applied(cooperative, "Paul", "submit", "send_papers")
    async with program(cooperative, CAMILLE) as client:
        listed = (
            await client.get("/entities/application", params={"filter": 'is_in(record.joining, "review")'})
        ).json()
        schema = (await client.get("/openapi.json")).json()["components"]["schemas"]["application"]
        refused = await client.get("/entities/application", params={"filter": 'record.joining == "unpaid"'})
    assert [item["joining"] for item in listed["items"]] == [["unpaid", "queued"]]
    assert schema["properties"]["joining"]["type"] == ["array", "null"]
    assert refused.status_code == 422


async def test_the_back_office_shows_all_states(cooperative: Office) -> None:
    record = await applied(cooperative, "Paul", "submit", "send_papers")
    async with cooperative.signed_in(LEADER) as visitor:
        listed = (await visitor.get("back-office/api/tables/Application/")).json()
        schema = (await visitor.get("back-office/api/tables/Application/schema/")).json()
    assert [row["joining"] for row in listed["rows"] if row["id"] == record.id] == [["unpaid", "queued"]]
    assert schema["properties"]["joining"]["extra"]["state"]


async def test_the_word_after_a_move_says_where_it_led(cooperative: Office) -> None:
    record = await applied(cooperative, "Paul", "submit", "send_papers", paid_sum="50")
    async with cooperative.signed_in(CAMILLE) as visitor:
        path = f"e/application/{record.id}/move/joining/accept"
        page = await visitor.get("e/application/board/joining")
        headers = {"accept": "application/json", "x-csrf-token": token(page.text)}
        answer = await visitor.http.post(f"/n/{NETWORK}/{path}", data={"version": ""}, headers=headers)
    assert answer.json()["toast"] == "Paul → On trial"
