"""Steps that others must agree to over the API: asked for, listed for who decides, agreed to, refused, taken back."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from models.clock import SetClock
from tests.admin.api.program import problem, program
from tests.admin.office import CAMILLE, DIANE, FILES, LEADER, Office, office_of
from tests.admin.test_approvals import ASKED, ATTACHED, SIGN, contacted
from tests.admin.test_uploads import PDF
from tests.homes import Homes
from tests.networks import edited

pytestmark = pytest.mark.anyio


@pytest.fixture
async def office(homes: Homes, clock: SetClock) -> AsyncIterator[Office]:
    """An office in which the leader must agree to sign-ups."""
    async with office_of(homes, clock, edited(FILES, (SIGN, ASKED))) as made:
        yield made


async def test_a_program_asks_and_another_decides(office: Office) -> None:
    lead = await contacted(office)
    address = f"/entities/lead/{lead.id}/transitions/recruiting/sign"
    async with program(office, CAMILLE) as camille, program(office, LEADER) as claire:
        moved = (await camille.post(address, json={"why": "Prêt"})).json()
        assert (moved["asked"], moved["record"]["recruiting"]) == (True, "contacted")
        problem(await camille.post(address, json={}), 403)
        assert (await camille.get("/approvals")).json()["items"] == []
        [waiting] = (await claire.get("/approvals")).json()["items"]
        assert waiting["about"] == {"entity": "lead", "id": lead.id, "title": "Paul Roy"}
        assert waiting["answers"] == {"why": "Prêt"}
        assert (waiting["asked_by"]["title"], waiting["granted"], waiting["quorum"]) == ("Camille Roux", 0, 1)
        done = (await claire.post(f"/approvals/{waiting['id']}/grant")).json()
        assert done == {"missing": 0, "moved": True, "closed": None}
        problem(await claire.post(f"/approvals/{waiting['id']}/grant"), 403)
        assert (await camille.get(f"/entities/lead/{lead.id}")).json()["recruiting"] == "signed"


async def test_refusing_says_why_and_who_asked_takes_it_back(office: Office) -> None:
    lead = await contacted(office)
    address = f"/entities/lead/{lead.id}/transitions/recruiting/sign"
    async with program(office, CAMILLE) as camille, program(office, LEADER) as claire, program(office, DIANE) as diane:
        await camille.post(address, json={})
        [waiting] = (await claire.get("/approvals")).json()["items"]
        base = f"/approvals/{waiting['id']}"
        problem(await claire.post(f"{base}/refuse", json={"reason": 3}), 422, {"reason"})
        for deed in ("grant", "refuse", "withdraw"):
            problem(await diane.post(f"{base}/{deed}", json={}), 404)
        assert (await claire.post(f"{base}/refuse", json={"reason": "Trop tôt"})).status_code == 204
        events = (await camille.get(f"/entities/lead/{lead.id}/history")).json()["items"]
        assert [event["text"] for event in events if event["kind"] == "refused"] == ["Trop tôt"]
        await camille.post(address, json={})
        [again] = (await claire.get("/approvals")).json()["items"]
        assert (await camille.post(f"/approvals/{again['id']}/withdraw")).status_code == 204
        assert (await claire.get("/approvals")).json()["items"] == []


async def test_what_is_asked_for_is_offered_as_such(office: Office) -> None:
    lead = await contacted(office)
    base = f"/entities/lead/{lead.id}/transitions"
    async with program(office, CAMILLE) as camille:

        async def sign() -> tuple[bool, object]:
            offers = (await camille.get(base)).json()["items"]
            (found,) = [each for each in offers if each["transition"] == "sign"]
            return found["allowed"], found["asked"]

        assert await sign() == (True, None)
        await camille.post(f"{base}/recruiting/sign", json={})
        allowed, asked = await sign()
        assert isinstance(asked, dict)
        known = {name: asked[name] for name in ("by", "granted", "granted_by", "quorum", "mine")}
        assert not allowed
        assert known == {"by": "Camille Roux", "granted": 0, "granted_by": [], "quorum": 1, "mine": True}
        assert (await camille.post(f"/approvals/{asked['id']}/withdraw")).status_code == 204
        assert await sign() == (True, None)


async def test_a_program_takes_the_files_of_a_request(homes: Homes, clock: SetClock) -> None:
    async with office_of(homes, clock, edited(FILES, (SIGN, ATTACHED))) as office:
        lead = await contacted(office)
        async with program(office, CAMILLE) as camille, program(office, LEADER) as claire:
            taken = (await camille.post("/uploads", files={"file": ("scan.pdf", PDF)})).json()
            address = f"/entities/lead/{lead.id}/transitions/recruiting/sign"
            await camille.post(address, json={"scan": taken["id"]})
            [waiting] = (await claire.get("/approvals")).json()["items"]
            file = f"/approvals/{waiting['id']}/files/scan"
            assert waiting["answers"]["scan"]["name"] == "scan.pdf"
            assert (await claire.get(file)).content == PDF
            problem(await claire.get(file.replace("scan", "why")), 404)
            assert "/approvals/{asked}/files/{field}" in (await claire.get("/openapi.json")).json()["paths"]
        async with program(office, DIANE) as diane:
            problem(await diane.get(file), 404)
