from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from aiosmtpd.smtp import SMTP

from models.actor import SYSTEM
from tests.networks import edited
from tests.workflows.conftest import MakeStage, Stage
from tests.workflows.test_automations import QUIET, automation, staged
from workflows import commands
from workflows.mail import SmtpTransport
from workflows.sending import Post
from workflows.worker import Worker

pytestmark = pytest.mark.anyio

SAYS = (
    "{{ recipient.email }} {{ member.name }} {{ record.phone | default('-') }}"
    "{% if record.company %} {{ record.company.city }}{% endif %}"
)
BODY = (
    'body: {fr: "Bonjour {{ record.first_name }}", en: "Hello {{ record.first_name }}"}',
    f'body: {{fr: "{SAYS}", en: "{SAYS}"}}',
)
SOMETIMES = (
    "fields: {phone: {read: none, write: none}}",
    'fields: {phone: {read: record.city == "Lyon", write: none}}\n  company: {read: record.city == "Lyon"}',
)


async def test_links_say_which_network_it_is_also_where_nobody_said_what_the_server_is_called(
    make_stage: MakeStage,
) -> None:
    body = (BODY[0], 'body: {fr: "{{ links.record }}", en: "{{ links.record }}"}')
    stage, lea = await staged(make_stage, mailing("to: =record.owner", body))
    stage.worker = Worker(stage.tenant, SmtpTransport(stage.mailbox.url))
    made = await stage.lead(lea)
    await stage.worker.run_due()
    assert await texts(stage) == {"lea@exemple.fr": f"/n/small/e/lead/{made.id}"}


def mailing(do: str, *edits: tuple[str, str]) -> dict[str, str]:
    """Return a network that writes mails when a lead is created."""
    return edited(automation("{created: lead}", f"  - email: {{template: welcome, {do}}}"), *edits)


async def texts(stage: Stage) -> dict[str, str]:
    """Return the text of each mail by its recipient."""
    return {to: text.splitlines()[0] for to, text in await stage.rows("_mail", "recipient", "text")}


@pytest.mark.parametrize(("city", "seen"), [("Lyon", "+33639980001 Lyon"), ("Paris", "-")])
async def test_a_member_is_shown_what_it_may_read_and_an_address_all(
    make_stage: MakeStage, city: str, seen: str
) -> None:
    files = mailing("to: [=record.email, =record.owner], cc: {level: assistant}", BODY, SOMETIMES)
    stage, lea = await staged(make_stage, files)
    await stage.person("Noe", "assistant")
    firm = await commands.create(stage.tenant, lea, "company", {"name": "Savons", "city": city})
    await stage.lead(lea, company=firm.id, city=city)
    await stage.worker.run_due()
    assert await texts(stage) == {
        "paul@exemple.fr": f"paul@exemple.fr Lea Roux +33639980001 {city}",
        "lea@exemple.fr": f"lea@exemple.fr Lea Roux +33639980001 {city}",
        "noe@exemple.fr": f"noe@exemple.fr Lea Roux {seen}",
    }


async def test_a_mail_is_written_though_all_that_it_shows_is_absent(make_stage: MakeStage) -> None:
    says = (
        "{{ -record.rating }}{{ record.rating * 1.2 }}{{ record.city[:3] }}{{ record.city[0] }}"
        "{% if 'x' in record.city or not ('x' not in record.city) or record.rating > 1 %}never{% endif %}"
        "{{ record.company.name }}{{ 'x' if record.city }}{{ record.city | upper }}{{ record.city ~ '.' }}"
    )
    body = (BODY[0], f'body: {{fr: "{says}", en: "{says}"}}')
    stage, lea = await staged(make_stage, mailing("to: =record.owner", body))
    await stage.lead(lea, city=None)
    await stage.worker.run_due()
    assert await texts(stage) == {"lea@exemple.fr": "."}


async def test_of_who_caused_it_a_member_is_shown_what_it_may_read(make_stage: MakeStage) -> None:
    says = "{{ actor.name }} {{ actor.email | default('-') }}"
    body = (BODY[0], f'body: {{fr: "{says}", en: "{says}"}}')
    stage, lea = await staged(make_stage, mailing("to: [=record.email, =record.owner], cc: {level: assistant}", body))
    await stage.person("Noe", "assistant")
    await stage.lead(lea)
    await stage.worker.run_due()
    assert await texts(stage) == {
        "paul@exemple.fr": "Lea Roux lea@exemple.fr",
        "lea@exemple.fr": "Lea Roux lea@exemple.fr",
        "noe@exemple.fr": "Lea Roux -",
    }


@pytest.mark.parametrize(
    ("to", "written"),
    [
        ("to: =record.email", ["paul@exemple.fr"]),
        ("to: [=record.email, PAUL@exemple.fr]", ["paul@exemple.fr"]),
        ("to: =record.owner", ["lea@exemple.fr"]),
        ("to: =record.owner.sponsor", []),
        ("to: {level: distributor}", ["lea@exemple.fr"]),
        ("to: {level: leader}", []),
        ("to: chef@exemple.fr, cc: =record.email", ["chef@exemple.fr"]),
    ],
)
async def test_mails_go_to_each_recipient_once(make_stage: MakeStage, to: str, written: list[str]) -> None:
    stage, lea = await staged(make_stage, mailing(to))
    ida = await stage.person("Ida", "distributor")
    await commands.update(stage.tenant, SYSTEM, "member", str(ida.id), None, {"active": False})
    await stage.lead(lea)
    await stage.worker.run_due()
    assert [recipient for (recipient,) in await stage.rows("_mail", "recipient")] == written
    outcomes = await stage.rows("_step", "outcome")
    assert outcomes == [("done" if written else "skipped",)]


async def test_a_member_reads_its_own_language(make_stage: MakeStage) -> None:
    stage = await make_stage(mailing("to: =record.owner"))
    await stage.lead(await stage.person("Lea", "distributor", language="en"))
    await stage.worker.run_due()
    assert await stage.rows("_mail", "subject", "language") == [("Hello Paul", "en")]


@pytest.mark.parametrize(
    ("sender", "edits", "written"),
    [
        ("from: owner", (), ("Lea Roux", "lea@exemple.fr")),
        ("from: network", (), ("Petit réseau", None)),
        (
            "from: owner",
            (("functions: [consult, communicate, analyse]", "functions: [consult]"),),
            ("Petit réseau", None),
        ),
    ],
)
async def test_a_mail_is_in_the_name_of_who_may_send(
    make_stage: MakeStage, sender: str, edits: tuple[tuple[str, str], ...], written: tuple[str, str | None]
) -> None:
    stage, lea = await staged(make_stage, mailing(f"to: =record.email, {sender}", *edits))
    await stage.lead(lea)
    await stage.worker.run_due()
    assert await stage.rows("_mail", "sender", "reply_to") == [written]


async def test_a_schedule_without_records_writes_too(make_stage: MakeStage) -> None:
    about = ("about: lead\n", "")
    plain = ('subject: {fr: "Bonjour {{ record.first_name }}", en: "Hello {{ record.first_name }}"}',
             'subject: {fr: "Bonjour {{ recipient.first_name }}", en: "Hello {{ recipient.first_name }}"}')  # fmt: skip
    body = (
        BODY[0],
        'body: {fr: "{{ links.account }} {{ network.label }}", en: "{{ links.account }} {{ network.label }}"}',
    )
    when = '{every: {cron: "0 8 * * *"}}'
    do = "  - email: {template: welcome, to: {level: distributor}}"
    stage, _ = await staged(make_stage, edited(automation(when, do), about, plain, body))
    await stage.worker.run_due()
    stage.clock.moment = datetime(2026, 3, 3, 7, 0, tzinfo=UTC)
    await stage.worker.run_due()
    assert await stage.rows("_mail", "subject") == [("Bonjour Lea",)]
    assert (await texts(stage))["lea@exemple.fr"] == "https://reseau.example/n/small/account Petit réseau"


@pytest.mark.parametrize(
    ("link", "of_address", "of_member"),
    [
        ("record", "/e/lead/", "/e/lead/"),
        ("account", "https://reseau.example/n/small/account", "https://reseau.example/n/small/account"),
        ("unsubscribe", "https://reseau.example/n/small/unsubscribe/", "https://reseau.example/n/small/unsubscribe/"),
    ],
)
async def test_links_lead_where_their_reader_can_go(
    make_stage: MakeStage, link: str, of_address: str, of_member: str
) -> None:
    body = (BODY[0], f'body: {{fr: "{{{{ links.{link} }}}}", en: "{{{{ links.{link} }}}}"}}')
    stage, lea = await staged(make_stage, mailing("to: [=record.email, =record.owner], from: owner", body))
    await stage.lead(lea)
    await stage.worker.run_due()
    found = await texts(stage)
    assert of_address in found["paul@exemple.fr"]
    assert of_member in found["lea@exemple.fr"]


async def test_a_mail_that_breaks_the_mailer_fails_alone(
    make_stage: MakeStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage, lea = await staged(make_stage, mailing("to: =record.email"))
    for name in ("paul", "ida"):
        await stage.lead(lea, email=f"{name}@exemple.fr")
    compose = Post.compose

    def breaking(self: Post, found: list[str], message_id: str, now: datetime) -> object:
        if found[2] == "paul@exemple.fr":
            raise ValueError("no such header")
        return compose(self, found, message_id, now)

    monkeypatch.setattr(Post, "compose", breaking)
    await stage.worker.run_due()
    assert sorted(await stage.rows("_mail", "recipient", "state")) == [
        ("ida@exemple.fr", "sent"),
        ("paul@exemple.fr", "failed"),
    ]


async def test_a_connection_that_breaks_behind_the_text_leaves_the_fate_open(make_stage: MakeStage) -> None:
    stage, lea = await staged(make_stage, mailing("to: =record.email"))
    await stage.lead(lea)

    async def hang_up(server: SMTP) -> None:
        assert isinstance(server.transport, asyncio.Transport)
        server.transport.abort()

    stage.mailbox.on_text = hang_up
    await stage.worker.run_due()
    assert await stage.rows("_mail", "state") == [("unknown",)]
    stage.mailbox.on_text = None
    before = len(stage.mailbox.letters)
    stage.clock.forward(timedelta(days=1))
    await stage.worker.run_due()
    assert len(stage.mailbox.letters) == before


async def test_the_system_may_move_for_nobody(make_stage: MakeStage) -> None:
    stage, lea = await staged(make_stage, QUIET)
    lead = await stage.lead(lea)
    moved = await commands.move(stage.tenant, SYSTEM, "lead", lead.id, "call", form={"next_call_at": "2026-03-05"})
    assert moved.record is not None
    await commands.undo(stage.tenant, SYSTEM, moved.history)
    assert await stage.value(lead, "recruiting") == "new"
