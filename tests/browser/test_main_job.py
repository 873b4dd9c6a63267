"""The main job, seen by people: a distributor moves a lead, the mail of that change is sent, the leader sees it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.house import House, SignIn

pytestmark = pytest.mark.browser


def test_a_dragged_lead_is_called_its_mail_sent_after_the_undo_time_and_the_leader_sees_it(
    house: House, sign_in: SignIn
) -> None:
    lead = house.lead("Camille", email="elodie.marchand@exemple.fr", language="fr")
    page = sign_in("Camille")

    page.goto(f"{house.url}e/lead/board/recruiting")
    card = page.locator(".kc", has_text="Élodie Marchand")
    card.drag_to(page.locator(".col[data-state=contacted]"))
    form = page.get_by_role("dialog")
    expect(form).to_contain_text("J’ai appelé")
    form.get_by_label("Ce que nous nous sommes dit").fill("Elle rappelle après les vacances.")
    form.get_by_label("Prochain contact").fill("2026-03-09T10:00")
    form.get_by_role("button", name="J’ai appelé").click()
    expect(page.locator(".col[data-state=contacted] .kc")).to_contain_text("Élodie Marchand")
    expect(page.get_by_role("status")).to_contain_text("Annuler")

    page.goto(f"{house.url}e/lead/{lead}")
    expect(page.locator(".tl")).to_contain_text("Elle rappelle après les vacances.")
    expect(page.locator(".steps [aria-current=step]")).to_contain_text("Contacté")

    house.forward(timedelta(minutes=9))
    assert house.postbox.letters == []
    house.forward(timedelta(minutes=2))
    (letter,) = house.postbox.wait_for(1)
    assert letter["To"] == "elodie.marchand@exemple.fr"
    assert "Camille" in str(letter["From"])
    body = letter.get_body(("plain",))
    assert body is not None
    assert "Élodie" in body.get_content()
    assert letter.get_body(("html",)) is not None

    leader = sign_in("Hélène")
    leader.goto(f"{house.url}back-office/#/Prospect/")
    row = leader.get_by_role("row", name="Élodie")
    expect(row).to_contain_text("Contacté")


def test_a_move_on_the_board_can_be_taken_back_and_then_sends_nothing(house: House, sign_in: SignIn) -> None:
    lead = house.lead("Camille", email="elodie.marchand@exemple.fr")
    page = sign_in("Camille")
    page.goto(f"{house.url}e/lead/board/recruiting")
    page.locator(".kc", has_text="Élodie Marchand").drag_to(page.locator(".col[data-state=contacted]"))
    form = page.get_by_role("dialog")
    form.get_by_label("Prochain contact").fill("2026-03-09T10:00")
    form.get_by_role("button", name="J’ai appelé").click()
    page.get_by_role("status").get_by_role("button", name="Annuler").click()
    expect(page.locator(".col[data-state=new] .kc")).to_contain_text("Élodie Marchand")
    house.forward(timedelta(minutes=15))
    page.goto(f"{house.url}e/lead/{lead}")
    expect(page.locator(".steps [aria-current=step]")).to_contain_text("Nouveau")
    assert house.postbox.letters == []


def test_without_a_mouse_the_menu_of_a_card_does_the_same(house: House, sign_in: SignIn) -> None:
    house.lead("Camille")
    page = sign_in("Camille", width=390, height=844)
    page.goto(f"{house.url}e/lead/board/recruiting")
    page.get_by_label("Déplacer Élodie Marchand").click()
    page.get_by_role("link", name="J’ai appelé").click()
    form = page.get_by_role("dialog")
    form.get_by_label("Prochain contact").fill("2026-03-09T10:00")
    form.get_by_role("button", name="J’ai appelé").click()
    expect(page.locator(".col[data-state=contacted] .kc")).to_contain_text("Élodie Marchand")


def test_a_refused_move_says_why_and_the_card_goes_back(house: House, sign_in: SignIn) -> None:
    lead = house.lead("Camille", mobile=None)
    page = sign_in("Camille")
    page.goto(f"{house.url}e/lead/{lead}")
    expect(page.get_by_text("Ajoutez d’abord un numéro de téléphone").first).to_be_visible()
    page.goto(f"{house.url}e/lead/board/recruiting")
    page.locator(".kc", has_text="Élodie Marchand").drag_to(page.locator(".col[data-state=contacted]"))
    expect(page.get_by_text("Ajoutez d’abord un numéro de téléphone")).to_be_visible()
    expect(page.locator(".col[data-state=new] .kc")).to_contain_text("Élodie Marchand")


def test_somebody_elses_lead_is_a_page_that_does_not_exist(house: House, sign_in: SignIn) -> None:
    lead = house.lead("Camille")
    page = sign_in("Diane")
    absent = lead[:-4] + ("0000" if not lead.endswith("0000") else "1111")
    answers = []
    for record in (lead, absent):
        answer = page.goto(f"{house.url}e/lead/{record}")
        assert answer is not None
        answers.append((answer.status, page.content().replace(record, "")))
    assert answers[0][0] == 404
    assert answers[0] == answers[1]


RING = """() => {
    const at = document.activeElement;
    return [at, at.closest("li, label, .kc") || at].some((each) => {
        const { outlineStyle, outlineWidth } = getComputedStyle(each);
        return outlineStyle !== "none" && parseFloat(outlineWidth) >= 2;
    });
}"""


def reach(page: Page, wanted: Locator, *, most: int = 60) -> None:
    """Press the tab key until it stands on what is wanted; wherever it stands on the way, that is seen."""
    for _ in range(most):
        page.keyboard.press("Tab")
        assert page.evaluate(RING), page.evaluate("document.activeElement.outerHTML")
        if wanted.evaluate("each => each === document.activeElement"):
            return
    pytest.fail(f"the tab key does not come to {wanted}")


def test_the_keyboard_alone_skips_the_menu_and_moves_a_lead_on(house: House, sign_in: SignIn) -> None:
    lead = house.lead("Camille")
    page = sign_in("Camille")
    page.goto(f"{house.url}e/lead/board/recruiting")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Aller au contenu")).to_be_focused()
    page.keyboard.press("Enter")
    reach(page, page.get_by_label("Déplacer Élodie Marchand"))
    page.keyboard.press("Enter")
    call = page.get_by_role("link", name="J’ai appelé")
    expect(call).to_be_visible()
    reach(page, call, most=3)
    page.keyboard.press("Enter")
    form = page.get_by_role("dialog")
    expect(form).to_be_visible()
    said = form.get_by_label("Ce que nous nous sommes dit")
    if not said.evaluate("each => each === document.activeElement"):
        reach(page, said, most=5)
    page.keyboard.type("Rappeler lundi.")
    form.get_by_label("Prochain contact").fill("2026-03-09T10:00")
    reach(page, form.get_by_role("button", name="J’ai appelé"), most=15)
    page.keyboard.press("Enter")
    expect(page.locator(".col[data-state=contacted] .kc")).to_contain_text("Élodie Marchand")
    expect(page.get_by_text("Élodie Marchand → Contacté")).to_be_visible()  # until then the card has only gone ahead
    page.goto(f"{house.url}e/lead/{lead}")
    expect(page.locator(".tl")).to_contain_text("Rappeler lundi.")
