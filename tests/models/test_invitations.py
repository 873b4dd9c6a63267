"""A link lets its member in once, for a week, and never after the next one."""

from __future__ import annotations

from datetime import timedelta

import pytest

from models import invitations
from models.accounts import Refusal, SignedIn, sign_in
from models.clock import SetClock
from models.errors import InvalidError, NotFoundError
from models.invitations import VALID
from models.tenant import Tenant
from tests.models.rows import execute, insert, select

pytestmark = pytest.mark.anyio

PASSWORD = "douze lettres et plus"


async def invited(tenant: Tenant, email: str = "zoe@exemple.fr") -> str:
    member = await insert(tenant, "member", first_name="Zoé", last_name="Roy", name="Zoé Roy", email=email, active=True)
    return await tenant.store.write(lambda tx: invitations.invite(tx, member, tenant.clock.now()))


async def lets_in(tenant: Tenant, password: str) -> bool:
    return isinstance(await sign_in(tenant, "zoe@exemple.fr", password, ip="192.0.2.1"), SignedIn)


async def test_it_gives_a_password_once(tenant: Tenant) -> None:
    token = await invited(tenant)
    assert await select(tenant, f"SELECT id FROM _invitation WHERE id = '{token}'") == []  # noqa: S608 - of the test
    with pytest.raises(InvalidError):
        await invitations.accept(tenant, token, "short")
    found = await invitations.accept(tenant, token, PASSWORD)
    assert (found.name, found.email) == ("Zoé Roy", "zoe@exemple.fr")
    assert await lets_in(tenant, PASSWORD)
    with pytest.raises(NotFoundError):
        await invitations.accept(tenant, token, "another one that is long")
    assert not await lets_in(tenant, "another one that is long")


@pytest.mark.parametrize(("age", "holds"), [(VALID - timedelta(seconds=1), True), (VALID, False)])
async def test_it_holds_for_a_week(tenant: Tenant, clock: SetClock, age: timedelta, holds: bool) -> None:
    token = await invited(tenant)
    clock.forward(age)
    if holds:
        await invitations.accept(tenant, token, PASSWORD)
        return
    with pytest.raises(NotFoundError):
        await invitations.accept(tenant, token, PASSWORD)
    assert isinstance(await sign_in(tenant, "zoe@exemple.fr", PASSWORD, ip=None), Refusal)


async def test_a_new_one_ends_the_one_before(tenant: Tenant) -> None:
    first = await invited(tenant)
    member = (await select(tenant, "SELECT member FROM _invitation"))[0][0]
    second = await tenant.store.write(lambda tx: invitations.invite(tx, member, tenant.clock.now()))
    with pytest.raises(NotFoundError):
        await invitations.accept(tenant, first, PASSWORD)
    await invitations.accept(tenant, second, PASSWORD)


async def test_who_was_let_go_is_not_let_in(tenant: Tenant) -> None:
    token = await invited(tenant)
    await execute(tenant, "UPDATE member SET active = FALSE")
    with pytest.raises(NotFoundError):
        await invitations.accept(tenant, token, PASSWORD)
