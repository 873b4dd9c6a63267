from __future__ import annotations

from collections.abc import AsyncIterator, Mapping

import pytest

from admin.limits import costly
from models import tokens
from models.clock import SetClock
from models.limits import Limiter, Rate
from tests.admin.api.program import bare
from tests.admin.office import CAMILLE, DIANE, LEADER, Office, office_of
from tests.homes import Homes

pytestmark = pytest.mark.anyio

FEW: Mapping[str, Rate] = {
    **{name: Rate(0.01, 4) for name in ("token", "member", "address")},
    **{name: Rate(0.01, 2) for name in ("search", "export")},
}


@pytest.fixture
async def busy(homes: Homes, clock: SetClock) -> AsyncIterator[Office]:
    """A server that answers everybody four times, and two searches or exports."""
    async with office_of(homes, clock, limiter=Limiter(FEW, clock=lambda: 0.0)) as opened:
        yield opened


async def bearer(office: Office, email: str) -> dict[str, str]:
    made = await tokens.create(office.tenant, office.members[email], name="x")
    return {"authorization": f"Bearer {made.secret}"}


async def test_a_program_is_told_what_is_left_and_when_to_come_back(busy: Office) -> None:
    credentials = await bearer(busy, CAMILLE)
    async with bare(busy, credentials) as client:
        first = await client.get("/me")
        assert first.headers["ratelimit-policy"] == '"address";q=4;w=400'
        left = [(await client.get("/me")).headers["ratelimit"] for _ in range(4)]
        assert left == ['"token";r=3;t=100', '"token";r=2;t=200', '"token";r=1;t=300', '"token";r=0;t=100']
        refused = await client.get("/me")
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "100")
        assert refused.headers["content-type"] == "application/problem+json"
        assert refused.json()["type"] == "urn:maille:problem:too_many"
        assert refused.headers["ratelimit"] == '"token";r=0;t=100'
    async with bare(busy, await bearer(busy, DIANE)) as other:
        assert (await other.get("/me")).status_code == 200


async def test_a_member_has_one_bucket_for_all_its_tokens(busy: Office) -> None:
    several = [await bearer(busy, CAMILLE) for _ in range(3)]
    statuses = []
    for credentials in several:
        async with bare(busy, credentials) as client:
            statuses += [(await client.get("/me")).status_code for _ in range(3)]
    assert statuses == [200] * 7 + [429, 429]  # each token's first counts for the address: whose it is was not known


async def test_who_guesses_tokens_is_stopped_and_keeps_out_nobody_who_has_one(busy: Office) -> None:
    async with bare(busy, await bearer(busy, CAMILLE)) as client:
        assert (await client.get("/me")).status_code == 200
        statuses = []
        for number in range(4):
            async with bare(busy, {"authorization": f"Bearer maille_{number}"}) as guessing:
                statuses.append((await guessing.get("/me")).status_code)
        assert statuses == [401, 401, 401, 429]
        assert (await client.get("/me")).status_code == 200


async def test_a_search_has_a_bucket_of_its_own(busy: Office) -> None:
    async with bare(busy, await bearer(busy, CAMILLE)) as client:
        await client.get("/me")
        found = [(await client.get("/entities/lead", params={"q": "zoé"})).status_code for _ in range(3)]
        assert found == [200, 200, 429]
        assert (await client.get("/entities/lead")).status_code == 200


async def test_screens_say_so_in_words_and_ask_no_store(homes: Homes, clock: SetClock) -> None:
    few = {"address": Rate(0.01, 4), "export": Rate(0.01, 1)}
    async with office_of(homes, clock, limiter=Limiter(few, clock=lambda: 0.0)) as office:
        async with office.signed_in(LEADER) as claire:
            exports = [await claire.get("e/lead/export?format=csv") for _ in range(2)]
            assert [each.status_code for each in exports] == [200, 429]
            assert (await claire.get("e/lead/")).status_code == 200
            part = await claire.get("e/lead/export?format=csv", hx_request="true")
            assert (part.status_code, "Wait a moment" in part.text) == (429, True)
            data = await claire.get("e/lead/export?format=csv", accept="application/json")
            assert "Wait a moment" in data.json()["error"]
        async with office.visitor() as visitor:
            pages = [await visitor.get("sign-in") for _ in range(3)]
        assert [each.status_code for each in pages] == [200, 200, 429]
        assert pages[2].headers["retry-after"] == "100"
        assert "So many requests at once are not answered" in pages[2].text
        assert "content-security-policy" in pages[2].headers
        async with office.visitor("198.51.100.9") as other:
            assert (await other.get("sign-in")).status_code == 200


@pytest.mark.parametrize(
    ("request_line", "kind"),
    [
        ("POST sign-in", "sign_in"),
        ("POST sign-in/factor", "sign_in"),
        ("GET sign-in", None),
        ("GET sign-in/provider", "sign_in"),
        ("POST join/abc", "sign_in"),
        ("POST sign-in/forgotten", "reset"),
        ("GET e/lead/export", "export"),
        ("GET e/lead/?sort=x&q=y", "search"),
        ("GET e/lead/?sort=q", None),
        ("GET search?q=a", "search"),
        ("GET e/lead/options?q=a", "search"),
        ("GET api/v1/entities/lead?filter=record.a", "search"),
        ("GET api/v1/statistics/by_state", "statistics"),
        ("POST e/lead/bulk", "bulk"),
        ("POST api/v1/entities/lead/bulk/recruiting/call", "bulk"),
        ("POST api/v1/entities/lead/jobs/recruiting/call", "bulk"),
        ("POST e/lead/new", None),
    ],
)
def test_what_is_costly_is_known_by_its_address(request_line: str, kind: str | None) -> None:
    method, _, address = request_line.partition(" ")
    path, _, query = address.partition("?")
    assert costly(method, path, query) == kind
    assert costly("POST", "e/lead/new", content="multipart/form-data; boundary=x") == "upload"
