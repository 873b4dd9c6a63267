"""The definitions in a browser: what is wrong is shown while one types, on a desk and on a phone."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.house import House, SignIn
from workflows.publishing import files_of

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("width", [1280, 390])
def test_a_mistake_is_shown_beside_its_line_while_one_types(house: House, sign_in: SignIn, width: int) -> None:
    page = sign_in("Hélène", width=width, height=844)
    page.goto(f"{house.url}definitions/edit")
    file = page.locator(".file", has=page.locator('[name="file:companies.yaml"]'))
    file.locator("summary").click()
    text = file.locator("textarea")
    expect(file.locator(".gutter span").first).to_have_text("1\n")
    assert text.input_value() == house.do(files_of(house.tenant, 1))["companies.yaml"]
    text.fill(text.input_value().replace("unique: true", "unqiue: true", 1))
    problem = file.locator(".problems li")
    expect(problem).to_contain_text("unqiue")
    expect(page.locator("#found")).to_contain_text("1 erreur")
    line = problem.locator("button").get_attribute("data-line")
    expect(file.locator(".gutter b")).to_have_text(f"{line}\n")
    problem.locator("button").click()
    assert text.evaluate("area => area.value.slice(0, area.selectionStart).split('\\n').length") == int(line or 0)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    text.fill(text.input_value().replace("unqiue", "unique"))
    expect(problem).to_have_count(0)
    page.get_by_role("button", name="Prévoir").click()
    expect(page.get_by_text("Rien ne changerait")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_trial_is_shown_on_the_page_that_keeps_what_was_typed(house: House, sign_in: SignIn) -> None:
    page = sign_in("Hélène")
    page.goto(f"{house.url}definitions/edit")
    page.get_by_label("Ce qui change et pourquoi").fill("Un essai")
    for _ in range(2):  # and once more
        page.get_by_role("button", name="Essayer").click()
        expect(page.locator("#tried").get_by_role("heading", name="Ce qui se serait passé")).to_be_visible()
        expect(page.locator("#trial")).to_be_hidden()
    expect(page.get_by_label("Ce qui change et pourquoi")).to_have_value("Un essai")
