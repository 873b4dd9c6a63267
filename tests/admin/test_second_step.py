"""The second step of a sign-in: codes of an app, recovery codes, and levels that need one."""

from __future__ import annotations

import re
from datetime import timedelta

import httpx
import pyotp
import pytest

from models.house_rules import FACTOR
from models.second_step import MOST_TRIES
from models.settings import save_setting
from models.tries import CODE_LIMIT
from models.tx import Row
from tests.admin.letterbox import delivered, text_of
from tests.admin.office import CAMILLE, LEADER, PASSWORD, Office, Visitor
from workflows import membership

pytestmark = pytest.mark.anyio


async def rows(office: Office, sql: str) -> list[Row]:
    return await office.tenant.store.read(lambda tx: tx.rows(sql))


async def outcomes(office: Office) -> list[str]:
    """What came of Camille's tries, as the log has it, the oldest first."""
    sql = 'SELECT "outcome" FROM "_sign_in" WHERE "email" = ? ORDER BY "at", "id"'
    return [str(row[0]) for row in await office.tenant.store.read(lambda tx: tx.rows(sql, [CAMILLE]))]


async def require(office: Office, level: str) -> None:
    network, now = office.tenant.published.network, office.clock.now()
    await office.tenant.store.write(lambda tx: save_setting(tx, network, FACTOR + level, value=True, now=now))


def key_of(page: httpx.Response) -> str:
    """Return the key that a page shows for the app."""
    found = re.search(r'<p class="secret" translate="no">([A-Z2-7 ]+)</p>', page.text)
    assert found is not None, page.text
    return found[1].replace(" ", "")


def codes_of(page: httpx.Response) -> list[str]:
    return re.findall(r"<code>([A-Z2-9-]+)</code>", page.text)


def code(office: Office, key: str, steps: int = 0) -> str:
    return pyotp.TOTP(key).at(office.clock.now() + timedelta(seconds=30 * steps))


async def add_app(office: Office, visitor: Visitor) -> tuple[str, list[str]]:
    """Add an app from an open session; return its key and the recovery codes."""
    asked = await visitor.post("account/security/app", {"password": PASSWORD}, on="account/security")
    page = await visitor.get(asked.headers["location"])
    key = key_of(page)
    done = await visitor.post("account/security/app/confirm", {"code": code(office, key)}, on="account/security/app")
    office.clock.forward(timedelta(seconds=30))
    return key, codes_of(done)


async def test_the_password_is_asked_for_once_in_ten_minutes_of_a_session(office: Office) -> None:
    path = "account/security"
    async with office.signed_in(CAMILLE) as camille, office.signed_in(CAMILLE) as other:
        assert (await camille.post(f"{path}/app", on=path)).status_code == 422, "nothing without the password"
        assert (await camille.post(f"{path}/confirm", {"password": "not mine at all"}, on=path)).status_code == 422
        assert (await camille.post(f"{path}/confirm", {"password": PASSWORD}, on=path)).status_code == 303
        assert (await other.post(f"{path}/app", on=path)).status_code == 422, "another session is another browser"
        page = (await camille.get(path)).text
        assert ("Add an app" in page, 'autocomplete="current-password"' in page) == (True, False)
        office.clock.forward(timedelta(minutes=9, seconds=59))
        assert (await camille.post(f"{path}/app", {"password": "not mine"}, on=path)).status_code == 422, (
            "what is said counts"
        )
        asked = await camille.post(f"{path}/app", on=path)
        assert asked.status_code == 303
        key = key_of(await camille.get(f"{path}/app"))
        done = await camille.post(f"{path}/app/confirm", {"code": code(office, key)}, on=f"{path}/app")
        assert len(codes_of(done)) == 10
        renewed = await camille.post(f"{path}/recovery", on=path)
        assert len(codes_of(renewed)) == 10, "it holds for the session, whatever its token"
        office.clock.forward(timedelta(seconds=2))
        assert (await camille.post(f"{path}/recovery", on=path)).status_code == 422, "and not a second longer"
        page = (await camille.get(path)).text
        assert ("Make new codes" in page, 'autocomplete="current-password"' in page) == (False, True)


async def test_a_new_password_is_taken_within_the_ten_minutes_and_ends_them(office: Office) -> None:
    path, fresh = "account/security", "vingt lettres et encore plus"
    async with office.signed_in(CAMILLE) as camille:
        assert (await camille.post(f"{path}/password", {"password": fresh}, on=path)).status_code == 422
        await camille.post(f"{path}/confirm", {"password": PASSWORD}, on=path)
        assert (await camille.post(f"{path}/password", {"password": "short"}, on=path)).status_code == 422
        assert (await camille.post(f"{path}/password", {"password": fresh}, on=path)).status_code == 303
        assert (await camille.post(f"{path}/app", on=path)).status_code == 422


async def test_an_app_is_added_with_the_password_and_a_code_and_asked_for_at_sign_in(office: Office) -> None:
    async with office.signed_in(CAMILLE) as camille, office.visitor() as phone:
        refused = await camille.post("account/security/app", {"password": "not mine at all"}, on="account/security")
        assert (refused.status_code, "This is not your password." in refused.text) == (422, True)
        before = camille.http.cookies["maille"]
        key, codes = await add_app(office, camille)
        assert len(set(codes)) == 10
        assert camille.http.cookies["maille"] != before, "the session has a new token"
        answer = await phone.sign_in(CAMILLE, next="/n/small/tasks")
        assert answer.headers["location"].startswith("/n/small/sign-in/factor?next=")
        assert "maille=" not in str(answer.headers.get_list("set-cookie")), "no session yet"
        assert (await phone.get("tasks")).status_code == 303
        wrong = await phone.post("sign-in/factor", {"code": "000000"}, on="sign-in/factor")
        assert (wrong.status_code, "This code is wrong" in wrong.text) == (422, True)
        form = {"code": code(office, key), "next": "/n/small/tasks"}
        entered = await phone.post("sign-in/factor", form, on="sign-in/factor")
        assert entered.headers["location"] == "/n/small/tasks"
        assert (await phone.get("tasks")).status_code == 200


@pytest.mark.parametrize(("steps", "holds"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
async def test_clocks_may_differ_by_a_step(office: Office, steps: int, *, holds: bool) -> None:
    async with office.signed_in(CAMILLE) as camille, office.visitor() as phone:
        key, _ = await add_app(office, camille)
        office.clock.forward(timedelta(minutes=5))
        await phone.sign_in(CAMILLE)
        answer = await phone.post("sign-in/factor", {"code": code(office, key, steps)}, on="sign-in/factor")
        assert answer.status_code == (303 if holds else 422)


@pytest.mark.parametrize("kind", ["of the app", "for recovery", "for recovery, written in another way"])
async def test_a_code_works_once(office: Office, kind: str) -> None:
    async with office.signed_in(CAMILLE) as camille, office.visitor() as one, office.visitor() as other:
        key, codes = await add_app(office, camille)
        said = code(office, key) if kind == "of the app" else codes[3]
        await one.sign_in(CAMILLE)
        await other.sign_in(CAMILLE)
        first = {"code": said.lower().replace("-", " ") if "written" in kind else said}
        assert (await one.post("sign-in/factor", first, on="sign-in/factor")).status_code == 303
        assert (await other.post("sign-in/factor", {"code": said}, on="sign-in/factor")).status_code == 422


async def test_guessing_codes_ends_the_sign_in_and_then_waits_but_recovery_codes_go_on(office: Office) -> None:
    async with office.signed_in(CAMILLE) as camille, office.visitor("198.51.100.1") as thief:
        key, codes = await add_app(office, camille)
        await thief.sign_in(CAMILLE)
        for _ in range(MOST_TRIES - 1):
            assert (await thief.post("sign-in/factor", {"code": "1"}, on="sign-in/factor")).status_code == 422
        last = await thief.post("sign-in/factor", {"code": "1"}, on="sign-in/factor")
        assert last.headers["location"].startswith("/n/small/sign-in"), "begin again"
        await thief.sign_in(CAMILLE)
        limited = await thief.post("sign-in/factor", {"code": code(office, key)}, on="sign-in/factor")
        assert limited.status_code == 429, "the right code too"
        await camille.post("sign-out")
        await camille.sign_in(CAMILLE)
        mine = await camille.post("sign-in/factor", {"code": code(office, key)}, on="sign-in/factor")
        assert mine.status_code == 303, "her own browser is held up by nobody"
        rescued = await thief.post("sign-in/factor", {"code": codes[0]}, on="sign-in/factor")
        assert rescued.status_code == 303, "and nobody guesses a recovery code"


async def test_codes_are_not_guessed_slowly_from_many_addresses_either(office: Office) -> None:
    async with office.signed_in(CAMILLE) as camille:
        await add_app(office, camille)
    statuses = []
    for number in range(CODE_LIMIT + 1):
        async with office.visitor(f"198.51.100.{number}") as thief:
            await thief.sign_in(CAMILLE)
            statuses.append((await thief.post("sign-in/factor", {"code": "1"}, on="sign-in/factor")).status_code)
        office.clock.forward(timedelta(minutes=20))
    assert statuses == [422] * CODE_LIMIT + [429]


async def test_the_second_step_has_its_time(office: Office) -> None:
    async with office.signed_in(CAMILLE) as camille, office.visitor() as phone:
        key, _ = await add_app(office, camille)
        await phone.sign_in(CAMILLE)
        office.clock.forward(timedelta(minutes=11))
        assert (await phone.get("sign-in/factor")).headers["location"].startswith("/n/small/sign-in")
        page = await phone.get("sign-in")
        late = await phone.post("sign-in/factor", {"code": code(office, key)}, on="sign-in")
        assert late.headers["location"].startswith("/n/small/sign-in")
        assert page.status_code == 200


async def test_an_app_is_removed_with_password_and_code_only(office: Office) -> None:
    async with office.signed_in(CAMILLE) as camille, office.visitor() as phone:
        key, codes = await add_app(office, camille)
        for form in ({"password": PASSWORD, "code": "000000"}, {"password": "not mine at all", "code": codes[1]}):
            answer = await camille.post("account/security/app/remove", form, on="account/security")
            assert answer.status_code == 422
        done = {"password": PASSWORD, "code": code(office, key)}
        assert (await camille.post("account/security/app/remove", done, on="account/security")).status_code == 303
        assert (await phone.sign_in(CAMILLE)).headers["location"] == "/n/small/"
        assert await rows(office, 'SELECT * FROM "_second_factor"') == []
        assert await rows(office, 'SELECT * FROM "_recovery"') == []


async def test_new_recovery_codes_take_the_place_of_the_old_and_can_be_kept_as_a_file(office: Office) -> None:
    async with office.signed_in(CAMILLE) as camille, office.visitor() as phone:
        _, old = await add_app(office, camille)
        page = await camille.post("account/security/recovery", {"password": PASSWORD}, on="account/security")
        fresh = codes_of(page)
        assert (len(fresh), set(fresh) & set(old)) == (10, set())
        assert page.headers["cache-control"] == "no-store"
        file = await camille.post("sign-in/codes", {"codes": " ".join(fresh)}, on="account/security")
        assert file.text.split() == fresh
        assert file.headers["content-disposition"].startswith("attachment;")
        await phone.sign_in(CAMILLE)
        assert (await phone.post("sign-in/factor", {"code": old[0]}, on="sign-in/factor")).status_code == 422
        assert (await phone.post("sign-in/factor", {"code": fresh[0]}, on="sign-in/factor")).status_code == 303
    stored = str(await rows(office, 'SELECT * FROM "_recovery"'))
    assert not any(code_ in stored or code_.replace("-", "") in stored for code_ in fresh)


async def test_a_key_is_sealed_in_the_store(office: Office) -> None:
    async with office.signed_in(CAMILLE) as camille:
        key, _ = await add_app(office, camille)
        page = await camille.get("account/security/app")
        assert page.status_code == 404, "and shown no more once it is on"
    found = await rows(office, 'SELECT "secret" FROM "_second_factor"')
    assert len(found) == 1
    assert key not in found[0][0]


async def test_what_a_level_needs_is_set_up_before_anything_else(office: Office) -> None:
    await require(office, "distributor")
    async with office.visitor() as camille, office.visitor() as claire:
        asked = await camille.sign_in(CAMILLE, next="/n/small/tasks")
        assert asked.headers["location"].startswith("/n/small/sign-in/set-up?next=")
        assert (await camille.get("tasks")).status_code == 303, "nothing else is there"
        key = key_of(await camille.get(asked.headers["location"]))
        wrong = await camille.post("sign-in/set-up", {"code": "000000"}, on="sign-in/set-up")
        assert wrong.status_code == 422
        assert key_of(wrong) == key, "the same key, until it is confirmed"
        assert await outcomes(office) == ["halfway", "set_up_failed"]
        form = {"code": code(office, key), "next": "/n/small/tasks"}
        done = await camille.post("sign-in/set-up", form, on="sign-in/set-up")
        assert len(codes_of(done)) == 10
        assert 'href="/n/small/tasks"' in done.text
        assert (await camille.get("tasks")).status_code == 200
        assert (await claire.sign_in(LEADER)).headers["location"] == "/n/small/", "her level needs none"
        gone = {"password": PASSWORD, "code": codes_of(done)[0]}
        kept = await camille.post("account/security/app/remove", gone, on="account/security")
        assert (kept.status_code, "Your access level needs a second factor" in kept.text) == (422, True)


async def test_who_has_lost_everything_is_let_in_by_an_operator(office: Office) -> None:
    async with office.signed_in(CAMILLE) as camille, office.visitor() as phone:
        await add_app(office, camille)
        await membership.forget_factors(office.tenant, CAMILLE)
        assert (await camille.get()).status_code == 303, "signed out everywhere"
        assert (await phone.sign_in(CAMILLE)).headers["location"] == "/n/small/"


async def test_who_runs_the_network_forgets_lost_factors_with_the_own_password_and_the_member_is_told(
    office: Office,
) -> None:
    member = office.members[CAMILLE]
    page, forget = f"members/{member}", {"do": "forget-factors"}
    async with office.signed_in(CAMILLE) as camille, office.signed_in(LEADER) as claire:
        assert "Forget the second factors" not in (await claire.get(page)).text
        assert (await claire.post(page, {**forget, "password": PASSWORD}, on=page)).status_code == 403
        await add_app(office, camille)
        assert "Forget the second factors" in (await claire.get(page)).text
        wrong = await claire.post(page, {**forget, "password": "not mine at all"}, on=page)
        assert (wrong.status_code, "This is not your password." in wrong.text) == (422, True)
        own = f"members/{office.members[LEADER]}"
        assert (await claire.post(own, {**forget, "password": PASSWORD}, on=own)).status_code == 403
        assert (await camille.post(page, {**forget, "password": PASSWORD}, on="account")).status_code == 404
        assert (await camille.get("account")).status_code == 200
        assert (await claire.post(page, {**forget, "password": PASSWORD}, on=page)).status_code == 303
        assert (await camille.get("account")).status_code == 303
    async with office.signed_in(CAMILLE):
        pass
    told = [text_of(letter) for letter in await delivered(office) if letter["to"] == CAMILLE]
    assert any("your password alone lets you in again" in " ".join(text.split()) for text in told)
    kept = 'SELECT "member", "record" FROM "_audit" WHERE "kind" = \'factors\''
    assert await rows(office, kept) == [(office.members[LEADER], member)]


async def test_the_leader_says_in_the_settings_who_needs_a_second_factor(office: Office) -> None:
    async with office.signed_in(LEADER) as claire, office.visitor() as camille:
        assert "Second factor needed: " in (await claire.get("settings")).text
        form = {"_second_factor_distributor": "true", "_idle_minutes": "5"}
        assert (await claire.post("settings", form, on="settings")).status_code == 303
        assert "set-up" in (await camille.sign_in(CAMILLE)).headers["location"]
        office.clock.forward(timedelta(minutes=6))
        assert (await claire.get()).status_code == 303
    async with office.signed_in(LEADER) as claire:
        wrong = await claire.post("settings", {"_idle_minutes": "0"}, on="settings")
        assert (wrong.status_code, "from 1 to 1440" in wrong.text) == (422, True)


async def test_wrong_codes_for_a_new_app_stand_in_the_log_and_the_audit_and_end_the_sign_in(office: Office) -> None:
    await require(office, "distributor")
    async with office.visitor() as camille:
        await camille.sign_in(CAMILLE)
        for _ in range(MOST_TRIES - 1):
            assert (await camille.post("sign-in/set-up", {"code": "0"}, on="sign-in/set-up")).status_code == 422
        over = await camille.post("sign-in/set-up", {"code": "0"}, on="sign-in/set-up")
        assert over.headers["location"] == "/n/small/sign-in"
    assert await outcomes(office) == ["halfway", *["set_up_failed"] * MOST_TRIES]
    kept = await rows(office, """SELECT "record" FROM "_audit" WHERE "kind" = 'sign_in_failed'""")
    assert [row[0] for row in kept] == [office.members[CAMILLE]] * MOST_TRIES


async def test_a_wrong_code_for_a_new_app_in_an_open_session_is_logged_too(office: Office) -> None:
    async with office.signed_in(CAMILLE) as camille:
        await camille.post("account/security/app", {"password": PASSWORD}, on="account/security")
        wrong = await camille.post("account/security/app/confirm", {"code": "0"}, on="account/security/app")
        assert wrong.status_code == 422
        assert await outcomes(office) == ["signed_in", "set_up_failed"]
        assert "Wrong code" in (await camille.get("account/security")).text
