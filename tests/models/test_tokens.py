from __future__ import annotations

import re
from datetime import timedelta

import pytest

from models import tokens
from models.actor import SYSTEM, Actor
from models.clock import SetClock
from models.errors import InvalidError, NotFoundError
from models.members import create_member, with_email
from models.records import Records
from models.rules import NEVER, plain
from models.tenant import Tenant
from models.tx import Tx

pytestmark = pytest.mark.anyio


async def member(tenant: Tenant, *levels: str, active: bool = True) -> str:
    async def work(tx: Tx) -> str:
        records = Records(tenant.published, tx, SYSTEM, tenant.context(), new_id=tenant.new_id)
        person = {"first_name": "Léa", "last_name": "Roux", "email": "Lea@exemple.fr", "country": "FR"}
        return await create_member(records, {**person, "levels": list(levels), "active": active})

    return await tenant.store.write(work)


async def test_only_the_hash_of_a_token_is_kept(tenant: Tenant) -> None:
    made = await tokens.create(tenant, await member(tenant, "distributor"), name=" my  import ", days=1)
    assert made.secret.startswith(tokens.PREFIX)
    assert made.token.name == "my import"
    rows = await tenant.store.read(lambda tx: tx.rows('SELECT * FROM "_token"'))
    assert made.secret not in str(rows)
    assert tokens.token_hash(made.secret) in str(rows)


@pytest.mark.parametrize(
    ("name", "days", "levels", "wrong"),
    [
        ("", 1, (), {"name"}),
        ("x" * 81, 1, (), {"name"}),
        ("a\x00b", 1, (), {"name"}),
        ("x", 0, (), {"days"}),
        ("x", 366, (), {"days"}),
        ("", -1, (), {"name", "days"}),
        ("x", 1, ("leader",), {"levels"}),
        ("x", 1, ("nothing",), {"levels"}),
    ],
)
async def test_what_is_wrong_with_a_token_is_said_by_field(
    tenant: Tenant, name: str, days: int, levels: tuple[str, ...], wrong: set[str]
) -> None:
    lea = await member(tenant, "distributor")
    with pytest.raises(InvalidError) as refused:
        await tokens.create(tenant, lea, name=name, days=days, levels=levels)
    assert set(refused.value.fields) == wrong
    assert await tokens.of_member(tenant, lea) == []


async def test_who_cannot_sign_in_gets_no_token(tenant: Tenant) -> None:
    gone = await member(tenant, "distributor", active=False)
    for identifier in (gone, "nobody"):
        with pytest.raises(NotFoundError):
            await tokens.create(tenant, identifier, name="x", days=1)


async def test_a_token_narrows_what_expressions_see_of_the_actor(tenant: Tenant) -> None:
    lea = await member(tenant, "assistant", "distributor")
    made = await tokens.create(tenant, lea, name="x", days=1, levels=["assistant"])
    now = tenant.clock.now()
    found = await tenant.store.read(
        lambda tx: tokens.resume(tenant.published, tx, made.secret, now=now, ip="192.0.2.1")
    )
    assert found is not None
    token, actor = found
    assert token.levels == actor.levels == ("assistant",)
    assert actor.member is not None
    assert actor.member["levels"] == ("assistant",)
    assert actor.ip == "192.0.2.1"
    late = now + timedelta(days=1)
    assert await tenant.store.read(lambda tx: tokens.resume(tenant.published, tx, made.secret, now=late)) is None
    assert await tenant.store.read(lambda tx: tokens.resume(tenant.published, tx, "\ud800", now=now)) is None


async def test_a_member_has_so_many_tokens_and_revokes_only_its_own(tenant: Tenant) -> None:
    lea = await member(tenant, "distributor")
    made = [await tokens.create(tenant, lea, name=str(number), days=1) for number in range(tokens.MOST_TOKENS)]
    with pytest.raises(InvalidError):
        await tokens.create(tenant, lea, name="one more", days=1)
    assert not await tokens.revoke(tenant, "somebody else", made[0].token.id)
    assert await tokens.revoke(tenant, lea, made[0].token.id)
    assert not await tokens.revoke(tenant, lea, made[0].token.id)
    assert len(await tokens.of_member(tenant, lea)) == tokens.MOST_TOKENS - 1


async def test_a_member_is_found_by_e_mail_in_any_case(tenant: Tenant) -> None:
    lea = await member(tenant, "distributor")
    assert await tenant.store.read(lambda tx: with_email(tx, " LEA@exemple.fr")) == lea
    assert await tenant.store.read(lambda tx: with_email(tx, "no@exemple.fr")) is None


async def acting(tenant: Tenant, secret: str) -> Actor | None:
    now = tenant.clock.now()
    found = await tenant.store.read(lambda tx: tokens.resume(tenant.published, tx, secret, now=now))
    return None if found is None else found[1]


def test_a_scanner_knows_a_token_by_its_form_alone() -> None:
    secret = tokens.new_secret()
    assert re.fullmatch(r"maille_[0-9A-Za-z]{49}", secret)
    assert tokens.checks(secret)
    other = "a" if secret[20] != "a" else "b"
    for wrong in (secret[:20] + other + secret[21:], secret[:-1], secret.removeprefix(tokens.PREFIX), secret + "0"):
        assert not tokens.checks(wrong)


async def test_a_token_that_only_reads_changes_nothing(tenant: Tenant) -> None:
    boss = await member(tenant, "leader")
    whole = await acting(tenant, (await tokens.create(tenant, boss, name="x")).secret)
    reader = await acting(tenant, (await tokens.create(tenant, boss, name="x", reads_only=True)).secret)
    access = tenant.published.access
    assert whole is not None
    assert reader is not None
    assert access.changes(whole)
    assert access.administers(whole)
    assert not access.changes(reader)
    assert not access.administers(reader)
    assert {"import", "communicate"} & access.functions(whole)
    assert not {"import", "communicate"} & access.functions(reader)
    for entity in tenant.published.network.entities:
        assert access.may(reader, "read", entity) == access.may(whole, "read", entity)
        for action in ("create", "update", "delete"):
            assert not access.may(reader, action, entity)
    for process in tenant.published.network.processes.values():
        for move in process.transitions:
            assert plain(access.rights(reader).transition(process.name, move)) == NEVER


async def test_a_token_for_some_entities_knows_no_other(tenant: Tenant) -> None:
    boss = await member(tenant, "leader")
    made = await tokens.create(tenant, boss, name="x", entities=["lead"])
    actor = await acting(tenant, made.secret)
    assert actor is not None
    access = tenant.published.access
    assert made.token.entities == ("lead",)
    assert access.may(actor, "update", "lead")
    assert not access.administers(actor)
    for entity in set(tenant.published.network.entities) - {"lead"}:
        assert not access.may(actor, "read", entity)
        assert not access.may(actor, "create", entity)
    with pytest.raises(InvalidError) as refused:
        await tokens.create(tenant, boss, name="x", entities=["nothing"])
    assert set(refused.value.fields) == {"entities"}


@pytest.mark.parametrize(
    ("change", "left"),
    [
        ({"levels": ["distributor"]}, {"whole", "distributor"}),
        ({"levels": ["assistant", "distributor"]}, {"whole", "assistant", "distributor"}),
        ({"active": False}, set[str]()),
    ],
)
async def test_a_token_ends_for_good_with_what_it_is_made_of(
    tenant: Tenant, change: dict[str, object], left: set[str]
) -> None:
    lea = await member(tenant, "assistant", "distributor")
    await tokens.create(tenant, lea, name="whole")
    for level in ("assistant", "distributor"):
        await tokens.create(tenant, lea, name=level, levels=[level])

    async def update(values: dict[str, object]) -> None:
        async def work(tx: Tx) -> None:
            records = Records(tenant.published, tx, SYSTEM, tenant.context(), new_id=tenant.new_id)
            await records.update("member", lea, None, values)

        await tenant.store.write(work)

    await update(change)
    await update({"levels": ["assistant", "distributor"], "active": True})
    assert {token.name for token in await tokens.of_member(tenant, lea)} == left


async def test_the_last_use_is_kept_with_its_address(tenant: Tenant, clock: SetClock) -> None:
    lea = await member(tenant, "distributor")
    made = await tokens.create(tenant, lea, name="x")
    assert made.token.stale(clock.now())
    await tenant.store.write(lambda tx: tokens.touch(tx, made.token, clock.now(), "192.0.2.9"))
    (kept,) = await tokens.of_member(tenant, lea)
    assert (kept.last_used_at, kept.last_ip) == (clock.now(), "192.0.2.9")
    clock.forward(tokens.TOUCH)
    assert not kept.stale(clock.now())
    clock.forward(timedelta(seconds=1))
    assert kept.stale(clock.now())
