"""The main screens have no serious accessibility problem that axe finds, by day and by night, wide and narrow."""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped] # it has no types
from playwright.sync_api import expect

from tests.browser.house import House, SignIn

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PAGES = (
    "", "tasks", "account", "account/security", "outbox", "tree", "menu", "e/news/", "e/lead/",
    "e/lead/board/recruiting", "e/lead/new",
)  # fmt: skip
GRAVE = frozenset({"serious", "critical"})


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (390, "dark")])
def test_axe_finds_nothing_serious(house: House, sign_in: SignIn, width: int, scheme: str) -> None:
    lead = house.lead("Camille")
    page = sign_in("Camille", width=width, scheme=scheme)
    found: list[str] = []
    for path in (*PAGES, f"e/lead/{lead}", f"e/lead/{lead}/edit"):
        page.goto(house.url + path)
        answer: dict[str, Any] = Axe().run(page).response
        assert answer["passes"], path
        found += [
            f"{path}: {each['id']} {node['target']}"
            for each in answer["violations"]
            if each["impact"] in GRAVE
            for node in each["nodes"]
        ]
    assert found == []


@pytest.mark.parametrize(("width", "scheme"), [(1440, "dark"), (390, "light")])
def test_axe_finds_words_of_the_back_office_easy_to_read(
    house: House, sign_in: SignIn, width: int, scheme: str
) -> None:
    lead = house.lead("Camille")
    page = sign_in("Hélène", width=width, scheme=scheme)
    found: list[str] = []
    for path in ("Prospect/", f"Prospect/{lead}/"):
        page.goto(f"{house.url}back-office/#/{path}")
        expect(page.get_by_role("heading", name="Prospect").first).to_be_visible()
        answer = Axe().run(page, options={"runOnly": ["color-contrast"]}).response
        assert answer["passes"], path
        found += [f"{path}: {node['target']}" for each in answer["violations"] for node in each["nodes"]]
    assert found == []
