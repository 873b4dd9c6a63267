"""Many records at once, through the pages: what is chosen, what is asked, what came of it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest

from models.actor import SYSTEM
from models.clock import SetClock
from models.record import Record
from tests.admin.office import ALICE, CAMILLE, DIANE, FILES, LEADER, Office, Visitor, office_of
from tests.admin.screens.leads import actor, lead, text_of, value
from tests.homes import Homes
from tests.networks import edited
from workflows import commands, jobs

pytestmark = pytest.mark.anyio

BULK = edited(
    FILES,
    ("functions: [consult, communicate, analyse]", "functions: [consult, communicate, analyse, export]"),
    ("set: {calls: =record.calls + 1}\n", "set: {calls: =record.calls + 1}\n    bulk: true\n"),
    ("label: {fr: Perdu, en: Lost}}\n  revive", "label: {fr: Perdu, en: Lost}, bulk: true}\n  revive"),
)
LOSE, CALL = "move:recruiting:lose", "move:recruiting:call"


@pytest.fixture
async def office(homes: Homes, clock: SetClock) -> AsyncIterator[Office]:
    """The small network, whose leads can be called and lost together, and exported by distributors."""
    async with office_of(homes, clock, BULK) as opened:
        yield opened


async def three(office: Office) -> list[Record]:
    return [await lead(office, CAMILLE, name, phone="0639980001") for name in ("Ana", "Bea", "Cleo")]


async def states(office: Office, records: list[Record]) -> list[str]:
    rows = await office.tenant.store.read(lambda tx: tx.rows('SELECT "id", "recruiting" FROM "lead"'))
    found = dict(tuple(row) for row in rows)
    return [found[record.id] for record in records]


async def send(visitor: Visitor, **form: str | list[str]) -> str:
    """Send the form of a list's bar, or of the page that asks; return where it led, or the page."""
    answer = await visitor.post("e/lead/bulk", form, on="e/lead/")  # type: ignore[arg-type] # httpx takes lists too
    assert answer.status_code in (200, 303, 422), text_of(answer.text)
    return answer.headers.get("location") or answer.text


async def test_the_chosen_records_are_moved_after_one_question(office: Office) -> None:
    made = await three(office)
    chosen = [made[0].id, made[2].id]
    async with office.signed_in(CAMILLE) as camille:
        page = await send(camille, do=LOSE, id=chosen)
        assert "Lost · 2 records" in text_of(page)
        assert await states(office, made) == ["new"] * 3
        assert await send(camille, do=LOSE, id=chosen, sure="1") == "/n/small/e/lead/"
        assert "Lost · 2 records" in text_of((await camille.get("e/lead/")).text)
    assert await states(office, made) == ["lost", "new", "lost"]


async def test_all_of_a_filter_is_what_the_list_shows_and_no_more(office: Office) -> None:
    made = [await lead(office, CAMILLE, f"P{n}", city="Lyon" if n % 2 else "Nice") for n in range(6)]
    foreign = await lead(office, DIANE, "Zoe", city="Lyon")
    async with office.signed_in(CAMILLE) as camille:
        assert "Lost · 3 records" in text_of(await send(camille, do=LOSE, all="1", list="f.city=lyon"))
        assert await send(camille, do=LOSE, all="1", list="f.city=lyon", sure="1") == "/n/small/e/lead/?f.city=lyon"
    assert await states(office, [*made, foreign]) == ["new", "lost"] * 3 + ["new"]


async def test_a_form_is_asked_once_and_what_one_is_refused_is_told_by_record(office: Office) -> None:
    made = await three(office)
    mute = await lead(office, CAMILLE, "Mia", "Muette")
    ids = [record.id for record in (*made, mute)]
    async with office.signed_in(CAMILLE) as camille:
        page = await send(camille, do=CALL, id=ids)
        assert 'name="next_call_at"' in page
        assert "This is needed." in text_of(await send(camille, do=CALL, id=ids, sure="1"))
        wrong = await send(camille, do=CALL, id=ids, sure="1", next_call_at="soon")
        assert "Write a date and a time." in text_of(wrong)
        place = await send(camille, do=CALL, id=ids, sure="1", next_call_at="2026-03-05T10:00")
        report = await camille.get(place)
        words = text_of(report.text)
        assert "3 records done. 1 record was refused." in words
        assert "Mia Muette A phone number is missing." in words
        assert f'href="/n/small/e/lead/{mute.id}"' in report.text
        assert await states(office, [*made, mute]) == ["contacted"] * 3 + ["new"]
        undo = await camille.post(f"{place}/undo", on=place)
        assert undo.headers["location"] == "/n/small/e/lead/"
    assert await states(office, [*made, mute]) == ["new"] * 4


async def test_all_that_was_refused_is_listed_page_by_page_and_counted_by_reason(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "SHOWN", 2)
    mute = [await lead(office, CAMILLE, f"Mute{n}") for n in range(3)]
    lost = [await lead(office, CAMILLE, f"Lost{n}", phone="06 39 98 00 01") for n in range(2)]
    for each in lost:
        await commands.move(office.tenant, SYSTEM, "lead", each.id, "lose")
    ids = [record.id for record in (*mute, *lost)]
    async with office.signed_in(CAMILLE) as camille:
        place = await send(camille, do=CALL, id=ids, sure="1", next_call_at="2026-03-05T10:00")
        first = (await camille.get(place)).text
        words = text_of(first)
        assert "5 records were refused." in words
        assert "Why A phone number is missing. 3 This cannot be done in the state “Lost”. 2 What was refused" in words
        assert ("Mute1" in words, "Mute2" in words) == (True, False)
        assert f'href="{place}?offset=2"' in first
        assert "3 more" in words
        second = text_of((await camille.get(f"{place}?offset=2")).text)
        assert ("Mute1" in second, "Mute2" in second, "Lost0" in second, "1 more" in second) == (
            False,
            True,
            True,
            True,
        )
        last = text_of((await camille.get(f"{place}?offset=4")).text)
        assert ("Lost1" in last, "more" in last) == (True, False)
        assert "5 records were refused." in text_of((await camille.get(f"{place}?offset=x")).text)


async def test_a_long_job_is_followed_and_stopped(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "BATCH", 2)
    made = [await lead(office, CAMILLE, f"P{n}") for n in range(5)]
    async with office.signed_in(CAMILLE) as camille, office.signed_in(DIANE) as diane:
        ids = [record.id for record in made]
        assert "goes on in the background" in text_of(await send(camille, do=LOSE, id=ids))
        place = await send(camille, do=LOSE, id=ids, sure="1")
        page = await camille.get(place)
        assert 'hx-trigger="every 1s"' in page.text
        assert "Under way 2 of 5" in text_of(page.text)
        part = await camille.get(place, hx_request="true")
        assert part.text.lstrip().startswith("<section")
        followed = (await camille.get("e/lead/")).text
        assert "Under way: 2 of 5" in text_of(followed)
        assert f'href="{place}"' in followed
        assert place not in (await diane.get("e/lead/")).text
        for path in ("", "/cancel", "/undo"):
            answer = await (diane.post(f"{place}{path}", on="account") if path else diane.get(place))
            assert answer.status_code == 404
        assert (await camille.post(f"{place}/cancel", on=place)).headers["location"] == place
        await office.networks.worker(office.tenant).run_due()
        words = text_of((await camille.get(place)).text)
        assert "Stopped 2 of 5" in words
        assert "3 records were left." in words


async def test_a_refusal_names_the_question_that_it_is_about(office: Office) -> None:
    made = await three(office)
    camille = await actor(office, CAMILLE)
    asked = {"process": "recruiting", "transition": "call", "form": {}}
    job = await jobs.begin(office.tenant, camille, "lead", "move", asked, [made[0].id])
    async with office.signed_in(CAMILLE) as visitor:
        words = text_of((await visitor.get(f"jobs/{job.id}")).text)
    assert "Ana Marchand Next call at: This is needed." in words


async def test_a_foreign_record_is_told_like_an_absent_one_and_named_nowhere(office: Office) -> None:
    foreign = await lead(office, DIANE, "Zulma", "Quatrefages")
    absent = foreign.id[:-6] + "999999"
    async with office.signed_in(CAMILLE) as camille:
        pages = [await send(camille, do=LOSE, id=each) for each in (foreign.id, absent)]
        assert "None of these records is there any more." in text_of(pages[0])
        clean = [re.sub(r'name="(token|id)" value="[^"]+"', "", page) for page in pages]
        assert clean[0] == clean[1]
        places = [await send(camille, do=LOSE, id=each, sure="1") for each in (foreign.id, absent)]
        told = [(await camille.get(place)).text.replace(place, "") for place in places]
        assert told[0] == told[1]
        assert "Zulma" not in told[0]
    assert await states(office, [foreign]) == ["new"]


@pytest.mark.parametrize("do", ["move:recruiting:sign", "move:recruiting:fly", "move:x:y", "assign", "undo", "x", ""])
async def test_what_is_not_offered_cannot_be_sent(office: Office, do: str) -> None:
    made = await three(office)
    async with office.signed_in(CAMILLE) as camille:
        answer = await camille.post("e/lead/bulk", {"do": do, "id": made[0].id, "sure": "1"}, on="e/lead/")
        assert answer.status_code == 404
        assert (await camille.post("e/lead/bulk", {"do": LOSE}, on="e/lead/")).status_code == 422


async def test_each_level_is_offered_what_it_may_do(office: Office) -> None:
    await three(office)
    offered = {
        CAMILLE: {CALL, LOSE, "task", "export:xlsx", "export:csv", "delete"},
        ALICE: {"task"},
        LEADER: {CALL, LOSE, "assign", "task", "export:xlsx", "export:csv", "delete"},
    }
    for email, expected in offered.items():
        async with office.signed_in(email) as visitor:
            page = await visitor.get("e/lead/")
            assert set(re.findall(r'name="do" value="([^"]+)"', page.text)) == expected


async def test_leads_are_given_to_another_member_and_get_tasks(office: Office) -> None:
    made = await three(office)
    ids = [record.id for record in made]
    async with office.signed_in(LEADER) as claire:
        assert "This is needed." in text_of(await send(claire, do="assign", id=ids, sure="1"))
        assert await send(claire, do="assign", id=ids, sure="1", owner=office.members[DIANE]) == "/n/small/e/lead/"
    async with office.signed_in(DIANE) as diane:
        page = await send(diane, do="task", id=ids)
        form: dict[str, str | list[str]] = {
            "do": "task",
            "id": ids,
            "sure": "1",
            "title": "Call them",
            "token": value(page, "token"),
        }
        assert [await send(diane, **form) for _ in range(2)] == ["/n/small/e/lead/"] * 2
        assert text_of((await diane.get("tasks")).text).count("Call them") == 3
        assert await send(diane, do="delete", id=ids, sure="1") == "/n/small/e/lead/"
        assert "Nothing here yet" in text_of((await diane.get("e/lead/")).text)
