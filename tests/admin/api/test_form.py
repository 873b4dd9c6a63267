"""How the API says things: problems, languages, values, its own description."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest
from starlette.routing import Route

from admin.api.mount import ROUTES
from admin.api.values import dump, plain
from definitions.duration import Duration
from tests.admin.api.program import bare, lead, made, problem, program
from tests.admin.office import ALICE, Office

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({"content": b"{", "headers": {"content-type": "application/json"}}, 400),
        ({"content": b"[]", "headers": {"content-type": "application/json"}}, 400),
        ({"content": b'{"first_name": NaN}', "headers": {"content-type": "application/json"}}, 400),
        ({"content": b'{"a": "\\ud800"}', "headers": {"content-type": "application/json"}}, 400),
        ({"content": b'{"a": ["x\\u0000"]}', "headers": {"content-type": "application/json"}}, 400),
        ({"content": b"\xff{}", "headers": {"content-type": "application/json"}}, 400),
        ({"content": b"[" * 100_000, "headers": {"content-type": "application/json"}}, 400),
        ({"content": b'{"calls": ' + b"9" * 5000 + b"}", "headers": {"content-type": "application/json"}}, 400),
        ({"content": b"{}"}, 415),
        ({"data": {"first_name": "x"}}, 415),
        ({"content": b" " * (10 * 1024 * 1024 + 1), "headers": {"content-type": "application/json"}}, 413),
        ({"json": {}, "headers": {"accept": "text/html, image/*"}}, 406),
        ({"json": {}, "params": {"a": "\x00"}}, 400),
    ],
)
async def test_what_cannot_be_read_is_refused(camille: httpx.AsyncClient, sent: dict[str, Any], status: int) -> None:
    problem(await camille.post("/entities/lead", **sent), status)


@pytest.mark.parametrize("accept", ["*/*", "application/json;q=0.5", "text/html, application/*", ""])
async def test_json_is_answered_to_who_takes_it(camille: httpx.AsyncClient, accept: str) -> None:
    assert (await camille.get("/me", headers={"accept": accept})).headers["content-type"] == "application/json"


async def test_characters_of_every_kind_come_back_as_they_were(camille: httpx.AsyncClient) -> None:
    sent = "Zoë “\\u0000” 🎈 é"
    assert (await made(camille, first_name=sent))["first_name"] == sent


@pytest.mark.parametrize(("asked", "said"), [("fr", "Ce champ est obligatoire."), ("de, en;q=0.5", "This is needed.")])
async def test_problems_are_said_in_the_language_that_was_asked_for(
    camille: httpx.AsyncClient, asked: str, said: str
) -> None:
    answer = await camille.post("/entities/lead", json=lead(last_name=None), headers={"accept-language": asked})
    assert problem(answer, 422, ["last_name"])["fields"]["last_name"] == said
    assert "Accept-Language" in (await camille.get("/me")).headers["vary"]


async def test_what_nobody_thought_of_is_our_fault_and_says_so(
    camille: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("admin.api.figures.compute", None)
    found = problem(await camille.get("/statistics/by_state"), 500)
    assert set(found) == {"type", "title", "status"}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Decimal("1234.50"), "1234.50"),
        (Decimal("1E+3"), "1000"),
        (datetime(2026, 3, 2, 11, tzinfo=UTC), "2026-03-02T11:00:00Z"),
        (datetime(2026, 3, 2, 11, 0, 0, 5, tzinfo=UTC), "2026-03-02T11:00:00.000005Z"),
        (date(2026, 3, 2), "2026-03-02"),
        (Duration(), "0d"),
        (Duration(months=6), "6 months"),
        (Duration(exact=timedelta(hours=36)), "36h"),
        (Duration(exact=timedelta(days=3)), "3d"),
        (Duration(exact=timedelta(seconds=90)), "90s"),
        (Duration(exact=timedelta(minutes=90)), "90m"),
        (Duration(1, timedelta(days=1), 4, 2), "1 months 1d 2 working days 4 working hours"),
        (frozenset({"b", "a"}), ["a", "b"]),
    ],
)
def test_values_have_one_form(value: Any, text: Any) -> None:
    assert plain(value) == text


def test_a_value_without_a_form_is_a_mistake_of_ours() -> None:
    with pytest.raises(TypeError):
        dump({"x": object()})


async def test_the_description_names_what_a_level_sees_and_nothing_else(
    office: Office, camille: httpx.AsyncClient, claire: httpx.AsyncClient
) -> None:
    async with program(office, ALICE) as alice:
        hers = await alice.get("/openapi.json")
    for hidden in ('"phone"', "/entities/company", "/entities/member", "/bulk", "/transitions", "/undo"):
        assert hidden not in hers.text
    assert set(hers.json()["paths"]["/entities/lead/{id}"]) == {"get"}
    own = (await camille.get("/openapi.json")).json()
    assert set(own["paths"]["/entities/lead/{id}"]) == {"get", "patch", "delete"}
    assert "income_goal" in own["components"]["schemas"]["lead"]["properties"]
    assert "income_goal" not in own["components"]["schemas"]["lead.change"]["properties"]
    assert own["components"]["schemas"]["lead.new"]["required"] == ["first_name", "last_name"]
    all_of_it = (await claire.get("/openapi.json", headers={"accept-language": "fr"})).json()
    assert "income_goal" in all_of_it["components"]["schemas"]["lead.change"]["properties"]
    assert all_of_it["paths"]["/entities/lead"]["post"]["summary"] == "Créer\u202f: Prospect"


async def test_every_address_is_described(claire: httpx.AsyncClient) -> None:
    document = (await claire.get("/openapi.json")).json()
    described = {(method.upper(), path) for path, operations in document["paths"].items() for method in operations}
    given = {"{entity}": "lead", "{process}": "recruiting", "{transition}": "lose", "{statistic}": "by_state"}
    routes = set()
    for route in ROUTES:
        assert isinstance(route, Route)
        path = route.path
        for place, name in given.items():
            path = path.replace(place, name)
        routes |= {(method, path) for method in (route.methods or set()) - {"HEAD", "OPTIONS"}}
    of_files = {("POST", "/uploads"), ("GET", "/entities/lead/{id}/files/{field}")}
    of_files |= {("GET", "/entities/lead/{id}/history/{history}/files/{field}")}
    assert routes - of_files <= described  # those are described where there is a field for a file: test_uploads
    operations = [each for path in document["paths"].values() for each in path.values()]
    names = [operation["operationId"] for operation in operations]
    assert len(names) == len(set(names))


async def test_the_definitions_are_those_of_the_caller_s_levels(
    office: Office, camille: httpx.AsyncClient, claire: httpx.AsyncClient
) -> None:
    own = (await camille.get("/definitions")).json()
    assert own["entities"]["lead"]["may"] == ["read", "create", "update", "delete"]
    assert own["entities"]["lead"]["fields"]["income_goal"]["writable"] is False
    assert own["entities"]["lead"]["fields"]["source"]["options"]["site"] == {"fr": "Site", "en": "Web site"}
    assert list(own["processes"]["recruiting"]["transitions"]) == ["call", "sign", "lose", "revive"]
    async with program(office, ALICE) as alice:
        hers = (await alice.get("/definitions")).json()
    assert set(hers["entities"]) == {"lead"}
    assert "phone" not in hers["entities"]["lead"]["fields"]
    assert hers["processes"]["recruiting"]["transitions"] == {}
    assert "levels" in (await claire.get("/definitions")).json()["entities"]["member"]["fields"]


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/entities/lead", {"GET", "HEAD", "OPTIONS"}),
        ("/entities/lead/x", {"GET", "HEAD", "OPTIONS"}),
        ("/me", {"GET", "HEAD", "OPTIONS"}),
        ("/entities/lead/bulk", {"POST", "OPTIONS"}),
    ],
)
async def test_options_say_what_the_caller_may(office: Office, path: str, allowed: set[str]) -> None:
    async with program(office, ALICE) as alice:
        answer = await alice.options(path)
    assert answer.status_code == 204
    assert set(answer.headers["allow"].split(", ")) == allowed


async def test_options_give_nothing_away(office: Office, camille: httpx.AsyncClient) -> None:
    async with bare(office) as nobody, program(office, ALICE) as alice:
        problem(await nobody.options("/entities/lead"), 401)
        problem(await alice.options("/entities/company"), 404)
    problem(await camille.options("/nothing"), 404)


async def test_who_shows_a_token_that_is_none_is_told_so(office: Office) -> None:
    async with bare(office) as nobody, bare(office, {"authorization": "Bearer maille_x"}) as wrong:
        assert (await nobody.get("/me")).headers["www-authenticate"] == "Bearer"
        assert (await wrong.get("/me")).headers["www-authenticate"] == 'Bearer error="invalid_token"'


async def test_a_network_that_cannot_be_used_now_says_when_to_come_again(
    office: Office, camille: httpx.AsyncClient
) -> None:
    async with office.networks.apart("small"):
        answer = await camille.get("/me")
    assert problem(answer, 503)["type"] == "urn:maille:problem:unavailable"
    assert int(answer.headers["retry-after"]) > 0
    assert (await camille.get("/me")).status_code == 200
