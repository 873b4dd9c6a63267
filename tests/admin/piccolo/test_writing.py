"""What the back office writes: through the engine, in one transaction, with history, and refused in words."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx
import pytest

from models.actor import SYSTEM
from tests.admin.office import CAMILLE, LEADER, Office
from tests.admin.piccolo.test_back_office import LEADS, lead
from workflows import commands, timeline

pytestmark = pytest.mark.anyio


@dataclass
class Desk:
    """The back office as the leader's browser speaks to it."""

    http: httpx.AsyncClient
    token: str

    async def send(self, method: str, path: str, body: object = None, **headers: str) -> httpx.Response:
        """Send a request as piccolo-admin's pages do."""
        address = f"/n/small/{path}"
        return await self.http.request(method, address, json=body, headers={"x-csrftoken": self.token, **headers})

    async def form(self, record: str) -> dict[str, Any]:
        """Return what the form of a lead holds, and sends."""
        found: dict[str, Any] = (await self.send("GET", f"{LEADS}{record}/")).json()
        return {name: value for name, value in found.items() if not name.endswith("_readable")}


@asynccontextmanager
async def desk(office: Office, email: str = LEADER, language: str = "en") -> AsyncIterator[Desk]:
    """Open the back office."""
    async with office.signed_in(email) as visitor:
        if language != "en":
            await visitor.post("account", {"language": language}, on="account")
        assert (await visitor.get("back-office/")).status_code == 200
        yield Desk(visitor.http, visitor.http.cookies["csrftoken"])


async def told(office: Office, record: str) -> list[timeline.Event]:
    return await timeline.timeline(office.tenant, SYSTEM, "lead", record)


async def test_an_edited_field_is_written_with_history_and_who_did_it(office: Office) -> None:
    record = await lead(office, city="Lyon")
    async with desk(office) as at:
        form = await at.form(record)
        answer = await at.send("PATCH", f"{LEADS}{record}/", {**form, "city": "Nice", "income_goal": "1 250,50"})
        assert answer.status_code == 200, answer.text
        now = await at.form(record)
    assert (now["city"], now["income_goal"], now["version"]) == ("Nice", "1250.50", form["version"] + 1)
    events = [event for event in await told(office, record) if event.kind == "updated"]
    assert [event.actor for event in events] == [office.members[LEADER]]
    assert {change.field for change in events[0].changes} == {"city", "income_goal"}


async def test_a_form_that_is_sent_as_it_came_changes_nothing(office: Office) -> None:
    moment = datetime.fromisoformat("2026-11-23T10:00:00.123456+01:00")
    values = {"next_call_at": moment, "interests": ["home"], "calls": 3, "rating": "1.5", "pause": "3 working days"}
    record = await lead(office, **values, birth_date="1990-05-01", newsletter=True)
    async with desk(office) as at:
        form = await at.form(record)
        sent = {name: "" if value is None else value for name, value in form.items()}
        sent["next_call_at"] = "2026-11-23T09:00:00.000Z"  # the form's clock has no parts of a second
        sent["created_at"] = form["created_at"][:19] + ".000Z"
        for method, status in (("PATCH", 200), ("PUT", 200)):
            answer = await at.send(method, f"{LEADS}{record}/", sent)
            assert answer.status_code == status, answer.text
        assert await at.form(record) == form
    assert [event.kind for event in await told(office, record)] == ["created"]


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("recruiting", "lost", "Recruiting: A state changes by a transition: open the record."),
        ("recruiting", None, "Recruiting: A state changes by a transition: open the record."),
        ("hot", "true", "Hot: You may not change this."),
        ("created_at", "2020-01-01T00:00:00Z", "Created on: You may not change this."),
        ("created_by", "", None),
        ("id", "another", "Identifier: You may not change this."),
        ("_path", "/", "_path: There is no such field."),
        ("_fold_first_name", "x", "_fold_first_name: There is no such field."),
        ("phone", "no number", "Phone: This is not a phone number."),
        ("country", "", "Country: This is needed."),
        ("rating", "a lot", "Rating: This is not a number."),
        ("interests", ["home", "cars"], "Interests: This is not one of the options."),
    ],
)
@pytest.mark.parametrize("method", ["PATCH", "PUT"])
async def test_what_may_not_be_written_is_refused_in_words(
    office: Office, method: str, name: str, value: object, says: str | None
) -> None:
    record = await lead(office)
    async with desk(office) as at:
        before = await at.form(record)
        answer = await at.send(method, f"{LEADS}{record}/", {"city": "Nice", name: value})
        if says is None:
            assert answer.status_code == 200
            return
        assert (answer.status_code, answer.text) == (422, says)
        assert answer.headers["content-type"].startswith("text/plain")
        assert await at.form(record) == before


async def test_all_that_is_wrong_is_told_at_once_in_the_readers_language(office: Office) -> None:
    address = f"back-office/api/tables/Prospect/{await lead(office)}/"
    async with desk(office, language="fr") as at:
        answer = await at.send("PATCH", address, {"id": "another", "recruiting": "lost"})
        assert (answer.status_code, answer.text) == (
            422,
            "Identifiant\u202f: Vous ne pouvez pas modifier ceci.\n"
            "Recrutement\u202f: Un état change par une étape\u202f: ouvrez la fiche.",
        )


async def test_a_form_of_an_older_version_is_told_and_not_written(office: Office) -> None:
    record = await lead(office, city="Lyon")
    async with desk(office) as at:
        form = await at.form(record)
        await commands.update(office.tenant, SYSTEM, "lead", record, None, {"first_name": "Élise"})
        answer = await at.send("PATCH", f"{LEADS}{record}/", {**form, "city": "Nice"})
        assert answer.status_code == 409
        assert answer.text.startswith("Somebody changed this record meanwhile.")
        now = await at.form(record)
    assert (now["first_name"], now["city"]) == ("Élise", "Lyon")


async def test_many_records_are_changed_one_after_the_other_without_their_versions(office: Office) -> None:
    records = [await lead(office, first_name=name) for name in ("Ana", "Bob")]
    async with desk(office) as at:
        for record in records:
            assert (await at.send("PATCH", f"{LEADS}{record}/", {"source": "direct"})).status_code == 200
        assert [(await at.form(record))["source"] for record in records] == ["direct", "direct"]


async def test_a_new_record_begins_with_the_defaults_and_is_created_by_the_leader(office: Office) -> None:
    async with desk(office) as at:
        blank = (await at.send("GET", f"{LEADS}new/")).json()
        assert (blank["country"], blank["newsletter"], blank["calls"]) == ("FR", False, 0)
        assert (blank["recruiting"], blank["owner"]) == ("new", office.members[LEADER])
        assert blank["owner_readable"] == "Claire Alba"
        form = {name: value for name, value in blank.items() if not name.endswith("_readable")}
        answer = await at.send("POST", LEADS, {**form, "first_name": "Zoé", "last_name": "Blanc"})
        assert answer.status_code == 201, answer.text
        made = answer.json()
    assert (made["first_name"], made["country"], made["created_by"]) == ("Zoé", "FR", office.members[LEADER])
    (event,) = await told(office, made["id"])
    assert (event.kind, event.actor) == ("created", office.members[LEADER])


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"first_name": "Zoé"}, "Last name: This is needed."),
        ({"first_name": "Zoé", "last_name": "B", "recruiting": "lost"}, "A state changes by a transition"),
        ({"first_name": "Zoé", "last_name": "B", "hot": True}, "Hot: You may not change this."),
        ({"first_name": "Zoé", "last_name": "B", "version": 7, "id": "mine"}, "Identifier: You may not change this."),
        ([], "The browser sent something that cannot be read."),
    ],
)
async def test_a_new_record_that_does_not_fit_is_refused_in_words_and_leaves_nothing(
    office: Office, values: Mapping[str, object] | list[object], says: str
) -> None:
    async with desk(office) as at:
        answer = await at.send("POST", LEADS, values)
        assert answer.status_code == 422
        assert says in answer.text
        assert (await at.send("GET", f"{LEADS}count/")).json()["count"] == 0


async def test_a_record_is_deleted_unless_others_refer_to_it(office: Office) -> None:
    record = await lead(office)
    async with desk(office) as at:
        owner = await at.send("DELETE", f"back-office/api/tables/Member/{office.members[CAMILLE]}/")
        assert (owner.status_code, owner.text) == (403, "Other records refer to this one: it cannot be deleted.")
        assert (await at.send("DELETE", f"{LEADS}{record}/")).status_code == 204
        assert (await at.send("GET", f"{LEADS}{record}/")).status_code == 404
        assert (await at.send("DELETE", f"{LEADS}{record}/")).status_code == 404


@pytest.mark.parametrize(
    ("method", "path"), [("DELETE", LEADS), ("PUT", LEADS), ("PATCH", LEADS), ("POST", f"{LEADS}x/")]
)
async def test_no_address_changes_more_than_one_record(office: Office, method: str, path: str) -> None:
    record = await lead(office)
    async with desk(office) as at:
        assert (await at.send(method, path, {"city": "Nice"})).status_code == 405
        assert (await at.form(record))["city"] is None


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_nothing_is_written_for_a_page_of_somebody_else(office: Office, method: str) -> None:
    record = await lead(office)
    path = LEADS if method == "POST" else f"{LEADS}{record}/"
    async with desk(office) as at:
        before = await at.form(record)
        for headers in ({"x-csrftoken": "wrong"}, {"origin": "https://elsewhere.example"}):
            assert (await at.send(method, path, {"city": "Nice"}, **headers)).status_code == 403
        assert await at.form(record) == before
        assert (await at.send("GET", f"{LEADS}count/")).json()["count"] == 1


async def test_a_change_does_what_a_change_anywhere_does(office: Office) -> None:
    """The engine hears of it: the version, the history and the last activity of a change on a screen."""
    by_screen, by_office = await lead(office), await lead(office)
    async with office.signed_in(LEADER) as visitor:
        page = await visitor.get("back-office/")
        assert page.status_code == 200
        at = Desk(visitor.http, visitor.http.cookies["csrftoken"])
        assert (await at.send("PATCH", f"{LEADS}{by_office}/", {"city": "Nice"})).status_code == 200
        await visitor.post(f"e/lead/{by_screen}/field/city", {"city": "Nice", "version": "1"}, on=f"e/lead/{by_screen}")
        one, other = await at.form(by_office), await at.form(by_screen)
    same = {"id", "created_at", "updated_at", "last_activity_at"}
    assert {k: v for k, v in one.items() if k not in same} == {k: v for k, v in other.items() if k not in same}
    stories = [[(event.kind, event.actor) for event in await told(office, each)] for each in (by_office, by_screen)]
    assert stories[0] == stories[1]
