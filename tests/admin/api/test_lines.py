"""Lines through the API: in their record, and by themselves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import jsonschema
import pytest

from models.clock import SetClock
from tests.admin.api.program import problem, program
from tests.admin.office import ALICE, CAMILLE, Office, office_of
from tests.billing import FOR_OFFICE
from tests.homes import Homes

pytestmark = pytest.mark.anyio

SOAP = {"text": "Soap", "price": "2.50", "quantity": 4}
COMB = {"text": "Comb", "price": "5.00"}


@pytest.fixture
async def shop(homes: Homes, clock: SetClock) -> AsyncIterator[Office]:
    """A server over the network that writes invoices."""
    async with office_of(homes, clock, FOR_OFFICE) as opened:
        yield opened


@pytest.fixture
async def seller(shop: Office) -> AsyncIterator[httpx.AsyncClient]:
    """A program of who writes invoices."""
    async with program(shop, CAMILLE) as client:
        yield client


@pytest.fixture
async def clerk(shop: Office) -> AsyncIterator[httpx.AsyncClient]:
    """A program of who looks after them, and does not see all of their lines."""
    async with program(shop, ALICE) as client:
        yield client


async def _made(client: httpx.AsyncClient, *lines: dict[str, Any]) -> dict[str, Any]:
    answer = await client.post("/entities/invoice", json={"customer": "Rose", "lines": list(lines)})
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_an_invoice_goes_in_and_comes_out_with_its_lines(seller: httpx.AsyncClient) -> None:
    made = await _made(seller, SOAP, COMB)
    read = (await seller.get(f"/entities/invoice/{made['id']}")).json()

    assert made == read
    assert [(line["text"], line["amount"]) for line in read["lines"]] == [("Soap", "10.00"), ("Comb", "5.00")]
    assert (read["total"], read["version"]) == ("15.00", 1)
    assert read["lines"][0]["parent"] == {"id": made["id"], "title": "Rose"}
    assert "cost" not in read["lines"][0]


async def test_lines_come_when_they_are_asked_for_and_never_in_lists(seller: httpx.AsyncClient) -> None:
    made = await _made(seller, SOAP)
    path = f"/entities/invoice/{made['id']}"

    assert "lines" in (await seller.get(path, params={"fields": "lines,total"})).json()
    assert "lines" not in (await seller.get(path, params={"fields": "total"})).json()
    assert "lines" not in (await seller.get("/entities/invoice")).json()["items"][0]
    problem(await seller.get("/entities/invoice", params={"fields": "lines"}), 422, ["fields"])


async def test_a_list_of_lines_takes_the_place_of_those_that_are_there(seller: httpx.AsyncClient) -> None:
    made = await _made(seller, SOAP, COMB)
    soap, comb = (line["id"] for line in made["lines"])
    body = {"customer": "Iris", "lines": [{"id": comb, "price": 6}, {"text": "Vase", "price": "1"}]}

    answer = await seller.patch(f"/entities/invoice/{made['id']}", json=body, headers={"if-match": '"1"'})
    after = answer.json()

    assert [(line["text"], line["amount"]) for line in after["lines"]] == [("Comb", "6.00"), ("Vase", "1.00")]
    assert (after["customer"], after["total"], answer.headers["etag"]) == ("Iris", "7.00", '"2"')
    problem(await seller.get(f"/entities/line/{soap}"), 404)


async def test_lines_have_addresses_of_their_own(seller: httpx.AsyncClient) -> None:
    made = await _made(seller, SOAP)
    added = (await seller.post("/entities/line", json={"parent": made["id"], **COMB})).json()
    any_version = {"if-match": "*"}

    await seller.patch(f"/entities/line/{added['id']}", json={"quantity": 3}, headers=any_version)
    counted = (await seller.get(f"/entities/invoice/{made['id']}")).json()
    listed = (await seller.get("/entities/line", params={"filter": 'record.parent.customer == "Rose"'})).json()
    gone = await seller.delete(f"/entities/line/{added['id']}", headers=any_version)
    after = (await seller.get(f"/entities/invoice/{made['id']}")).json()

    assert (counted["total"], counted["version"], len(listed["items"]), gone.status_code) == ("25.00", 3, 2, 204)
    assert (after["total"], after["version"]) == ("10.00", 4)


@pytest.mark.parametrize(
    ("lines", "wrong"),
    [
        ("Soap", {"lines"}),
        ([["Soap"]], {"lines"}),
        ([SOAP, {**COMB, "price": True}], {"lines.1.price"}),
        ([{**SOAP, "cost": "1"}], {"lines.0.cost"}),
        ([{**SOAP, "amount": "1"}], {"lines.0.amount"}),
        ([{**SOAP, "parent": "x"}], {"lines.0.parent"}),
        ([{**SOAP, "id": "x"}], {"lines.0.id"}),
        ([{**SOAP, "remarks": [{"text": 1}]}], {"lines.0.remarks.0.text"}),
        ([{"text": "Soap"}], {"lines.0.price"}),
    ],
)
async def test_what_is_wrong_with_lines_is_said_at_their_places(
    seller: httpx.AsyncClient, lines: Any, wrong: set[str]
) -> None:
    problem(await seller.post("/entities/invoice", json={"customer": "Rose", "lines": lines}), 422, wrong)


async def test_an_item_may_be_of_lines_too(seller: httpx.AsyncClient) -> None:
    items = [{"customer": "Rose", "lines": [SOAP]}, {"customer": "Iris", "lines": [{"text": "Comb"}]}]
    told = (await seller.post("/entities/invoice/bulk", json={"items": items})).json()

    assert [each["status"] for each in told["results"]] == [201, 422]
    assert set(told["results"][1]["problem"]["fields"]) == {"lines.0.price"}


async def test_who_sees_some_lines_is_answered_with_those(seller: httpx.AsyncClient, clerk: httpx.AsyncClient) -> None:
    made = await _made(seller, SOAP, {"text": "Gold", "price": "900"})
    seen = (await clerk.get(f"/entities/invoice/{made['id']}")).json()
    counted = {"filter": "count(record.lines) == 1", "count": "true"}

    assert [line["text"] for line in seen["lines"]] == ["Soap"]
    assert (await clerk.get("/entities/invoice", params=counted)).json()["count"] == 1
    assert (await seller.get("/entities/invoice", params=counted)).json()["count"] == 0


async def test_the_story_tells_of_lines(seller: httpx.AsyncClient, clerk: httpx.AsyncClient) -> None:
    made = await _made(seller, SOAP)
    line = made["lines"][0]["id"]
    await seller.patch(f"/entities/line/{line}", json={"quantity": 5}, headers={"if-match": "*"})

    (first, *_) = (await clerk.get(f"/entities/invoice/{made['id']}/history")).json()["items"]

    assert [(each["entity"], each["id"], each["kind"], each["title"]) for each in first["lines"]] == [
        ("line", line, "updated", "Soap")
    ]
    assert {change["field"] for change in first["lines"][0]["changes"]} == {"quantity", "amount"}


async def test_the_description_says_what_lines_are(seller: httpx.AsyncClient) -> None:
    document = (await seller.get("/openapi.json")).json()
    schemas = document["components"]["schemas"]

    def fits(name: str, value: Any) -> bool:
        schema = {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
        return bool(jsonschema.Draft202012Validator(schema).is_valid(value))

    made = await _made(seller, {**SOAP, "remarks": [{"text": "Soft"}]})
    assert fits("invoice", made)
    assert not fits("invoice", {**made, "lines": [{"id": 1}]})
    assert fits("invoice.new", {"customer": "Rose", "lines": [{**SOAP, "remarks": [{"text": "Soft"}]}]})
    assert not fits("invoice.new", {"customer": "Rose", "lines": [{"text": "Soap"}]})
    assert not fits("invoice.new", {"customer": "Rose", "lines": [{**SOAP, "cost": "1"}]})
    assert fits("invoice.change", {"lines": [{"id": "x", "quantity": 2}, SOAP]})
    assert not fits("invoice.change", {"lines": [{"id": "x", "parent": "y"}]})
    assert set(schemas["line.new"]["required"]) == {"parent", "text", "price"}
    assert "parent" not in schemas["line.change"]["properties"]
