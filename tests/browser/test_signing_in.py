"""Signing in as a person does it: with an app, with a passkey, on a phone."""

from __future__ import annotations

import pyotp
import pytest
from playwright.sync_api import Browser, CDPSession, Page, expect

from tests.browser.house import PASSWORD, House, SignIn, accept_terms, email

pytestmark = pytest.mark.browser


def _code(house: House, key: str) -> str:
    return pyotp.TOTP(key.replace(" ", "")).at(house.clock.now())


def _password(page: Page, url: str, name: str) -> None:
    page.goto(f"{url}sign-in")
    page.get_by_label("E-mail").fill(email(name))
    page.get_by_label("Mot de passe").fill(PASSWORD)
    page.get_by_role("button", name="Se connecter").click()


def test_an_app_is_set_up_on_a_phone_and_asked_for_at_the_next_sign_in(house: House, sign_in: SignIn) -> None:
    page = sign_in("Camille", width=390, height=844)
    page.goto(f"{house.url}account")
    page.get_by_role("link", name="Sécurité").click()
    page.get_by_label("Votre mot de passe").fill(PASSWORD)
    page.get_by_role("button", name="Confirmer").click()
    page.get_by_role("button", name="Ajouter une application").click()
    expect(page.locator(".qr-frame svg")).to_be_visible()
    page.get_by_text("Saisir plutôt la clé").click()
    key = page.locator(".secret").inner_text()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.get_by_label("Code").fill(_code(house, key))
    page.get_by_role("button", name="Confirmer").click()
    expect(page.locator(".codes li")).to_have_count(10)
    with page.expect_download() as saved:
        page.get_by_role("button", name="Télécharger en fichier").click()
    codes = saved.value.path().read_text(encoding="utf-8").split()
    assert len(codes) == 10
    page.context.clear_cookies()
    _password(page, house.url, "Camille")
    page.get_by_label("Code de votre application").fill("000000")
    page.get_by_role("button", name="Continuer").click()
    expect(page.get_by_text("Ce code est faux")).to_be_visible()
    page.get_by_label("Code de votre application").fill(codes[0])
    page.get_by_role("button", name="Continuer").click()
    expect(page.get_by_role("heading", name="Bonjour Camille")).to_be_visible()


OPTIONS = {
    "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
    "isUserVerified": True, "automaticPresenceSimulation": True,
}  # fmt: skip


def _add_passkey(page: Page) -> None:
    for password in ("pas le bon du tout", PASSWORD):
        page.get_by_label("Votre mot de passe").fill(password)
        page.get_by_role("button", name="Confirmer").click()
        refused = page.get_by_text("Ce n’est pas votre mot de passe.")
        expect(refused).to_have_count(0 if password == PASSWORD else 1)
    page.get_by_label("Nom de la clé d’accès").fill("Clé bleue")
    page.get_by_role("button", name="Ajouter une clé d’accès").click()
    expect(page.locator(".codes li")).to_have_count(10)
    page.get_by_role("link", name="Sécurité").click()
    expect(page.get_by_text("Clé bleue")).to_be_visible()


def _use_passkey(page: Page) -> None:
    page.get_by_role("button", name="Utiliser une clé d’accès").click()


def _authenticator(page: Page) -> tuple[CDPSession, str]:
    """Give the browser a passkey of its own; return what it is told through, and its id there."""
    device = page.context.new_cdp_session(page)
    device.send("WebAuthn.enable")
    return device, device.send("WebAuthn.addVirtualAuthenticator", {"options": OPTIONS})["authenticatorId"]


def test_a_passkey_is_added_and_signs_in_without_a_word(house: House, browser: Browser) -> None:
    """On `localhost`: passkeys are bound to a name, and an address of numbers has none."""
    url = house.url.replace("127.0.0.1", "localhost")
    page = browser.new_page(locale="fr-FR")
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    device, key = _authenticator(page)
    _password(page, url, "Camille")
    page.wait_for_url(lambda address: "sign-in" not in address)
    accept_terms(page)
    page.goto(f"{url}account/security")
    _add_passkey(page)
    for by_password in (False, True):
        page.context.clear_cookies()
        if by_password:
            _password(page, url, "Camille")
            page.wait_for_url(lambda address: "factor" in address)
        else:
            page.goto(f"{url}sign-in")
        _use_passkey(page)
        expect(page.get_by_role("heading", name="Bonjour Camille")).to_be_visible()
    page.context.clear_cookies()
    device.send("WebAuthn.setUserVerified", {"authenticatorId": key, "isUserVerified": False})
    page.goto(f"{url}sign-in")
    _use_passkey(page)
    expect(page.get_by_text("Aucune clé d’accès n’a répondu")).to_be_visible()
    assert [each for each in complaints if "422" not in each] == [], "a refusal is no complaint of the page"
    page.context.close()
