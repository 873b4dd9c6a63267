"""Lines of a record, written in a browser: rows added, sorted and taken away, with keys and on a phone."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.billing import FOR_OFFICE
from tests.browser.house import House, SignIn

pytestmark = pytest.mark.browser


def _row(page: Page, number: int, text: str, price: str) -> None:
    row = page.locator("[data-line]").nth(number)
    row.get_by_label("Texte").fill(text)
    row.get_by_label("Prix").fill(price)


def _texts(page: Page, count: int) -> list[str]:
    expect(page.locator("[data-line]")).to_have_count(count)
    return [each.input_value() for each in page.locator("[data-line]").get_by_label("Texte").all()]


@pytest.mark.parametrize("width", [1440, 390])
def test_lines_are_added_sorted_and_removed_in_their_record(house: House, sign_in: SignIn, width: int) -> None:
    house.do(house.tenant.publish(FOR_OFFICE, allow_loss=True))
    page = sign_in("Camille", width=width)
    page.goto(f"{house.url}e/invoice/new")
    expect(page.locator("[data-line]")).to_have_count(0)
    page.get_by_label("Client").fill("Rose")
    add = page.get_by_role("button", name="Ajouter")
    for number, (text, price) in enumerate((("Savon", "2,50"), ("Peigne", "5"), ("Vase", "9"))):
        add.first.click()
        expect(page.locator("[data-line]")).to_have_count(number + 1)
        _row(page, number, text, price)
    page.get_by_role("button", name="Monter").nth(2).press("Enter")
    page.locator("[data-line]").nth(0).get_by_role("button", name="Retirer").click()
    assert _texts(page, 2) == ["Vase", "Peigne"]
    page.locator(".formfoot").get_by_role("button").first.click()

    table = page.locator("#lines-lines")
    expect(table).to_contain_text("Vase")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    table.get_by_role("link", name="Modifier").first.click()
    editor = page.locator("#lines-lines [data-lines]")
    editor.get_by_role("button", name="Ajouter").click()
    _row(page, 2, "Bol", "x")
    page.locator("#lines-lines").get_by_role("button", name="Enregistrer").click()
    expect(page.locator("#lines-lines .error")).to_be_visible()
    assert _texts(page, 3) == ["Vase", "Peigne", "Bol"]
    page.locator("[data-line]").nth(2).get_by_label("Prix").fill("4")
    page.locator("#lines-lines").get_by_role("button", name="Enregistrer").click()
    expect(page.locator("#lines-lines tbody tr")).to_have_count(3)
    expect(page.locator("#prop-total")).to_contain_text("18")
