"""Record pages: what they show, what is changed in place, what can be done next, and what others never learn."""

from __future__ import annotations

import re
from datetime import timedelta
from functools import partial

import pytest

from tests.admin.office import CAMILLE, DIANE, LEADER, Office, token
from tests.admin.screens.leads import actor, asked, fetch, lead, link, text_of, value
from workflows import commands
from workflows.worker import Worker

pytestmark = pytest.mark.anyio
SOON = {"next_call_at": "2026-03-04T10:30", "comment": "Rappeler jeudi"}
ABSENT = "00000000-0000-7000-8000-999999999999"


async def test_a_page_shows_every_value_as_people_write_it(office: Office) -> None:
    company = await commands.create(office.tenant, await actor(office, CAMILLE), "company", {"name": "Alba & fils"})
    made = await lead(
        office, CAMILLE, "Élodie", phone="06 12 34 56 78", email="e@exemple.fr", source="site", pause="3d",
        interests=["home", "beauty"], birth_date="1990-05-04", next_call_at=office.clock.now(), rating="1234.5",
        newsletter=True, company=company.id,
    )  # fmt: skip
    async with office.signed_in(CAMILLE) as visitor:
        page = (await visitor.get(f"e/lead/{made.id}")).text
    words = text_of(page.replace("<wbr>", ""))
    for shown in (
        "Phone +33 6 12 34 56 78", "Email e@exemple.fr", "Source Web site", "Interests Home, Beauty", "Country France",
        "Birth date 4 May 1990", "Next call at 2 Mar 2026, 12:00", "Rating 1,234.5", "Newsletter Yes", "Company Alba &",
        "Pause 3 days", "Followed by Camille Roux", "Hot No",
    ):  # fmt: skip
        assert shown in words, shown
    assert 'href="tel:+33612345678"' in page
    assert 'href="mailto:e@exemple.fr"' in page
    assert f'href="/n/small/e/company/{company.id}"' in page
    assert "<b>Alba & fils" not in page


async def test_a_hidden_field_is_not_on_the_page(office: Office) -> None:
    made = await lead(office, CAMILLE, "Élodie", phone="06 12 34 56 78")
    async with office.signed_in("alice@exemple.fr") as visitor:
        page = (await visitor.get(f"e/lead/{made.id}")).text
    assert "Élodie Marchand" in text_of(page)
    assert "612345678" not in page
    assert "Phone" not in text_of(page)
    assert "prop-phone" not in page


async def test_the_bar_shows_how_far_a_record_has_come(office: Office) -> None:
    made = await lead(office, CAMILLE, "Élodie", phone="06 12 34 56 78")
    await commands.move(office.tenant, await actor(office, CAMILLE), "lead", made.id, "call", form=SOON)
    async with office.signed_in(CAMILLE) as visitor:
        page = (await visitor.get(f"e/lead/{made.id}")).text
    assert re.findall(r'<li class="ok">', page) == ['<li class="ok">']
    assert '<li aria-current="step">Contacted</li>' in page
    assert "step 2 of 3" in text_of(page)


async def test_a_refused_step_says_why_and_cannot_be_pressed(office: Office) -> None:
    made = await lead(office, CAMILLE, "Élodie")
    async with office.signed_in(CAMILLE) as visitor:
        page = (await visitor.get(f"e/lead/{made.id}")).text
        button = re.search(r"<button[^>]*disabled[^>]*>.*?</button>\s*<p[^>]*>(.*?)</p>", page, re.DOTALL)
        assert button is not None
        assert button[1] == "A phone number is missing."
        assert (await visitor.get(f"e/lead/{made.id}/move/recruiting/call")).status_code == 403


async def test_a_step_is_taken_without_scripts(office: Office) -> None:
    made = await lead(office, CAMILLE, "Élodie", phone="06 12 34 56 78")
    async with office.signed_in(CAMILLE) as visitor:
        page = (await visitor.get(f"e/lead/{made.id}")).text
        at = link(page, "Called")
        form = (await visitor.get(at)).text
        assert asked(form) == {"comment", "next_call_at"}
        sent = {"_csrf": token(form), "version": value(form, "version")}
        wrong = await visitor.http.post(at, data={**sent, "comment": "Bien"})
        assert wrong.status_code == 422
        assert value(wrong.text, "comment") == "Bien"
        answer = await visitor.http.post(at, data={**sent, **SOON})
        assert answer.headers["location"] == f"/n/small/e/lead/{made.id}"
        page = (await visitor.get(answer.headers["location"])).text
        assert "Élodie Marchand → Contacted" in text_of(page)
        undo = re.search(r'action="([^"]*/undo/[^"]*)"', page)
        assert undo is not None
        back = await visitor.http.post(undo[1], data={"_csrf": token(page), "back": "/n/small/e/lead/"})
        assert back.headers["location"] == "/n/small/e/lead/"
        assert "New" in text_of((await visitor.get(back.headers["location"])).text)


async def test_a_form_that_is_older_than_the_record_is_a_conflict_with_its_answers_kept(office: Office) -> None:
    made = await lead(office, CAMILLE, "Élodie", phone="06 12 34 56 78")
    at = f"/n/small/e/lead/{made.id}/move/recruiting/call"
    async with office.signed_in(CAMILLE) as visitor:
        form = (await visitor.get(at)).text
        await commands.update(
            office.tenant, await actor(office, LEADER), "lead", made.id, made.version, {"city": "Lyon"}
        )
        sent = {"_csrf": token(form), "version": value(form, "version"), **SOON}
        answer = await visitor.http.post(at, data=sent)
        assert answer.status_code == 409
        assert "Somebody changed this record" in text_of(answer.text)
        assert value(answer.text, "comment") == "Rappeler jeudi"
        again = await visitor.http.post(at, data={**sent, "version": value(answer.text, "version")})
        assert again.status_code == 303


async def test_a_field_is_changed_in_place(office: Office) -> None:
    made = await lead(office, CAMILLE, "Élodie", city="Lyon")
    at = f"e/lead/{made.id}/field/city"
    async with office.signed_in(CAMILLE) as visitor:
        form = await fetch(visitor, at)
        assert form.text.lstrip().startswith('<div class="editing" id="prop-city">')
        assert value(form.text, "city") == "Lyon"
        saved = await fetch(visitor, at, data={"city": "Bron", "version": value(form.text, "version")})
        assert saved.status_code == 200
        assert "City Bron" in text_of(saved.text)
        assert "maille:toast" in saved.headers["hx-trigger"]


async def test_a_wrong_value_in_place_is_said_in_place(office: Office) -> None:
    made = await lead(office, CAMILLE, "Élodie")
    async with office.signed_in(CAMILLE) as visitor:
        for name, typed in (("email", "pas un e-mail"), ("calls", "douze")):
            answer = await fetch(visitor, f"e/lead/{made.id}/field/{name}", data={name: typed, "version": "1"})
            assert answer.status_code == 422
            assert answer.headers["hx-retarget"] == f"#prop-{name}"
            assert value(answer.text, name) == typed
            assert f'id="f-{name}-error"' in answer.text


async def test_a_value_that_somebody_else_changed_is_not_overwritten_in_place(office: Office) -> None:
    made = await lead(office, CAMILLE, "Élodie", city="Lyon")
    await commands.update(office.tenant, await actor(office, LEADER), "lead", made.id, made.version, {"city": "Bron"})
    async with office.signed_in(CAMILLE) as visitor:
        answer = await fetch(
            visitor, f"e/lead/{made.id}/field/city", data={"city": "Paris", "version": str(made.version)}
        )
        assert answer.status_code == 422
        assert "Somebody changed this record" in text_of(answer.text)
        assert "City Bron" in text_of((await visitor.get(f"e/lead/{made.id}")).text)


@pytest.mark.parametrize("name", ["income_goal", "hot", "nothing", "created_at", "recruiting", "id"])
async def test_what_one_may_not_write_has_no_form(office: Office, name: str) -> None:
    made = await lead(office, CAMILLE, "Élodie")
    async with office.signed_in(CAMILLE) as visitor:
        assert (await fetch(visitor, f"e/lead/{made.id}/field/{name}")).status_code == 404
        assert (await fetch(visitor, f"e/lead/{made.id}/field/{name}", data={name: "1"})).status_code == 404


async def test_the_timeline_tells_what_happened_by_whom_and_from_what_to_what(office: Office) -> None:
    made = await lead(office, CAMILLE, "Élodie", phone="06 12 34 56 78", city="Lyon")
    await commands.update(office.tenant, await actor(office, CAMILLE), "lead", made.id, made.version, {"city": "Bron"})
    office.clock.forward(timedelta(days=1))
    await commands.move(office.tenant, await actor(office, CAMILLE), "lead", made.id, "call", form=SOON)
    async with office.signed_in(CAMILLE) as visitor:
        page = (await visitor.get(f"e/lead/{made.id}")).text
        words = text_of(page)
        assert "City Lyon → then Bron" in words
        assert "Recruiting New → then Contacted" in words
        assert "Camille Roux Called" in words
        assert "Rappeler jeudi" in words
        assert words.index("Today") < words.index("Camille Roux Called") < words.index("Yesterday")
        assert f"/n/small/e/lead/{made.id}/undo/" in page
        only = text_of((await visitor.get(f"e/lead/{made.id}?show=notes")).text)
        assert "Camille Roux Called" not in only


async def test_notes_stand_on_the_timeline_and_an_empty_one_is_no_note(office: Office) -> None:
    made = await lead(office, CAMILLE, "Élodie")
    at = f"e/lead/{made.id}/notes"
    async with office.signed_in(CAMILLE) as visitor:
        answer = await visitor.post(at, {"text": "Préfère <b>11 h</b>"}, on=f"e/lead/{made.id}")
        assert answer.status_code == 303
        page = (await visitor.get(f"e/lead/{made.id}")).text
        assert "Note by Camille Roux" in text_of(page)
        assert "Préfère &lt;b&gt;11 h&lt;/b&gt;" in page
        part = await fetch(visitor, at, data={"text": "Deuxième"})
        assert part.text.lstrip().startswith('<div id="record"')
        assert "Deuxième" in part.text
        assert (await fetch(visitor, at, data={"text": "  "})).status_code == 422


async def test_mails_and_automations_say_what_they_did_and_why(office: Office) -> None:
    made = await lead(office, CAMILLE, "Élodie", phone="06 12 34 56 78", email="e@exemple.fr")
    await commands.move(office.tenant, await actor(office, CAMILLE), "lead", made.id, "call", form=SOON)
    await Worker(office.tenant).run_due()
    async with office.signed_in(CAMILLE) as visitor:
        words = text_of((await visitor.get(f"e/lead/{made.id}")).text)
        assert "Bonjour Élodie to e@exemple.fr waiting" in words
        assert "Welcome message Automation done" in words
        assert "Why? Done E-mail" in words


async def test_tasks_are_added_and_ticked_off_on_the_page(office: Office) -> None:
    made = await lead(office, CAMILLE, "Élodie")
    at = f"/n/small/e/lead/{made.id}"
    async with office.signed_in(CAMILLE) as visitor:
        page = (await visitor.get(at)).text
        sent = {
            "_csrf": token(page),
            "entity": "lead",
            "record": made.id,
            "title": "Rappeler",
            "day": "2026-03-05",
            "back": at,
        }
        answer = await visitor.http.post("/n/small/tasks", data=sent)
        assert answer.headers["location"] == at
        page = (await visitor.get(at)).text
        assert "To do 1" in text_of(page)
        done = re.search(r'action="(/n/small/tasks/[^"]*/done)"', page)
        assert done is not None
        await visitor.http.post(done[1], data={"_csrf": token(page), "back": at})
        assert "To do 1" not in text_of((await visitor.get(at)).text)


async def test_records_that_refer_to_a_record_are_listed_on_its_page(office: Office) -> None:
    company = await commands.create(office.tenant, await actor(office, CAMILLE), "company", {"name": "Alba"})
    for number in range(7):
        await lead(office, CAMILLE, f"P{number}", company=company.id)
    await lead(office, DIANE, "Autre", company=company.id)
    async with office.signed_in(CAMILLE) as visitor:
        page = (await visitor.get(f"e/company/{company.id}")).text
        assert "Lead 7" in text_of(page)
        assert "Autre" not in page
        assert link(page, "Show all") == f"/n/small/e/lead/?f.company={company.id}"
        assert value((await visitor.get(link(page, "New lead"))).text, "first_name") == ""
        assert (
            f'<option value="{company.id}" selected>Alba</option>' in (await visitor.get(link(page, "New lead"))).text
        )


PAGES = ("", "/edit", "/menu", "/field/city", "/move/recruiting/lose", "/move/recruiting/nothing", "/move/nothing/lose")
FORMS = (
    "/edit", "/delete", "/field/city", "/field/nothing", "/notes", "/move/recruiting/lose", "/move/recruiting/call",
    "/undo/00000000-0000-7000-8000-000000000001",
)  # fmt: skip


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_of_somebody_elses_record_is_that_of_one_that_is_not_there(office: Office, path: str) -> None:
    made = await lead(office, CAMILLE, "Élodie", phone="06 12 34 56 78")
    async with office.signed_in(DIANE) as visitor:
        for htmx in (False, True):
            get = partial(fetch, visitor) if htmx else visitor.get
            foreign, absent = await get(f"e/lead/{made.id}{path}"), await get(f"e/lead/{ABSENT}{path}")
            assert foreign.status_code == absent.status_code == 404
            assert _bare(foreign.text, made.id) == _bare(absent.text, ABSENT)


@pytest.mark.parametrize("path", FORMS)
async def test_a_form_for_somebody_elses_record_is_answered_like_one_for_none(office: Office, path: str) -> None:
    made = await lead(office, CAMILLE, "Élodie", phone="06 12 34 56 78")
    sent = {"city": "Bron", "text": "Bonjour", "version": str(made.version), **SOON}
    async with office.signed_in(DIANE) as visitor:
        foreign = await visitor.post(f"e/lead/{made.id}{path}", sent)
        absent = await visitor.post(f"e/lead/{ABSENT}{path}", sent)
        assert foreign.status_code == absent.status_code == 404
        assert _bare(foreign.text, made.id) == _bare(absent.text, ABSENT)
    async with office.signed_in(CAMILLE) as visitor:
        assert f'data-version="{made.version}"' in (await visitor.get(f"e/lead/{made.id}")).text


async def test_a_task_about_somebody_elses_record_is_refused_like_one_about_none(office: Office) -> None:
    made = await lead(office, CAMILLE, "Élodie")
    async with office.signed_in(DIANE) as visitor:
        answers = [
            await visitor.post("tasks", {"entity": "lead", "record": id_, "title": "Rappeler"})
            for id_ in (made.id, ABSENT)
        ]
        assert {answer.status_code for answer in answers} == {404}


def _bare(page: str, record_id: str) -> str:
    """Return a page without what differs from one answer to the next: the address asked for."""
    return page.replace(record_id, "·")
