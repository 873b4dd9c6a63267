"""The members as who runs the network works with them."""

from __future__ import annotations

import pytest

from models import accounts, invitations
from models.accounts import Refusal, SignedIn, set_password
from models.actor import Actor
from models.errors import InvalidError, NotFoundError, RefusedError
from models.secrets import Vault
from tests.workflows.conftest import Stage
from workflows import leaving, roster
from workflows.letters import Wording
from workflows.roster import Newcomer

pytestmark = pytest.mark.anyio

PASSWORD = "douze lettres et plus"
ZOE = {"first_name": "Zoé", "last_name": "Ward", "email": "zoe@exemple.fr", "language": "en", "country": "FR"}
NEW = Newcomer({**ZOE, "levels": ("distributor",)}, "LEA@exemple.fr")


def worded(token: str, language: str) -> Wording:
    """Return a mail with a link."""
    return Wording("Come in", f"https://reseau.example/{token}", "kept", language)


@pytest.fixture(autouse=True)
def sealed(stage: Stage) -> None:
    """The server can keep secrets."""
    stage.tenant.vault = Vault(lambda: (b"a secret of the tests",))


async def test_who_runs_the_network_invites_by_mail_below_whomever(stage: Stage, lea: Actor, rita: Actor) -> None:
    member, token = await roster.take_in(stage.tenant, rita, NEW, worded)
    found = await roster.entry(stage.tenant, rita, member)
    assert (found.state, found.sponsor, found.levels) == ("invited", "Lea Roux", ("distributor",))
    await stage.worker.run_due()
    [letter] = stage.mailbox.letters
    assert (letter["to"], token in str(letter)) == ("zoe@exemple.fr", True)
    assert token not in str(await stage.rows("_mail", "html", "text", "subject"))
    await invitations.accept(stage.tenant, token, PASSWORD)
    assert (await roster.entry(stage.tenant, rita, member)).state == "active"
    with pytest.raises(RefusedError):
        await roster.invite_again(stage.tenant, rita, member, worded)


async def test_an_invitation_is_sent_again_or_withdrawn(stage: Stage, rita: Actor) -> None:
    member, first = await roster.take_in(stage.tenant, rita, NEW, worded)
    second = await roster.invite_again(stage.tenant, rita, member, worded)
    for token in (first, "withdrawn"):
        with pytest.raises(NotFoundError):
            await invitations.accept(stage.tenant, token, PASSWORD)
    await roster.withdraw(stage.tenant, rita, member)
    with pytest.raises(NotFoundError):
        await invitations.accept(stage.tenant, second, PASSWORD)
    with pytest.raises(NotFoundError):
        await roster.withdraw(stage.tenant, rita, member)
    assert (await roster.entry(stage.tenant, rita, member)).state == "uninvited"
    stage.clock.forward(invitations.VALID)
    await roster.invite_again(stage.tenant, rita, member, worded)
    assert (await roster.entry(stage.tenant, rita, member)).state == "invited"


@pytest.mark.parametrize(
    ("who", "wrong"),
    [
        (Newcomer({**ZOE, "country": "US"}), "country"),
        (Newcomer({**ZOE, "email": "lea@exemple.fr"}), "email"),
        (Newcomer({**ZOE, "levels": ("distributer",)}), "levels"),
        (Newcomer(ZOE, "nobody@exemple.fr"), "sponsor"),
    ],
)
async def test_who_cannot_come_in_is_not_written_to(stage: Stage, rita: Actor, who: Newcomer, wrong: str) -> None:
    with pytest.raises(InvalidError) as refused:
        await roster.take_in(stage.tenant, rita, who, worded)
    assert list(refused.value.fields) == [wrong]
    assert await stage.rows("_mail", "id") == await stage.rows("_invitation", "id") == []


async def test_the_states_of_members_are_told(stage: Stage, lea: Actor, rita: Actor) -> None:
    await set_password(stage.tenant, str(lea.id), PASSWORD)
    await leaving.suspend(stage.tenant, rita, str(lea.id), "not paid")
    mia = await stage.person("Mia", "distributor")
    found = await roster.page(stage.tenant, rita)
    assert [(each.record.id, each.state) for each in found.entries] == [
        (lea.id, "suspended"),
        (mia.id, "uninvited"),
        (rita.id, "uninvited"),
    ]
    assert found.total == 3
    assert found.entries[0].standing is not None
    assert found.entries[0].standing.reason == "not paid"


async def test_many_members_come_page_by_page(stage: Stage, rita: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(roster, "PAGE", 1)
    first = await roster.page(stage.tenant, rita)
    second = await roster.page(stage.tenant, rita, cursor=first.next)
    assert [each.email for each in (*first.entries, *second.entries)] == ["lea@exemple.fr", "rita@exemple.fr"]


async def test_a_link_to_a_new_password_is_sent_to_who_has_one(stage: Stage, lea: Actor, rita: Actor) -> None:
    with pytest.raises(RefusedError):
        await roster.send_reset(stage.tenant, rita, str(lea.id), worded)
    await set_password(stage.tenant, str(lea.id), PASSWORD)
    await roster.send_reset(stage.tenant, rita, str(lea.id), worded)
    await stage.worker.run_due()
    assert [letter["to"] for letter in stage.mailbox.letters] == ["lea@exemple.fr"]
    assert isinstance(await accounts.sign_in(stage.tenant, "lea@exemple.fr", PASSWORD, ip=None), SignedIn)


async def test_a_member_is_signed_out_everywhere(stage: Stage, lea: Actor, rita: Actor) -> None:
    await set_password(stage.tenant, str(lea.id), PASSWORD)
    found = await accounts.sign_in(stage.tenant, "lea@exemple.fr", PASSWORD, ip=None)
    assert not isinstance(found, Refusal)
    await roster.sign_out(stage.tenant, rita, str(lea.id))
    assert await accounts.sessions(stage.tenant, str(lea.id)) == []


async def test_levels_change_and_somebody_goes_on_running_the_network(stage: Stage, lea: Actor, rita: Actor) -> None:
    await roster.change_levels(stage.tenant, rita, str(lea.id), ("distributor", "assistant"))
    assert (await roster.entry(stage.tenant, rita, str(lea.id))).levels == ("distributor", "assistant")
    with pytest.raises(RefusedError):
        await roster.change_levels(stage.tenant, rita, str(rita.id), ("distributor",))
    assert (await stage.actor(str(rita.id))).levels == ("leader",)
    await roster.change_levels(stage.tenant, rita, str(lea.id), ("leader",))
    await roster.change_levels(stage.tenant, rita, str(rita.id), ("distributor",))
    with pytest.raises(NotFoundError):
        await roster.page(stage.tenant, await stage.actor(str(rita.id)))


async def test_nobody_else_finds_any_of_it(stage: Stage, lea: Actor, rita: Actor) -> None:
    member = str(rita.id)
    for forbidden in (
        roster.page(stage.tenant, lea),
        roster.entry(stage.tenant, lea, member),
        roster.take_in(stage.tenant, lea, NEW, worded),
        roster.invite_again(stage.tenant, lea, member, worded),
        roster.withdraw(stage.tenant, lea, member),
        roster.send_reset(stage.tenant, lea, member, worded),
        roster.sign_out(stage.tenant, lea, member),
        roster.forget_factors(stage.tenant, lea, member, PASSWORD, lambda language: worded("", language)),
        roster.change_levels(stage.tenant, lea, member, ()),
    ):
        with pytest.raises(NotFoundError):
            await forbidden
