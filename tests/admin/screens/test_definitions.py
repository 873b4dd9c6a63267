"""Versions in the browser: leaders see what was published, and go back by the same plan as everybody."""

from __future__ import annotations

from dataclasses import replace

import pytest

from definitions.problems import Place, Problem
from models.message import say
from tests.admin.office import CAMILLE, FILES, LEADER, Office
from tests.networks import edited
from workflows import publishing

pytestmark = pytest.mark.anyio

CITY = "  city: {type: text}\n"
TOWN = edited(FILES, (CITY, "  town: {type: text}\n"))


@pytest.fixture
async def published(office: Office) -> Office:
    """A network with a second version, by its leader."""
    await publishing.publish(office.tenant, TOWN, office.members[LEADER], note="Towns <b>now</b>")
    return office


async def test_leaders_see_who_published_what(published: Office) -> None:
    async with published.signed_in(LEADER) as visitor:
        page = (await visitor.get("definitions")).text
        assert "Version 2 · Towns &lt;b&gt;now&lt;/b&gt;" in page
        assert f"By Claire Alba, {published.tenant.published.hash[:10]}" in page
        assert page.count("By ") == 1
        one = (await visitor.get("definitions/1")).text
        assert "company.yaml" in one
        assert "town goes." in one
        assert "city is new." in one
        assert "roll-back" not in (await visitor.get("definitions/2")).text


async def test_rules_that_came_after_the_current_version_are_told(published: Office) -> None:
    broken = Problem("process.unreachable_state", Place("visit.yaml", 9, 3), say("Nothing leads to it."))
    async with published.signed_in(LEADER) as visitor:
        assert "New rules" not in (await visitor.get("definitions")).text
        published.tenant._current = replace(published.tenant.published, problems=(broken,))
        page = (await visitor.get("definitions")).text
        assert "It runs as before" in page
        assert "visit.yaml:9:3: Nothing leads to it." in page


@pytest.mark.parametrize("path", ["definitions", "definitions/1", "definitions/2"])
async def test_for_others_there_is_no_such_page(published: Office, path: str) -> None:
    async with published.signed_in(CAMILLE) as visitor:
        assert (await visitor.get(path)).status_code == 404
        answer = await visitor.post("definitions/1/roll-back", {"base": "2"})
        assert answer.status_code == 404
    assert published.tenant.published.version == 2


@pytest.mark.parametrize("path", ["definitions/0", "definitions/3", f"definitions/{'9' * 30}", "definitions/x"])
async def test_a_version_that_is_not_there_is_not_found(published: Office, path: str) -> None:
    async with published.signed_in(LEADER) as visitor:
        assert (await visitor.get(path)).status_code == 404


async def test_going_back_publishes_the_version_again(published: Office) -> None:
    async with published.signed_in(LEADER) as visitor:
        answer = await visitor.post("definitions/1/roll-back", {"base": "2", "note": "Not yet"}, on="definitions/1")
        assert answer.status_code == 303
        page = (await visitor.get("definitions")).text
        assert "Version 3 is published." in page
        assert "Version 3 · Not yet" in page
        assert "Nothing would change" in (await visitor.get("definitions/1")).text
    assert "city" in published.tenant.published.network.entities["company"].fields


async def test_going_back_from_a_page_that_is_too_old_is_refused(published: Office) -> None:
    async with published.signed_in(LEADER) as visitor:
        answer = await visitor.post("definitions/1/roll-back", {"base": "1"}, on="definitions/1")
        assert answer.status_code == 409
        assert "meanwhile version 2 was published" in answer.text
    assert published.tenant.published.version == 2


async def test_what_would_be_lost_is_said_and_lost_only_when_meant(published: Office) -> None:
    tenant = published.tenant
    at = "'2026-03-02 11:00:00.000000+00:00'"
    columns = "id, created_at, updated_at, version, name, town"
    sql = f"INSERT INTO company ({columns}) VALUES ('1', {at}, {at}, 1, 'A', 'Lyon')"  # noqa: S608 - words of the test
    await tenant.store.write(lambda tx: tx.run(sql))
    async with published.signed_in(LEADER) as visitor:
        page = (await visitor.get("definitions/1")).text
        assert "company.town&#39; goes, and its value in 1 record with it" in page
        answer = await visitor.post("definitions/1/roll-back", {"base": "2"}, on="definitions/1")
        assert answer.status_code == 422
        assert tenant.published.version == 2
        meant = {"base": "2", "allow_loss": "true"}
        assert (await visitor.post("definitions/1/roll-back", meant, on="definitions/1")).status_code == 303
    assert tenant.published.version == 3


async def test_many_versions_are_listed_page_by_page(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publishing, "LISTED", 2)
    for icon in ("house", "wrench", "star"):
        await publishing.publish(office.tenant, edited(FILES, ("icon: user-plus", f"icon: {icon}")))
    async with office.signed_in(LEADER) as visitor:
        first = (await visitor.get("definitions")).text
        assert "Version 4" in first
        assert "Version 2" not in first
        assert "definitions?before=3" in first
        second = (await visitor.get("definitions?before=3")).text
        assert "Version 1" in second
        assert "before=" not in second
        assert (await visitor.get("definitions?before=²x")).status_code == 200
