"""What people do with many records, with views and with settings, seen in a browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.house import House, SignIn

pytestmark = pytest.mark.browser


def chosen(page: Page, *titles: str) -> None:
    for title in titles:
        page.get_by_label(f"Choisir {title}").check()


def test_chosen_leads_are_lost_together_and_the_page_says_so(house: House, sign_in: SignIn) -> None:
    for name in ("Ana", "Bea", "Cleo"):
        house.lead("Camille", first_name=name, email=f"{name.lower()}@exemple.fr")
    page = sign_in("Camille")
    page.goto(f"{house.url}e/lead/")
    bar = page.locator(".bulkbar")
    expect(bar).to_be_hidden()
    chosen(page, "Ana Marchand", "Cleo Marchand")
    expect(bar).to_contain_text("Choisies : 2")
    bar.get_by_role("button", name="Classer perdu").click()
    expect(page.get_by_role("heading", name="Classer perdu · 2 fiches")).to_be_visible()
    page.get_by_label("Motif de la perte").select_option(index=1)
    page.get_by_role("button", name="Classer perdu").click()
    expect(page.get_by_role("status").filter(has_text="Classer perdu · 2 fiches")).to_be_visible()
    expect(page.locator("tr", has_text="Ana Marchand")).to_contain_text("Perdu")
    expect(page.locator("tr", has_text="Bea Marchand")).to_contain_text("Nouveau")


def test_a_long_job_ends_before_the_eyes_of_who_waits(house: House, sign_in: SignIn) -> None:
    for number in range(260):
        house.lead("Camille", first_name=f"P{number}", email=f"p{number}@exemple.fr")
    page = sign_in("Camille")
    page.goto(f"{house.url}e/lead/")
    page.locator("[data-all]").check()
    page.get_by_label("Les 260 de cette liste").check()
    expect(page.locator("[data-chosen]")).to_have_text("Les 260 de cette liste")
    page.locator(".bulkbar").get_by_role("button", name="Classer perdu").click()
    page.get_by_label("Motif de la perte").select_option(index=1)
    page.get_by_role("button", name="Classer perdu").click()
    expect(page.locator("#job")).to_contain_text("260 sur 260")
    expect(page.locator("#job")).to_contain_text("260 fiches traitées.")
    page.get_by_role("link", name="Retour à la liste").click()
    page.get_by_role("link", name="Tous").click()
    expect(page.locator("tr", has_text="P259")).to_contain_text("Perdu")


def test_on_a_phone_a_view_is_saved_and_opens_the_list(house: House, sign_in: SignIn) -> None:
    house.lead("Camille", first_name="Ana", city="Lyon", email="a@exemple.fr")
    house.lead("Camille", first_name="Bea", city="Nice", email="b@exemple.fr")
    page = sign_in("Camille", width=390, height=844)
    page.goto(f"{house.url}e/lead/?f.city=lyon")
    page.locator("summary[title=Vue]").click()
    page.get_by_label("Nom de la vue").fill("Lyonnais")
    page.get_by_label("Ouvrir la liste avec elle").check()
    page.get_by_role("button", name="Enregistrer", exact=True).click()
    expect(page.get_by_role("link", name="Lyonnais")).to_have_attribute("aria-current", "page")
    page.goto(f"{house.url}e/lead/")
    expect(page.locator("table.list tbody tr")).to_have_count(1)
    chosen(page, "Ana Marchand")
    bar, tabs = page.locator(".bulkbar").bounding_box(), page.locator(".tabbar").bounding_box()
    assert bar is not None
    assert tabs is not None
    assert bar["y"] + bar["height"] <= tabs["y"]
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_an_export_is_a_file_and_the_page_stays_usable(house: House, sign_in: SignIn) -> None:
    house.lead("Camille")
    page = sign_in("Camille")
    page.goto(f"{house.url}e/lead/")
    chosen(page, "Élodie Marchand")
    button = page.locator(".bulkbar").get_by_role("button", name="Export Excel")
    for _ in range(2):
        with page.expect_download() as coming:
            button.click()
        assert coming.value.suggested_filename == "lead-2026-03-02.xlsx"
    page.get_by_text("Exporter", exact=True).click()
    with page.expect_download() as coming:
        page.get_by_role("link", name="CSV, ces colonnes").click()
    assert coming.value.suggested_filename == "lead-2026-03-02.csv"


def test_the_leader_changes_a_setting_and_goes_back(house: House, sign_in: SignIn) -> None:
    page = sign_in("Hélène", width=390, height=844, scheme="dark")
    page.goto(f"{house.url}settings")
    retention = page.get_by_label("Durée de conservation des prospects").first
    retention.fill("24")
    page.get_by_role("combobox", name="Durée de conservation des prospects").select_option("months")
    page.get_by_role("button", name="Enregistrer").click()
    expect(page.get_by_text("Au départ : 3 ans")).to_be_visible()
    expect(retention).to_have_value("2")
    page.get_by_role("button", name="Y revenir").click()
    expect(page.get_by_text("Au départ")).to_have_count(0)
    expect(retention).to_have_value("3")


def test_who_adds_a_lead_twice_is_led_to_the_first(house: House, sign_in: SignIn) -> None:
    house.lead("Camille", email="elodie@exemple.fr")
    page = sign_in("Camille")
    page.goto(f"{house.url}e/lead/new")
    page.get_by_label("Prénom").fill("Élodie")
    page.get_by_label("Nom", exact=False).nth(1).fill("M")
    page.get_by_label("E-mail").fill("elodie@exemple.fr")
    page.get_by_role("button", name="Ajouter").click()
    expect(page.get_by_role("alert")).to_contain_text("Ceci existe peut-être déjà.")
    page.get_by_role("alert").get_by_role("link", name="Élodie Marchand").click()
    expect(page.get_by_role("heading", name="Élodie Marchand")).to_be_visible()


def test_on_a_phone_all_that_can_be_done_with_chosen_records_is_seen_at_once(house: House, sign_in: SignIn) -> None:
    house.lead("Camille", first_name="Ana", email="a@exemple.fr")
    page = sign_in("Hélène", width=390, height=844)
    page.goto(f"{house.url}e/lead/")
    chosen(page, "Ana Marchand")
    bar = page.locator(".bulkbar")
    expect(bar).to_be_visible()
    assert bar.evaluate("each => each.scrollWidth <= each.clientWidth")
    buttons = [each.bounding_box() for each in bar.get_by_role("button").all()]
    assert len(buttons) >= 4
    assert all(box and box["x"] >= 0 and box["x"] + box["width"] <= 390 and box["height"] >= 44 for box in buttons)
