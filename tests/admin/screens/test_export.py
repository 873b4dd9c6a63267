"""Exports: what the list shows, as files that spreadsheets open, without a formula of anybody's."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import AsyncIterator

import pytest

from models.clock import SetClock
from tests.admin.office import ALICE, CAMILLE, DIANE, FILES, LEADER, Office, office_of
from tests.admin.screens.leads import lead
from tests.homes import Homes
from tests.networks import edited

pytestmark = pytest.mark.anyio

EXPORTING = edited(
    FILES,
    ("functions: [consult, communicate, analyse]", "functions: [consult, communicate, analyse, export]"),
    ("functions: [consult]", "functions: [consult, export]"),
)


@pytest.fixture
async def office(homes: Homes, clock: SetClock) -> AsyncIterator[Office]:
    """The small network, whose distributors and assistants may export."""
    async with office_of(homes, clock, EXPORTING) as opened:
        yield opened


def table(text: str) -> list[list[str]]:
    assert text.startswith("\ufeff")
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))


def sheet(content: bytes) -> str:
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        return packed.read("xl/worksheets/sheet1.xml").decode()


async def test_a_list_is_exported_as_it_is_shown(office: Office) -> None:
    await lead(office, CAMILLE, "Ana", "Roy", city="Lyon")
    await lead(office, CAMILLE, "Bea", "Diaz", city="Nice")
    await lead(office, DIANE, "Zoe", city="Lyon")
    async with office.signed_in(CAMILLE) as camille:
        whole = await camille.get("e/lead/export?format=csv&list=sort%3Dfirst_name")
        assert whole.headers["content-disposition"] == 'attachment; filename="lead-2026-03-02.csv"'
        assert table(whole.text) == [
            ["First name", "Last name", "City", "Recruiting"],
            ["Ana", "Roy", "Lyon", "New"],
            ["Bea", "Diaz", "Nice", "New"],
        ]
        some = await camille.get("e/lead/export?format=csv&list=f.city%3Dlyon%26c%3Dcity")
        assert table(some.text) == [["City"], ["Lyon"]]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)"])
async def test_no_text_of_a_file_is_a_formula(office: Office, text: str) -> None:
    made = await lead(office, CAMILLE, text, "Roy")
    async with office.signed_in(CAMILLE) as camille:
        found = table((await camille.get("e/lead/export?format=csv")).text)
        assert found[1][0] == f"'{text}"
        form = {"do": "export:xlsx", "id": made.id}
        book = await camille.post("e/lead/bulk", form, on="e/lead/")
        again = await camille.post("e/lead/bulk", {**form, "do": "export:csv"}, on="e/lead/")
    assert again.text.splitlines()[1].startswith(f"'{text}")
    assert "<f>" not in sheet(book.content)
    assert f">{text}<" in sheet(book.content)


async def test_a_workbook_has_numbers_and_days_as_such(office: Office) -> None:
    await lead(office, CAMILLE, "Ana", calls=4, birth_date="1990-05-04", rating="3.5")
    async with office.signed_in(CAMILLE) as camille:
        book = await camille.get("e/lead/export?all=1")
    assert book.headers["content-type"].endswith("spreadsheetml.sheet")
    cells = re.findall(r"<c [^>]*><v>([^<]+)</v></c>", sheet(book.content))
    assert {"4", "3.5000", "32997"} <= set(cells)


async def test_numbers_and_days_of_a_text_file_are_for_spreadsheets_of_its_reader(office: Office) -> None:
    await lead(office, CAMILLE, "Ana", rating="3.5", birth_date="1990-05-04", next_call_at="2026-03-05T10:00")
    async with office.signed_in(CAMILLE) as camille:
        await camille.post("account", {"language": "fr", "first_name": "C", "last_name": "R"}, on="account")
        found = await camille.get("e/lead/export?format=csv&list=c%3Drating%26c%3Dbirth_date%26c%3Dnext_call_at")
    assert found.text.splitlines()[1] == "3,5000;1990-05-04;2026-03-05 10:00"


async def test_an_export_holds_what_its_reader_may_see_and_no_more(office: Office) -> None:
    await lead(office, CAMILLE, "Ana", phone="0639980001", country="FR")
    await lead(office, CAMILLE, "Bea", phone="0639980002", country="BE")
    async with office.signed_in(ALICE) as alice, office.signed_in(LEADER) as claire:
        seen = (await alice.get("e/lead/export?format=csv&all=1")).text
        assert "Ana" in seen
        assert "Bea" not in seen
        assert "Phone" not in seen
        assert "39980001" not in seen.replace(" ", "")
        whole = table((await claire.get("e/lead/export?format=csv&all=1")).text)
        assert {"Ana", "Bea", "Phone"} <= {cell for row in whole for cell in row}


async def test_who_has_not_the_function_exports_nothing(homes: Homes, clock: SetClock) -> None:
    async with office_of(homes, clock) as office, office.signed_in(CAMILLE) as camille:
        made = await lead(office, CAMILLE, "Ana")
        assert "export" not in (await camille.get("e/lead/")).text
        assert (await camille.get("e/lead/export")).status_code == 403
        form = {"do": "export:csv", "id": made.id}
        assert (await camille.post("e/lead/bulk", form, on="e/lead/")).status_code == 403


async def test_long_lists_come_in_full(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("admin.parts.selection.LIMIT", 2)
    for number in range(5):
        await lead(office, CAMILLE, f"P{number}")
    async with office.signed_in(CAMILLE) as camille:
        found = table((await camille.get("e/lead/export?format=csv")).text)
    assert [row[0] for row in found[1:]] == ["P4", "P3", "P2", "P1", "P0"]
