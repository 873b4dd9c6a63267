"""Forms with fields that are needed in some records only, and with defaults that are computed."""

from __future__ import annotations

import html
import re
from collections.abc import AsyncIterator, Mapping

import httpx
import pytest

from models.actor import SYSTEM
from models.clock import SetClock
from models.query import Query
from models.record import Record
from tests.admin.office import CAMILLE, FILES, Office, Visitor, office_of, token
from tests.admin.piccolo.test_writing import desk
from tests.admin.screens.leads import value
from tests.homes import Homes
from workflows.unit import read

pytestmark = pytest.mark.anyio

CARD = """
entity: card
title: "{{ record.holder }} {{ record.referee.name }} {{ record.price | money }}"
fields:
  holder:  {type: text, required: true}
  kind:    {type: choice, options: {full: Full, reduced: Reduced}}
  proof:   {type: text, required: =record.kind == "reduced"}
  begins:  {type: date, default: =today()}
  ends:    {type: date, required: true, default: =record.begins + days(10)}
  price:   {type: money, default: '=record.kind == "reduced" ? 15.0 : 40.0'}
  cheap:   {type: boolean, required: true, default: =record.price < 20.0}
  referee: {type: reference, to: member}
---
entity: stay
parent: card
as: stays
fields:
  town:   {type: text, required: true}
  nights: {type: integer, default: =size(record.town)}
  since:  {type: date, default: =record.parent.begins}
  why:    {type: text, required: =record.nights > 6}
---
process: opening
entity: card
states: {open: {initial: true}, held: {final: true}}
transitions:
  hold: {from: open, to: held, form: {until: {type: date, default: =record.begins + days(3)}}}
---
screen: cards
entity: card
list: {columns: [kind, proof, begins, ends, price, cheap]}
"""
NEW = "e/card/new"


@pytest.fixture
async def club(homes: Homes, clock: SetClock) -> AsyncIterator[Office]:
    rights = "  card: {read: all, create: true, update: all}\n  stay: {}\n  member: {read: downline,"
    files = {path: text.replace("  member: {read: downline,", rights) for path, text in FILES.items()}
    async with office_of(homes, clock, {**files, "card.yaml": CARD}) as opened:
        yield opened


async def cards(office: Office) -> list[Record]:
    found = await read(office.tenant, SYSTEM, lambda unit: unit.records.list("card", Query(sort="created_at")))
    return list(found.records)


async def test_a_form_shows_the_defaults_that_need_nothing_else_and_leaves_the_others_to_the_record(
    club: Office,
) -> None:
    async with club.signed_in(CAMILLE) as visitor:
        page = (await visitor.get(NEW)).text
        assert (value(page, "begins"), value(page, "ends"), value(page, "price")) == ("2026-03-02", "", "")
        assert not re.search(r'name="ends"[^>]*required', page)

        answer = await visitor.post(
            NEW, {"holder": "Ann", "begins": "2026-01-01", "kind": "reduced", "proof": "7"}, on=NEW
        )
        assert answer.status_code == 303
        await visitor.post(
            NEW, {"holder": "Bob", "begins": "", "ends": "2026-02-01", "price": "7", "cheap": "false"}, on=NEW
        )

    [ann, bob] = await cards(club)
    assert [str(ann[name]) for name in ("begins", "ends", "price", "cheap")] == [
        "2026-01-01",
        "2026-01-11",
        "15.00",
        "True",
    ]
    assert [str(bob[name]) for name in ("begins", "ends", "price", "cheap")] == ["None", "2026-02-01", "7.00", "False"]


async def test_what_is_needed_in_this_record_is_said_beside_its_field(club: Office) -> None:
    async with club.signed_in(CAMILLE) as visitor:
        answer = await visitor.post(NEW, {"holder": "Ann", "begins": "2026-01-01", "kind": "reduced"}, on=NEW)

    assert answer.status_code == 422
    beside = re.search(r'<[^>]*name="proof"[^>]*>(?:(?!name=").)*', answer.text, re.DOTALL)
    assert beside is not None
    assert "This is needed." in beside[0]


async def _send(visitor: Visitor, form: Mapping[str, str | list[str]]) -> httpx.Response:
    page = await visitor.get(NEW)
    return await visitor.http.post(f"/n/small/{NEW}", data={"_csrf": token(page.text), **form})


async def test_rows_of_lines_leave_defaults_to_the_line(club: Office) -> None:
    form: dict[str, str | list[str]] = {
        "holder": "Ann", "begins": "2026-01-01", "stays": ["", "0", "1"],
        "stays.0.town": "Lyon", "stays.0.nights": "", "stays.1.town": "Marseille",
    }  # fmt: skip
    async with club.signed_in(CAMILLE) as visitor:
        refused = await _send(visitor, form)
        assert (refused.status_code, refused.text.count("This is needed.")) == (422, 1)
        await _send(visitor, {**form, "stays.1.why": "The sea"})

    [ann] = await cards(club)
    stays = (await read(club.tenant, SYSTEM, lambda unit: unit.records.lines(ann)))["stays"]
    assert [(stay["nights"], str(stay["since"])) for stay in stays] == [(4, "2026-01-01"), (9, "2026-01-01")]


async def test_the_description_and_the_answers_of_the_api_know_both(club: Office) -> None:
    async with club.signed_in(CAMILLE) as visitor:
        document = (await visitor.get("api/v1/openapi.json")).json()
        schemas = [each for each in document["components"]["schemas"].values() if "proof" in each["properties"]]
        [new] = [each for each in schemas if "id" not in each["properties"] and "required" in each]
        assert new["required"] == ["holder"]
        assert new["properties"]["proof"]["description"] == "Needed in some records only."


async def test_a_title_is_said_in_its_reader_s_language_on_every_page(club: Office) -> None:
    camille = club.members[CAMILLE]
    async with club.signed_in(CAMILLE) as visitor:
        await visitor.post(NEW, {"holder": "Ann", "begins": "2026-01-01", "referee": camille}, on=NEW)
        [ann] = await cards(club)
        for path in ("e/card/", f"e/card/{ann.id}", f"e/card/{ann.id}/edit", "e/card/options?q="):
            assert "Ann Camille Roux €40.00" in html.unescape((await visitor.get(path)).text), path


async def test_the_form_of_a_move_shows_defaults_that_follow_the_record(club: Office) -> None:
    async with club.signed_in(CAMILLE) as visitor:
        await visitor.post(NEW, {"holder": "Ann", "begins": "2026-01-01"}, on=NEW)
        [ann] = await cards(club)
        page = (await visitor.get(f"e/card/{ann.id}/move/opening/hold")).text

    assert value(page, "until") == "2026-01-04"


async def test_the_back_office_leaves_what_follows_to_the_record(club: Office) -> None:
    path = "back-office/api/tables/Card/"
    async with desk(club) as at:
        blank = (await at.send("GET", f"{path}new/")).json()
        assert (blank["begins"], blank["ends"], blank["price"]) == ("2026-03-02", None, None)
        form = {name: value for name, value in blank.items() if not name.endswith("_readable")}
        sent = {**form, "ends": "", "kind": "reduced", "holder": "Ann"}
        refused = await at.send("POST", path, sent)
        assert (refused.status_code, refused.text) == (422, "Proof: This is needed.")
        made = await at.send("POST", path, {**sent, "proof": "7"})
        assert made.status_code == 201, made.text

    [ann] = await cards(club)
    assert [str(ann[name]) for name in ("ends", "price", "cheap")] == ["2026-03-12", "15.00", "True"]
