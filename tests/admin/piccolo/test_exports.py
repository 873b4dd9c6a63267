"""What piccolo-admin makes sheets of: everything that the reader may see, as people read it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import QueryParams

from admin.piccolo.asked import EXPORTED, asked
from admin.piccolo.rows import harmless
from models.actor import SYSTEM
from models.query import LIMIT
from models.records import Records
from models.tx import Tx
from tests.admin.office import CAMILLE, Office
from tests.admin.piccolo.test_back_office import LEADS, lead
from tests.admin.piccolo.test_writing import desk

pytestmark = pytest.mark.anyio
EXPORT = f"__page_size={EXPORTED}&__readable=true"


async def test_a_sheet_has_the_labels_and_values_that_people_read(office: Office) -> None:
    company = {"name": "Ménage & Cie"}
    async with desk(office) as at:
        made = (await at.send("POST", "back-office/api/tables/Company/", company)).json()
        await lead(
            office, company=made["id"], source="site", interests=["home", "beauty"], newsletter=True, calls=3,
            income_goal="1250.50", birth_date="1990-05-01", next_call_at="2026-11-23T10:00:00+01:00", phone=None,
        )  # fmt: skip
        (row,) = (await at.send("GET", f"{LEADS}?{EXPORT}")).json()["rows"]
    shown = {
        "First name": "Élodie", "Recruiting": "New", "Source": "Web site", "Interests": "Home, Beauty",
        "Newsletter": "Yes", "Company": "Ménage & Cie", "Owner": "Camille Roux", "Country": "France",
        "Income goal": "€1,250.50", "Birth date": "1 May 1990", "Phone": "", "Hot": "Yes", "Calls": "3",
    }  # fmt: skip
    assert {name: row[name] for name in shown} == shown
    assert all(isinstance(text, str) for text in row.values())


async def test_a_sheet_has_the_columns_and_records_that_were_asked_for(office: Office) -> None:
    for name, city in (("Ana", "Lyon"), ("Bob", "Nice")):
        await lead(office, first_name=name, city=city)
    async with desk(office) as at:
        answer = await at.send("GET", f"{LEADS}?{EXPORT}&city=Nice&__visible_fields=first_name,city")
        assert answer.json()["rows"] == [{"First name": "Bob", "City": "Nice"}]


async def test_a_page_of_a_sheet_holds_more_than_one_read_does(office: Office) -> None:
    count = LIMIT + 2

    async def work(tx: Tx) -> None:
        tenant = office.tenant
        records = Records(tenant.published, tx, SYSTEM, tenant.context(), new_id=tenant.new_id)
        for number in range(count):
            owner = office.members[CAMILLE]
            await records.create("lead", {"first_name": f"A{number:04}", "last_name": "B", "owner": owner})

    await office.tenant.store.write(work)
    async with desk(office) as at:
        answer = await at.send("GET", f"{LEADS}?{EXPORT}&__page=1&__order=first_name&__visible_fields=first_name")
        assert [row["First name"] for row in answer.json()["rows"]] == [f"A{number:04}" for number in range(count)]
        assert (await at.send("GET", f"{LEADS}?{EXPORT}&__page=2")).json()["rows"] == []


@given(size=st.integers(1, 2 * EXPORTED), page=st.integers(1, 5))
def test_pages_follow_one_another_without_a_gap(size: int, page: int) -> None:
    params = {"__page_size": str(size), "__page": str(page)}
    read = [
        place
        for part in asked(QueryParams(params), (), 50).parts()
        for place in range(part.offset, part.offset + part.limit)
    ]
    size = min(size, EXPORTED)
    assert read == list(range((page - 1) * size, page * size))


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("=1+1", "'=1+1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0"),
        ("-2+3", "'-2+3"),
        ("\t=1", "'\t=1"),
        ("+33 6 39 98 00 01", "+33 6 39 98 00 01"),
        ("-12.50", "-12.50"),
        ("Élodie = Zoé", "Élodie = Zoé"),
        ("", ""),
    ],
)
def test_no_text_of_a_sheet_is_a_formula(text: str, written: str) -> None:
    assert harmless(text) == written
