"""The back office's forms do what the command line does, and say what is wrong in the leader's words."""

from __future__ import annotations

import base64
import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest

from models.actor import SYSTEM
from models.archive import read_manifest
from models.clock import SetClock
from tests.admin.office import CAMILLE, FILES, LEADER, Office, Visitor, office_of
from tests.admin.piccolo.test_system_tables import LIMITED
from tests.homes import Homes
from tests.networks import edited
from workflows import commands, publishing
from workflows.membership import members

pytestmark = pytest.mark.anyio

NEW = {
    "email": "zoe@exemple.fr",
    "first_name": "Zoé",
    "last_name": "Lange",
    "levels": "distributor",
    "sponsor": CAMILLE,
}
WITHOUT_CITY = edited(
    FILES,
    ("  city:         {type: text, personal: contact}\n", ""),
    ("columns: [first_name, last_name, city, recruiting]", "columns: [first_name, last_name, recruiting]"),
    ('record.city == "Lyon"', "record.calls > 1"),
)


async def sent(visitor: Visitor, form: str, body: object) -> httpx.Response:
    await visitor.get("back-office/")
    headers = {"x-csrftoken": visitor.http.cookies["csrftoken"]}
    return await visitor.http.post(f"/n/small/back-office/api/forms/{form}/", json=body, headers=headers)


async def said(visitor: Visitor, form: str, body: Mapping[str, Any]) -> str:
    """Return what a form answers that is done."""
    answer = await sent(visitor, form, body)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["custom_form_success"])


async def refused(visitor: Visitor, form: str, body: object) -> str:
    """Return why a form is refused."""
    answer = await sent(visitor, form, body)
    assert answer.status_code == 422, answer.text
    return str(answer.json()["custom_form_error"])


def packed(files: Mapping[str, str], folder: str = "") -> str:
    """Return files as a browser sends them: a ZIP file in a data URL."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(folder + name, text)
    return "data:application/zip;base64," + base64.b64encode(made.getvalue()).decode()


async def test_they_are_offered_in_the_language_of_the_leader(office: Office) -> None:
    await commands.update(office.tenant, SYSTEM, "member", office.members[LEADER], None, {"language": "fr"})
    async with office.signed_in(LEADER) as visitor:
        offered = (await visitor.get("back-office/api/forms/")).json()
        assert [each["name"] for each in offered] == [
            "Inviter un membre",
            "Publier des définitions",
            "Exporter le réseau",
        ]
        schema = (await visitor.get("back-office/api/forms/invite/schema/")).json()["properties"]
        assert schema["sponsor"]["title"] == "E-mail du parrain"
        assert schema["levels"]["choices"] == {
            "distributor": "Distributeur",
            "assistant": "Assistante",
            "leader": "Responsable",
        }


async def test_a_member_is_taken_in_and_chooses_a_password_with_the_link(office: Office) -> None:
    async with office.signed_in(LEADER) as visitor:
        told = await said(visitor, "invite", NEW)
        assert "zoe@exemple.fr is a member now." in told
        link = told.split("http://testserver")[1]
        assert (await visitor.http.get(link)).status_code == 200
    found = next(each for each in await members(office.tenant) if each.email == "zoe@exemple.fr")
    assert (found.name, found.levels, found.signs_in) == ("Zoé Lange", ("distributor",), False)
    async with office.signed_in(CAMILLE) as camille:
        assert "Zoé Lange" in (await camille.get("e/member/")).text


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"email": " "}, "E-mail: This is needed."),
        ({"email": "nobody"}, "E-mail: "),
        ({"email": CAMILLE}, "E-mail: "),
        ({"levels": "distributer"}, "distributor"),
        (
            {"sponsor": "nobody@exemple.fr"},
            "E-mail of the sponsor: No member has the e-mail address nobody@exemple.fr.",
        ),
    ],
)
async def test_a_member_who_cannot_be_taken_in_is_refused_in_words(
    office: Office, given: Mapping[str, str], told: str
) -> None:
    async with office.signed_in(LEADER) as visitor:
        assert told in await refused(visitor, "invite", {**NEW, **given})
    assert len(await members(office.tenant)) == 4


async def test_a_leader_takes_in_with_the_rights_that_it_has(homes: Homes, clock: SetClock) -> None:
    async with office_of(homes, clock, LIMITED) as office, office.signed_in(LEADER) as visitor:
        assert await refused(visitor, "invite", {**NEW, "sponsor": ""})
        assert len(await members(office.tenant)) == 4


@pytest.mark.parametrize("folder", ["", "small/"])
async def test_a_zip_file_is_published(office: Office, folder: str) -> None:
    files = edited(FILES, ("label: {fr: Société, en: Company}", "label: {fr: Entreprise, en: Firm}"))
    async with office.signed_in(LEADER) as visitor:
        told = await said(visitor, "publish", {"archive": packed(files, folder), "note": "A better word"})
        assert told.startswith("Version 2 is published.\nChanged: entity company")
        assert "Firm" in (await visitor.get("back-office/api/tables/")).json()
        again = await said(visitor, "publish", {"archive": packed(files, folder)})
        assert again == "Nothing changes: this is what version 2 says."
    latest = (await publishing.history(office.tenant))[0]
    assert (latest.version, latest.author, latest.note) == (2, "Claire Alba", "A better word")


async def test_one_file_is_replaced(office: Office) -> None:
    text = FILES["company.yaml"].replace("search: [name]", "  phone: {type: phone}\nsearch: [name]")
    async with office.signed_in(LEADER) as visitor:
        assert "Version 2 is published." in await said(visitor, "publish", {"file": "company.yaml", "text": text})
    assert "phone" in office.tenant.published.network.entities["company"].fields
    assert await publishing.files_of(office.tenant, 2) == {
        **await publishing.files_of(office.tenant, 1),
        "company.yaml": text,
    }


async def test_what_is_wrong_with_definitions_is_told_with_its_place(office: Office) -> None:
    text = FILES["company.yaml"].replace("type: text}", "type: txt}")
    async with office.signed_in(LEADER) as visitor:
        told = await refused(visitor, "publish", {"file": "company.yaml", "text": text})
        assert told.startswith("company.yaml:7:")
        assert "txt" in told
    assert office.tenant.published.version == 1


async def test_what_would_be_lost_is_lost_only_when_the_leader_agrees(office: Office) -> None:
    given = {"first_name": "Élodie", "last_name": "Marchand", "city": "Lyon", "owner": office.members[CAMILLE]}
    record = await commands.create(office.tenant, SYSTEM, "lead", given)
    body = {"archive": packed(WITHOUT_CITY)}
    async with office.signed_in(LEADER) as visitor:
        assert "city" in await refused(visitor, "publish", body)
        assert office.tenant.published.version == 1
        await said(visitor, "publish", {**body, "allow_loss": True})
        row = (await visitor.get(f"back-office/api/tables/Lead/{record.id}/")).json()
        assert "city" not in row


BOMB = {f"{number}.yaml": "a" * 100_000 for number in range(100)}


NONSENSE: Sequence[tuple[object, str]] = [
    ({}, "Choose a ZIP file, or name one file and give its text."),
    ({"archive": "data:application/zip;base64,bm90IGEgemlw"}, "This is no ZIP file of definitions."),
    ({"archive": "data:;base64,ééé"}, "This is no ZIP file of definitions."),
    ({"archive": packed({"readme.txt": "hello"})}, "There is no YAML file in this ZIP file."),
    ({"archive": packed(BOMB)}, "This file is too large."),
    ({"file": "@suivi/network.yaml", "text": "network: x"}, "A file of definitions ends with .yaml"),
    ({"file": "notes.txt", "text": "hello"}, "A file of definitions ends with .yaml"),
    ({"allow_loss": "perhaps"}, "This form cannot be read; open it again."),
    (["nonsense"], "This form cannot be read; open it again."),
    ("nonsense", "This form cannot be read; open it again."),
]


async def test_nonsense_is_refused_in_words(office: Office) -> None:
    async with office.signed_in(LEADER) as visitor:
        for body, told in NONSENSE:
            assert told in await refused(visitor, "publish", body)
    assert office.tenant.published.version == 1


async def test_the_network_is_taken_home_as_an_archive(office: Office, tmp_path: Path) -> None:
    async with office.signed_in(LEADER) as visitor:
        answer = await sent(visitor, "export", {})
        assert answer.headers["content-disposition"] == 'attachment; filename="small-2026-03-02.zip"'
    taken = tmp_path / "taken.zip"
    taken.write_bytes(answer.content)
    manifest = read_manifest(taken)
    assert (manifest.network, manifest.tables["member"].rows) == ("small", 4)


async def test_who_may_not_read_everything_does_not_take_it_home(homes: Homes, clock: SetClock) -> None:
    async with office_of(homes, clock, LIMITED) as office, office.signed_in(LEADER) as visitor:
        assert "only who may read all records can have it" in await refused(visitor, "export", {})


async def test_forms_are_for_who_administers_and_for_our_own_pages(office: Office) -> None:
    async with office.signed_in(CAMILLE) as visitor:
        assert (await visitor.get("back-office/api/forms/")).status_code == 404
    async with office.signed_in(LEADER) as visitor:
        assert (await sent(visitor, "nothing", {})).status_code == 404
        forged = await visitor.http.post("/n/small/back-office/api/forms/invite/", content=json.dumps(NEW))
        assert forged.status_code == 403
    assert len(await members(office.tenant)) == 4
