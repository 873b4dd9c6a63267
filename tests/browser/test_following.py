"""Open pages follow the network, and never take away what somebody is writing."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from definitions.pack import PACKS, read_folder
from tests.browser.house import House, SignIn
from tests.networks import edited
from workflows import publishing

pytestmark = pytest.mark.browser

FILES = dict(read_folder(PACKS / "suivi"))
LABEL = next(line for line in FILES["processes/recruiting.yaml"].splitlines() if line.strip().startswith("contacted:"))


def with_another_name(name: str) -> dict[str, str]:
    """Return the pack with another name for a state."""
    renamed = LABEL.replace("fr: Contacté", f"fr: {name}")
    assert renamed != LABEL
    return edited(FILES, (LABEL, renamed))


def publish(house: House, name: str) -> None:
    house.do(publishing.publish(house.tenant, with_another_name(name), note=name))


def test_a_board_that_is_open_moves_on_by_itself(house: House, sign_in: SignIn) -> None:
    house.lead("Camille")
    page = sign_in("Camille")
    page.goto(f"{house.url}e/lead/board/recruiting")
    expect(page.locator(".board")).to_contain_text("Contacté")
    publish(house, "Joint")
    expect(page.locator(".board")).to_contain_text("Joint")
    expect(page.locator(".kc")).to_contain_text("Élodie Marchand")


def test_a_form_that_is_being_filled_stays_and_says_so(house: House, sign_in: SignIn) -> None:
    page = sign_in("Camille")
    page.goto(f"{house.url}e/lead/new")
    first = page.locator("input[name=first_name]")
    first.fill("Zoé")
    publish(house, "Joint")
    expect(page.locator(".moved-on")).to_contain_text("Ce réseau a changé entre-temps.")
    expect(first).to_have_value("Zoé")
    page.get_by_role("button", name="Recharger la page").click()
    expect(page.locator(".moved-on")).to_have_count(0)
    expect(first).to_have_value("")


def test_the_leader_goes_back_to_a_version(house: House, sign_in: SignIn) -> None:
    publish(house, "Joint")
    page = sign_in("Hélène")
    page.goto(f"{house.url}definitions")
    page.get_by_role("link", name="Version 1").click()
    expect(page.locator("main")).to_contain_text("process: recruiting")
    page.get_by_role("button", name="Publier à nouveau cette version").click()
    expect(page.locator(".toast")).to_contain_text("La version 3 est publiée.")
    expect(page.locator("main")).to_contain_text("Retour à la version 1")
