from __future__ import annotations

import time
from datetime import timedelta

import pytest

from models import accounts, passwords, terms
from models.accounts import EMAIL_LIMIT, PAIR_LIMIT, WINDOW, Refusal, SignedIn
from models.actor import PUBLIC, SYSTEM
from models.clock import SetClock
from models.errors import ConflictError, InvalidError, NotFoundError
from models.sessions import IDLE, session_id
from tests.models.office import Office

pytestmark = pytest.mark.anyio

PASSWORD = "a long password"
HOME, OTHER = "192.0.2.1", "198.51.100.9"


@pytest.fixture
async def ann(office: Office) -> str:
    await accounts.set_password(office.tenant, office.ids["ann"], PASSWORD)
    return office.ids["ann"]


async def enter(
    office: Office,
    password: str = PASSWORD,
    *,
    email: str = "ann@example.com",
    ip: str = HOME,
    previous: str | None = None,
) -> SignedIn | Refusal:
    return await accounts.sign_in(office.tenant, email, password, ip=ip, agent="Firefox", previous=previous)


async def entered(office: Office, *, ip: str = HOME, previous: str | None = None) -> SignedIn:
    found = await enter(office, ip=ip, previous=previous)
    assert isinstance(found, SignedIn)
    return found


@pytest.mark.parametrize("email", ["ann@example.com", " ANN@Example.com "])
async def test_the_right_password_opens_a_session(office: Office, ann: str, email: str) -> None:
    found = await enter(office, email=email)
    assert isinstance(found, SignedIn)
    assert (found.actor.id, found.actor.levels, found.actor.ip) == (ann, ("own",), HOME)
    resumed = await accounts.resume(office.tenant, found.token, ip=OTHER)
    assert resumed is not None
    assert resumed[0] == found.session
    assert (resumed[1].id, resumed[1].ip) == (ann, OTHER)


async def test_a_session_is_stored_by_its_hash_alone(office: Office, ann: str) -> None:
    found = await entered(office)
    rows = await office.tenant.store.read(lambda tx: tx.rows('SELECT * FROM "_session"'))
    assert found.session.id == session_id(found.token)
    assert found.token not in str(rows)
    assert len(found.session.csrf) >= 40


@pytest.mark.parametrize("email", ["ann@example.com", "nobody@example.com", "bob@example.com", ""])
async def test_a_wrong_password_and_an_unknown_email_are_refused_alike(office: Office, ann: str, email: str) -> None:
    assert await enter(office, "wrong password", email=email) == Refusal("credentials")


async def test_an_unknown_email_takes_as_long(office: Office, ann: str) -> None:
    async def median(email: str, first: int) -> float:
        times = []
        for number in range(first, first + 5):
            begin = time.perf_counter()
            await enter(office, "wrong password", email=email, ip=f"192.0.2.{number}")
            times.append(time.perf_counter() - begin)
        return sorted(times)[2]

    await enter(office, "warm up")
    known, unknown = await median("ann@example.com", 10), await median("nobody@example.com", 20)
    assert 0.4 < known / unknown < 2.5


async def test_a_member_who_left_cannot_sign_in_nor_go_on(office: Office, ann: str) -> None:
    found = await entered(office)
    await office.write(SYSTEM, lambda records: records.update("member", ann, None, {"active": False}))
    assert await enter(office) == Refusal("credentials")
    assert await accounts.resume(office.tenant, found.token, ip=HOME) is None


async def test_a_session_ends_when_it_is_idle(office: Office, ann: str, clock: SetClock) -> None:
    found = await entered(office)
    clock.forward(IDLE)
    assert await accounts.resume(office.tenant, found.token, ip=HOME) is not None
    clock.forward(IDLE)
    assert await accounts.resume(office.tenant, found.token, ip=HOME) is not None
    clock.forward(IDLE + timedelta(seconds=1))
    assert await accounts.resume(office.tenant, found.token, ip=HOME) is None
    assert await accounts.sessions(office.tenant, ann) == []


async def test_the_idle_time_is_an_argument(office: Office, ann: str, clock: SetClock) -> None:
    found = await entered(office)
    clock.forward(timedelta(minutes=6))
    assert await accounts.resume(office.tenant, found.token, ip=HOME, idle=timedelta(minutes=5)) is None


async def test_signing_in_again_ends_the_session_before(office: Office, ann: str) -> None:
    first = await entered(office)
    second = await entered(office, previous=first.token)
    assert second.token != first.token
    assert await accounts.resume(office.tenant, first.token, ip=HOME) is None


async def test_signing_out_ends_this_session_alone(office: Office, ann: str) -> None:
    first, second = await entered(office), await entered(office)
    await accounts.sign_out(office.tenant, first.token)
    assert await accounts.sessions(office.tenant, ann) == [second.session]


async def test_a_member_ends_own_sessions_and_no_others(office: Office, ann: str) -> None:
    first, second = await entered(office), await entered(office)
    assert await accounts.revoke(office.tenant, office.ids["bob"], first.session.id) == 0
    assert await accounts.revoke(office.tenant, ann, first.session.id) == 1
    assert await accounts.resume(office.tenant, second.token, ip=HOME) is not None
    assert await accounts.revoke(office.tenant, ann) == 1


async def test_a_new_password_ends_the_sessions(office: Office, ann: str) -> None:
    found = await entered(office)
    await accounts.set_password(office.tenant, ann, "another password")
    assert await accounts.resume(office.tenant, found.token, ip=HOME) is None
    assert await enter(office) == Refusal("credentials")
    assert isinstance(await enter(office, "another password"), SignedIn)


@pytest.mark.parametrize("password", ["short", "x" * 201])
async def test_a_password_has_a_length(office: Office, password: str) -> None:
    with pytest.raises(InvalidError):
        await accounts.set_password(office.tenant, office.ids["ann"], password)


async def test_too_many_tries_have_to_wait_but_not_for_ever(office: Office, ann: str, clock: SetClock) -> None:
    for _ in range(PAIR_LIMIT):
        assert await enter(office, "wrong password") == Refusal("credentials")
        clock.forward(timedelta(minutes=1))
    until = clock.now() - timedelta(minutes=PAIR_LIMIT) + WINDOW
    assert await enter(office) == Refusal("too_many", until)
    clock.forward(until - clock.now())
    assert isinstance(await enter(office), SignedIn)


async def test_nobody_is_locked_out_by_others(office: Office, ann: str, clock: SetClock) -> None:
    await entered(office)
    for number in range(EMAIL_LIMIT):
        await enter(office, "wrong password", ip=f"203.0.113.{number}")
    assert (await enter(office, ip=OTHER)) == Refusal("too_many", clock.now() + WINDOW)
    assert isinstance(await enter(office), SignedIn)


async def test_each_try_is_logged(office: Office, ann: str) -> None:
    await enter(office, "wrong password")
    await entered(office)
    rows = await office.tenant.store.read(
        lambda tx: tx.rows('SELECT "email", "member", "ip", "outcome" FROM "_sign_in" ORDER BY "id"')
    )
    assert [tuple(row) for row in rows] == [
        ("ann@example.com", ann, HOME, "failed"),
        ("ann@example.com", ann, HOME, "signed_in"),
    ]


async def test_a_stored_password_that_is_no_hash_matches_nothing() -> None:
    assert not await passwords.matches("plain", "plain")
    assert not await passwords.matches(None, "nobody has this password")


async def test_terms_are_asked_for_until_their_version_is_accepted(office: Office, ann: str) -> None:
    actor = (await entered(office)).actor
    wanted = await terms.open_terms(office.tenant, actor)
    assert [found.name for found in wanted] == ["general", "own_terms"]
    with pytest.raises(ConflictError):
        await terms.accept(office.tenant, actor, "general", "2020-01")
    with pytest.raises(NotFoundError):
        await terms.accept(office.tenant, actor, "branch_terms", "1")
    for _ in range(2):
        await terms.accept(office.tenant, actor, "general", "2026-01")
    assert [found.name for found in await terms.open_terms(office.tenant, actor)] == ["own_terms"]
    rows = await office.tenant.store.read(
        lambda tx: tx.rows('SELECT "member", "terms", "version", "at", "ip" FROM "_acceptance"')
    )
    assert [tuple(row) for row in rows] == [(ann, "general", "2026-01", "2026-03-02 11:00:00.000000+00:00", HOME)]


async def test_the_public_accepts_nothing(office: Office) -> None:
    assert await terms.open_terms(office.tenant, PUBLIC) == ()
