"""Who is told of a step that others must agree to: those who may agree, at once and again; then who asked."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from models.actor import SYSTEM
from models.errors import RefusedError
from models.house_rules import REMINDED
from models.secrets import Vault
from tests.networks import edited
from tests.workflows.conftest import RNG, MakeStage, Stage
from tests.workflows.test_approvals import contacted, opened, pack, sign, states
from workflows import commands, letters, notices, preferences, reminders, settings
from workflows import mails as lists
from workflows.publishing import publish
from workflows.unit import read, write
from workflows.worker import Worker

pytestmark = pytest.mark.anyio

DAY = timedelta(days=1)


async def told(stage: Stage, who: str) -> list[str]:
    """Return what somebody was told, the newest first."""
    page = await read(stage.tenant, stage.people[who], notices.page)
    return [notice.subject for notice in page.notices]


def mails(stage: Stage) -> list[tuple[str, str]]:
    """Return to whom mails about agreements went, and what they say."""
    sent = ((letter["To"], letter["Subject"]) for letter in stage.mailbox.letters)
    return sorted((to, subject) for to, subject in sent if "agreement" in subject)


async def days(stage: Stage, number: int) -> None:
    """Let so many days pass, the worker at work."""
    for _ in range(number):
        stage.clock.forward(DAY)
        await stage.worker.run_due()


async def asked_for(make: MakeStage, quorum: int = 1) -> tuple[Stage, str]:
    """Return a stage on which Lea has asked for a step, and the request."""
    stage = await opened(make, quorum)
    asked = await sign(stage, await contacted(stage), why="Prête")
    await stage.worker.run_due()
    stage.mailbox.letters.clear()
    return stage, asked


async def test_who_may_agree_is_told_at_once_and_nobody_else(make_stage: MakeStage) -> None:
    stage, _ = await asked_for(make_stage)
    stage.people["other"] = await stage.person("Other", "distributor")
    assert [await told(stage, who) for who in ("rita", "rose", "remy", "lea", "other")] == [
        *[["Lea Roux asks for your agreement: Inscrire"]] * 3,
        *[[]] * 2,
    ]
    (found,) = (await read(stage.tenant, stage.people["rita"], notices.page)).notices
    assert (found.entity, found.title) == ("lead", "Paul Roy")


async def test_with_four_eyes_who_asks_is_not_told(make_stage: MakeStage) -> None:
    stage = await opened(make_stage)
    stage.people["both"] = both = await stage.person("Both", "distributor", "leader")
    lead = await stage.lead(both)
    await stage.call(both, lead)
    await sign(stage, lead, both)
    await stage.worker.run_due()
    assert [len(await told(stage, who)) for who in ("both", "rita")] == [0, 1]


async def test_who_may_not_read_the_record_is_not_told(make_stage: MakeStage) -> None:
    files = {name: text.replace("by: [leader], quorum", "by: [distributor], quorum") for name, text in pack().items()}
    stage = await make_stage(files)
    stage.people["lea"] = lea = await stage.person("Lea", "distributor")
    stage.people["upline"] = await stage.person("Upline", "distributor")
    stage.people["ida"] = await stage.person("Ida", "distributor", sponsor=lea.id)
    await sign(stage, await contacted(stage))
    await stage.worker.run_due()
    assert [await told(stage, who) for who in ("lea", "upline", "ida")] == [[], [], []]


@pytest.mark.parametrize(("fields", "count"), [("phone", 1), ("recruiting", 0)])
async def test_who_does_not_see_the_process_is_not_told(make_stage: MakeStage, fields: str, count: int) -> None:
    files = edited(
        {
            name: text.replace("by: [leader], quorum", "by: [leader, assistant], quorum")
            for name, text in pack().items()
        },
        ("fields: {phone: {read: none", f"fields: {{{fields}: {{read: none"),
    )
    stage = await make_stage(files)
    stage.people["lea"] = await stage.person("Lea", "distributor")
    stage.people["ada"] = await stage.person("Ada", "assistant")
    await sign(stage, await contacted(stage))
    await stage.worker.run_due()
    assert len(await stage.rows("_notice", "id", where=f"\"member\" = '{stage.people['ada'].id}'")) == count


async def test_many_are_told_a_part_at_a_time(make_stage: MakeStage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reminders, "AT_ONCE", 1)
    stage, _ = await asked_for(make_stage)
    assert [len(await told(stage, who)) for who in ("rita", "rose", "remy")] == [1, 1, 1]
    await days(stage, 2)
    assert len(mails(stage)) == 3


async def test_two_workers_tell_once(make_stage: MakeStage) -> None:
    stage = await opened(make_stage)
    await sign(stage, await contacted(stage))
    await asyncio.gather(*(Worker(stage.tenant, rng=RNG, name=name).run_due() for name in ("one", "two")))
    assert len(await told(stage, "rita")) == 1


async def test_who_wants_notifications_by_mail_has_one_of_it(make_stage: MakeStage) -> None:
    stage = await opened(make_stage)
    rita = stage.people["rita"]
    await write(stage.tenant, rita, lambda unit: preferences.choose(unit, str(rita.id), "notices_by_mail", wanted=True))
    lead = await contacted(stage)
    await stage.worker.run_due()
    stage.mailbox.letters.clear()
    await sign(stage, lead)
    await stage.worker.run_due()
    (letter,) = stage.mailbox.letters
    assert (letter["To"], letter["Subject"]) == ("rita@exemple.fr", "Lea Roux asks for your agreement: Inscrire")
    assert f"https://reseau.example/n/small/e/lead/{lead.id}" in letter.as_string().replace("=\n", "")
    assert "Paul" not in letter.as_string()  # of the record a mail says nothing


async def test_a_mail_reminds_every_other_working_day_until_it_is_over(make_stage: MakeStage) -> None:
    stage, asked = await asked_for(make_stage)
    await days(stage, 1)  # Tuesday
    assert mails(stage) == []
    await days(stage, 1)
    assert mails(stage) == [
        (f"{who}@exemple.fr", "Your agreement is still waited for: Inscrire") for who in ("remy", "rita", "rose")
    ]
    await days(stage, 1)
    assert len(mails(stage)) == 3
    await days(stage, 3)  # Friday, and a weekend in which nobody works
    assert len(mails(stage)) == 6
    await commands.grant(stage.tenant, stage.people["rita"], asked)
    assert await stage.rows("_outbox", "id", where="\"kind\" = 'asked' AND \"state\" = 'ready'") == []
    await days(stage, 7)
    assert len(mails(stage)) == 6


async def test_a_reminder_that_could_not_be_sent_is_sent_again(make_stage: MakeStage) -> None:
    stage, _ = await asked_for(make_stage)
    stage.mailbox.refuse = {"rita@exemple.fr": "550 nobody here"}
    await days(stage, 3)
    stage.mailbox.refuse.clear()
    root = await stage.person("Root", "leader")
    page = await lists.mails(stage.tenant, root, state="failed")
    [failed] = page.mails
    assert (failed.recipient, failed.may_retry) == ("rita@exemple.fr", True)
    stage.mailbox.letters.clear()
    await commands.retry_mail(stage.tenant, root, failed.id)
    await stage.worker.run_due()
    assert [letter["To"] for letter in stage.mailbox.letters] == ["rita@exemple.fr"]


async def test_a_mail_for_its_recipient_alone_is_not_offered_to_be_sent_again(make_stage: MakeStage) -> None:
    stage, _ = await asked_for(make_stage)
    stage.tenant.vault = Vault(lambda: (b"a secret of this installation",))
    root = await stage.person("Root", "leader")
    stage.mailbox.refuse = {"x@exemple.fr": "550 nobody here"}
    await letters.tell(stage.tenant, str(root.id), "x@exemple.fr", letters.Wording("Subject", "Secret", "Kept", "fr"))
    await stage.worker.run_due()
    page = await lists.mails(stage.tenant, root, state="failed")
    [failed] = page.mails
    assert not failed.may_retry
    with pytest.raises(RefusedError, match="recipient alone"):
        await commands.retry_mail(stage.tenant, root, failed.id)


async def test_who_has_agreed_is_not_reminded(make_stage: MakeStage) -> None:
    stage, asked = await asked_for(make_stage, 2)
    await commands.grant(stage.tenant, stage.people["rita"], asked)
    await days(stage, 2)
    assert [address for address, _ in mails(stage)] == ["remy@exemple.fr", "rose@exemple.fr"]


async def test_the_house_says_how_often_one_is_reminded(make_stage: MakeStage) -> None:
    stage, _ = await asked_for(make_stage)
    await settings.change(stage.tenant, SYSTEM, {REMINDED: 0})
    await days(stage, 4)
    assert mails(stage) == []
    await settings.change(stage.tenant, SYSTEM, {REMINDED: 1})  # what waits already hears of it
    await days(stage, 3)  # a weekend
    assert len(mails(stage)) == 3


async def test_what_is_over_asks_nobody_any_more(make_stage: MakeStage) -> None:
    stage, asked = await asked_for(make_stage)
    await write(stage.tenant, stage.people["rose"], notices.mark)
    await commands.withdraw(stage.tenant, stage.people["lea"], asked)
    await stage.worker.run_due()
    assert [len(await told(stage, who)) for who in ("rita", "rose", "lea")] == [0, 1, 0]


async def test_who_asked_is_told_that_the_step_is_taken(make_stage: MakeStage) -> None:
    stage, asked = await asked_for(make_stage, 2)
    await commands.grant(stage.tenant, stage.people["rita"], asked)
    await stage.worker.run_due()
    assert await told(stage, "lea") == []
    await commands.grant(stage.tenant, stage.people["rose"], asked)
    await stage.worker.run_due()
    assert await told(stage, "lea") == ["The step that you asked for is taken: Inscrire"]


@pytest.mark.parametrize(("reason", "said"), [("Trop tôt", "Inscrire (Trop tôt)"), ("", "Inscrire")])
async def test_who_asked_is_told_of_a_refusal_with_its_reason(make_stage: MakeStage, reason: str, said: str) -> None:
    stage, asked = await asked_for(make_stage)
    await commands.refuse(stage.tenant, stage.people["rita"], asked, reason)
    await stage.worker.run_due()
    assert await told(stage, "lea") == [f"The step that you asked for is refused: {said}"]


async def test_who_asked_is_told_why_the_step_could_not_be_taken(make_stage: MakeStage) -> None:
    stage, asked = await asked_for(make_stage)
    ((lead,),) = await stage.rows("_approval", "record")
    await commands.update(stage.tenant, SYSTEM, "lead", lead, None, {"phone": None})
    await commands.grant(stage.tenant, stage.people["rita"], asked)
    await stage.worker.run_due()
    assert [text.partition(": ")[0] for text in await told(stage, "lea")] == [
        "The step that you asked for could not be taken"
    ]


async def test_who_sees_the_record_no_more_is_told_nothing(make_stage: MakeStage) -> None:
    stage, asked = await asked_for(make_stage)
    ((lead,),) = await stage.rows("_approval", "record")
    await commands.update(stage.tenant, SYSTEM, "lead", lead, None, {"owner": stage.people["rita"].id})
    await commands.refuse(stage.tenant, stage.people["rita"], asked)
    await stage.worker.run_due()
    assert await stage.rows("_notice", "id", where=f"\"member\" = '{stage.people['lea'].id}'") == []


async def test_what_an_automation_asked_for_goes_with_the_move_that_it_followed(make_stage: MakeStage) -> None:
    run = "automation: ask\nlabel: {fr: Demander, en: Ask}\nwhen: {moved: recruiting.call}\nif: record.calls > 1\n"
    stage = await make_stage({**pack(), "automations.yaml": f"{run}do: [{{move: sign}}]\n"})
    stage.people["lea"] = lea = await stage.person("Lea", "distributor")
    stage.people["rita"] = await stage.person("Rita", "leader")
    lead = await stage.lead(lea)
    await stage.call(lea, lead)
    again = await stage.call(lea, lead)  # it stays where it is, and asks
    await stage.worker.run_due()
    assert await told(stage, "rita") == ["Lea Roux asks for your agreement: Inscrire"]
    await commands.undo(stage.tenant, lea, again.history)
    assert (await stage.value(lead, "recruiting"), await states(stage)) == ("contacted", ["withdrawn"])
    assert await told(stage, "rita") == []


WHY = "      why: {type: long_text, label: {fr: Pourquoi, en: Why}}\n"
PLAN = "      plan: {type: KIND, required: NEEDED, label: {fr: Plan, en: Plan}}\n"


def asking(kind: str, needed: str = "false") -> dict[str, str]:
    return edited(pack(), (WHY, WHY + PLAN.replace("KIND", kind).replace("NEEDED", needed)))


@pytest.mark.parametrize(
    ("before", "given", "after", "state"),
    [
        (asking("text"), "12", asking("long_text"), "closed"),
        (asking("decimal, scale: 2"), "12.5", asking("decimal, scale: 4"), "closed"),
        (asking("text"), "12", asking("integer"), "closed"),
        (
            asking("choice, options: {gold: Gold, iron: Iron}"),
            "gold",
            asking("choice, options: {iron: Iron}"),
            "closed",
        ),
        (asking("choice, options: {gold: Gold, iron: Iron}"), "gold", asking("choice, options: {gold: Best}"), "open"),
        (asking("text"), None, asking("integer"), "open"),
        (asking("text"), "12", asking("text", "true"), "open"),
        (asking("text"), None, asking("text", "true"), "closed"),
        (asking("text"), "12", pack(), "open"),
        (pack(), None, asking("text"), "open"),
    ],
)
async def test_a_form_that_asks_something_else_closes_what_was_answered_to_it(
    make_stage: MakeStage, before: dict[str, str], given: str | None, after: dict[str, str], state: str
) -> None:
    stage = await make_stage(before)
    stage.people["lea"] = await stage.person("Lea", "distributor")
    lead = await contacted(stage)
    form: dict[str, object] = {} if given is None else {"plan": given}
    await sign(stage, lead, None, **form)
    await publish(stage.tenant, after)
    assert await states(stage) == [state]


async def test_in_an_office_both_count_as_told(make_stage: MakeStage) -> None:
    stage = await opened(make_stage)
    through = replace(stage.people["lea"], through=stage.people["rita"].id)
    await sign(stage, await contacted(stage), through)
    await stage.worker.run_due()
    assert [len(await told(stage, who)) for who in ("rita", "rose")] == [0, 1]


async def test_what_is_told_of_a_process_that_its_reader_no_longer_sees_is_hidden(make_stage: MakeStage) -> None:
    stage, asked = await asked_for(make_stage)
    await commands.refuse(stage.tenant, stage.people["rita"], asked)
    await stage.worker.run_due()
    hidden = ("    fields: {income_goal:", "    fields: {recruiting: {read: none, write: none}, income_goal:")
    await publish(stage.tenant, edited(pack(), hidden))
    assert await told(stage, "lea") == [""]
