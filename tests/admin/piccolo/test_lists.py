"""Lists of the back office: filtered by every type of field, readable, and through doors that are ours alone."""

from __future__ import annotations

import pytest
from fastapi import FastAPI

from admin.piccolo.descriptors import titles
from admin.piccolo.mount import build
from definitions.pack import load
from tests.admin.office import DIANE, FILES, LEADER, Office
from tests.admin.piccolo.test_back_office import LEADS, lead
from tests.admin.piccolo.test_sight import addresses
from tests.admin.piccolo.test_writing import desk
from tests.networks import changed

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("question", "found"),
    [
        ("source=site&source__operator=e", ["Ana"]),
        ("source=site&source__operator=ne", ["Bob", "Cléo"]),
        ("source[]=site&source[]=direct", ["Ana", "Bob"]),
        ("source__operator=is_null", ["Cléo"]),
        ("source=null", ["Cléo"]),
        ("recruiting=new", ["Ana", "Bob", "Cléo"]),
        ("recruiting=lost", []),
        ("interests[]=home", ["Ana"]),
        ("interests__operator=not_null", ["Ana", "Bob"]),
        ("birth_date=1990-05-01&birth_date__operator=gte", ["Ana", "Bob"]),
        ("birth_date=1990-05-01&birth_date__operator=gt", ["Bob"]),
        ("birth_date=1990-05-01", ["Ana"]),
        ("next_call_at=2026-11-23T09:00:00.000Z&next_call_at__operator=gt", ["Bob"]),
        ("next_call_at=2026-11-23", ["Ana", "Bob"]),
        ("newsletter=true", ["Bob"]),
        ("newsletter=false", ["Ana", "Cléo"]),
        ("calls=2&calls__operator=lte", ["Ana", "Cléo"]),
        ("income_goal=1250.50", ["Ana"]),
        ("rating=1.5&rating__operator=lt", ["Ana"]),
        ("owner={diane}", ["Cléo"]),
        ("created_by__operator=is_null", ["Ana", "Bob", "Cléo"]),
        ("first_name=CLEO&first_name__match=contains", ["Cléo"]),
        ("first_name=Cl&first_name__match=exact", []),
        ("country=BE", ["Bob"]),
        ("city=%25&city__match=contains", []),
        ("city=&city__match=contains", ["Ana", "Bob", "Cléo"]),
    ],
)
async def test_filters_find_what_they_say(office: Office, question: str, found: list[str]) -> None:
    await lead(
        office, first_name="Ana", source="site", interests=["home"], birth_date="1990-05-01", calls=1, rating="1.25",
        income_goal="1250.5", next_call_at="2026-11-23T10:00:00+01:00", city="Lyon",
    )  # fmt: skip
    await lead(
        office, first_name="Bob", source="direct", interests=["beauty"], birth_date="1991-05-01", calls=3, rating="2",
        newsletter=True, next_call_at="2026-11-23T11:00:00+01:00", country="BE",
    )  # fmt: skip
    await lead(office, first_name="Cléo", owner=office.members[DIANE])
    question = question.format(diane=office.members[DIANE])
    async with desk(office) as at:
        answer = await at.send("GET", f"{LEADS}?{question}&__order=first_name")
        assert answer.status_code == 200, answer.text
        assert [row["first_name"] for row in answer.json()["rows"]] == found
        assert (await at.send("GET", f"{LEADS}count/?{question}")).json()["count"] == len(found)


@pytest.mark.parametrize(
    ("question", "says"),
    [
        ("birth_date=yesterday", "Birth date: This is not a date."),
        ("calls=many", "Calls: This is not a whole number."),
        ("source=none", "Source: This is not one of the options."),
        ("first_name=A&first_name__match=starts", "First name: This field cannot be filtered in this way."),
        ("first_name=A&first_name__operator=like", "First name: This field cannot be filtered in this way."),
        ("1=1", "1: There is no such field."),
        ("first_name' OR 1=1 --=x", "first_name' OR 1: There is no such field."),
        ("owner.email=x", "owner.email: There is no such field."),
        ("__visible_fields=owner.email", "owner.email: There is no such field."),
    ],
)
async def test_a_question_that_is_none_is_refused_in_words(office: Office, question: str, says: str) -> None:
    async with desk(office) as at:
        answer = await at.send("GET", f"{LEADS}?{question}")
        assert (answer.status_code, answer.text) == (422, says)


async def test_a_list_reads_in_french_as_people_write_it(office: Office) -> None:
    await lead(
        office, income_goal="1250.50", birth_date="1990-05-01", interests=["home"], newsletter=True, calls=1200,
        source="site", pause="3 working days", phone=None,
    )  # fmt: skip
    async with desk(office, language="fr") as at:
        schema = (await at.send("GET", "back-office/api/tables/Prospect/schema/")).json()
        (row,) = (await at.send("GET", "back-office/api/tables/Prospect/?__readable=true")).json()["rows"]
    written = {
        name: row[name].replace("\u202f", " ").replace("\xa0", " ")
        for name in ("income_goal", "birth_date", "calls", "pause")
    }
    assert written == {
        "income_goal": "1 250,50 €", "birth_date": "1er mai 1990", "calls": "1200", "pause": "3 jours ouvrés",
    }  # fmt: skip
    assert (row["interests"], row["newsletter"], row["company"], row["phone"]) == (["home"], True, None, "")
    choices = schema["properties"]
    assert choices["recruiting"]["extra"]["choices"]["lost"]["display_name"] == "Perdu"
    assert choices["source"]["extra"]["choices"]["site"]["display_name"] == "Site"
    assert [each["display_name"] for each in choices["interests"]["extra"]["choices"].values()] == ["Maison", "Beauté"]
    assert choices["country"]["extra"]["choices"]["BE"]["display_name"] == "Belgique"
    assert choices["created_at"]["title"] == "Créé le"
    written_there = {name for name, column in choices.items() if column["extra"]["written"]}
    assert not written_there & {"recruiting", "hot", "created_at", "updated_at", "created_by", "version", "id"}
    assert {"first_name", "owner", "interests"} <= written_there


async def test_a_picker_goes_on_where_it_ended(office: Office) -> None:
    for name in ("Ana", "Bob", "Cléo"):
        await lead(office, first_name=name)
    async with desk(office) as at:
        pages = [(await at.send("GET", f"{LEADS}ids/?limit=2&offset={offset}")).json() for offset in (0, 2)]
    assert sorted(title for page in pages for title in page.values()) == [
        "Ana Marchand", "Bob Marchand", "Cléo Marchand",
    ]  # fmt: skip


async def test_its_cookie_is_for_its_own_pages(office: Office) -> None:
    async with office.signed_in(LEADER) as visitor:
        set_there = (await visitor.get("back-office/")).headers.get_list("set-cookie")
        token = next(each for each in set_there if each.startswith("csrftoken="))
        assert "; Path=/n/small/back-office/;" in token
        assert "SameSite=Lax" in token
        assert all("Path=/;" not in each and not each.endswith("Path=/") for each in set_there)


TABLE = {
    ("GET", ""), ("POST", ""), ("GET", "schema/"), ("GET", "ids/"), ("GET", "count/"), ("GET", "references/"),
    ("GET", "new/"), ("GET", "{row_id}/"), ("PUT", "{row_id}/"), ("PATCH", "{row_id}/"), ("DELETE", "{row_id}/"),
}  # fmt: skip
ROUND = {
    ("GET", "/"), ("GET", "/openapi.json"), ("GET", "/api/openapi.json"), ("GET", "/public/openapi.json"),
    ("GET", "/api/tables/"), ("GET", "/api/tables/grouped/"), ("GET", "/api/links/"), ("GET", "/api/user/"),
    ("GET", "/api/forms/"), ("GET", "/api/forms/grouped/"), ("GET", "/api/forms/{form_slug}/"),
    ("GET", "/api/forms/{form_slug}/schema/"), ("POST", "/api/forms/{form_slug}/"), ("GET", "/public/meta/"),
    ("GET", "/public/translations/"), ("GET", "/public/translations/{language_code}/"), ("POST", "/public/logout/"),
}  # fmt: skip
"""Every address that there is: none of piccolo-admin's sign-in (whose limiter forgets), passwords, files or pages."""


async def test_it_has_no_addresses_but_those_we_know(office: Office) -> None:
    network, engine = office.tenant.published.network, office.tenant.store.engine
    router: FastAPI = build(network, "en", engine, "/n/small/")
    found = {(method, path.replace(":str}", "}")) for method, path in addresses(router.router.routes)}
    of_tables = {each for each in found if each[1].startswith("/api/tables/") and each not in ROUND}
    for name in ("Company", "Lead", "Member"):
        address = f"/api/tables/{name}/"
        assert {(way, path.removeprefix(address)) for way, path in of_tables if path.startswith(address)} == TABLE
    assert found - of_tables == ROUND


def test_two_entities_of_one_name_are_two_tables() -> None:
    twin = (
        'entity: firm\nlabel: {fr: Société / A, en: Company}\nfields: {name: {type: text}}\ntitle: "{{ record.name }}"'
    )
    network = load(changed(FILES, firm=twin)).network
    assert network is not None
    assert titles(network, "en")["firm"] == "Company (firm)"
    assert titles(network, "en")["company"] == "Company (company)"
    assert titles(network, "fr") == {**titles(network, "fr"), "firm": "Société A", "company": "Société"}
