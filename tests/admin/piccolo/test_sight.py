"""What a leader whose declared level hides something sees of it at any address of the back office: nothing."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import pytest
from fastapi import FastAPI
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from admin.piccolo.mount import build
from models.actor import SYSTEM
from models.clock import SetClock
from tests.admin.office import CAMILLE, FILES, LEADER, Office, office_of
from tests.admin.piccolo.test_writing import Desk, desk
from tests.answers import headers_of
from tests.homes import Homes
from tests.networks import changed
from workflows import commands

pytestmark = pytest.mark.anyio

LEVEL = """
level: leader
label: {fr: Direction, en: Management}
functions: [consult]
entities:
  member: {read: all, create: false, update: all, delete: none}
  lead:
    read: record.country == "FR"
    create: true
    update: record.city == "Lyon"
    delete: none
    fields:
      phone: {read: none, write: none}
      income_goal: {read: none, write: none}
      email: {read: record.city == "Lyon"}
"""
BLIND = ("phone", "income_goal")
SECRETS = ("+33639980007", "33639980007", "4321", "Bruxelles", "Verhaegen", "nice@exemple.fr", "Secret Company")
"""Values of hidden fields, of hidden records, and of a table that is not the leader's."""


@dataclass
class Strict:
    """An office whose leader has a declared level, with a record it may write, one it may read, and a hidden one."""

    office: Office
    ours: str
    read: str
    foreign: str


@pytest.fixture
async def strict(homes: Homes, clock: SetClock) -> AsyncIterator[Strict]:
    """The office."""
    async with office_of(homes, clock, changed(FILES, leader=LEVEL)) as office:

        async def lead(**values: object) -> str:
            given = {"owner": office.members[CAMILLE], "phone": "+33639980007", "income_goal": "4321", **values}
            return (await commands.create(office.tenant, SYSTEM, "lead", given)).id

        company = await commands.create(office.tenant, SYSTEM, "company", {"name": "Secret Company"})
        ours = await lead(first_name="Ana", last_name="Bel", city="Lyon", email="lyon@exemple.fr", company=company.id)
        read = await lead(first_name="Zoé", last_name="Cor", city="Nice", email="nice@exemple.fr", company=company.id)
        foreign = await lead(first_name="Noor", last_name="Verhaegen", city="Bruxelles", country="BE")
        yield Strict(office, ours, read, foreign)


def addresses(routes: Sequence[BaseRoute], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Return every method and path that piccolo-admin and we have mounted."""
    for route in routes:
        if isinstance(route, Route):
            for method in sorted(set(route.methods or {"GET"}) - {"HEAD"}):
                yield method, prefix + route.path
        elif isinstance(route, Mount) and not isinstance(route.app, StaticFiles):
            app: Any = route.app
            while not hasattr(app, "routes"):
                app = app.app
            yield from addresses(app.routes, prefix + route.path)


def questions(strict: Strict) -> Iterator[str]:
    """Return what to ask of a list: filters, orders, columns and searches that could tell of what is hidden."""
    yield from ("", "?__readable=true", "?__page_size=100&__page=1", "?__order=phone", "?__order=-income_goal")
    yield from ("?search=Verhaegen", "?search=639980007", f"?owner={strict.office.members[CAMILLE]}&__readable=true")
    yield "?__visible_fields=first_name,last_name,company,email&__readable=true"


async def test_no_address_of_the_back_office_tells_what_the_leaders_level_hides(strict: Strict) -> None:
    office = strict.office
    published, engine = office.tenant.published, office.tenant.store.engine
    router: FastAPI = build(published.network, "en", engine, "/n/small/")
    asked, tables = 0, set()
    async with desk(office) as at:
        for method, path in addresses(router.router.routes):
            if method != "GET":
                continue
            tables.add(path.split("/")[3] if path.startswith("/api/tables/") else path)
            for filled in _filled(path, (strict.ours, strict.read, strict.foreign)):
                for question in questions(strict) if path.endswith(("/Lead/", "/Member/", "/ids/")) else ("",):
                    answer = await at.send("GET", f"back-office{quote(filled)}{question}")
                    asked += 1
                    assert answer.status_code < 500, (filled, question)
                    told = f"{answer.text}{headers_of(answer)}"
                    found = [secret for secret in SECRETS if secret in told]
                    assert found == [], (filled, question, found)
    assert asked > 100
    assert {"Lead", "Company", "Member", "/", "/public/meta/"} <= tables


def _filled(path: str, records: Sequence[str]) -> list[str]:
    path = path.replace("{form_slug:str}", "x").replace("{language_code:str}", "en")
    filled = [path.replace("{row_id}", each).replace("{row_id:str}", each) for each in records]
    assert not any("{" in each for each in filled), path
    return list(dict.fromkeys(filled))


async def test_hidden_fields_are_no_columns_and_a_hidden_table_is_none(strict: Strict) -> None:
    async with desk(strict.office) as at:
        schema = (await at.send("GET", "back-office/api/tables/Lead/schema/")).json()
        assert not set(BLIND) & schema["properties"].keys()
        assert not any(name in json.dumps(schema) for name in BLIND)
        assert "foreign_key" not in schema["properties"]["company"]["extra"]
        assert (schema["extra"]["exports"], schema["extra"]["deletes"]) == (False, False)
        (row,) = (await at.send("GET", "back-office/api/tables/Lead/?city=Lyon")).json()["rows"]
        assert not set(BLIND) & row.keys()
        listed = (await at.send("GET", "back-office/api/tables/")).json()
        grouped = (await at.send("GET", "back-office/api/tables/grouped/")).json()
        assert "Company" not in listed
        assert "Company" not in json.dumps(grouped)
        for path in ("", "schema/", "count/", "new/", "x/"):
            assert (await at.send("GET", f"back-office/api/tables/Company/{path}")).status_code == 404
        assert (await at.send("GET", "back-office/api/tables/Company/ids/?search=Secret")).json() == {}
        assert (await at.send("GET", "back-office/api/tables/Company/references/")).status_code == 200


@pytest.mark.parametrize(
    "question", ["{}=1", "{}__operator=is_null", "{}__match=contains", "{}[]=1", "__visible_fields={}"]
)
async def test_a_filter_by_a_hidden_field_is_one_by_a_field_that_is_none(strict: Strict, question: str) -> None:
    answers = []
    async with desk(strict.office) as at:
        for name in ("phone", "phony"):
            answer = await at.send("GET", f"back-office/api/tables/Lead/?{question.format(name)}")
            answers.append((answer.status_code, answer.text.replace(name, "…")))
    assert answers[0] == answers[1]
    assert answers[0][0] == 422


async def test_a_field_that_is_hidden_in_some_records_is_empty_there_and_finds_none_of_them(strict: Strict) -> None:
    async with desk(strict.office) as at:
        rows = (await at.send("GET", "back-office/api/tables/Lead/?__order=first_name")).json()["rows"]
        assert [(row["first_name"], row["email"]) for row in rows] == [("Ana", "lyon@exemple.fr"), ("Zoé", None)]
        found = await at.send("GET", "back-office/api/tables/Lead/?email=exemple&email__match=contains")
        assert [row["first_name"] for row in found.json()["rows"]] == ["Ana"]
        assert (await at.send("GET", "back-office/api/tables/Lead/count/?email=nice&email__match=contains")).json()[
            "count"
        ] == 0


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
async def test_a_hidden_record_is_one_that_does_not_exist(strict: Strict, method: str) -> None:
    answers = []
    async with desk(strict.office) as at:
        for record in (strict.foreign, "00000000-0000-7000-8000-999999999999"):
            answer = await at.send(method, f"back-office/api/tables/Lead/{record}/", {"city": "Lyon"})
            answers.append((answer.status_code, answer.text, sorted(answer.headers)))
    assert answers[0] == answers[1]
    assert answers[0][0] == 404


@pytest.mark.parametrize(
    ("name", "value"), [("phone", "+33639980099"), ("phone", "+33639980007"), ("income_goal", "1"), ("email", "a@b.fr")]
)
async def test_what_the_level_hides_is_not_written_either(strict: Strict, name: str, value: str) -> None:
    async with desk(strict.office) as at:
        record = strict.read if name == "email" else strict.ours
        answer = await at.send("PATCH", f"back-office/api/tables/Lead/{record}/", {name: value})
        assert answer.status_code in {403, 422}
        answer = await at.send(
            "POST", "back-office/api/tables/Lead/", {"first_name": "A", "last_name": "B", name: value}
        )
        if name != "email":
            assert answer.status_code == 422
            assert "There is no such field." in answer.text
    for record in (strict.ours, strict.read):
        kept = await _kept(strict.office, record)
        assert (kept["phone"], str(kept["income_goal"])) == ("+33639980007", "4321.00")


async def test_hidden_values_stay_when_a_form_that_never_had_them_is_saved(strict: Strict) -> None:
    async with desk(strict.office) as at:
        form = await at.form(strict.ours)
        answer = await at.send("PATCH", f"back-office/api/tables/Lead/{strict.ours}/", {**form, "last_name": "Bell"})
        assert answer.status_code == 200, answer.text
    kept = await _kept(strict.office, strict.ours)
    assert (kept["last_name"], kept["phone"], kept["email"]) == ("Bell", "+33639980007", "lyon@exemple.fr")


async def test_a_record_that_may_only_be_read_is_refused_in_words(strict: Strict) -> None:
    async with desk(strict.office) as at:
        for method, body, said in (
            ("PATCH", {"last_name": "X"}, "may not"),
            ("DELETE", None, "None of your access levels lets you delete records of this kind."),
        ):
            answer = await at.send(method, f"back-office/api/tables/Lead/{strict.read}/", body)
            assert answer.status_code in {403, 422}
            assert said in answer.text
        assert (await at.form(strict.read))["last_name"] == "Cor"


async def test_without_the_function_nothing_is_exported(strict: Strict) -> None:
    async with desk(strict.office) as at:
        for question in ("?__page_size=1000&__readable=true", "?__page_size=101"):
            answer = await at.send("GET", f"back-office/api/tables/Lead/{question}")
            assert (answer.status_code, answer.text) == (403, "Your access level may not export.")


async def _kept(office: Office, record: str) -> dict[str, Any]:
    change = await commands.update(office.tenant, SYSTEM, "lead", record, None, {})
    return dict(change.after.full)


async def test_the_leader_that_no_pack_declares_sees_it_all(office: Office) -> None:
    async with desk(office, LEADER) as at:
        assert isinstance(at, Desk)
        schema = (await at.send("GET", "back-office/api/tables/Lead/schema/")).json()
        assert set(BLIND) <= schema["properties"].keys()
        assert schema["extra"]["exports"] is True
        assert schema["properties"]["company"]["extra"]["foreign_key"]["to"] == "Company"
