"""Text messages: to whom, what they cost, in which states they are, and what a provider is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from models.actor import Actor
from tests.networks import edited
from tests.workflows.conftest import RNG, MakeStage, Stage
from tests.workflows.receiver import Receiver, receiving
from tests.workflows.test_automations import automation, staged
from workflows import commands
from workflows.calling import HttpCaller
from workflows.hooks import signature
from workflows.mail import SendError
from workflows.mails import mails
from workflows.texting import MOST_PARTS, HttpSms, SmsTransport, TextMessage, parts_of
from workflows.worker import Worker

pytestmark = pytest.mark.anyio

CALLED = """
template: called
channel: sms
about: lead
body:
  fr: "{{ record.first_name }}, **appelez** {{ member.name }}"
  en: "{{ record.first_name }}, call {{ member.name }}"
"""
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
NOON = datetime(2026, 3, 2, 11, tzinfo=UTC)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as opened:
        yield opened


def texting(to: str, when: str = "{created: lead}") -> dict[str, str]:
    """Return a network that writes to telephones."""
    return {**automation(when, f"  - sms: {{template: called, to: {to}}}"), "called.yaml": CALLED}


async def provided(make_stage: MakeStage, receiver: Receiver, to: str = "=record.phone") -> tuple[Stage, Actor]:
    """Return such a network with a provider."""
    stage, lea = await staged(make_stage, texting(to))
    stage.worker = Worker(stage.tenant, rng=RNG, texts=provider(receiver))
    return stage, lea


def provider(receiver: Receiver, **more: str) -> HttpSms:
    """Return the way to a provider on this machine."""
    return HttpSms(receiver.url, caller=receiver.caller(), **more)


@pytest.mark.parametrize(
    ("to", "written"),
    [
        ("=record.phone", ["+33639980001"]),
        ("=record.owner", ["+33639980009"]),
        ("[=record.phone, =record.owner, =record.phone]", ["+33639980001", "+33639980009"]),
        ("06 39 98 00 05", ["+33639980005"]),
        ("{level: distributor}", ["+33639980009"]),
        ("=record.city", []),
        ("=record.owner.sponsor", []),
    ],
)
async def test_messages_go_to_each_telephone_once(
    make_stage: MakeStage, receiver: Receiver, to: str, written: list[str]
) -> None:
    stage = await make_stage(texting(to))
    lea = await stage.person("Lea", "distributor", phone="06 39 98 00 09")
    await stage.person("Ida", "distributor")
    stage.worker = Worker(stage.tenant, rng=RNG, texts=provider(receiver))
    await stage.lead(lea, city="Lyon")
    await stage.worker.run_due()
    assert sorted(call.json["to"] for call in receiver.calls) == written
    assert all(call.json["text"] == "Paul, appelez Lea Roux" for call in receiver.calls)
    assert await stage.rows("_step", "outcome") == [("done" if written else "skipped",)]


async def test_a_member_is_only_written_what_it_may_read(make_stage: MakeStage, receiver: Receiver) -> None:
    files = edited(
        texting("=record.owner.sponsor"),
        ("read: mine\n    create", 'read: actor.country == "FR" || record.owner == actor\n    create'),
    )
    stage = await make_stage(files)
    boss = await stage.person("Ida", "distributor", phone="06 39 98 00 05", country="BE")
    lea = await stage.person("Lea", "distributor", sponsor=boss.id)
    stage.worker = Worker(stage.tenant, rng=RNG, texts=provider(receiver))
    await stage.lead(lea)
    await stage.worker.run_due()
    assert receiver.calls == []
    assert await stage.rows("_step", "outcome") == [("skipped",)]


async def test_a_provider_is_told_who_asks_and_can_check_it(receiver: Receiver) -> None:
    way = provider(receiver, token="abc", secret=SECRET, sender="Maille")
    await way.send(TextMessage("m1", "+33639980001", "Héllo", NOON))
    (call,) = receiver.calls
    assert call.json == {"id": "m1", "to": "+33639980001", "text": "Héllo", "from": "Maille"}
    assert call.headers["authorization"] == "Bearer abc"
    assert call.headers["webhook-id"] == "m1"
    assert call.headers["webhook-signature"] == signature(SECRET, "m1", int(NOON.timestamp()), call.body)


class Fake:
    """A provider in memory, which passes the same tests as the one over HTTP."""

    def __init__(self, answers: list[bytes]) -> None:
        self.answers = answers

    async def send(self, _: TextMessage) -> None:
        status = int(self.answers[0].split()[1]) if self.answers else 204
        if status >= 300:
            raise SendError(str(status), permanent=status == 400, uncertain=False)


@pytest.mark.parametrize("real", [True, False], ids=["http", "fake"])
@pytest.mark.parametrize(("status", "permanent"), [(200, None), (400, True), (429, False), (503, False)])
async def test_a_transport_says_what_came_of_it(
    receiver: Receiver, status: int, permanent: bool | None, *, real: bool
) -> None:
    receiver.answers = [f"HTTP/1.1 {status} x\r\n\r\n".encode()]
    way: SmsTransport = provider(receiver) if real else Fake(receiver.answers)
    message = TextMessage("m1", "+33639980001", "x", NOON)
    if permanent is None:
        await way.send(message)
        return
    with pytest.raises(SendError) as caught:
        await way.send(message)
    assert (caught.value.permanent, caught.value.uncertain) == (permanent, False)


async def test_without_an_answer_nobody_knows(make_stage: MakeStage, receiver: Receiver) -> None:
    stage, lea = await provided(make_stage, receiver)
    receiver.answers = [b""]
    await stage.lead(lea)
    await stage.worker.run_due()
    assert await stage.rows("_mail", "state", "channel") == [("unknown", "sms")]
    stage.clock.moment += timedelta(days=1)
    await stage.worker.run_due()
    assert len(receiver.calls) == 1


async def test_a_provider_that_is_away_is_tried_again(make_stage: MakeStage, receiver: Receiver) -> None:
    async def nowhere(_: str, __: int) -> list[str]:
        raise OSError("no such host")

    stage, lea = await provided(make_stage, receiver)
    stage.worker = Worker(stage.tenant, rng=RNG, texts=HttpSms(receiver.url, caller=HttpCaller(find=nowhere)))
    await stage.lead(lea)
    await stage.worker.run_due()
    assert await stage.rows("_mail", "state") == [("waiting",)]
    stage.worker = Worker(stage.tenant, rng=RNG, texts=provider(receiver))
    stage.clock.moment += timedelta(hours=1)
    await stage.worker.run_due()
    assert await stage.rows("_mail", "state", "attempts") == [("sent", 2)]


async def test_a_refused_message_is_sent_again_by_hand(make_stage: MakeStage, receiver: Receiver) -> None:
    stage, lea = await provided(make_stage, receiver)
    receiver.answers = [b"HTTP/1.1 400 No\r\n\r\n"]
    await stage.lead(lea)
    await stage.worker.run_due()
    (message,) = (await mails(stage.tenant, lea)).mails
    assert (message.state, message.may_retry, message.channel) == ("failed", True, "sms")
    await commands.retry_mail(stage.tenant, lea, message.id)
    await stage.worker.run_due()
    assert await stage.rows("_mail", "state") == [("sent",)]
    assert [call.json["id"] for call in receiver.calls] == [message.id, message.id]


async def test_without_a_provider_messages_wait(make_stage: MakeStage, receiver: Receiver) -> None:
    stage, lea = await staged(make_stage, texting("=record.phone"))
    await stage.lead(lea)
    await stage.worker.run_due()
    assert await stage.rows("_mail", "state") == [("waiting",)]
    assert not stage.mailbox.letters
    stage.worker = Worker(stage.tenant, rng=RNG, texts=provider(receiver))
    await stage.worker.run_due()
    assert await stage.rows("_mail", "state") == [("sent",)]


async def test_the_message_of_a_move_leaves_when_the_undo_time_is_over(
    make_stage: MakeStage, receiver: Receiver
) -> None:
    stage, lea = await staged(make_stage, texting("=record.phone", "{moved: recruiting.call}"))
    stage.worker = Worker(stage.tenant, rng=RNG, texts=provider(receiver))
    first, second = await stage.lead(lea), await stage.lead(lea, email="ida@exemple.fr", phone="06 39 98 00 02")
    moved = await stage.call(lea, first)
    await stage.call(lea, second)
    await stage.worker.run_due()
    assert receiver.calls == []
    await commands.undo(stage.tenant, lea, moved.history)
    stage.clock.moment += timedelta(minutes=11)
    await stage.worker.run_due()
    assert [call.json["to"] for call in receiver.calls] == ["+33639980002"]


async def test_two_workers_send_each_message_once(make_stage: MakeStage, receiver: Receiver) -> None:
    stage, lea = await provided(make_stage, receiver)
    for number in range(6):
        await stage.lead(lea, email=f"paul{number}@exemple.fr")
    workers = [Worker(stage.tenant, rng=RNG, name=name, texts=provider(receiver)) for name in ("one", "two")]
    await asyncio.gather(*(worker.run_due() for worker in workers))
    for worker in workers:
        await worker.run_due()
    assert len({call.json["id"] for call in receiver.calls}) == len(receiver.calls) == 6


async def test_a_message_of_too_many_parts_fails_its_step(make_stage: MakeStage, receiver: Receiver) -> None:
    files = texting("=record.phone")
    files["called.yaml"] = f"template: called\nchannel: sms\nabout: lead\nbody: {'é' * (153 * MOST_PARTS + 1)}"
    stage, lea = await staged(make_stage, files)
    await stage.lead(lea)
    await stage.worker.run_due()
    assert await stage.rows("_run", "state") == [("failed",)]
    assert await stage.rows("_mail", "id") == []


@pytest.mark.parametrize(
    ("text", "alphabet", "length", "parts"),
    [
        ("", "GSM-7", 0, 1),
        ("é" * 160, "GSM-7", 160, 1),
        ("é" * 161, "GSM-7", 161, 2),
        ("a" * 306, "GSM-7", 306, 2),
        ("a" * 307, "GSM-7", 307, 3),
        ("€" * 80, "GSM-7", 160, 1),
        ("€" * 81, "GSM-7", 162, 2),
        ("ê" + "a" * 69, "UCS-2", 70, 1),
        ("ê" + "a" * 70, "UCS-2", 71, 2),
        ("’" * 134, "UCS-2", 134, 2),
        ("’" * 135, "UCS-2", 135, 3),
        ("😀" * 35, "UCS-2", 70, 1),
        ("😀" * 36, "UCS-2", 72, 2),
    ],
)
def test_what_a_text_costs(text: str, alphabet: str, length: int, parts: int) -> None:
    found = parts_of(text)
    assert (found.alphabet, found.length, found.parts) == (alphabet, length, parts)


@pytest.mark.parametrize(("url", "secret"), [("ftp://x", ""), ("sms", ""), ("https://x.fr", "abc")])
def test_a_wrong_provider_is_told_at_once(url: str, secret: str) -> None:
    with pytest.raises(ValueError, match="MAILLE_SMS_"):
        HttpSms(url, secret=secret)


def test_secrets_of_a_provider_are_not_written_out() -> None:
    assert "abc" not in repr(HttpSms("https://x.fr", token="abc", secret="whsec_abc"))
