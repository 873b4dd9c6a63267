"""The back office in a browser, as the leader has it: in French."""

from __future__ import annotations

import csv

import pytest
from playwright.sync_api import FilePayload, Page, expect

from definitions.pack import PACKS, read_folder
from models.actor import SYSTEM
from tests.browser.house import House, SignIn
from tests.networks import edited
from workflows import commands

pytestmark = pytest.mark.browser
LISTED = "back-office/#/Prospect/"
NAMED = "    help: {fr: Un distributeur doit être majeur., en: A distributor must be of age.}\n"
"""Where a field of prospects ends."""


def test_the_leader_filters_the_list_by_an_option_and_by_words(house: House, sign_in: SignIn) -> None:
    for name, city, language in (("Karim", "Nice", "en"), ("Zoé", "Lyon", "fr"), ("Noé", "Lyon", "en")):
        house.lead("Camille", first_name=name, city=city, language=language)
    page = sign_in("Hélène")
    page.goto(house.url + LISTED)
    rows = page.locator(".table_wrapper tbody tr")
    expect(rows).to_have_count(3)
    page.locator("[data-uitest=filter_button]").click()
    page.locator(".filter_wrapper select[name=language]").select_option(label="Anglais")
    page.get_by_role("button", name="Appliquer").click()
    expect(page.get_by_text("Le filtre est appliqué.")).to_be_visible()
    expect(rows).to_have_count(2)
    page.locator(".filter_wrapper input[name=city]").fill("lyo")
    page.get_by_role("button", name="Appliquer").click()
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("Noé")
    expect(rows).to_contain_text("Nouveau")


def test_a_field_that_is_edited_stands_on_the_records_own_screen_with_who_did_it(house: House, sign_in: SignIn) -> None:
    lead = house.lead("Camille", city="Lyon")
    page = sign_in("Hélène")
    page.goto(f"{house.url}{LISTED}{lead}/")
    city = page.locator("form input[name=city]")
    expect(city).to_have_value("Lyon")
    for name in ("Nice", "Menton"):  # the second time, the form knows what the first one wrote
        city.fill(name)
        with page.expect_response(lambda answer: answer.request.method in {"PUT", "PATCH"}):
            page.get_by_role("button", name="Enregistrer").click()
        expect(page.get_by_text("La fiche est enregistrée.")).to_be_visible()
    page.get_by_role("link", name="Ouvrir la fiche").click()
    expect(page.locator("#prop-city")).to_contain_text("Menton")
    told = page.locator(".tl")
    expect(told).to_contain_text("Hélène")
    expect(told).to_contain_text("Menton")
    page.locator("summary[aria-label='Autres actions']").click()
    page.get_by_role("link", name="Voir dans les données").click()
    expect(city).to_have_value("Menton")


def test_a_state_is_refused_in_words_by_the_form_and_by_the_door(house: House, sign_in: SignIn) -> None:
    lead = house.lead("Camille")
    page = sign_in("Hélène")
    page.goto(f"{house.url}{LISTED}{lead}/")
    state = page.locator("form select[name=recruiting]")
    expect(state).to_be_disabled()
    expect(page.get_by_text("Un état change par une étape : ouvrez la fiche.")).to_be_visible()
    state.evaluate("each => { each.disabled = false }")  # what somebody with another browser does
    state.select_option("lost")
    page.get_by_role("button", name="Enregistrer").click()
    expect(page.locator(".errors")).to_contain_text("Un état change par une étape : ouvrez la fiche.")
    status, said = page.evaluate(
        """async (lead) => {
            const token = document.cookie.match(/csrftoken=([^;]+)/)[1];
            const headers = { "X-CSRFToken": token, "Content-Type": "application/json" };
            const body = JSON.stringify({ recruiting: "lost" });
            const answer = await fetch(`api/tables/Prospect/${lead}/`, { method: "PUT", headers, body });
            return [answer.status, await answer.text()];
        }""",
        lead,
    )
    assert status == 422
    assert "Un état change par une étape" in said
    record = house.do(commands.offers(house.tenant, SYSTEM, "lead", lead))
    assert {offer.process for offer in record} == {"recruiting"}
    page.reload()
    expect(state).to_have_value("new")


def test_who_saves_what_somebody_changed_meanwhile_is_told_and_loses_nothing(house: House, sign_in: SignIn) -> None:
    lead = house.lead("Camille", city="Lyon")
    page = sign_in("Hélène")
    page.goto(f"{house.url}{LISTED}{lead}/")
    page.locator("form input[name=city]").fill("Nice")
    house.do(commands.update(house.tenant, SYSTEM, "lead", lead, None, {"first_name": "Élise"}))
    page.get_by_role("button", name="Enregistrer").click()
    expect(page.locator(".errors")).to_contain_text("modifié cette fiche entre-temps")
    expect(page.locator("form input[name=city]")).to_have_value("Nice")


def test_the_export_is_a_sheet_that_people_read(house: House, sign_in: SignIn) -> None:
    for name in ("Karim", "=1+1"):
        house.lead("Camille", first_name=name)
    page = sign_in("Hélène")
    page.goto(house.url + LISTED)
    page.locator("[data-uitest=csv_button]").click()
    with page.expect_download() as found:
        page.get_by_role("button", name="Télécharger").click()
    with found.value.path().open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["Prénom"] for row in rows} == {"Karim", "'=1+1"}
    assert {row["Recrutement"] for row in rows} == {"Nouveau"}


def test_a_record_is_added_and_deleted_there(house: House, sign_in: SignIn) -> None:
    page = sign_in("Hélène")
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto(house.url + LISTED)
    page.locator(".title_bar a[href$='/add/']").click()
    page.wait_for_load_state("networkidle")  # the form is drawn again when its choices arrive
    form = page.locator("form:has([data-uitest=create_button])")
    form.locator("[name=first_name]").fill("Zoé")
    form.locator("[data-uitest=create_button]").click()
    expect(page.locator(".errors")).to_contain_text("Nom :")
    expect(page.locator(".errors")).not_to_contain_text("Prénom")
    form.locator("[name=last_name]").fill("Blanc")
    form.locator("[data-uitest=create_button]").click()
    expect(page.get_by_text("La fiche est ajoutée.")).to_be_visible()
    page.goto(house.url + LISTED)
    row = page.locator(".table_wrapper tbody tr")
    expect(row).to_contain_text("Zoé")
    row.locator("a.subtle").click()
    row.get_by_text("Supprimer").click()
    expect(row).to_have_count(0)


@pytest.mark.parametrize("width", [1440, 390])
def test_nothing_on_its_pages_is_in_english_or_wider_than_the_screen(house: House, sign_in: SignIn, width: int) -> None:
    lead = house.lead("Camille")
    page = sign_in("Hélène", width=width)
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    for path in ("back-office/", LISTED, f"{LISTED}{lead}/", f"{LISTED}add/"):
        page.goto(house.url + path)
        page.locator("#nav").wait_for()
        english(page)
        page.locator("#user").click()
        expect(page.get_by_text("Se déconnecter")).to_be_visible()
        expect(page.get_by_text("Changer le mot de passe")).to_be_hidden()  # that is done on our own page
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
    assert complaints == []


def english(page: Page) -> None:
    """Expect no sentence that piccolo-admin has in English."""
    text = page.locator("body")
    for word in ("Null", "NULL", "Equals", "per page", "of 1", "Add Row", "Welcome"):
        expect(text).not_to_contain_text(word)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone_each_value_stands_beside_its_name_in_the_colours_of_the_network(
    house: House, sign_in: SignIn, scheme: str
) -> None:
    lead = house.lead("Camille", city="Nice")
    page = sign_in("Hélène", width=390, scheme=scheme)
    colours = "getComputedStyle(document.querySelector({})).backgroundColor"
    page.goto(f"{house.url}e/lead/new")
    ours = page.evaluate("[getComputedStyle(document.body).backgroundColor, " + colours.format("'main .btn.p'") + "]")
    page.goto(house.url + LISTED)
    city = page.locator(".table_wrapper tbody td[data-label=Ville]")
    expect(city).to_have_text("Nice")
    assert page.evaluate(
        "[getComputedStyle(document.body).backgroundColor, "
        + colours.format("'.title_bar .button[href$=\"/add/\"]'") + "]"
    ) == ours  # fmt: skip
    named = page.evaluate("getComputedStyle(document.querySelector('td[data-label=Ville]'), '::before').content")
    assert named == '"Ville"'
    for path in (LISTED, f"{LISTED}{lead}/", "back-office/#/Historique/", "back-office/#/forms/invite/"):
        page.goto(house.url + path)
        expect(page.locator(".table_wrapper tbody tr:visible, form:visible").first).to_be_visible()
        too_wide = "[document.documentElement, ...document.querySelectorAll('.left_column, .inner')]"
        wide = page.evaluate(f"{too_wide}.filter(each => each.scrollWidth > each.clientWidth).length")
        assert wide == 0, path


def test_a_file_stands_by_its_name_and_goes_in_and_out_on_the_records_own_screen(house: House, sign_in: SignIn) -> None:
    files = edited(read_folder(PACKS / "suivi"), (NAMED, f"{NAMED}  cv: {{type: file}}\n"))
    house.do(house.tenant.publish(files, None))
    lead = house.lead("Camille")
    page = sign_in("Hélène")
    page.goto(f"{house.url}e/lead/{lead}/edit")
    page.locator("input[type=file][name=cv]").set_input_files(FilePayload(name="a.txt", mimeType="", buffer=b"Bonjour"))
    page.get_by_role("button", name="Enregistrer").click()
    page.goto(f"{house.url}{LISTED}{lead}/")
    file = page.locator("form input[name=cv]")
    expect(file).to_have_value("a.txt")
    expect(file).to_be_disabled()
    expect(page.get_by_text("Un fichier s’ajoute ou se retire sur l’écran de la fiche")).to_be_visible()
    page.locator("form input[name=city]").fill("Nice")
    page.get_by_role("button", name="Enregistrer").click()
    expect(page.get_by_text("La fiche est enregistrée.")).to_be_visible()
    page.goto(f"{house.url}{LISTED}add/")
    expect(page.locator("form input[name=first_name]")).to_be_visible()
    expect(page.locator("form input[name=cv]")).to_be_hidden()
