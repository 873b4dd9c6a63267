"""Forms: what they ask, what is wrong where, and what happens when two people or two clicks come together."""

from __future__ import annotations

import asyncio
import json
import re
from datetime import UTC, datetime

import pytest

from models.query import Query
from models.records import Records
from models.tx import Tx
from tests.admin.office import CAMILLE, DIANE, LEADER, Office, token
from tests.admin.screens.leads import actor, asked, fetch, lead, text_of, titles, value
from workflows import commands

pytestmark = pytest.mark.anyio
NEW = "e/lead/new"


async def _leads(office: Office) -> list[dict[str, object]]:
    leader, tenant = await actor(office, LEADER), office.tenant

    async def work(tx: Tx) -> list[dict[str, object]]:
        records = Records(tenant.published, tx, leader, tenant.context(), new_id=tenant.new_id)
        return [dict(record.values) for record in (await records.list("lead", Query())).records]

    return await tenant.store.read(work)


async def test_a_form_asks_what_its_reader_may_write_and_nothing_else(office: Office) -> None:
    async with office.signed_in(CAMILLE) as visitor:
        names = asked((await visitor.get(NEW)).text)
    assert {"first_name", "email", "country", "source", "interests", "newsletter", "company", "pause"} <= names
    assert not names & {"income_goal", "hot", "id", "version", "created_at", "recruiting", "owner"}


async def test_who_sees_the_leads_of_others_may_give_them_to_somebody(office: Office) -> None:
    async with office.signed_in(LEADER) as visitor:
        assert {"owner", "income_goal"} <= asked((await visitor.get(NEW)).text)


async def test_inputs_follow_the_types_of_their_fields(office: Office) -> None:
    async with office.signed_in(CAMILLE) as visitor:
        page = (await visitor.get(NEW)).text
    for name, kind in {
        "email": "email",
        "phone": "tel",
        "birth_date": "date",
        "next_call_at": "datetime-local",
    }.items():
        assert re.search(rf'name="{name}" type="{kind}"', page), name
    assert re.search(r'name="calls" type="text"[^>]*inputmode="numeric"', page)
    assert re.search(r'<select[^>]*name="country"[^>]*required', page)
    assert '<option value="FR" selected>France</option>' in page
    assert '<option value="DE"' not in page
    assert re.search(r'name="first_name"[^>]*required[^>]*maxlength="80"', page)
    assert re.search(r'type="checkbox"[^>]*name="interests"[^>]*value="home"', page)
    assert 'data-picker="/n/small/e/company/options"' in page


async def test_a_form_that_is_filled_well_makes_a_record(office: Office) -> None:
    async with office.signed_in(CAMILLE) as visitor:
        form = {
            "first_name": "Élodie", "last_name": "Marchand", "country": "FR", "phone": "06 12 34 56 78",
            "next_call_at": "2026-03-04T10:30", "rating": "1 234,5", "newsletter": "true", "calls": "2",
        }  # fmt: skip
        answer = await visitor.post(NEW, form, on=NEW)
        assert answer.status_code == 303
        page = await visitor.get(answer.headers["location"])
        assert "Élodie Marchand" in text_of(page.text)
        assert "Added: Élodie Marchand" in text_of(page.text)
    (made,) = await _leads(office)
    assert made["phone"] == "+33612345678"
    assert made["next_call_at"] == datetime(2026, 3, 4, 9, 30, tzinfo=UTC)
    assert str(made["rating"]) == "1234.5000"
    assert made["newsletter"] is True
    assert made["owner"] == {"id": office.members[CAMILLE]}


@pytest.mark.parametrize(
    ("field", "typed", "says"),
    [
        ("first_name", "", "needed"),
        ("email", "pas un e-mail", "e-mail"),
        ("calls", "douze", "Write a whole number."),
        ("rating", "1,2,x", "Write a number."),
        ("next_call_at", "demain", "Write a date and a time."),
        ("country", "DE", ""),
        ("company", "00000000-0000-7000-8000-999999999999", ""),
    ],
)
async def test_what_is_wrong_is_said_at_its_field_and_nothing_typed_is_lost(
    office: Office, field: str, typed: str, says: str
) -> None:
    form = {"first_name": "Élodie", "last_name": "Marchand", "country": "FR", "city": "Lyon", field: typed}
    async with office.signed_in(CAMILLE) as visitor:
        answer = await visitor.post(NEW, form, on=NEW)
    assert answer.status_code == 422
    assert "1 field needs your attention." in text_of(answer.text)
    error = re.search(rf'id="f-{field}-error">(.*?)</small>', answer.text, re.DOTALL)
    assert error is not None
    assert says in text_of(error[1])
    assert value(answer.text, "city") == "Lyon"
    if field not in ("country", "company", "first_name"):
        assert value(answer.text, field) == typed
    assert await _leads(office) == []


async def test_the_same_form_sent_twice_makes_one_record(office: Office) -> None:
    async with office.signed_in(CAMILLE) as visitor:
        page = (await visitor.get(NEW)).text
        form = {
            "_csrf": token(page), "token": value(page, "token"),
            "first_name": "Élodie", "last_name": "Marchand", "country": "FR",
        }  # fmt: skip
        answers = await asyncio.gather(*(visitor.http.post(f"/n/small/{NEW}", data=form) for _ in range(3)))
        assert {answer.status_code for answer in answers} == {303}
        assert len({answer.headers["location"] for answer in answers}) == 1
        assert titles((await visitor.get("e/lead/")).text) == ["Élodie Marchand"]


async def test_a_form_that_is_filled_anew_after_a_step_back_makes_another_record(office: Office) -> None:
    async with office.signed_in(CAMILLE) as visitor:
        page = (await visitor.get(NEW)).text
        form = {"_csrf": token(page), "token": value(page, "token"), "last_name": "Marchand", "country": "FR"}
        for name in ("Élodie", "Nadia", "Nadia"):
            assert (await visitor.http.post(f"/n/small/{NEW}", data={**form, "first_name": name})).status_code == 303
        assert sorted(titles((await visitor.get("e/lead/")).text)) == ["Nadia Marchand", "Élodie Marchand"]


async def test_the_address_can_fill_a_form(office: Office) -> None:
    async with office.signed_in(CAMILLE) as visitor:
        page = (await visitor.get(f"{NEW}?f.city=Lyon&f.income_goal=9")).text
    assert value(page, "city") == "Lyon"
    assert "income_goal" not in asked(page)


async def test_nobody_adds_what_they_may_not(office: Office) -> None:
    async with office.signed_in("alice@exemple.fr") as visitor:
        assert (await visitor.get(NEW)).status_code == 403
        form = {"first_name": "Élodie", "last_name": "Marchand", "country": "FR"}
        assert (await visitor.post(NEW, form)).status_code == 403
    assert await _leads(office) == []


async def test_a_field_that_was_not_asked_is_not_written(office: Office) -> None:
    async with office.signed_in(CAMILLE) as visitor:
        form = {
            "first_name": "É",
            "last_name": "M",
            "country": "FR",
            "income_goal": "900",
            "owner": office.members[DIANE],
        }
        assert (await visitor.post(NEW, form, on=NEW)).status_code == 303
    (made,) = await _leads(office)
    assert made["income_goal"] is None
    assert made["owner"] == {"id": office.members[CAMILLE]}


def _filled(page: str, **typed: str) -> dict[str, str]:
    """Return the form of an edit page as a browser sends it, with something typed into it."""
    names = ("version", "base", "first_name", "last_name", "city", "phone", "email", "next_call_at")
    return {"_csrf": token(page), "country": "FR", **{name: value(page, name) for name in names}, **typed}


async def test_saving_writes_what_was_changed(office: Office) -> None:
    made = await lead(office, CAMILLE, "Élodie", phone="06 12 34 56 78", rating="2.5", newsletter=True)
    at = f"/n/small/e/lead/{made.id}/edit"
    async with office.signed_in(CAMILLE) as visitor:
        page = (await visitor.get(at)).text
        assert value(page, "phone") == "+33 6 12 34 56 78"
        form = _filled(page, city="Lyon", rating="2.5000", newsletter="true", calls="0")
        answer = await visitor.http.post(at, data=form)
        assert answer.headers["location"] == f"/n/small/e/lead/{made.id}"
    (now,) = await _leads(office)
    assert now["city"] == "Lyon"
    assert now["version"] == made.version + 1
    assert (now["phone"], now["newsletter"]) == ("+33612345678", True)


async def test_a_change_by_somebody_else_in_another_field_is_kept_and_shown(office: Office) -> None:
    made = await lead(office, CAMILLE, "Élodie", city="Lyon")
    at = f"/n/small/e/lead/{made.id}/edit"
    async with office.signed_in(CAMILLE) as visitor:
        page = (await visitor.get(at)).text
        await commands.update(
            office.tenant, await actor(office, LEADER), "lead", made.id, made.version, {"email": "e@exemple.fr"}
        )
        answer = await visitor.http.post(at, data=_filled(page, city="Bron", calls="0"))
        assert answer.status_code == 409
        assert "none of them touches yours" in text_of(answer.text)
        assert (value(answer.text, "city"), value(answer.text, "email")) == ("Bron", "e@exemple.fr")
        again = await visitor.http.post(at, data=_filled(answer.text, calls="0"))
        assert again.status_code == 303
    (now,) = await _leads(office)
    assert (now["city"], now["email"]) == ("Bron", "e@exemple.fr")


async def test_a_conflict_shows_both_values_and_saves_nothing_before_one_says_so(office: Office) -> None:
    made = await lead(office, CAMILLE, "Élodie", city="Lyon")
    at = f"/n/small/e/lead/{made.id}/edit"
    async with office.signed_in(CAMILLE) as visitor:
        page = (await visitor.get(at)).text
        await commands.update(
            office.tenant, await actor(office, LEADER), "lead", made.id, made.version, {"city": "Oullins"}
        )
        answer = await visitor.http.post(at, data=_filled(page, city="Bron", calls="0"))
        assert answer.status_code == 409
        assert "City Bron Oullins" in text_of(answer.text)
        assert (await _leads(office))[0]["city"] == "Oullins"
        again = await visitor.http.post(at, data=_filled(answer.text, calls="0"))
        assert again.status_code == 303
    assert (await _leads(office))[0]["city"] == "Bron"


async def test_what_stood_in_a_form_survives_nonsense(office: Office) -> None:
    made = await lead(office, CAMILLE, "Élodie", city="Lyon")
    at = f"/n/small/e/lead/{made.id}/edit"
    async with office.signed_in(CAMILLE) as visitor:
        for base in ("", "no json", "[]", '{"city": 3}'):
            page = (await visitor.get(at)).text
            answer = await visitor.http.post(at, data={**_filled(page, calls="0"), "base": base})
            assert answer.status_code == 303
        page = (await visitor.get(at)).text
    assert (await _leads(office))[0]["city"] == "Lyon"
    assert json.loads(value(page, "base"))["city"] == ["Lyon"]


async def test_a_record_can_be_deleted_by_who_may(office: Office) -> None:
    made = await lead(office, CAMILLE, "Élodie")
    async with office.signed_in("alice@exemple.fr") as visitor:
        assert "Delete" not in text_of((await visitor.get(f"e/lead/{made.id}")).text)
        assert (await fetch(visitor, f"e/lead/{made.id}/delete", data={"x": ""})).status_code == 403
    async with office.signed_in(CAMILLE) as visitor:
        assert "Delete for good" in text_of((await visitor.get(f"e/lead/{made.id}")).text)
        answer = await visitor.post(f"e/lead/{made.id}/delete", {"version": str(made.version)})
        assert answer.headers["location"] == "/n/small/e/lead/"
    assert await _leads(office) == []
