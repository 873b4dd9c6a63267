from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest

from models import accounts, passwords, terms
from models.accounts import Halfway, Refusal, SignedIn
from models.actor import PUBLIC, SYSTEM
from models.clock import SetClock
from models.errors import ConflictError, InvalidError, NotFoundError
from models.house_rules import IDLE as IDLE_SETTING
from models.house_rules import LONGEST, limits_from
from models.sessions import session_id
from models.settings import save_setting
from models.tries import ADDRESS_LIMIT, EMAIL_LIMIT, PAIR_LIMIT, WINDOW
from tests.models.office import Office

pytestmark = pytest.mark.anyio

PASSWORD = "a long password"
IDLE = limits_from(None, None).idle
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
    device: str | None = None,
) -> SignedIn | Halfway | Refusal:
    return await accounts.sign_in(
        office.tenant, email, password, ip=ip, agent="Firefox", previous=previous, device=device
    )


async def entered(
    office: Office, *, ip: str = HOME, previous: str | None = None, device: str | None = None
) -> SignedIn:
    found = await enter(office, ip=ip, previous=previous, device=device)
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


async def test_the_idle_time_is_a_setting_of_the_network(office: Office, ann: str, clock: SetClock) -> None:
    found = await entered(office)
    await keep(office, IDLE_SETTING, 5)
    clock.forward(timedelta(minutes=5))
    assert await accounts.resume(office.tenant, found.token, ip=HOME) is not None
    clock.forward(timedelta(minutes=6))
    assert await accounts.resume(office.tenant, found.token, ip=HOME) is None


async def keep(office: Office, name: str, value: Any) -> None:
    network, now = office.tenant.published.network, office.tenant.clock.now()
    await office.tenant.store.write(lambda tx: save_setting(tx, network, name, value, now=now))


@pytest.mark.parametrize(("hours", "lasts"), [(None, 12), (2, 2)])
async def test_a_session_ends_when_it_is_old_however_much_it_is_used(
    office: Office, ann: str, clock: SetClock, hours: int | None, lasts: int
) -> None:
    found = await entered(office)
    if hours is not None:
        await keep(office, LONGEST, hours)
    for _ in range(lasts * 4):
        clock.forward(timedelta(minutes=15))
        assert await accounts.resume(office.tenant, found.token, ip=HOME) is not None
    clock.forward(timedelta(seconds=1))
    assert await accounts.resume(office.tenant, found.token, ip=HOME) is None


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


@pytest.mark.parametrize(
    "password", ["short", "elevenchars", "x" * 201, "123456789012", "Motdepasse123456", "PassWord1234"]
)
async def test_a_password_has_a_length_and_is_not_known_from_leaks(office: Office, password: str) -> None:
    with pytest.raises(InvalidError) as refused:
        await accounts.set_password(office.tenant, office.ids["ann"], password)
    sentence = "12 to 200 characters" if not 12 <= len(password) <= 200 else "attackers try first"
    assert sentence in str(refused.value.fields["password"])


@pytest.mark.parametrize(
    ("password", "fine"),
    [
        ("Maille-Maille-2026", False),
        ("example.com-1", False),
        ("Example, example!", False),
        ("example of a good one", True),
        (" Spaces around and ACCENTS É ", True),
        ("p" * 64 + "q" * 136, True),
    ],
)
async def test_a_password_is_not_made_of_names_and_is_taken_as_it_was_typed(
    office: Office, ann: str, password: str, fine: bool
) -> None:
    if not fine:
        with pytest.raises(InvalidError) as refused:
            await accounts.set_password(office.tenant, ann, password)
        assert "names that others know" in str(refused.value.fields["password"])
        return
    await accounts.set_password(office.tenant, ann, password)
    for other in (password.strip(), password.lower(), password[:-1]):
        if other != password:
            assert await enter(office, other) == Refusal("credentials")
    assert isinstance(await enter(office, password), SignedIn)


async def test_who_changes_the_password_says_the_old_one_and_stays_signed_in_here_alone(
    office: Office, ann: str
) -> None:
    here, elsewhere = await entered(office), await entered(office)
    with pytest.raises(InvalidError) as refused:
        await accounts.change_password(office.tenant, here.session, "not the old one", "another password")
    assert list(refused.value.fields) == ["old"]
    token = await accounts.change_password(office.tenant, here.session, PASSWORD, "another password")
    resumed = [await accounts.resume(office.tenant, each, ip=HOME) for each in (token, here.token, elsewhere.token)]
    assert [each is not None for each in resumed] == [True, False, False]
    assert resumed[0] is not None
    assert resumed[0][0].csrf != here.session.csrf
    assert isinstance(await enter(office, "another password"), SignedIn)


async def test_an_open_session_is_no_way_to_guess_the_password(office: Office, ann: str) -> None:
    here = await entered(office)
    said = []
    for _ in range(PAIR_LIMIT + 1):
        with pytest.raises(InvalidError) as refused:
            await accounts.confirm(office.tenant, ann, "not the password")
        said.append(str(refused.value.fields["password"]))
    assert "Too many tries" in said[-1]
    assert "Too many tries" not in said[-2]
    assert isinstance(await enter(office), SignedIn), "signing in is another matter"
    assert await accounts.resume(office.tenant, here.token, ip=HOME) is not None


async def test_a_browser_that_is_known_is_held_up_by_nobody_not_even_at_the_same_address(
    office: Office, ann: str
) -> None:
    mine = await entered(office)
    for _ in range(ADDRESS_LIMIT):
        await enter(office, "wrong password")
    assert isinstance(await enter(office), Refusal), "the address has to wait"
    assert isinstance(await enter(office, device=mine.device), SignedIn)
    for _ in range(PAIR_LIMIT):
        assert await enter(office, "wrong password", device=mine.device) == Refusal("credentials")
    assert isinstance(await enter(office, device=mine.device), Refusal), "the browser's own failures count"


async def test_a_browser_that_is_new_is_told_of_but_not_the_first(office: Office, ann: str) -> None:
    first = await entered(office)
    again = await entered(office, device=first.device)
    second = await entered(office)
    assert [each.strange for each in (first, again, second)] == [False, False, True]
    assert again.device == first.device
    rows = await office.tenant.store.read(lambda tx: tx.rows('SELECT "id" FROM "_device"'))
    assert len(rows) == 2
    assert first.device not in str(rows), "stored by its hash"


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
