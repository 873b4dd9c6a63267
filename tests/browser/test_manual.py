"""The manual of a network is read in the product and as a file: easy to read, wide and narrow, by day and by night."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped] # it has no types
from playwright.sync_api import Browser, Page

from admin.cli.main import main
from tests.browser.house import House, SignIn

pytestmark = [pytest.mark.browser, pytest.mark.slow]

LOOKS = [(1440, "light"), (390, "dark")]
GRAVE = frozenset({"serious", "critical"})


def grave(page: Page) -> list[str]:
    answer: dict[str, Any] = Axe().run(page).response
    assert answer["passes"]
    return [
        f"{each['id']} {node['target']}"
        for each in answer["violations"]
        if each["impact"] in GRAVE
        for node in each["nodes"]
    ]


def fits(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_leaders_read_it_in_the_product(house: House, sign_in: SignIn, width: int, scheme: str) -> None:
    page = sign_in("Hélène", width=width, scheme=scheme)
    page.goto(f"{house.url}definitions/manual")
    assert fits(page)
    shown = page.locator("#process-customer svg").evaluate_all("all => all.filter(one => one.checkVisibility()).length")
    assert shown == 1, "across or down"
    assert grave(page) == []


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_everybody_reads_it_as_a_file(browser: Browser, tmp_path: Path, width: int, scheme: Any) -> None:
    assert main(["docs", "suivi", "--out", str(tmp_path)]) == 0
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    page.goto((tmp_path / "index.html").as_uri())
    assert fits(page)
    assert grave(page) == []
    page.get_by_role("link", name="Recrutement").first.click()
    assert page.locator("#process-recruiting h3").is_visible()
    context.close()
