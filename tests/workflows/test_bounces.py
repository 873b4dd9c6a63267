"""Mails that come back: what a report says, whose it is, and what follows for the address."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.actor import SYSTEM, Actor
from models.secrets import Vault
from tests.workflows.conftest import RNG, Stage
from tests.workflows.letters_waiting import ENDS, put
from workflows import bounces, commands, letters, mails, preferences
from workflows.bounce_reports import Report, read_reports, says_nobody
from workflows.erasure import erase
from workflows.letters import Wording
from workflows.mail import SmtpTransport
from workflows.mails import Mail
from workflows.unit import read, write
from workflows.worker import Worker

pytestmark = pytest.mark.anyio

SECRET = b"a secret of this installation"
VAULT = Vault(lambda: (SECRET,))
REPORT = """From: MAILER-DAEMON@mx.example
To: {to}
Subject: Undelivered Mail
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

It could not be delivered.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example

Final-Recipient: rfc822; {about}
Action: {action}
Status: {status}
Diagnostic-Code: smtp; {said}

--b--
"""
COMPLAINT = """From: feedback@mx.example
To: {to}
Subject: complaint
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="b"

--b
Content-Type: text/plain

Spam.
--b
Content-Type: message/feedback-report

Feedback-Type: {kind}
User-Agent: Some/1.0
Version: 1

--b--
"""


def report(status: str, said: str, action: str = "failed", about: str = "paul@exemple.fr") -> tuple[Report, ...]:
    """Return what a report of non-delivery comes to."""
    text = REPORT.format(to="back+1@exemple.fr", about=about, action=action, status=status, said=said)
    return read_reports(text.replace("\n", "\r\n").encode())


@pytest.mark.parametrize(
    ("status", "said", "kind"),
    [
        ("5.1.1", "550 5.1.1 no such user", "hard"),
        ("5.1.2", "no such domain", "hard"),
        ("5.1.10", "556 null MX", "hard"),
        ("5.2.1", "550 mailbox disabled", "hard"),
        ("5.0.0", "550 refused", "soft"),
        ("5.2.2", "552 5.2.2 over quota", "soft"),
        ("5.7.1", "550 5.7.1 looks like spam", "soft"),
        ("4.4.1", "421 nobody answers", "soft"),
    ],
)
def test_a_report_says_whether_there_is_such_an_address(status: str, said: str, kind: str) -> None:
    found = report(status, said)
    assert found == (Report(kind, said, "paul@exemple.fr", ("back+1@exemple.fr",)),)  # type: ignore[arg-type] # of the table


@pytest.mark.parametrize("action", ["delayed", "delivered", "relayed", "expanded", ""])
def test_only_what_failed_is_an_end(action: str) -> None:
    assert report("5.1.1", "550 no", action) == ()


def test_a_report_about_several_recipients_is_one_about_each_that_it_failed_for() -> None:
    end, other = (
        "Diagnostic-Code: smtp; {said}\n",
        "\nFinal-Recipient: rfc822; {who}\nAction: {action}\nStatus: {status}\n",
    )
    more = [
        ("ida@exemple.fr", "failed", "5.2.2"),
        ("noe@exemple.fr", "delivered", "2.0.0"),
        ("zoe@exemple.fr", "failed", "5.1.1"),
    ]
    blocks = "".join(other.format(who=who, action=action, status=status) for who, action, status in more)
    text = REPORT.replace(end, end + blocks).format(
        to="back+1@exemple.fr", about="paul@exemple.fr", action="failed", status="5.1.1", said="550 no"
    )
    found = [(each.address, each.kind) for each in read_reports(text.encode())]
    assert found == [("paul@exemple.fr", "hard"), ("ida@exemple.fr", "soft"), ("zoe@exemple.fr", "hard")]


@pytest.mark.parametrize(("kind", "taken"), [("abuse", True), ("fraud", True), ("not-spam", False), ("other", False)])
def test_a_complaint_is_one_when_it_says_so(kind: str, taken: bool) -> None:
    found = read_reports(COMPLAINT.format(to="back+1@exemple.fr", kind=kind).encode())
    assert [each.kind for each in found] == ["complaint"] * taken


@pytest.mark.parametrize(
    ("code", "text", "nobody"),
    [(550, "no such user", True), (550, "5.7.1 blocked", False), (554, "no", False), (553, "5.1.3 what?", True)],
)
def test_a_server_that_has_a_reason_of_its_own_says_nothing_about_the_address(
    code: int,
    text: str,
    nobody: bool,
) -> None:
    assert says_nobody(code, text) is nobody


@given(raw=st.binary(max_size=400))
def test_whatever_comes_in_is_read_or_left(raw: bytes) -> None:
    read_reports(raw)
    read_reports(REPORT.encode()[:300] + raw)


@pytest.fixture
def back(stage: Stage) -> Worker:
    """A worker whose mails have a return address."""
    stage.tenant.vault = VAULT
    transport = SmtpTransport(f"{stage.mailbox.url}&bounces=bounces@reseau.example")
    return Worker(stage.tenant, transport, rng=RNG)


async def sent(stage: Stage, worker: Worker, to: str = "paul@exemple.fr") -> tuple[str, str]:
    """Send a mail; return its id and the address that it came from for the mail server."""
    [mail] = await put(stage.tenant, to, unsubscribe=ENDS)
    await worker.run_due()
    return mail, stage.mailbox.senders[-1]


async def seen(stage: Stage, rita: Actor, mail: str) -> Mail:
    """Return a mail as who administers sees it."""
    return await mails.mail(stage.tenant, rita, mail)


async def take(stage: Stage, mail: str, said: Report) -> None:
    """Keep a report."""
    assert await write(stage.tenant, SYSTEM, lambda unit: bounces.take(unit, mail, said))


async def test_a_mail_has_a_return_address_of_its_own_that_nobody_else_can_make(stage: Stage, back: Worker) -> None:
    mail, sender = await sent(stage, back)
    assert len(sender.partition("@")[0]) <= 64
    assert "Return-Path" not in stage.mailbox.letters[-1]
    networks = ("other", stage.tenant.name)
    assert bounces.returned(VAULT, networks, ["x@y", sender.upper()]) == ((stage.tenant.name,), mail)
    rotated = Vault(lambda: (b"another secret, which came later", SECRET))
    assert bounces.returned(rotated, networks, [sender]) == ((stage.tenant.name,), mail)
    assert bounces.returned(Vault(lambda: (b"somebody else's",)), networks, [sender]) is None
    other = ("0" if sender[20] != "0" else "1").join((sender[:20], sender[21:]))
    for forged in (other, sender.replace("@", "0@"), "bounces+@reseau.example", "bounces@reseau.example", ""):
        assert bounces.returned(VAULT, networks, [forged]) is None
    assert bounces.returned(VAULT, ("other",), [sender]) is None


async def test_nothing_goes_to_an_address_that_a_report_says_there_is_not(
    stage: Stage, back: Worker, rita: Actor
) -> None:
    mail, _ = await sent(stage, back)
    await take(stage, mail, Report("hard", "550 5.1.1 no such user"))
    found = await seen(stage, rita, mail)
    assert (found.state, str(found.error)) == ("failed", "It came back: 550 5.1.1 no such user")
    [later] = await put(stage.tenant, "Paul@exemple.fr")
    await back.run_due()
    found = await seen(stage, rita, later)
    assert found.state == "failed"
    assert "550 5.1.1 no such user" in str(found.error)
    assert found.may_retry
    assert len(stage.mailbox.letters) == 1
    await commands.retry_mail(stage.tenant, rita, later)  # somebody says that it does now
    await back.run_due()
    assert (await seen(stage, rita, later)).state == "sent"


@pytest.mark.parametrize(
    ("answer", "state", "marked"),
    [("550 5.1.1 nobody", "failed", 1), ("550 5.7.1 not you", "failed", 0), ("452 4.2.2 full", "waiting", 0)],
)
async def test_a_server_that_says_at_once_that_there_is_nobody_marks_the_address(
    stage: Stage, back: Worker, rita: Actor, answer: str, state: str, marked: int
) -> None:
    stage.mailbox.refuse["paul@exemple.fr"] = answer
    [mail] = await put(stage.tenant, "paul@exemple.fr")
    await back.run_due()
    assert (await seen(stage, rita, mail)).state == state
    found = await stage.tenant.store.read(lambda tx: tx.rows('SELECT "address", "mail" FROM "_bounced"'))
    assert [tuple(row) for row in found] == [("paul@exemple.fr", mail)] * marked


async def test_a_mailbox_that_is_full_is_written_to_again(stage: Stage, back: Worker, rita: Actor) -> None:
    mail, _ = await sent(stage, back)
    await take(stage, mail, Report("soft", "552 5.2.2 full"))
    assert (await seen(stage, rita, mail)).state == "failed"
    await sent(stage, back)
    assert len(stage.mailbox.letters) == 2


async def test_a_copy_that_comes_back_says_nothing_of_the_letter(stage: Stage, back: Worker, rita: Actor) -> None:
    mail, _ = await sent(stage, back)
    await stage.tenant.store.write(lambda tx: tx.run('UPDATE "_mail" SET "cc" = ?', ['["ida@exemple.fr"]']))
    await take(stage, mail, Report("hard", "550 no", "Ida@exemple.fr"))
    assert (await seen(stage, rita, mail)).state == "sent"
    assert await stage.tenant.store.read(lambda tx: bounces.refusal(tx, "paul@exemple.fr")) is None
    assert await stage.tenant.store.read(lambda tx: bounces.refusal(tx, "ida@exemple.fr")) is not None


@pytest.mark.parametrize(
    ("answer", "marked"), [("550 5.1.1 nobody", ["ida@exemple.fr"]), ("550 5.7.1 not you", []), ("452 4.2.2 full", [])]
)
async def test_a_copy_that_a_server_says_there_is_nobody_for_is_no_recipient_of_the_next_mail(
    stage: Stage, back: Worker, rita: Actor, answer: str, marked: list[str]
) -> None:
    stage.mailbox.refuse["ida@exemple.fr"] = answer
    for number in range(2):
        [mail] = await put(stage.tenant, "paul@exemple.fr")
        copies = '["Ida@exemple.fr", "noe@exemple.fr"]' if number else '["ida@exemple.fr"]'
        await stage.tenant.store.write(lambda tx, kept=copies: tx.run('UPDATE "_mail" SET "cc" = ?', [kept]))  # type: ignore[misc] # the round's copies
        await back.run_due()
        assert (await seen(stage, rita, mail)).state == "sent"
        found = await stage.tenant.store.read(lambda tx: tx.rows('SELECT "address" FROM "_bounced"'))
        assert [row[0] for row in found] == marked
        stage.mailbox.refuse.clear()
    left = ["noe@exemple.fr"] if marked else ["Ida@exemple.fr", "noe@exemple.fr"]
    assert stage.mailbox.recipients == [["paul@exemple.fr"], ["paul@exemple.fr", *left]]
    assert str(stage.mailbox.letters[-1]["Cc"]) == ", ".join(left)


async def test_who_complains_gets_no_more_mails_that_can_be_ended(stage: Stage, back: Worker, rita: Actor) -> None:
    mail, _ = await sent(stage, back)
    [waiting] = await put(stage.tenant, "paul@exemple.fr", unsubscribe=ENDS)
    await take(stage, mail, Report("complaint", "abuse"))
    assert await read(stage.tenant, SYSTEM, lambda unit: preferences.unsubscribed(unit.tx, "paul@exemple.fr"))
    assert (await seen(stage, rita, waiting)).state == "cancelled"
    found = await seen(stage, rita, mail)
    assert (found.state, "complained" in str(found.error)) == ("sent", True)


async def test_a_letter_about_signing_in_is_tried_all_the_same(stage: Stage, back: Worker, lea: Actor) -> None:
    mail, _ = await sent(stage, back, "lea@exemple.fr")
    await take(stage, mail, Report("hard", "550 5.1.1 no"))
    assert lea.id is not None
    await letters.tell(stage.tenant, lea.id, "lea@exemple.fr", Wording("Lien", "lien", "lien", "fr"))
    await back.run_due()
    assert stage.mailbox.letters[-1]["Subject"] == "Lien"


async def test_a_report_about_a_mail_that_is_gone_is_none_of_ours(stage: Stage, back: Worker) -> None:
    mail, _ = await sent(stage, back)
    await stage.tenant.store.write(lambda tx: tx.run('DELETE FROM "_mail" WHERE "id" = ?', [mail]))
    assert not await write(stage.tenant, SYSTEM, lambda unit: bounces.take(unit, mail, Report("hard", "no")))
    assert await stage.tenant.store.read(lambda tx: tx.rows('SELECT 1 FROM "_bounced"')) == []


async def test_an_address_goes_with_the_record_whose_mail_marked_it(stage: Stage, back: Worker, lea: Actor) -> None:
    lead = await stage.lead(lea)
    mail, _ = await sent(stage, back)
    about = 'UPDATE "_mail" SET "entity" = ?, "record" = ? WHERE "id" = ?'
    await stage.tenant.store.write(lambda tx: tx.run(about, ["lead", lead.id, mail]))
    await take(stage, mail, Report("hard", "550 5.1.1 no"))
    await write(stage.tenant, SYSTEM, lambda unit: erase(unit, "lead", lead.id, {}))
    assert await stage.tenant.store.read(lambda tx: tx.rows('SELECT 1 FROM "_bounced"')) == []
