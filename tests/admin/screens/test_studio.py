"""The definitions in the browser: problems beside their lines, a plan, a trial, a publication that loses no text."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from html import unescape

import pytest

from admin.under_way import TYPE
from tests.admin.office import CAMILLE, FILES, LEADER, Office
from tests.networks import edited
from workflows import publishing

pytestmark = pytest.mark.anyio

CITY = "  city: {type: text}\n"
TOWN = edited(FILES, (CITY, "  town: {type: text}\n"))
BROKEN = edited(FILES, ("    to: contacted", "    to: contacte"))


def form(files: Mapping[str, str], do: str, **more: str) -> dict[str, str]:
    """Return what the page sends: lines end as browsers end them."""
    sent = {f"file:{path}": text.replace("\n", "\r\n") for path, text in files.items()}
    return {"base": "1", "do": do, **sent, **more}


async def test_the_page_has_the_files_as_they_are(office: Office) -> None:
    async with office.signed_in(LEADER) as visitor:
        assert 'href="/n/small/definitions/edit"' in (await visitor.get("definitions")).text
        page = (await visitor.get("definitions/edit")).text
    shown = re.findall(r'<textarea[^>]* name="file:([^"]+)"[^>]*>\n(.*?)</textarea>', page, re.DOTALL)
    assert {path: unescape(text) for path, text in shown} == dict(FILES)


async def test_what_is_sent_back_unchanged_changes_nothing(office: Office) -> None:
    async with office.signed_in(LEADER) as visitor:
        page = (await visitor.post("definitions/edit", form(FILES, "plan"))).text
        assert "Nothing would change" in page
        assert (await visitor.post("definitions/edit", form(FILES, "publish"))).status_code == 303
    assert office.tenant.published.version == 1


async def test_problems_stand_beside_their_lines_and_hinder_publishing(office: Office) -> None:
    async with office.signed_in(LEADER) as visitor:
        page = (await visitor.post("definitions/edit", form(BROKEN, "check"))).text
        assert 'data-line="14" data-column="9"' in page
        assert "did you mean &#39;contacted&#39;?" in page
        assert "1 error" in page
        answer = await visitor.post("definitions/edit", form(BROKEN, "publish"))
        assert (answer.status_code, "This version cannot be published" in answer.text) == (422, True)
        visitor.http.headers["HX-Request"] = "true"
        part = await visitor.post("definitions/edit", form(BROKEN, "check"))
        assert ("<html" in part.text, part.text.count('hx-swap-oob="true"')) == (False, len(FILES))
        assert 'data-line="14"' in part.text
    assert office.tenant.published.version == 1


async def test_a_change_is_planned_and_published_with_its_note(office: Office) -> None:
    async with office.signed_in(LEADER) as visitor:
        page = (await visitor.post("definitions/edit", form(TOWN, "plan", note="Towns"))).text
        assert "town is new." in page
        assert 'value="Towns"' in page
        assert re.findall(r"<summary><code>([^<]+)</code> <span", page) == ["company.yaml"]
        assert (await visitor.post("definitions/edit", form(TOWN, "publish", note="Towns"))).status_code == 303
        assert "Version 2 · Towns" in (await visitor.get("definitions")).text
        assert "town" in (await visitor.get("definitions/edit")).text
        assert "definitions/edit?from=1" in (await visitor.get("definitions/1")).text
        assert "town:" not in (await visitor.get("definitions/edit?from=1")).text
    found = await publishing.files_of(office.tenant, 2)
    assert found == TOWN


async def test_files_come_and_go(office: Office) -> None:
    note = {"new_name": "more/note.yaml", "new_text": "entity: note\r\nfields: {text: {type: text}}\r\n"}
    async with office.signed_in(LEADER) as visitor:
        assert (await visitor.post("definitions/edit", form(FILES, "publish", **note))).status_code == 303
        found = await publishing.files_of(office.tenant, 2)
        assert found["more/note.yaml"] == "entity: note\nfields: {text: {type: text}}\n"
        gone = form(found, "publish", gone="more/note.yaml") | {"base": "2"}
        assert (await visitor.post("definitions/edit", gone)).status_code == 303
    assert await publishing.files_of(office.tenant, 3) == FILES


@pytest.mark.parametrize("name", ["../x.yaml", "/x.yaml", "@lib/x.yaml", "x.txt", "lead.yaml", "a b.yaml"])
async def test_a_name_that_is_none_is_refused_and_nothing_typed_is_lost(office: Office, name: str) -> None:
    async with office.signed_in(LEADER) as visitor:
        answer = await visitor.post("definitions/edit", form(TOWN, "publish", new_name=name))
        assert (answer.status_code, "is no name for a new file" in answer.text, "town" in answer.text) == (
            422,
            True,
            True,
        )
    assert office.tenant.published.version == 1


async def test_who_is_too_late_is_told_what_changed_and_keeps_the_own_text(office: Office) -> None:
    await publishing.publish(office.tenant, edited(FILES, ("icon: user-plus", "icon: house")))
    async with office.signed_in(LEADER) as visitor:
        answer = await visitor.post("definitions/edit", form(TOWN, "publish"))
        assert answer.status_code == 409
        assert "meanwhile version 2 was published, and changed: entity lead." in answer.text
        assert "town is new." in answer.text
        assert '<input type="hidden" name="base" value="2">' in answer.text
    assert office.tenant.published.version == 2


async def test_a_change_is_tried_out(office: Office) -> None:
    later = edited(FILES, ("{entered: recruiting.contacted}", "{created: lead}"))
    async with office.signed_in(CAMILLE) as visitor:
        lead = {"first_name": "Ana", "last_name": "Roy", "email": "ana@exemple.fr", "country": "FR"}
        assert (await visitor.post("e/lead/new", lead, on="e/lead/new")).status_code == 303
    async with office.signed_in(LEADER) as visitor:
        page = (await visitor.post("definitions/edit", form(later, "simulate", days="3"))).text
        assert "What would have happened" in page
        assert "ana@exemple.fr" in page
        page = (await visitor.post("definitions/edit", form(later, "simulate", subject="process:recruiting"))).text
        assert "Nothing was written or sent." in page
        wrong = await visitor.post("definitions/edit", form(later, "simulate", days="0"))
        assert (wrong.status_code, "This is a number from 1 to 366." in wrong.text) == (422, True)
        assert (await visitor.post("definitions/edit", form(BROKEN, "simulate"))).text.count('data-line="14"') == 1


async def test_a_trial_tells_meanwhile_how_far_it_is(office: Office) -> None:
    later = edited(FILES, ("{entered: recruiting.contacted}", "{created: lead}"))
    async with office.signed_in(LEADER) as visitor:
        visitor.http.headers["accept"] = TYPE
        for files, said in ((later, "What would have happened"), (BROKEN, "These definitions have errors.")):
            answer = await visitor.post("definitions/edit", form(files, "simulate"))
            first, *_, last = [json.loads(line) for line in answer.text.splitlines()]
            assert (answer.headers["content-type"], first["what"]) == (TYPE, "begin")
            assert said in last["html"]
            assert "<html" not in last["html"]


@pytest.mark.parametrize("method", ["get", "post"])
async def test_for_others_there_is_no_such_page(office: Office, method: str) -> None:
    async with office.signed_in(CAMILLE) as visitor:
        sent = (
            visitor.get("definitions/edit")
            if method == "get"
            else visitor.post("definitions/edit", form(TOWN, "publish"))
        )
        assert (await sent).status_code == 404
    assert office.tenant.published.version == 1
