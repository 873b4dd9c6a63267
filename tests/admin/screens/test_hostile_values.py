"""Texts of records and of packs are texts on every page, whatever they hold: no tag and no attribute comes of them."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from admin import marks
from admin.parts.columns import Column, Option
from admin.parts.shown import Shown
from models.clock import SetClock
from tests.admin.office import CAMILLE, FILES, Office, office_of
from tests.admin.screens.leads import actor, fetch, lead
from tests.homes import Homes
from tests.networks import edited
from workflows import commands

pytestmark = pytest.mark.anyio

EVIL = "<evil></evil>\"' evil=1 x='<evil>"
"""Ends a tag, an attribute in either quotes, and a script, or tries."""
IN_PACK = "<evil>\"'' evil=1 x=''<evil>"
"""The same within single quotes of YAML."""
COLUMNS = """first_name, city, recruiting, source, interests, country, phone, company, calls, rating, newsletter,
  birth_date, pause, next_call_at, email, owner"""
EVILLY = f"label: {{fr: Mal, en: '{IN_PACK}'}}"
PACK = edited(
    FILES,
    ("{type: text, personal: contact}", f"{{type: text, personal: contact, {EVILLY}}}"),
    ("{fr: Site, en: Web site}", f"{{fr: Site, en: '{IN_PACK}'}}"),
    ("{fr: Maison, en: Home}", f"{{fr: Maison, en: '{IN_PACK}'}}"),
    ("new:       {label: {fr: Nouveau, en: New}", f"new: {{{EVILLY}"),
    ("calls:        {type: integer,", f"calls: {{type: integer, unit: {{fr: u, en: '{IN_PACK}'}},"),
    ("first_name, last_name, city, recruiting]", f"{COLUMNS}]"),
)


class Reader(HTMLParser):
    """Finds what a page has of tags and attributes that no template wrote."""

    def __init__(self, page: str) -> None:
        """Read the page to its end."""
        super().__init__()
        self.evil: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag or an attribute that comes from a text."""
        if tag == "evil" or any(name.startswith("evil") for name, _ in attrs):
            self.evil.append(f"{tag} {attrs}")


async def test_no_value_becomes_a_tag_or_an_attribute(homes: Homes, clock: SetClock) -> None:
    async with office_of(homes, clock, PACK) as office:
        found = await _pages(office)
    assert {path: Reader(page).evil for path, page in found.items() if Reader(page).evil} == {}
    assert all(page.count("&lt;evil&gt;") > 3 for page in found.values())


async def _pages(office: Office) -> dict[str, str]:
    company = await commands.create(office.tenant, await actor(office, CAMILLE), "company", {"name": EVIL})
    made = await lead(
        office, CAMILLE, EVIL, EVIL, city=EVIL, source="site", interests=["home"], company=company.id, calls=3,
        next_call_at=office.clock.now(), email="o'paul@exemple.fr", phone="06 12 34 56 78", rating="1.5",
    )  # fmt: skip
    await commands.note(office.tenant, await actor(office, CAMILLE), "lead", made.id, EVIL)
    await commands.add_task(office.tenant, await actor(office, CAMILLE), title=EVIL, about=("lead", made.id))
    paths = (
        "e/lead/",
        "e/lead/?sort=city&f.source=site&f.city=%3Cevil%3E",
        "e/lead/board/recruiting",
        f"e/lead/{made.id}",
    )
    async with office.signed_in(CAMILLE) as visitor:
        pages = {path: (await visitor.get(path)).text for path in (*paths, "", "tasks", f"e/lead/{made.id}/edit")}
        parts = {f"part {path}": (await fetch(visitor, path)).text for path in paths}
    return {**pages, **parts}


def test_no_option_of_a_long_list_becomes_a_tag_or_an_attribute() -> None:
    column = Column("source", "Source", "choice", options=(Option("a", EVIL), Option(EVIL, "b"), Option("c", "C")))
    for chosen in ((), ("a", "c"), (EVIL,)):
        page = str(marks.options(column, chosen))
        assert Reader(page).evil == []
        assert page.count(" selected>") == len(chosen)
        assert '<option value="c"' in page


def test_no_link_becomes_a_tag_or_an_attribute() -> None:
    page = str(marks.value(Shown(EVIL, "link", href=f"https://exemple.fr/{EVIL}")))
    assert Reader(page).evil == []
    assert page.count("<a ") == 1
