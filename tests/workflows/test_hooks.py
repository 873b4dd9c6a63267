from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from definitions.pack import load
from models.actor import SYSTEM, Actor
from models.errors import NotFoundError, RefusedError
from models.secrets import CLOSED as UNSEALED
from models.secrets import Vault
from models.system import CLOSED
from tests.workflows.conftest import RNG, MakeStage, Stage
from tests.workflows.receiver import Receiver, receiving
from tests.workflows.test_automations import automation, staged
from workflows import commands, hooks
from workflows.unit import read, write
from workflows.worker import Worker

pytestmark = pytest.mark.anyio

BAD = b"HTTP/1.1 503 No\r\n\r\n"


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as opened:
        yield opened


async def calling(
    make_stage: MakeStage, receiver: Receiver, body: str = "", when: str = "{created: lead}", more: str = ""
) -> tuple[Stage, Actor]:
    """Return a network that calls the receiver."""
    step = f"  - webhook: {{url: '{receiver.url}'{body}}}{more}"
    stage, lea = await staged(make_stage, automation(when, step))
    stage.worker = Worker(stage.tenant, rng=RNG, caller=receiver.caller())
    return stage, lea


async def test_a_call_brings_what_the_definition_says(make_stage: MakeStage, receiver: Receiver) -> None:
    body = (
        ", body: {name: =record.first_name, fixed: [1, true, null, 1.5], owner: =record.owner,"
        " goal: =record.income_goal, nested: {at: =record.created_at, phone: =record.phone, born: =record.birth_date,"
        " likes: =record.interests}}"
    )
    stage, lea = await calling(make_stage, receiver, body)
    await stage.lead(lea, interests=["home"])
    await stage.worker.run_due()
    (call,) = receiver.calls
    assert call.json == {
        "name": "Paul",
        "fixed": [1, True, None, 1.5],
        "owner": {"id": lea.id},
        "goal": None,
        "nested": {"at": "2026-03-02T11:00:00Z", "phone": "+33639980001", "born": None, "likes": ["home"]},
    }
    assert await stage.rows("_hook", "state", "status", "attempts", "body") == [("sent", 204, 1, None)]


async def test_without_a_body_it_says_which_record(make_stage: MakeStage, receiver: Receiver) -> None:
    stage, lea = await calling(make_stage, receiver)
    lead = await stage.lead(lea)
    await stage.worker.run_due()
    about = {"record": {"entity": "lead", "id": lead.id}}
    assert receiver.calls[0].json == {"type": "it", "timestamp": "2026-03-02T11:00:00Z", "data": about}


async def test_the_receiver_can_tell_that_it_is_us(make_stage: MakeStage, receiver: Receiver) -> None:
    stage, lea = await calling(make_stage, receiver)
    rita = await stage.person("Rita", "leader")
    await stage.lead(lea)
    await stage.worker.run_due()
    key = await write(stage.tenant, rita, hooks.secret)
    assert key is not None
    (call,) = receiver.calls
    signed = f"{call.headers['webhook-id']}.{call.headers['webhook-timestamp']}.{call.body}".encode()
    digest = hmac.new(base64.b64decode(key.removeprefix("whsec_")), signed, hashlib.sha256).digest()
    assert call.headers["webhook-signature"] == "v1," + base64.b64encode(digest).decode()
    assert int(call.headers["webhook-timestamp"]) == int(stage.clock.now().timestamp())
    assert key != await write(stage.tenant, rita, hooks.renew)


async def test_what_is_not_taken_comes_again_under_the_same_id(make_stage: MakeStage, receiver: Receiver) -> None:
    stage, lea = await calling(make_stage, receiver)
    receiver.answers += [BAD, BAD]
    await stage.lead(lea)
    for _ in range(3):
        await stage.worker.run_due()
        stage.clock.forward(timedelta(minutes=2))
    assert len({call.headers["webhook-id"] for call in receiver.calls}) == 1
    assert len(receiver.calls) == 3
    assert await stage.rows("_hook", "state", "attempts", "error") == [("sent", 3, None)]


async def test_after_about_a_day_it_is_given_up_and_a_leader_can_send_it_again(
    make_stage: MakeStage, receiver: Receiver
) -> None:
    stage, lea = await calling(make_stage, receiver)
    rita = await stage.person("Rita", "leader")
    receiver.answers += [BAD] * hooks.ATTEMPTS
    await stage.lead(lea)
    started = stage.clock.now()
    await stage.worker.run_due()
    while await stage.rows("_hook", "id", where="state = 'waiting'"):
        await stage.worker.run_due()
        stage.clock.forward(timedelta(minutes=10))
    assert timedelta(hours=17) < stage.clock.now() - started < timedelta(hours=31)
    assert len(receiver.calls) == hooks.ATTEMPTS
    (failed,) = await read(stage.tenant, rita, hooks.latest)
    assert (failed.state, failed.status, str(failed.error)) == ("failed", 503, "It answered with 503.")
    await write(stage.tenant, rita, lambda unit: hooks.retry(unit, failed.id))
    await stage.worker.run_due()
    assert [hook.state for hook in await read(stage.tenant, rita, hooks.latest)] == ["sent"]
    with pytest.raises(RefusedError):
        await write(stage.tenant, rita, lambda unit: hooks.retry(unit, failed.id))


async def test_only_who_runs_the_network_sees_the_calls(make_stage: MakeStage, receiver: Receiver) -> None:
    stage, lea = await calling(make_stage, receiver)
    await stage.lead(lea)
    with pytest.raises(NotFoundError):
        await read(stage.tenant, lea, hooks.latest)
    with pytest.raises(NotFoundError):
        await write(stage.tenant, lea, lambda unit: hooks.retry(unit, "1"))


async def test_what_a_member_closed_is_in_no_list_of_calls_for_the_leader(
    make_stage: MakeStage, receiver: Receiver
) -> None:
    stage, lea = await calling(make_stage, receiver)
    rita = await stage.person("Rita", "leader")
    lead = await stage.lead(lea)
    await stage.worker.run_due()
    (call,) = await read(stage.tenant, rita, hooks.latest)
    closed = (lea.id, "2026-03-02 11:00:00.000000+00:00")
    await stage.tenant.store.write(lambda tx: tx.run(CLOSED.insert(), closed))
    assert await read(stage.tenant, rita, hooks.latest) == []
    with pytest.raises(NotFoundError):
        await write(stage.tenant, rita, lambda unit: hooks.retry(unit, call.id))
    await commands.delete(stage.tenant, SYSTEM, "lead", lead.id, None)
    assert await read(stage.tenant, rita, hooks.latest) == []


@pytest.mark.parametrize(("failures", "state"), [(2, "sent"), (3, "failed")])
async def test_a_definition_says_how_often(
    make_stage: MakeStage, receiver: Receiver, failures: int, state: str
) -> None:
    stage, lea = await calling(make_stage, receiver, more="\n    retry: {times: 2, backoff: 1h}")
    receiver.answers += [BAD] * failures
    await stage.lead(lea)
    for _ in range(10):
        await stage.worker.run_due()
        stage.clock.forward(timedelta(minutes=30))
    assert len(receiver.calls) == 3
    assert await stage.rows("_hook", "state") == [(state,)]


async def test_nothing_leaves_while_the_move_can_be_taken_back(make_stage: MakeStage, receiver: Receiver) -> None:
    stage, lea = await calling(make_stage, receiver, when="{entered: recruiting.contacted}")
    lead = await stage.lead(lea)
    moved = await stage.call(lea, lead)
    await stage.worker.run_due()
    assert receiver.calls == []
    await commands.undo(stage.tenant, lea, moved.history)
    stage.clock.forward(timedelta(hours=1))
    await stage.worker.run_due()
    assert receiver.calls == []
    assert await stage.rows("_hook", "state") == [("cancelled",)]


async def test_it_leaves_when_the_time_to_take_back_is_over(make_stage: MakeStage, receiver: Receiver) -> None:
    stage, lea = await calling(make_stage, receiver, when="{entered: recruiting.contacted}")
    await stage.call(lea, await stage.lead(lea))
    await stage.worker.run_due()
    stage.clock.forward(timedelta(minutes=10))
    await stage.worker.run_due()
    assert len(receiver.calls) == 1


@pytest.mark.parametrize("url", ["=record.city", "=record.phone"])
async def test_an_address_that_is_none_fails_the_step(make_stage: MakeStage, url: str) -> None:
    stage, lea = await staged(make_stage, automation("{created: lead}", f"  - webhook: {{url: {url}}}"))
    await stage.lead(lea)
    await stage.worker.run_due()
    assert await stage.rows("_step", "action", "outcome") == [("webhook", "failed")]
    assert await stage.rows("_hook", "id") == []


async def test_a_private_address_is_never_called(make_stage: MakeStage, receiver: Receiver) -> None:
    files = automation("{created: lead}", f"  - webhook: {{url: 'http://127.0.0.1:{receiver.port}/'}}")
    stage, lea = await staged(make_stage, files)
    await stage.lead(lea)
    await stage.worker.run_due()
    assert receiver.calls == []
    ((state, error),) = await stage.rows("_hook", "state", "error")
    assert state == "failed"
    assert "private network" in error


async def test_a_slow_receiver_keeps_nobody_waiting(make_stage: MakeStage, receiver: Receiver) -> None:
    stage, lea = await calling(make_stage, receiver)
    receiver.answering = asyncio.Event()
    stop = asyncio.Event()
    serving = asyncio.ensure_future(stage.worker.serve(stop))
    try:
        await stage.lead(lea)
        await until(stage, [("waiting",)])
        await stage.lead(lea, email="zoe@exemple.fr")
        await until(stage, [("waiting",), ("waiting",)])
        receiver.answering.set()
        await until(stage, [("sent",), ("sent",)])
    finally:
        stop.set()
        await serving


async def until(stage: Stage, states: list[tuple[str]]) -> None:
    """Wait until the calls are in these states."""
    async with asyncio.timeout(10):
        while await stage.rows("_hook", "state") != states:
            await stage.tenant.store.read(lambda tx: tx.rows("SELECT 1"))


@pytest.mark.parametrize(
    ("url", "body", "code"),
    [
        ("nowhere", "1", "value.type"),
        ("https://exemple.fr", "=record.nothing", "expression.unknown_field"),
        ("https://exemple.fr", "[{b: =record.city + 1}]", "expression.type"),
    ],
)
def test_a_call_is_checked_like_every_other_step(url: str, body: str, code: str) -> None:
    found = load(automation("{created: lead}", f"  - webhook: {{url: '{url}', body: {{a: {body}}}}}")).problems
    assert code in {problem.code for problem in found}


async def test_what_calls_are_signed_with_is_sealed_at_rest(make_stage: MakeStage, receiver: Receiver) -> None:
    stage, lea = await calling(make_stage, receiver)
    rita = await stage.person("Rita", "leader")
    open_key = await write(stage.tenant, rita, hooks.secret)
    assert open_key is not None
    assert open_key in str(await stage.tenant.store.read(lambda tx: tx.rows('SELECT * FROM "_setting"')))
    stage.tenant.vault = Vault(lambda: (b"a secret of this installation",))
    assert await write(stage.tenant, rita, hooks.secret) == open_key
    assert open_key not in str(await stage.tenant.store.read(lambda tx: tx.rows('SELECT * FROM "_setting"')))
    await stage.lead(lea)
    await stage.worker.run_due()
    assert len(receiver.calls) == 1


ELSEWHERE = [Vault(lambda: (b"a secret of another one",)), UNSEALED]


@pytest.mark.parametrize("elsewhere", ELSEWHERE, ids=["another key", "no key"])
@pytest.mark.parametrize("back", [True, False], ids=["the key comes back", "another is drawn"])
async def test_calls_wait_where_what_they_are_signed_with_does_not_open(
    make_stage: MakeStage, receiver: Receiver, elsewhere: Vault, back: bool
) -> None:
    stage, lea = await calling(make_stage, receiver)
    rita = await stage.person("Rita", "leader")
    stage.tenant.vault = own = Vault(lambda: (b"a secret of this installation",))
    key = await write(stage.tenant, rita, hooks.secret)
    stage.tenant.vault = elsewhere
    await stage.lead(lea)
    await stage.worker.run_due()
    assert (receiver.calls, await write(stage.tenant, rita, hooks.secret)) == ([], None)
    assert "another secret" in str(await stage.rows("_hook", "error"))
    if back:
        stage.tenant.vault = own
    else:
        await write(stage.tenant, rita, hooks.renew)
    assert (await write(stage.tenant, rita, hooks.secret) == key) is back
    stage.clock.forward(timedelta(minutes=5))
    await stage.worker.run_due()
    assert len(receiver.calls) == 1
