"""The frame of the pages in a browser: palette, tasks, phones, no script, no complaint."""

from __future__ import annotations

from datetime import timedelta

import pytest
from playwright.sync_api import Browser, expect

from models.actor import SYSTEM
from tests.browser.house import PASSWORD, House, SignIn, email
from workflows import commands

pytestmark = pytest.mark.browser

PAGES = ("", "menu", "tasks", "outbox", "account", "e/lead/", "e/lead/board/recruiting", "e/lead/new")


def _task(house: House, title: str) -> None:
    due = house.clock.now() + timedelta(hours=1)
    house.do(commands.add_task(house.tenant, SYSTEM, title=title, member=house.members["Camille"], due=due))


def test_the_palette_finds_places_and_people(house: House, sign_in: SignIn) -> None:
    house.lead("Camille")
    page = sign_in("Camille")
    page.goto(house.url)
    page.keyboard.press("Control+k")
    page.keyboard.type("elodie")
    expect(page.get_by_role("option", name="Élodie Marchand")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Élodie Marchand")).to_be_visible()
    page.wait_for_load_state()  # the palette opens once its script is there
    page.keyboard.press("Control+k")
    page.keyboard.type("tach")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Tâches", exact=True)).to_be_visible()


def test_a_task_is_ticked_off_and_taken_back(house: House, sign_in: SignIn) -> None:
    _task(house, "Appeler Karim")
    page = sign_in("Camille")
    page.goto(house.url)
    page.get_by_role("button", name="Terminer : Appeler Karim").click()
    expect(page.locator(".toast")).to_contain_text("La tâche est terminée.")
    page.locator(".toast").get_by_role("button", name="Annuler").click()
    expect(page.get_by_role("button", name="Terminer : Appeler Karim")).to_be_visible()


def test_no_page_is_wider_than_a_phone(house: House, sign_in: SignIn) -> None:
    house.lead("Camille", first_name="Marie-Antoinette-Bernadette", last_name="de la Rochefoucauld-Montbel")
    page = sign_in("Camille", width=390, height=844)
    for path in PAGES:
        page.goto(house.url + path)
        assert page.url == house.url + path
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, path


def test_no_page_complains_about_its_content_policy_or_scripts(house: House, sign_in: SignIn) -> None:
    lead = house.lead("Camille")
    page = sign_in("Camille")
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    for path in (*PAGES, f"e/lead/{lead}"):
        page.goto(house.url + path)
    assert complaints == []


def test_people_without_javascript_add_and_tick_off_a_task(house: House, sign_in: SignIn, browser: Browser) -> None:
    sign_in("Camille")  # accepts the terms
    context = browser.new_context(locale="fr-FR", java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{house.url}tasks")
    page.get_by_label("E-mail").fill(email("Camille"))
    page.get_by_label("Mot de passe").fill(PASSWORD)
    page.get_by_role("button", name="Se connecter").click()
    page.get_by_label("Nouvelle tâche").fill("Appeler Karim")
    page.get_by_role("button", name="Ajouter").click()
    page.get_by_role("button", name="Terminer : Appeler Karim").click()
    expect(page.locator(".toast")).to_contain_text("La tâche est terminée.")
    context.close()
