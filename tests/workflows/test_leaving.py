"""Members that go, are suspended and come back; and the own e-mail."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from models import accounts, tokens
from models.accounts import Refusal, SignedIn, set_password
from models.actor import SYSTEM, Actor
from models.errors import InvalidError, NotFoundError, RefusedError
from models.secrets import Vault
from models.standing import TAKE_BACK
from tests.workflows.conftest import Stage
from workflows import commands, leaving, offices, own_email, tasks
from workflows.letters import Wording
from workflows.offices import Given

pytestmark = pytest.mark.anyio

PASSWORD = "douze lettres et plus"
LEA = "lea@exemple.fr"


@pytest.fixture
async def signed(stage: Stage, lea: Actor) -> str:
    """The token of a session of Léa's, on a server that can keep secrets."""
    stage.tenant.vault = Vault(lambda: (b"a secret of the tests",))
    await set_password(stage.tenant, str(lea.id), PASSWORD)
    return await signed_in(stage)


async def signed_in(stage: Stage, email: str = LEA) -> str:
    """Sign in and return the session's token."""
    found = await accounts.sign_in(stage.tenant, email, PASSWORD, ip="192.0.2.9")
    assert isinstance(found, SignedIn)
    return found.token


async def refused(stage: Stage, email: str = LEA) -> bool:
    """Whether the e-mail and the password let nobody in."""
    return isinstance(await accounts.sign_in(stage.tenant, email, PASSWORD, ip="192.0.2.9"), Refusal)


async def active(stage: Stage, member: Actor) -> bool:
    """Whether the member is active."""
    [(found,)] = await stage.tenant.store.read(
        lambda tx: tx.rows('SELECT "active" FROM "member" WHERE "id" = ?', [member.id])
    )
    return bool(found)


async def test_who_ends_the_contract_is_out_at_once_and_the_leaders_know(
    stage: Stage, lea: Actor, rita: Actor, signed: str
) -> None:
    token = await tokens.create(stage.tenant, str(lea.id), name="a program", days=30, levels=["distributor"])
    await offices.give(
        stage.tenant,
        await stage.person("Mia", "leader", sponsor=lea.id),
        Given(LEA, ["leader"], None, stage.clock.now() + timedelta(days=1)),
    )
    lead = await stage.lead(lea)
    await leaving.terminate(stage.tenant, lea, PASSWORD, "enough")
    assert await accounts.resume(stage.tenant, signed, ip=None) is None
    assert await refused(stage)
    found = await stage.tenant.store.read(
        lambda tx: tokens.resume(stage.tenant.published, tx, token.secret, now=stage.clock.now())
    )
    assert found is None
    assert await stage.rows("_delegation", "revoked_at", where='"revoked_at" IS NULL') == []
    assert (await stage.get(lead)).full["first_name"] == "Paul"
    [task] = [each for each in await tasks.mine(stage.tenant, rita) if each.record == lea.id]
    assert task.title == "Lea Roux a mis fin à son contrat"
    await stage.worker.run_due()
    assert {letter["to"] for letter in stage.mailbox.letters} == {"rita@exemple.fr", "mia@exemple.fr"}


async def test_the_contract_is_ended_with_the_password_alone(stage: Stage, lea: Actor, signed: str) -> None:
    with pytest.raises(InvalidError) as wrong:
        await leaving.terminate(stage.tenant, lea, "another password")
    assert "password" in wrong.value.fields
    assert await accounts.resume(stage.tenant, signed, ip=None) is not None


@pytest.mark.usefixtures("signed")
@pytest.mark.parametrize(("wait", "back"), [(TAKE_BACK - timedelta(hours=1), True), (TAKE_BACK, False)])
async def test_who_left_can_be_taken_back_for_a_while(
    stage: Stage, lea: Actor, rita: Actor, wait: timedelta, *, back: bool
) -> None:
    await leaving.terminate(stage.tenant, lea, PASSWORD)
    stage.clock.forward(wait)
    if back:
        await leaving.resume(stage.tenant, rita, str(lea.id))
    else:
        with pytest.raises(RefusedError):
            await leaving.resume(stage.tenant, rita, str(lea.id))
    assert await active(stage, lea) == back
    kept = await stage.tenant.store.read(lambda tx: tx.rows('SELECT "member" FROM "_standing"'))
    assert (kept == []) == back


@pytest.mark.usefixtures("signed")
async def test_who_is_suspended_is_out_until_let_in_again(stage: Stage, lea: Actor, rita: Actor, signed: str) -> None:
    with pytest.raises(InvalidError) as wrong:
        await leaving.suspend(stage.tenant, rita, str(lea.id), "  ")
    assert "reason" in wrong.value.fields
    await leaving.suspend(stage.tenant, rita, str(lea.id), "not paid")
    assert await accounts.resume(stage.tenant, signed, ip=None) is None
    assert await refused(stage)
    kept = 'SELECT "member", "state", "reason", "by" FROM "_standing"'
    assert await stage.tenant.store.read(lambda tx: tx.rows(kept)) == [(lea.id, "suspended", "not paid", rita.id)]
    stage.clock.forward(TAKE_BACK * 3)
    await leaving.resume(stage.tenant, rita, str(lea.id))
    assert await signed_in(stage)


async def test_only_who_runs_the_network_suspends_and_resumes(stage: Stage, lea: Actor, rita: Actor) -> None:
    for forbidden in (
        leaving.suspend(stage.tenant, lea, str(rita.id), "why not"),
        leaving.resume(stage.tenant, lea, str(rita.id)),
        leaving.suspend(stage.tenant, rita, "no-such-member", "why not"),
        leaving.resume(stage.tenant, rita, "no-such-member"),
    ):
        with pytest.raises(NotFoundError):
            await forbidden
    with pytest.raises(RefusedError):
        await leaving.suspend(stage.tenant, rita, str(rita.id), "why not")


async def test_a_network_keeps_somebody_who_runs_it(stage: Stage, rita: Actor) -> None:
    await set_password(stage.tenant, str(rita.id), PASSWORD)
    with pytest.raises(RefusedError):
        await leaving.terminate(stage.tenant, rita, PASSWORD)
    assert await active(stage, rita)
    await stage.person("Boss", "leader")
    await leaving.terminate(stage.tenant, rita, PASSWORD)
    assert not await active(stage, rita)


def worded(token: str) -> Wording:
    """Return a mail with a link."""
    return Wording("Your address", f"https://reseau.example/{token}", "kept", "fr")


async def asked_for(stage: Stage, lea: Actor, email: str) -> str:
    """Ask for another e-mail and return the token that was mailed."""
    await own_email.ask(stage.tenant, lea, email, PASSWORD, worded)
    await stage.worker.run_due()
    body = stage.mailbox.letters[-1].get_body(("plain",))
    assert body is not None
    found = re.search(r"https://reseau.example/(\S+)", body.get_content())
    assert found is not None
    return found[1]


TOLD = Wording("It is changed", "Your e-mail is changed.", "kept", "fr")


@pytest.mark.usefixtures("signed")
async def test_another_email_counts_once_its_mail_was_answered(stage: Stage, lea: Actor) -> None:
    token = await asked_for(stage, lea, "Lea.New@exemple.fr")
    assert stage.mailbox.recipients[-1] == ["Lea.New@exemple.fr"]
    assert await signed_in(stage)
    assert await own_email.asked(stage.tenant, lea, token) == "Lea.New@exemple.fr"
    await own_email.confirm(stage.tenant, lea, token, TOLD)
    assert await refused(stage)
    assert await signed_in(stage, "lea.new@exemple.fr")
    await stage.worker.run_due()
    assert stage.mailbox.recipients[-1] == [LEA]
    with pytest.raises(NotFoundError):
        await own_email.confirm(stage.tenant, lea, token, TOLD)


@pytest.mark.usefixtures("signed")
async def test_the_link_is_the_members_alone_and_good_for_two_days(stage: Stage, lea: Actor, rita: Actor) -> None:
    token = await asked_for(stage, lea, "new@exemple.fr")
    with pytest.raises(NotFoundError):
        await own_email.confirm(stage.tenant, rita, token, TOLD)
    stage.clock.forward(timedelta(days=2))
    with pytest.raises(NotFoundError):
        await own_email.confirm(stage.tenant, lea, token, TOLD)


@pytest.mark.usefixtures("signed")
async def test_an_address_that_somebody_has_is_told_to_nobody_but_its_reader(
    stage: Stage, lea: Actor, rita: Actor
) -> None:
    assert rita.member is not None
    token = await asked_for(stage, lea, "rita@exemple.fr")
    with pytest.raises(InvalidError):
        await own_email.confirm(stage.tenant, lea, token, TOLD)
    assert not await refused(stage)


@pytest.mark.usefixtures("signed")
@pytest.mark.parametrize(
    ("email", "password", "wrong"),
    [
        ("nonsense", PASSWORD, "email"),
        ("", PASSWORD, "email"),
        ("LEA@exemple.fr", PASSWORD, "email"),
        ("new@exemple.fr", "another password", "password"),
    ],
)
async def test_no_mail_goes_out_for(stage: Stage, lea: Actor, email: str, password: str, wrong: str) -> None:
    with pytest.raises(InvalidError) as refused_:
        await own_email.ask(stage.tenant, lea, email, password, worded)
    assert list(refused_.value.fields) == [wrong]
    assert await stage.rows("_mail", "id") == []


@pytest.mark.usefixtures("signed")
async def test_nobody_has_many_mails_sent(stage: Stage, lea: Actor) -> None:
    for number in range(own_email.MOST):
        await own_email.ask(stage.tenant, lea, f"new{number}@exemple.fr", PASSWORD, worded)
    with pytest.raises(RefusedError):
        await own_email.ask(stage.tenant, lea, "more@exemple.fr", PASSWORD, worded)


async def test_a_member_of_a_closed_country_is_refused_in_words(stage: Stage) -> None:
    given = {"first_name": "Zoé", "last_name": "Roy", "email": "zoe@exemple.fr", "country": "US"}
    with pytest.raises(InvalidError) as refused_:
        await commands.create(stage.tenant, SYSTEM, "member", given)
    assert str(refused_.value.fields["country"]) == "The network is not open in this country: FR, BE."
