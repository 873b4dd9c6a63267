"""Boards: columns by state, moves as the script asks for them, undo, and what is refused."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

import pytest

from models.clock import SetClock
from tests.admin.office import CAMILLE, DIANE, FILES, LEADER, Office, office_of
from tests.admin.screens.leads import cards, fetch, lead, link, text_of
from tests.homes import Homes
from tests.networks import edited

pytestmark = pytest.mark.anyio
BOARD = "e/lead/board/recruiting"
JSON = "application/json"
SOON = {"next_call_at": "2026-03-04T10:30", "comment": "Rappeler jeudi"}


async def test_a_board_has_a_column_a_state_with_its_count(office: Office) -> None:
    await lead(office, CAMILLE, "Élodie", phone="06 12 34 56 78")
    await lead(office, CAMILLE, "Karim")
    async with office.signed_in(CAMILLE) as visitor:
        page = (await visitor.get(BOARD)).text
    assert "New 2" in text_of(page)
    assert "Contacted 0" in text_of(page)
    assert cards(page) == {"new": ["Karim Marchand", "Élodie Marchand"]}


async def test_search_and_filters_narrow_cards_and_counts(office: Office) -> None:
    await lead(office, CAMILLE, "Élodie", city="Lyon")
    await lead(office, CAMILLE, "Karim", city="Paris")
    async with office.signed_in(CAMILLE) as visitor:
        for query in ("q=elo", "f.city=lyon", "view=lyon"):
            page = (await visitor.get(f"{BOARD}?{query}")).text
            assert cards(page) == {"new": ["Élodie Marchand"]}
            assert "New 1" in text_of(page)
        part = await fetch(visitor, f"{BOARD}?q=kar")
        assert cards(part.text) == {"new": ["Karim Marchand"]}
        assert "<h1" not in part.text


async def test_the_board_tells_the_script_which_moves_there_are(office: Office) -> None:
    await lead(office, CAMILLE, "Élodie")
    async with office.signed_in(CAMILLE) as visitor:
        page = (await visitor.get(BOARD)).text
    assert re.findall(r'data-moves="([^"]*)"', page) == ["call sign lose revive"]
    script = re.search(r'<script type="application/json" id="transitions">(.*?)</script>', page)
    assert script is not None
    known = json.loads(script[1])
    assert known["call"] == {
        "label": "Called",
        "ways": {"new": "contacted", "contacted": "contacted"},
        "asks": True,
    }
    assert known["lose"]["ways"] == {"new": "lost", "contacted": "lost"}
    assert known["lose"]["asks"] is False


async def test_who_may_take_no_step_has_cards_that_stay(office: Office) -> None:
    await lead(office, CAMILLE, "Élodie")
    async with office.signed_in("alice@exemple.fr") as visitor:
        page = (await visitor.get(BOARD)).text
    assert re.findall(r'data-moves="([^"]*)"', page) == [""]


async def test_a_long_column_comes_in_parts(office: Office) -> None:
    for number in range(52):
        await lead(office, CAMILLE, f"P{number:02}")
    async with office.signed_in(CAMILLE) as visitor:
        page = (await visitor.get(f"{BOARD}?sort=first_name")).text
        assert len(cards(page)["new"]) == 50
        more = re.search(r'hx-get="([^"]*/board/recruiting/new[^"]*)"', page)
        assert more is not None
        part = await fetch(visitor, more[1].replace("&amp;", "&"))
    assert cards(part.text) == {"new": ["P50 Marchand", "P51 Marchand"]}


async def _move(office: Office, email: str, path: str, **data: str) -> Any:
    async with office.signed_in(email) as visitor:
        return await fetch(visitor, path, data=data, accept=JSON)


async def test_a_dropped_card_moves_and_can_be_taken_back(office: Office) -> None:
    made = await lead(office, CAMILLE, "Élodie", phone="06 12 34 56 78")
    path = f"e/lead/{made.id}/move/recruiting/call"
    async with office.signed_in(CAMILLE) as visitor:
        form = await fetch(visitor, path)
        assert "Commentaire" not in form.text
        assert "Comment" in text_of(form.text)
        answer = await fetch(visitor, path, data={**SOON, "version": str(made.version)}, accept=JSON)
        said = answer.json()
        assert said["toast"] == "Élodie Marchand → Contacted"
        assert said["state"] == "contacted"
        assert cards((await visitor.get(BOARD)).text) == {"contacted": ["Élodie Marchand"]}
        card = await fetch(visitor, f"{BOARD}/card/{made.id}")
        assert 'data-state="contacted"' in card.text
        assert "Wed 4" in text_of(card.text)
        back = await fetch(visitor, said["undo"], data={"x": ""}, accept=JSON)
        assert back.json() == {"toast": "The step was taken back."}
        assert cards((await visitor.get(BOARD)).text) == {"new": ["Élodie Marchand"]}


async def test_undo_too_late_is_refused_with_the_reason(office: Office) -> None:
    made = await lead(office, CAMILLE, "Élodie", phone="06 12 34 56 78")
    moved = await _move(office, CAMILLE, f"e/lead/{made.id}/move/recruiting/call", **SOON)
    office.clock.forward(timedelta(minutes=11))
    late = await _move(office, CAMILLE, moved.json()["undo"], x="")
    assert late.status_code == 403
    assert late.text == "It is too late to take this back."


async def test_a_guard_that_does_not_hold_says_why(office: Office) -> None:
    made = await lead(office, CAMILLE, "Élodie")
    path = f"e/lead/{made.id}/move/recruiting/call"
    answer = await _move(office, CAMILLE, path, **SOON)
    assert answer.status_code == 403
    assert answer.text == "A phone number is missing."
    async with office.signed_in(CAMILLE) as visitor:
        assert cards((await visitor.get(BOARD)).text) == {"new": ["Élodie Marchand"]}
        assert (await fetch(visitor, path)).text == "A phone number is missing."
        menu = text_of((await fetch(visitor, f"e/lead/{made.id}/menu")).text)
    assert "Called A phone number is missing." in menu
    assert "Lost" in menu
    assert "Signed up" not in menu


async def test_a_missing_answer_comes_back_with_the_form_and_what_was_typed(office: Office) -> None:
    made = await lead(office, CAMILLE, "Élodie", phone="06 12 34 56 78")
    answer = await _move(office, CAMILLE, f"e/lead/{made.id}/move/recruiting/call", comment="Bien")
    assert answer.status_code == 422
    assert answer.headers["content-type"].startswith("text/html")
    assert "Bien</textarea>" in answer.text
    assert 'aria-invalid="true"' in answer.text


async def test_a_card_that_somebody_else_moved_meanwhile_is_a_conflict(office: Office) -> None:
    made = await lead(office, CAMILLE, "Élodie")
    path = f"e/lead/{made.id}/move/recruiting/lose"
    assert (await _move(office, CAMILLE, path, version=str(made.version))).status_code == 200
    again = await _move(office, CAMILLE, path, version=str(made.version))
    assert again.status_code == 409
    assert "Somebody changed this record" in again.text


@pytest.mark.parametrize("state", ["new", "signed"])
async def test_a_step_that_does_not_leave_from_here_is_refused(office: Office, state: str) -> None:
    made = await lead(office, CAMILLE, "Élodie", phone="06 12 34 56 78")
    step = {"new": "sign", "signed": "revive"}[state]
    if state == "signed":
        await _move(office, CAMILLE, f"e/lead/{made.id}/move/recruiting/call", **SOON)
        await _move(office, CAMILLE, f"e/lead/{made.id}/move/recruiting/sign")
    assert (await _move(office, CAMILLE, f"e/lead/{made.id}/move/recruiting/{step}")).status_code == 403


async def test_a_step_to_be_confirmed_asks_first(homes: Homes, clock: SetClock) -> None:
    files = edited(
        FILES, ("label: {fr: Perdu, en: Lost}}\n  revive", "label: {fr: Perdu, en: Lost}, confirm: true}\n  revive")
    )
    async with office_of(homes, clock, files) as office:
        made = await lead(office, CAMILLE, "Élodie")
        async with office.signed_in(CAMILLE) as visitor:
            page = (await visitor.get(BOARD)).text
            assert '"lose": {"asks": true' in page.replace("&#34;", '"')
            form = await visitor.get(f"e/lead/{made.id}/move/recruiting/lose")
            assert "Take this step?" in text_of(form.text)


async def test_the_list_keeps_the_filters_of_the_board(office: Office) -> None:
    async with office.signed_in(CAMILLE) as visitor:
        page = (await visitor.get(f"{BOARD}?q=elo&f.city=lyon")).text
        assert link(page, "List") == "/n/small/e/lead/?q=elo&f.city=lyon"
        assert link((await visitor.get("e/lead/?q=elo")).text, "Board: Recruiting") == f"/n/small/{BOARD}?q=elo"


@pytest.mark.parametrize("email", [DIANE, LEADER])
async def test_cards_and_moves_of_others_are_there_for_those_alone_who_may_see_them(office: Office, email: str) -> None:
    made = await lead(office, CAMILLE, "Élodie")
    sees = email == LEADER
    async with office.signed_in(email) as visitor:
        for path in (f"{BOARD}/card/{made.id}", f"e/lead/{made.id}/menu", f"e/lead/{made.id}/move/recruiting/lose"):
            assert (await fetch(visitor, path)).status_code == (200 if sees else 404)
