"""Lists: what they show, how they narrow down, and what they never give away."""

from __future__ import annotations

from datetime import timedelta

import pytest

from models.clock import SetClock
from tests.admin.office import CAMILLE, DIANE, FILES, LEADER, Office, office_of
from tests.admin.screens.leads import actor, fetch, lead, link, text_of, titles
from tests.homes import Homes
from tests.networks import edited
from workflows import commands

pytestmark = pytest.mark.anyio


async def _three(office: Office) -> None:
    await lead(
        office, CAMILLE, "Élodie", "Marchand", city="Lyon", source="site", newsletter=True,
        next_call_at=office.clock.now() + timedelta(hours=3), phone="06 12 34 56 78", birth_date="1990-05-04",
    )  # fmt: skip
    await lead(
        office, CAMILLE, "Karim", "Benali", city="Paris", source="direct", interests=["home"],
        next_call_at=office.clock.now() - timedelta(days=2), rating="3.5",
    )  # fmt: skip
    await lead(office, CAMILLE, "Inès", "Faure", city="Lyon", country="BE", calls=4)


async def test_a_list_shows_the_columns_of_its_screen_with_labels_and_states(office: Office) -> None:
    await _three(office)
    async with office.signed_in(CAMILLE) as visitor:
        page = await visitor.get("e/lead/")
    assert titles(page.text) == ["Inès Faure", "Karim Benali", "Élodie Marchand"]
    assert "First name Last name City Recruiting" in text_of(page.text)
    assert '<span class="pill c-blue">New</span>' in page.text
    assert "3 records" in text_of(page.text)


async def test_a_list_speaks_the_language_of_its_reader(office: Office) -> None:
    await _three(office)
    async with office.signed_in(CAMILLE) as visitor:
        await visitor.post("account", {"language": "fr", "first_name": "Camille", "last_name": "Roux"}, on="account")
        page = await visitor.get("e/lead/")
    words = text_of(page.text)
    assert "Nouveau" in words
    assert "Recrutement" in words


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=elodie", {"Élodie"}),
        ("q=MARCH elo", {"Élodie"}),
        ("q=elodie benali", set()),
        ("f.city=lyon", {"Élodie", "Inès"}),
        ("f.city=-", set()),
        ("f.source=site", {"Élodie"}),
        ("f.source=site&f.source=direct", {"Élodie", "Karim"}),
        ("f.source=-", {"Inès"}),
        ("f.source=nonsense", {"Élodie", "Karim", "Inès"}),
        ("f.country=BE", {"Inès"}),
        ("f.newsletter=true", {"Élodie"}),
        ("f.recruiting=new", {"Élodie", "Karim", "Inès"}),
        ("f.recruiting=contacted", set()),
        ("f.next_call_at=today", {"Élodie"}),
        ("f.next_call_at=late", {"Karim"}),
        ("f.next_call_at=-", {"Inès"}),
        ("f.next_call_at.from=2026-03-01", {"Élodie"}),
        ("f.next_call_at.from=2026-02-28&f.next_call_at.to=2026-02-28", {"Karim"}),
        ("f.next_call_at.from=someday", {"Élodie", "Karim", "Inès"}),
        ("f.birth_date.to=1990-05-04", {"Élodie"}),
        ("f.calls.from=1", {"Inès"}),
        ("f.rating.from=3,5&f.rating.to=3,5", {"Karim"}),
        ("f.city=lyon&f.country=BE&q=fau", {"Inès"}),
        ("view=lyon", {"Élodie", "Inès"}),
        ("view=nonsense", {"Élodie", "Karim", "Inès"}),
        ("view=lyon&f.country=FR", {"Élodie"}),
    ],
)
async def test_the_address_narrows_the_list(office: Office, query: str, found: set[str]) -> None:
    await _three(office)
    async with office.signed_in(CAMILLE) as visitor:
        page = await visitor.get(f"e/lead/?{query}")
        assert page.status_code == 200
    assert {title.split()[0] for title in titles(page.text)} == found


async def test_the_headings_sort_and_turn_the_order_around(office: Office) -> None:
    await _three(office)
    async with office.signed_in(CAMILLE) as visitor:
        page = await visitor.get("e/lead/")
        page = await visitor.get(link(page.text, "First name Last name"))
        assert titles(page.text) == ["Karim Benali", "Inès Faure", "Élodie Marchand"]
        assert 'aria-sort="ascending"' in page.text
        page = await visitor.get(link(page.text, "First name Last name"))
        assert titles(page.text) == ["Élodie Marchand", "Inès Faure", "Karim Benali"]
        assert 'aria-sort="descending"' in page.text


async def test_views_are_tabs_with_the_number_of_their_records(office: Office) -> None:
    await _three(office)
    async with office.signed_in(CAMILLE) as visitor:
        page = await visitor.get("e/lead/")
        assert "All 3 In Lyon 2" in text_of(page.text)
        assert titles((await visitor.get(link(page.text, "In Lyon 2"))).text) == ["Inès Faure", "Élodie Marchand"]


async def test_a_filter_that_is_on_can_be_taken_away(office: Office) -> None:
    await _three(office)
    async with office.signed_in(CAMILLE) as visitor:
        page = await visitor.get("e/lead/?f.country=BE&f.city=lyon")
        assert "Country Belgium" in text_of(page.text)
        assert link(page.text, "Remove the filter Country") == "/n/small/e/lead/?f.city=lyon"


async def test_empty_parts_of_the_filter_form_leave_the_address(office: Office) -> None:
    async with office.signed_in(CAMILLE) as visitor:
        answer = await visitor.get("e/lead/?q=&f.city=ly&f.source=&view=")
        assert answer.status_code == 303
        assert answer.headers["location"] == "/n/small/e/lead/?f.city=ly"


async def test_typing_gets_the_results_alone(office: Office) -> None:
    await _three(office)
    async with office.signed_in(CAMILLE) as visitor:
        part = await fetch(visitor, "e/lead/?q=kar")
    assert part.text.lstrip().startswith('<div id="results">')
    assert titles(part.text) == ["Karim Benali"]
    assert "<h1" not in part.text


async def test_a_long_list_comes_in_parts(office: Office) -> None:
    for number in range(53):
        await lead(office, CAMILLE, f"P{number:02}")
    async with office.signed_in(CAMILLE) as visitor:
        page = await visitor.get("e/lead/?sort=first_name")
        assert len(titles(page.text)) == 50
        more = link(page.text, "Show more")
        rest = await visitor.get(more)
        assert titles(rest.text) == [f"P{number} Marchand" for number in (50, 51, 52)]
        assert "53 records" in text_of(rest.text)
        part = await fetch(visitor, more)
        assert titles(part.text) == titles(rest.text)
        assert part.text.lstrip().startswith("<tr")


@pytest.mark.parametrize(
    ("query", "says", "leads_to"),
    [
        ("", "Nothing here yet", "Add the first one"),
        ("?q=zzz", "Nothing matches", "Remove search and filters"),
        ("?view=lyon", "Nothing in this view", "Show all"),
    ],
)
async def test_an_empty_list_says_what_mends_it(office: Office, query: str, says: str, leads_to: str) -> None:
    async with office.signed_in(CAMILLE) as visitor:
        page = await visitor.get(f"e/lead/{query}")
        assert says in text_of(page.text)
        assert (await visitor.get(link(page.text, leads_to))).status_code == 200


async def test_leads_of_somebody_else_are_in_no_list_count_search_or_choice(office: Office) -> None:
    await _three(office)
    async with office.signed_in(DIANE) as visitor:
        empty = await visitor.get("e/lead/")
        assert titles(empty.text) == []
        assert "All 0 In Lyon 0" in text_of(empty.text)
        assert titles((await visitor.get("e/lead/?q=elodie")).text) == []
        assert (await visitor.get("e/lead/options?q=elodie")).json() == []
        assert (await visitor.get("search?q=elodie")).json() == {"results": []}
        board = text_of((await visitor.get("e/lead/board/recruiting")).text)
        assert "Marchand" not in board
        assert "New 0" in board


async def test_the_palette_finds_what_its_user_may_read(office: Office) -> None:
    await _three(office)
    async with office.signed_in(CAMILLE) as visitor:
        found = (await visitor.get("search?q=elo")).json()["results"]
    assert [(each["title"], each["label"]) for each in found] == [("Élodie Marchand", "Lead")]
    assert found[0]["url"].startswith("/n/small/e/lead/")


async def test_who_sees_the_leads_of_others_can_filter_by_whom_they_belong_to(office: Office) -> None:
    await _three(office)
    await lead(office, DIANE, "Paul")
    async with office.signed_in(LEADER) as visitor:
        page = await visitor.get(f"e/lead/?f.owner={office.members[DIANE]}")
        assert titles(page.text) == ["Paul Marchand"]
        assert "Followed by Diane Petit" in text_of(page.text)
    async with office.signed_in(CAMILLE) as visitor:
        assert "Followed by" not in text_of((await visitor.get("e/lead/")).text)


@pytest.mark.parametrize(
    "path", ["e/nothing/", "e/nothing/options", "e/lead/board/nothing", "e/lead/board/nothing/new"]
)
async def test_what_the_definitions_do_not_know_is_not_there(office: Office, path: str) -> None:
    async with office.signed_in(CAMILLE) as visitor:
        assert (await visitor.get(path)).status_code == 404


async def test_a_kind_of_record_that_nobody_lets_one_read_is_not_there(office: Office) -> None:
    async with office.signed_in("alice@exemple.fr") as visitor:
        hidden, unknown = await visitor.get("e/company/"), await visitor.get("e/nothing/")
    assert hidden.status_code == unknown.status_code == 404
    assert text_of(hidden.text) == text_of(unknown.text)


async def test_a_lead_that_nobody_touches_is_said_to_be_idle(homes: Homes, clock: SetClock) -> None:
    files = edited(FILES, ("initial: true, colour: blue}", "initial: true, colour: blue, stale_after: 7d}"))
    async with office_of(homes, clock, files) as office:
        made = await lead(office, CAMILLE, "Paul")
        clock.forward(timedelta(days=6))
        async with office.signed_in(CAMILLE) as visitor:
            assert "idle" not in text_of((await visitor.get("e/lead/")).text)
        clock.forward(timedelta(days=6))
        async with office.signed_in(CAMILLE) as visitor:
            assert "idle 12 d" in text_of((await visitor.get("e/lead/")).text)
            assert "idle 12 d" in text_of((await visitor.get("e/lead/board/recruiting")).text)
            await commands.note(office.tenant, await actor(office, CAMILLE), "lead", made.id, "Rappelée")
            assert "idle" not in text_of((await visitor.get("e/lead/")).text)
