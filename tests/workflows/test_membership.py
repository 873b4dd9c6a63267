from __future__ import annotations

import pytest

from models import accounts
from models.accounts import Refusal, SignedIn
from models.actor import Actor
from models.errors import InvalidError, NotFoundError
from tests.workflows.conftest import Stage
from workflows import membership

pytestmark = pytest.mark.anyio

ZOE = {"first_name": "Zoé", "last_name": "Roy", "email": "zoe@exemple.fr", "levels": ["distributor"]}
PASSWORD = "douze lettres et plus"


async def by_email(stage: Stage, email: str) -> membership.Member:
    return next(one for one in await membership.members(stage.tenant) if one.email == email)


async def test_who_joins_has_a_history_and_stands_below_the_sponsor(stage: Stage, lea: Actor) -> None:
    joined = await membership.join(stage.tenant, ZOE, sponsor="LEA@exemple.fr", password=PASSWORD)
    assert joined.token is None
    zoe = await stage.actor(joined.id)
    assert zoe.member is not None
    assert str(zoe.member["_path"]).startswith(f"/{lea.id}/")
    assert await stage.rows("_history", "kind", where=f"record = '{joined.id}'") == [("created",)]
    outcome = await accounts.sign_in(stage.tenant, "zoe@exemple.fr", PASSWORD, ip=None)
    assert isinstance(outcome, SignedIn)
    found = await by_email(stage, "zoe@exemple.fr")
    assert (found.name, found.levels, found.active, found.signs_in) == ("Zoé Roy", ("distributor",), True, True)
    assert found.joined_at == stage.clock.now()
    assert found.seen_at is not None


async def test_without_a_password_there_is_a_link(stage: Stage) -> None:
    joined = await membership.join(stage.tenant, ZOE)
    assert joined.token
    assert not (await by_email(stage, "zoe@exemple.fr")).signs_in
    assert (await membership.invite(stage.tenant, "zoe@exemple.fr")).token != joined.token


@pytest.mark.parametrize(
    ("values", "sponsor", "error"),
    [
        ({**ZOE, "levels": ["distributer"]}, None, InvalidError),
        ({**ZOE, "levels": ["public"]}, None, InvalidError),
        ({**ZOE, "email": "lea@exemple.fr"}, None, InvalidError),
        ({**ZOE, "first_name": ""}, None, InvalidError),
        (ZOE, "nobody@exemple.fr", NotFoundError),
    ],
)
async def test_who_cannot_join_leaves_nothing(
    stage: Stage, values: dict[str, object], sponsor: str | None, error: type[Exception]
) -> None:
    before = await membership.members(stage.tenant)
    with pytest.raises(error):
        await membership.join(stage.tenant, values, sponsor=sponsor)
    assert await membership.members(stage.tenant) == before
    assert await stage.rows("_invitation", "id") == []


async def test_levels_are_changed_and_told_in_the_history(stage: Stage, lea: Actor) -> None:
    found = await membership.change_levels(stage.tenant, "lea@exemple.fr", lambda levels: (*levels, "assistant"))
    assert found.levels == ("distributor", "assistant")
    assert (await stage.actor(str(lea.id))).levels == ("distributor", "assistant")
    with pytest.raises(InvalidError) as refused:
        await membership.change_levels(stage.tenant, "lea@exemple.fr", lambda _: ["leadr"])
    assert "did you mean 'leader'?" in str(refused.value.fields["levels"])
    assert len(await stage.rows("_history", "id", where=f"record = '{lea.id}' AND kind = 'updated'")) == 1


async def test_who_is_let_go_is_signed_out_and_may_come_back(stage: Stage) -> None:
    joined = await membership.join(stage.tenant, ZOE, password=PASSWORD)
    outcome = await accounts.sign_in(stage.tenant, "zoe@exemple.fr", PASSWORD, ip=None)
    assert isinstance(outcome, SignedIn)
    assert not (await membership.set_active(stage.tenant, "zoe@exemple.fr", active=False)).active
    assert await accounts.resume(stage.tenant, outcome.token, ip=None) is None
    assert await accounts.sessions(stage.tenant, joined.id) == []
    assert isinstance(await accounts.sign_in(stage.tenant, "zoe@exemple.fr", PASSWORD, ip=None), Refusal)
    await membership.set_active(stage.tenant, "zoe@exemple.fr", active=True)
    assert isinstance(await accounts.sign_in(stage.tenant, "zoe@exemple.fr", PASSWORD, ip=None), SignedIn)


async def test_members_of_many_pages_are_all_listed(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(membership, "PAGE", 1)
    assert {one.email for one in await membership.members(stage.tenant)} == {"lea@exemple.fr", "rita@exemple.fr"}
