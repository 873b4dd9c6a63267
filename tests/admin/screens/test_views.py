"""Saved views: a list's search, filters, order and columns under a name; they widen nobody's access."""

from __future__ import annotations

import re

import pytest

from models.clock import SetClock
from tests.admin.office import ALICE, CAMILLE, DIANE, FILES, LEADER, Office, Visitor, office_of
from tests.admin.screens.leads import lead, link, text_of, titles
from tests.homes import Homes
from tests.networks import edited

pytestmark = pytest.mark.anyio

LIST = "e/lead/"
LYON = "f.city=lyon&sort=first_name&c=email&q=roy"


async def save(visitor: Visitor, name: str, query: str = LYON, **form: str) -> str:
    """Save a view and return the address that it leads to."""
    answer = await visitor.post("e/lead/views", {"name": name, "query": query, **form}, on="account")
    assert answer.status_code == 303, text_of(answer.text)
    return answer.headers["location"]


def tabs(page: str) -> list[str]:
    found = re.search(r'<nav class="tabs".*?</nav>', page, re.DOTALL)
    return re.findall(r'class="saved"[^>]*>.*?</svg>([^<]*)</a>', found[0], re.DOTALL) if found else []


def view_of(address: str) -> str:
    return address.rpartition("saved=")[2]


async def test_a_view_keeps_what_the_list_shows(office: Office) -> None:
    for first, city in (("Zoe", "Lyon"), ("Ana", "Lyon"), ("Bea", "Nice")):
        await lead(office, CAMILLE, first, "Roy", city=city, email=f"{first.lower()}@exemple.fr")
    async with office.signed_in(CAMILLE) as camille:
        place = await save(camille, "  My   Lyon ", f"{LYON}&after=x&other=1")
        page = await camille.get(place)
        assert titles(page.text) == ["Ana Roy", "Zoe Roy"]
        assert "Email" in text_of(page.text)
        assert "ana@exemple.fr" in page.text
        assert tabs((await camille.get(LIST)).text) == ["My Lyon"]
        assert link((await camille.get(LIST)).text, "My Lyon") == place
        assert "other" not in place
        assert "after" not in place


async def test_a_view_is_its_members_alone(office: Office) -> None:
    async with (
        office.signed_in(CAMILLE) as camille,
        office.signed_in(DIANE) as diane,
        office.signed_in(LEADER) as claire,
    ):
        view = view_of(await save(camille, "Mine"))
        for other in (diane, claire):
            assert tabs((await other.get(LIST)).text) == []
            for path in (f"{view}/first", f"{view}/delete"):
                assert (await other.post(f"e/lead/views/{path}", {"first": "1"}, on="account")).status_code == 404
            answer = await other.post("e/lead/views", {"name": "x", "view": view}, on="account")
            assert answer.status_code == 404
        assert tabs((await camille.get(LIST)).text) == ["Mine"]


async def test_a_view_is_renamed_changed_copied_and_deleted(office: Office) -> None:
    async with office.signed_in(CAMILLE) as camille:
        view = view_of(await save(camille, "Lyon"))
        assert await save(camille, "Nice", "f.city=nice", view=view) == f"/n/small/e/lead/?f.city=nice&saved={view}"
        assert tabs((await camille.get(LIST)).text) == ["Nice"]
        await save(camille, "Copy", "f.city=nice", view=view, another="1")
        assert tabs((await camille.get(LIST)).text) == ["Nice", "Copy"]
        await camille.post(f"e/lead/views/{view}/delete", on="account")
        assert tabs((await camille.get(LIST)).text) == ["Copy"]


async def test_the_list_opens_with_the_view_that_is_chosen(office: Office) -> None:
    async with office.signed_in(CAMILLE) as camille, office.signed_in(DIANE) as diane:
        place = await save(camille, "Lyon", first="1")
        assert (await camille.get(LIST)).headers["location"] == place
        everything = link((await camille.get(place)).text, "All 0")
        assert everything == "/n/small/e/lead/?view=-"
        assert (await camille.get(everything)).status_code == 200
        assert (await camille.get(LIST, hx_request="true")).status_code == 200
        assert (await diane.get(LIST)).status_code == 200
        await save(camille, "Lyon", view=view_of(place))
        assert (await camille.get(LIST)).status_code == 200


async def test_who_runs_the_network_shares_views_with_levels(office: Office) -> None:
    await lead(office, CAMILLE, "Ana", "Roy", city="Lyon")
    await lead(office, DIANE, "Zoe", "Roy", city="Lyon")
    async with (
        office.signed_in(LEADER) as claire,
        office.signed_in(CAMILLE) as camille,
        office.signed_in(ALICE) as alice,
    ):
        form = {"name": "x", "query": LYON, "levels": "assistant"}
        assert (await camille.post("e/lead/views", form, on="account")).status_code == 403
        assert (await claire.post("e/lead/views", {**form, "levels": "king"}, on="account")).status_code == 422
        place = await save(claire, "Everyone", levels="distributor")
        assert tabs((await camille.get(LIST)).text) == ["Everyone"]
        assert tabs((await alice.get(LIST)).text) == []
        assert titles((await claire.get(place)).text) == ["Ana Roy", "Zoe Roy"]
        assert titles((await camille.get(place)).text) == ["Ana Roy"]
        first = await camille.post(f"e/lead/views/{view_of(place)}/first", {"first": "1"}, on="account")
        assert first.status_code == 303
        assert (await camille.get(LIST)).headers["location"] == place
        changed = {"name": "Mine now", "view": view_of(place)}
        assert (await camille.post("e/lead/views", changed, on="account")).status_code == 404
        await claire.post(f"e/lead/views/{view_of(place)}/delete", on="account")
        assert (await camille.get(LIST)).status_code == 200


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"name": " "}, 422),
        ({"name": "x" * 81}, 422),
        ({"name": "x", "query": f"q={'x' * 4100}"}, 422),
    ],
)
async def test_what_cannot_be_kept_is_refused(office: Office, form: dict[str, str], status: int) -> None:
    async with office.signed_in(CAMILLE) as camille:
        assert (await camille.post("e/lead/views", form, on="account")).status_code == status
        assert tabs((await camille.get(LIST)).text) == []


async def test_what_a_publication_took_away_is_left_out_with_a_note(homes: Homes, clock: SetClock) -> None:
    async with office_of(homes, clock) as office, office.signed_in(CAMILLE) as camille:
        await lead(office, CAMILLE, "Ana", "Roy", city="Lyon")
        place = await save(camille, "Ratings", "f.rating.from=3&c=rating&c=city&sort=-rating&view=lyon&f.city=lyon")
        files = edited(
            FILES,
            ("  rating:       {type: decimal, scale: 4}\n", ""),
            ('views:\n  lyon: {label: {fr: À Lyon, en: In Lyon}, where: record.city == "Lyon"}\n', ""),
            ("screen: leads, view: lyon", "screen: leads"),
        )
        await office.tenant.publish(files, allow_loss=True)
        page = await camille.get(place)
        assert titles(page.text) == ["Ana Roy"]
        said = "This view asks for what is not there any more: rating, lyon. It is left out."
        assert said in text_of(page.text)


async def test_a_shared_view_names_no_field_that_its_reader_does_not_know(office: Office) -> None:
    await lead(office, CAMILLE, "Ana", "Roy", country="FR", phone="0639980001")
    async with office.signed_in(LEADER) as claire, office.signed_in(ALICE) as alice:
        place = await save(claire, "By phone", "f.phone=39980001&sort=-phone&c=phone", levels="assistant")
        page = await alice.get(place)
        assert titles(page.text) == ["Ana Roy"]
        words = text_of(page.text)
        assert "A part of this view is not there any more, or not for you; it is left out." in words
        assert "Phone" not in words
        assert "39980001" not in words


async def test_columns_are_chosen(office: Office) -> None:
    await lead(office, CAMILLE, "Ana", "Roy", city="Lyon", email="ana@exemple.fr")
    async with office.signed_in(CAMILLE) as camille:
        page = await camille.get("e/lead/?c=email&c=nothing&c=income_goal")
        heads = re.findall(r'<th scope="col".*?</th>', page.text, re.DOTALL)
        assert [text_of(head) for head in heads] == ["Lead", "Email", "Income goal"]
        assert "ana@exemple.fr" in page.text
        assert "c=email" in link(page.text, "Email")
