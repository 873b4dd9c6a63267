"""Pages of who runs the network, and of the account, as they behave in a browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.house import House, SignIn

pytestmark = pytest.mark.browser


def test_the_question_follows_the_kind_of_record(house: House, sign_in: SignIn) -> None:
    page = sign_in("Hélène")
    page.goto(f"{house.url}reasons?entity=lead")
    asks = page.locator("#f-ask")
    before = asks.inner_text()
    page.locator("#f-entity").select_option("member")
    expect(asks).not_to_have_text(before)
    expect(page.locator("#f-entity")).to_have_value("member")
    expect(page).to_have_url(f"{house.url}reasons?member=&entity=member")
    expect(page.locator(".picker")).to_have_count(2)


def test_the_audit_is_narrowed_to_somebody_by_name(house: House, sign_in: SignIn) -> None:
    page = sign_in("Hélène")
    page.goto(f"{house.url}audit")
    page.get_by_role("combobox", name="Qui", exact=True).fill("Cami")
    page.get_by_role("option", name="Camille Roux").click()
    page.get_by_role("button", name="Afficher").click()
    expect(page.locator("select[name=member]")).to_have_value(house.members["Camille"])
    expect(page.get_by_text("Rien trouvé")).to_be_visible()


def test_the_ways_of_the_account_are_a_list_on_a_phone(house: House, sign_in: SignIn) -> None:
    page = sign_in("Camille", width=390, height=844)
    page.goto(f"{house.url}account")
    boxes = [box for each in page.locator(".ways .btn").all() if (box := each.bounding_box()) is not None]
    assert len(boxes) > 3
    assert len({box["x"] for box in boxes}) == 1, "one below the other"
    assert all(box["width"] > 300 and box["height"] >= 44 for box in boxes)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
