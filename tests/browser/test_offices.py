"""The leader invites, assists and leaves; the member sees who was there: as people do it, in French."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.house import PASSWORD, House, SignIn, email

pytestmark = pytest.mark.browser


def test_the_leader_assists_on_a_phone_and_the_member_sees_it(house: House, sign_in: SignIn) -> None:
    member = sign_in("Camille")
    page = sign_in("Hélène", width=390, height=844)
    page.goto(f"{house.url}members?q=Camille")
    page.get_by_role("link", name=re.compile("Camille")).first.click()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.get_by_role("button", name="Entrer dans le bureau").click()
    banner = page.get_by_role("complementary", name="À qui est ce bureau")
    expect(banner).to_contain_text("vous agissez pour Camille")
    page.goto(f"{house.url}e/lead/")
    expect(banner).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    banner.get_by_role("button", name="Quitter ce bureau").click()
    expect(banner).to_have_count(0)
    member.goto(f"{house.url}account/offices")
    expect(member.get_by_role("region", name="Qui agit, ou a agi, dans mon bureau")).to_contain_text("Hélène")


def test_an_invitation_comes_by_mail_and_lets_in_once(house: House, sign_in: SignIn) -> None:
    page = sign_in("Hélène")
    page.goto(f"{house.url}members/invite")
    page.get_by_label("Prénom").fill("Zoé")
    page.get_by_label("Nom", exact=False).nth(1).fill("Ward")
    page.locator("[name=email]").fill("zoe@exemple.fr")
    page.locator("[name=sponsor]").fill(email("Diane"))
    page.get_by_label("Distributeur").check()
    page.get_by_role("button", name="Envoyer l’invitation").click()
    expect(page.locator("main")).to_contain_text("Parrain : Diane".replace(" :", "\N{NARROW NO-BREAK SPACE}:"))
    [letter] = house.postbox.wait_for(1)
    body = letter.get_body(("plain",))
    assert body is not None
    link = re.search(r"http\S+/join/\S+", body.get_content())
    assert link is not None
    page.context.clear_cookies()
    page.goto(link[0])
    page.get_by_label("Mot de passe").fill(PASSWORD)
    page.get_by_role("button").first.click()
    expect(page.locator("main")).to_contain_text("Conditions")
