from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from aiosmtpd.smtp import SMTP

from models.actor import SYSTEM, Actor
from models.errors import NotFoundError, RefusedError
from tests.networks import SMALL, edited
from tests.workflows.conftest import RNG, MakeStage, Stage
from workflows import commands, mails
from workflows.mail import SmtpTransport
from workflows.worker import Worker

pytestmark = pytest.mark.anyio


async def waiting(stage: Stage, actor: Actor) -> str:
    """Bring about a mail that waits for the end of the undo time, and return its id."""
    await stage.call(actor, await stage.lead(actor))
    await stage.worker.run_due()
    [(mail,)] = await stage.rows("_mail", "id")
    return str(mail)


async def test_the_mail_of_a_move_leaves_when_the_undo_time_is_over(stage: Stage, lea: Actor) -> None:
    await waiting(stage, lea)
    stage.clock.forward(timedelta(minutes=9, seconds=59))
    await stage.worker.run_due()
    assert stage.mailbox.letters == []
    stage.clock.forward(timedelta(seconds=1))
    await stage.worker.run_due()
    [letter] = stage.mailbox.letters
    assert letter["To"] == "paul@exemple.fr"
    assert letter["Subject"] == "Bonjour Paul"
    assert letter["From"] == "Lea Roux <office@reseau.example>"
    assert letter["Reply-To"] == "lea@exemple.fr"
    assert letter["Auto-Submitted"] == "auto-generated"
    text, html = letter.get_body(("plain",)), letter.get_body(("html",))
    assert text is not None
    assert html is not None
    assert text.get_content().startswith("Bonjour Paul, à bientôt. Lea Roux")
    assert "<strong>Paul</strong>" in html.get_content()
    assert await stage.rows("_mail", "state", "attempts") == [("sent", 1)]


async def test_a_mail_is_in_the_language_of_who_reads_it(make_stage: MakeStage) -> None:
    language = ("  country:      {type: country", "  tongue: {type: language}\n  country:      {type: country")
    stage = await make_stage(edited(SMALL, language))
    lea = await stage.person("Lea", "distributor")
    await stage.call(lea, await stage.lead(lea, tongue="en"))
    await stage.call(lea, await stage.lead(lea, tongue="de", email="ida@exemple.fr"))
    stage.clock.forward(timedelta(minutes=10))
    await stage.worker.run_due()
    assert {letter["To"]: letter["Subject"] for letter in stage.mailbox.letters} == {
        "paul@exemple.fr": "Hello Paul",
        "ida@exemple.fr": "Bonjour Paul",
    }


async def test_without_a_transport_mails_wait_in_sight_and_leave_when_there_is_one(stage: Stage, lea: Actor) -> None:
    silent = Worker(stage.tenant)
    await stage.call(lea, await stage.lead(lea))
    stage.clock.forward(timedelta(hours=1))
    await silent.run_due()
    page = await mails.mails(stage.tenant, lea)
    assert [mail.state for mail in page.mails] == ["waiting"]
    assert page.counts == {"waiting": 1}
    await stage.worker.run_due()
    assert len(stage.mailbox.letters) == 1


async def test_a_server_that_is_away_is_tried_again_with_growing_pauses(stage: Stage, lea: Actor) -> None:
    mail = await waiting(stage, lea)
    stage.clock.forward(timedelta(minutes=10))
    away = Worker(stage.tenant, SmtpTransport("smtp://127.0.0.1:1"), rng=RNG)
    await away.run_due()
    [(state, error)] = await stage.rows("_mail", "state", "error")
    assert state == "waiting"
    assert "The mail server cannot be reached" in error
    assert await stage.worker.run_due() == 0
    stage.clock.forward(timedelta(seconds=26))
    await stage.worker.run_due()
    assert (await mails.mail(stage.tenant, lea, mail)).state == "sent"


@pytest.mark.parametrize(("answer", "state"), [("550 no such user", "failed"), ("451 try later", "waiting")])
async def test_a_refused_recipient_fails_for_good_or_for_now(stage: Stage, lea: Actor, answer: str, state: str) -> None:
    stage.mailbox.refuse["paul@exemple.fr"] = answer
    mail = await waiting(stage, lea)
    stage.clock.forward(timedelta(minutes=10))
    await stage.worker.run_due()
    found = await mails.mail(stage.tenant, lea, mail)
    assert found.state == state
    assert answer in str(found.error)
    assert found.may_retry is (state == "failed")


async def test_a_failed_mail_is_sent_again_by_hand(stage: Stage, lea: Actor) -> None:
    stage.mailbox.refuse_text = "554 no"
    mail = await waiting(stage, lea)
    stage.clock.forward(timedelta(minutes=10))
    await stage.worker.run_due()
    assert (await mails.mail(stage.tenant, lea, mail)).state == "failed"
    stage.mailbox.refuse_text = ""
    await commands.retry_mail(stage.tenant, lea, mail)
    await stage.worker.run_due()
    assert (await mails.mail(stage.tenant, lea, mail)).state == "sent"
    with pytest.raises(RefusedError):
        await commands.retry_mail(stage.tenant, lea, mail)


async def test_a_cancelled_mail_never_leaves_until_it_is_sent_again(stage: Stage, lea: Actor) -> None:
    mail = await waiting(stage, lea)
    await commands.cancel_mail(stage.tenant, lea, mail)
    stage.clock.forward(timedelta(hours=1))
    await stage.worker.run_due()
    assert stage.mailbox.letters == []
    with pytest.raises(RefusedError):
        await commands.cancel_mail(stage.tenant, lea, mail)
    await commands.retry_mail(stage.tenant, lea, mail)
    await stage.worker.run_due()
    assert len(stage.mailbox.letters) == 1


async def test_nobody_handles_the_mails_of_others(stage: Stage, lea: Actor) -> None:
    mail = await waiting(stage, lea)
    ida = await stage.person("Ida", "distributor")
    for command in (commands.retry_mail, commands.cancel_mail):
        with pytest.raises(NotFoundError):
            await command(stage.tenant, ida, mail)
    with pytest.raises(NotFoundError):
        await mails.mail(stage.tenant, ida, mail)
    assert (await mails.mails(stage.tenant, ida)).mails == ()
    assert (await mails.mails(stage.tenant, ida)).counts == {}


async def test_a_level_without_the_function_sends_nothing_by_hand(stage: Stage, lea: Actor) -> None:
    mail = await waiting(stage, lea)
    helper = await stage.person("Noe", "assistant")
    assert not (await mails.mail(stage.tenant, helper, mail)).may_cancel
    with pytest.raises(RefusedError):
        await commands.cancel_mail(stage.tenant, helper, mail)


async def test_a_mail_found_in_the_middle_is_unknown_and_waits_for_a_person(stage: Stage, lea: Actor) -> None:
    mail = await waiting(stage, lea)
    stage.clock.forward(timedelta(minutes=10))
    reached, never = asyncio.Event(), asyncio.Event()

    async def stop_in_the_middle(_: SMTP) -> None:
        reached.set()
        await never.wait()

    stage.mailbox.on_text = stop_in_the_middle
    dying = asyncio.ensure_future(stage.worker.run_due())
    await reached.wait()
    dying.cancel()
    with pytest.raises(asyncio.CancelledError):
        await dying
    stage.mailbox.on_text = None
    never.set()
    stage.clock.forward(timedelta(minutes=5))
    await stage.worker.run_due()
    found = await mails.mail(stage.tenant, lea, mail)
    assert found.state == "unknown"
    assert found.may_retry
    before = len(stage.mailbox.letters)
    await commands.retry_mail(stage.tenant, lea, mail)
    await stage.worker.run_due()
    assert len(stage.mailbox.letters) == before + 1


async def test_a_mail_keeps_its_message_id_however_often_it_is_sent(stage: Stage, lea: Actor) -> None:
    stage.mailbox.refuse_text = "451 later"
    mail = await waiting(stage, lea)
    stage.clock.forward(timedelta(minutes=10))
    await stage.worker.run_due()
    [(first,)] = await stage.rows("_mail", "message_id")
    stage.mailbox.refuse_text = ""
    stage.clock.forward(timedelta(minutes=2))
    await stage.worker.run_due()
    assert stage.mailbox.letters[0]["Message-ID"] == first == f"<{mail}@reseau.example>"


async def test_two_workers_send_each_mail_once(stage: Stage, lea: Actor) -> None:
    for number in range(40):
        await stage.call(lea, await stage.lead(lea, email=f"p{number}@exemple.fr"))
    stage.clock.forward(timedelta(minutes=10))
    other = Worker(stage.tenant, SmtpTransport(stage.mailbox.url), name="other")
    await asyncio.gather(stage.worker.run_due(), other.run_due())
    sent = sorted(letter["To"] for letter in stage.mailbox.letters)
    assert sent == sorted(f"p{number}@exemple.fr" for number in range(40))


async def test_a_member_is_only_written_what_it_may_read(make_stage: MakeStage) -> None:
    stage = await make_stage(edited(SMALL, ("to: =record.email, from: owner", "to: {level: assistant}")))
    lea = await stage.person("Lea", "distributor")
    await stage.person("Noe", "assistant")
    await stage.call(lea, await stage.lead(lea, country="BE"))
    await stage.worker.run_due()
    [(outcome, error)] = await stage.rows("_step", "outcome", "error")
    assert outcome == "skipped"
    assert "may read the record" in error
    await stage.call(lea, await stage.lead(lea, email="ida@exemple.fr"))
    await stage.worker.run_due()
    assert await stage.rows("_mail", "recipient", "sender") == [("noe@exemple.fr", "Petit réseau")]


async def test_a_template_that_cannot_be_filled_fails_its_step_with_the_reason(make_stage: MakeStage) -> None:
    grows = " | replace('x', 'yyyyyyyyyy') | replace('y', 'xxxxxxxxxx')" * 3
    stage = await make_stage(edited(SMALL, ('fr: "Bonjour **{{ record.first_name }}**, à bientôt. {{ member.name }}"',
                                           f'fr: "{{{{ record.city{grows} }}}}"')))  # fmt: skip
    lea = await stage.person("Lea", "distributor")
    await stage.call(lea, await stage.lead(lea, city="Aix"))
    await stage.worker.run_due()
    [(state, error)] = await stage.rows("_run", "state", "error")
    assert state == "failed"
    assert "too long" in error
    assert await stage.rows("_mail", "id") == []


async def test_only_the_mailer_of_the_house_reads_no_template(stage: Stage) -> None:
    assert await mails.mails(stage.tenant, SYSTEM) == mails.Mails((), None, {})
