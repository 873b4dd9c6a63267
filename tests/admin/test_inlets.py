"""Hooks that other systems call: who may, what is refused, what is begun once, and what leaders see."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest

from models.actor import SYSTEM
from models.clock import SetClock
from models.limits import Limiter, Rate
from models.query import Query
from tests.admin.office import CAMILLE, FILES, LEADER, Office, Visitor, office_of
from tests.homes import Homes
from tests.networks import changed
from workflows import inlets
from workflows.unit import read
from workflows.upkeep import purge
from workflows.worker import Worker

pytestmark = pytest.mark.anyio

ORDERS = changed(
    FILES,
    orders="""
automation: take_order
label: {fr: Prendre une commande, en: Take an order}
when: {webhook: orders}
if: payload.kind == "lead"
key: =payload.number
do:
  - create:
      entity: lead
      values:
        owner: =payload.owner
        first_name: =payload.name
        last_name: =webhook.name
        income_goal: =payload.goal
        calls: =payload.calls
      as: made
  - choose:
      - if: payload.calls > 2 && webhook.at <= now()
        do: [{stop: true}]
    else:
      - task: {title: {fr: Appeler, en: Call}}
""",
)
BODY = {"kind": "lead", "name": "Zoé", "goal": 1500.5, "calls": 3, "number": 7}


@dataclass
class Caller:
    """Another system that knows the secret."""

    office: Office
    visitor: Visitor
    secret: str
    body: dict[str, Any]

    async def send(self, message: str = "m1", **more: Any) -> httpx.Response:
        """Send a signed call; `at` is its time, `body` its bytes, `signed` what is said to be the signature."""
        body = more.get("body", json.dumps(self.body).encode())
        at = str(more.get("at", int(self.office.clock.now().timestamp())))
        key = base64.b64decode(self.secret.removeprefix("whsec_"))
        digest = hmac.digest(key, f"{message}.{at}.".encode() + body, hashlib.sha256)
        signed = more.get("signed", f"v1,{base64.b64encode(digest).decode()}")
        headers = {"webhook-id": message, "webhook-timestamp": at, "webhook-signature": signed}
        return await self.plain(body, **{**headers, **more.get("headers", {})})

    async def plain(self, body: bytes, hook: str = "orders", **headers: str) -> httpx.Response:
        """Send a call with these headers."""
        told = {"content-type": "application/json", **headers}
        return await self.visitor.http.post(f"/n/small/hooks/{hook}", content=body, headers=told)

    async def names(self) -> list[str]:
        """Return the names of the leads, once all is done."""
        await Worker(self.office.tenant).run_due()
        rows = await self.office.tenant.store.read(lambda tx: tx.rows('SELECT "first_name" FROM "lead"'))
        return [row[0] for row in rows]


@asynccontextmanager
async def opened(homes: Homes, clock: SetClock, limiter: Limiter | None = None) -> AsyncIterator[Caller]:
    async with office_of(homes, clock, ORDERS, limiter) as office, office.visitor() as visitor:
        async with office.signed_in(LEADER) as leader:
            page = await leader.post("api/inlets/orders/secret", on="api/inlets")
            assert page.headers["cache-control"] == "no-store"
            found = re.search(r'value="(whsec_[^"]+)"', page.text)
            assert found is not None
            assert "whsec_" not in (await leader.get("api/inlets")).text
        yield Caller(office, visitor, found[1], {**BODY, "owner": {"id": office.members[CAMILLE]}})


@pytest.fixture
async def caller(homes: Homes, clock: SetClock) -> AsyncIterator[Caller]:
    """Another system, which was given the secret."""
    async with opened(homes, clock) as made:
        yield made


async def test_a_signed_call_begins_what_waits_for_it(caller: Caller) -> None:
    answer = await caller.send()
    assert answer.status_code == 202
    assert (answer.json()["id"], answer.json()["repeated"], len(answer.json()["runs"])) == ("m1", False, 1)
    assert await caller.names() == ["Zoé"]
    page = await read(caller.office.tenant, SYSTEM, lambda unit: unit.records.list("lead", Query()))
    (lead,) = page.records
    assert (lead.full["last_name"], lead.full["calls"], lead.full["income_goal"]) == ("orders", 3, Decimal("1500.50"))
    assert await caller.office.tenant.store.read(lambda tx: tx.rows('SELECT "id" FROM "_run"')) == [
        tuple(answer.json()["runs"])
    ]
    steps = await caller.office.tenant.store.read(
        lambda tx: tx.rows('SELECT "action", "outcome" FROM "_step" ORDER BY "seq"')
    )
    assert [tuple(step) for step in steps] == [("create", "done"), ("choose", "done"), ("stop", "done")]


async def test_a_message_begins_its_runs_once_however_often_it_comes(caller: Caller) -> None:
    first, *others = await asyncio.gather(*(caller.send() for _ in range(4)))
    again = await caller.send()
    assert {answer.status_code for answer in (first, *others, again)} == {202}
    assert {tuple(answer.json()["runs"]) for answer in (first, *others, again)} == {tuple(again.json()["runs"])}
    assert again.json()["repeated"] is True
    assert await caller.names() == ["Zoé"]
    assert (await caller.send("m2")).json()["runs"] != again.json()["runs"]


async def test_a_call_that_no_condition_lets_in_begins_nothing(caller: Caller) -> None:
    caller.body["kind"] = "other"
    answer = await caller.send()
    assert (answer.status_code, answer.json()["runs"]) == (202, [])
    assert await caller.names() == []


async def test_a_bearer_is_as_good_as_a_signature(caller: Caller) -> None:
    body, bearer = json.dumps(caller.body).encode(), f"Bearer {caller.secret}"
    assert (await caller.plain(body, authorization=bearer)).status_code == 202
    caller.body["number"] = 8
    body = json.dumps(caller.body).encode()
    named = [await caller.plain(body, authorization=bearer, **{"idempotency-key": "a"}) for _ in range(2)]
    assert named[0].json()["runs"] == named[1].json()["runs"]
    assert (await caller.plain(body, authorization=f"Bearer {caller.secret}x")).status_code == 401
    assert len(await caller.names()) == 2


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"signed": "v1,AAAA"}, 401),
        ({"signed": ""}, 401),
        ({"at": 0}, 401),
        ({"at": "x"}, 401),
        ({"message": ""}, 401),
        ({"message": "x" * 300}, 400),
        ({"body": b"{"}, 400),
        ({"body": b""}, 400),
        ({"body": b'{"a": NaN}'}, 400),
        ({"body": b'{"a": "\\ud800"}'}, 400),
        ({"body": b"\xff"}, 400),
        ({"body": b"[" * 100 + b"]" * 100}, 400),
        ({"body": b"[" * 100_000}, 400),
        ({"body": b'"' + b"x" * inlets.LARGEST + b'"'}, 413),
        ({"headers": {"content-type": "text/plain"}}, 415),
        ({"headers": {"content-type": "application/x-www-form-urlencoded"}}, 415),
    ],
    ids=str,
)
async def test_what_is_wrong_is_refused_and_begins_nothing(caller: Caller, more: dict[str, Any], status: int) -> None:
    answer = await caller.send(**more)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == status
    assert await caller.office.tenant.store.read(lambda tx: tx.rows('SELECT 1 FROM "_inbound"')) == []
    assert await caller.names() == []


async def test_what_somebody_listened_to_cannot_be_sent_again_later(caller: Caller) -> None:
    at = int(caller.office.clock.now().timestamp())
    assert (await caller.send(at=at)).status_code == 202
    for moved in (timedelta(minutes=6), timedelta(days=40)):
        caller.office.clock.forward(moved)
        await purge(caller.office.tenant)
        assert (await caller.send(at=at)).status_code == 401
    caller.office.clock.forward(-timedelta(days=40, minutes=12))
    assert (await caller.send("m2", at=at)).status_code == 401


async def test_nobody_learns_which_hooks_there_are(caller: Caller) -> None:
    async with caller.office.signed_in(CAMILLE) as camille:
        assert (await camille.get("api/inlets")).status_code == 404
        assert (await camille.post("api/inlets/orders/secret")).status_code == 404
    there, nowhere = [await caller.plain(b"{}", hook, authorization="Bearer x") for hook in ("orders", "other")]
    assert (there.status_code, there.text) == (nowhere.status_code, nowhere.text)
    assert there.status_code == 401


async def test_another_secret_ends_the_one_before(caller: Caller) -> None:
    async with caller.office.signed_in(LEADER) as leader:
        await leader.post("api/inlets/orders/secret", on="api/inlets")
        assert (await leader.post("api/inlets/other/secret", on="api/inlets")).status_code == 404
    assert (await caller.send()).status_code == 401


async def test_secrets_are_not_in_the_store(caller: Caller) -> None:
    rows = await caller.office.tenant.store.read(lambda tx: tx.rows('SELECT * FROM "_inlet"'))
    assert caller.secret.removeprefix("whsec_") not in str([tuple(row) for row in rows])


async def test_leaders_see_what_came_and_what_was_refused(caller: Caller) -> None:
    async with caller.office.signed_in(LEADER) as leader:
        await caller.send("first-message")
        await caller.send(signed="v1,AAAA")
        page = (await leader.get("api/inlets")).text
        assert "first-message" in page
        assert "1 run" in page
        assert "1 call was refused" in page
        assert "/n/small/hooks/orders" in page
        await caller.send("second")
        assert "refused" not in (await leader.get("api/inlets")).text


async def test_a_hook_takes_so_many_calls_and_no_more(homes: Homes, clock: SetClock) -> None:
    limiter = Limiter({"inlet": Rate(0.001, 2)}, clock=lambda: 0.0)
    async with opened(homes, clock, limiter) as caller:
        strangers = [await caller.send(signed="v1,AAAA") for _ in range(5)]
        assert {answer.status_code for answer in strangers} == {401}
        answers = [await caller.send(f"m{number}") for number in range(3)]
        assert [answer.status_code for answer in answers] == [202, 202, 429]
        assert int(answers[-1].headers["retry-after"]) > 0


async def test_a_hook_that_no_automation_waits_for_is_no_hook(caller: Caller) -> None:
    await caller.office.tenant.publish(FILES, None)
    assert (await caller.send()).status_code == 401
