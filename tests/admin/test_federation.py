from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import OctKey

from models import providers
from models.clock import SetClock
from models.connections import stored_datetime
from models.house_rules import FACTOR
from models.providers import Claimed, Provider
from models.settings import save_setting
from tests.admin.authenticator import Authenticator
from tests.admin.office import ALICE, CAMILLE, DIANE, LEADER, PASSWORD, Office, Visitor, office_of
from tests.admin.provider import CLIENT, SECRET, Claims, Idp, key_of, provider
from tests.admin.screens.leads import text_of
from tests.admin.test_passkeys import add_passkey, answered
from tests.homes import Homes
from workflows.relying import Guarded, ProviderError, Question, Relying

pytestmark = pytest.mark.anyio
PUBLIC = "http://testserver"


@dataclass
class World:
    """An office whose members may sign in at a provider."""

    office: Office
    idp: Idp

    async def keep(self, **changes: object) -> None:
        """Keep the provider, with these changes."""
        tenant = self.office.tenant
        kept = replace(Provider("Exemple ID", self.idp.issuer, CLIENT), **changes)  # type: ignore[arg-type] # its fields
        sealed, now = providers.seal(tenant.vault, SECRET), tenant.clock.now()
        await tenant.store.write(lambda tx: providers.save(tx, kept, sealed, now, None))

    def is_person(self, email: str, subject: str = "1", **more: object) -> None:
        """Let somebody sit before the provider's sign-in."""
        self.idp.person = {"sub": subject, "email": email, "email_verified": True, **more}

    async def sign_in(self, visitor: Visitor, **changed: str) -> httpx.Response:
        """Go to the provider and come back; `changed` is what is not brought back as it was given."""
        begun = await visitor.get("sign-in/provider?next=/n/small/tasks")
        assert begun.status_code == 303, begun.text
        brought = {**self.idp.authorize(begun.headers["location"]), **changed}
        return await visitor.http.get("/n/small/sign-in/provider/back", params=brought)

    async def whose(self, visitor: Visitor) -> str:
        """Return whose account the browser is in, "" when in none."""
        answer = await visitor.http.get("/n/small/api/v1/me")
        return str(answer.json()["email"]) if answer.status_code == 200 else ""


@pytest.fixture
async def world(homes: Homes, clock: SetClock) -> AsyncIterator[World]:
    """The small network with a provider."""
    async with office_of(homes, clock) as office, provider(clock) as idp:
        office.app.state.relying = Relying(inside=True)
        made = World(office, idp)
        await made.keep()
        yield made


async def test_a_member_with_a_verified_e_mail_comes_in(world: World) -> None:
    world.is_person("Camille@Exemple.fr")
    async with world.office.visitor() as visitor:
        assert "Sign in with Exemple ID" in (await visitor.get("sign-in")).text
        answer = await world.sign_in(visitor)
        assert (answer.status_code, answer.headers["location"]) == (303, "/n/small/tasks")
        assert await world.whose(visitor) == CAMILLE
    world.is_person("other@exemple.fr")  # the subject is what counts from now on
    async with world.office.visitor() as visitor:
        await world.sign_in(visitor)
        assert await world.whose(visitor) == CAMILLE


@pytest.mark.parametrize(
    "person",
    [
        {"sub": "1", "email": CAMILLE},
        {"sub": "1", "email": CAMILLE, "email_verified": False},
        {"sub": "1", "email": CAMILLE, "email_verified": "true"},
        {"sub": "1", "email": "nobody@exemple.fr", "email_verified": True},
        {"sub": "1"},
    ],
)
async def test_who_is_nobody_here_stays_outside(world: World, person: Claims) -> None:
    world.idp.person = person
    async with world.office.visitor() as visitor:
        answer = await world.sign_in(visitor)
        assert answer.status_code == 422
        assert "No member here is known by this account." in text_of(answer.text)
        assert await world.whose(visitor) == ""


async def test_a_second_identity_with_the_same_e_mail_is_a_stranger(world: World) -> None:
    for subject, comes_in in (("1", True), ("2", False), ("1", True)):
        world.is_person(CAMILLE, subject)
        async with world.office.visitor() as visitor:
            await world.sign_in(visitor)
            assert bool(await world.whose(visitor)) is comes_in


async def test_who_is_let_go_does_not_come_in(world: World) -> None:
    world.is_person(CAMILLE)
    tenant = world.office.tenant
    await tenant.store.write(lambda tx: tx.run('UPDATE "member" SET "active" = ? WHERE "email" = ?', [False, CAMILLE]))
    async with world.office.visitor() as visitor:
        assert (await world.sign_in(visitor)).status_code == 422


async def test_the_e_mail_may_come_from_the_userinfo_of_the_same_subject_alone(world: World) -> None:
    world.idp.person = {"sub": "1"}
    for subject, whose in (("2", ""), ("1", CAMILLE)):
        world.idp.userinfo = {"sub": subject, "email": CAMILLE, "email_verified": True}
        async with world.office.visitor() as visitor:
            await world.sign_in(visitor)
            assert await world.whose(visitor) == whose


def unsigned(_: Idp, claims: Claims) -> str:
    """Return a token that nobody signed."""
    parts = ({"alg": "none", "typ": "JWT"}, claims)
    head, body = (base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts)
    return f"{head}.{body}."


def foreign(idp: Idp, claims: Claims) -> str:
    """Return one that somebody else signed in the provider's name."""
    return idp.signed(claims, key_of("first", "others"))


def unknown(idp: Idp, claims: Claims) -> str:
    """Return one with a key that the provider does not have."""
    return idp.signed(claims, key_of("other", "others"))


def ours(_: Idp, claims: Claims) -> str:
    """Return one that was signed with the secret that we have too."""
    return jwt.encode({"alg": "HS256", "kid": "first"}, claims, OctKey.import_key(SECRET * 2))


EVIL: Mapping[str, Callable[[Claims], None]] = {
    "a nonce of another sign-in": lambda claims: claims.update(nonce="other"),
    "no nonce": lambda claims: claims.pop("nonce"),
    "for another client": lambda claims: claims.update(aud="other"),
    "for another client too, which asked for it": lambda claims: claims.update(aud=[CLIENT, "other"], azp="other"),
    "for nobody": lambda claims: claims.pop("aud"),
    "from another issuer": lambda claims: claims.update(iss="https://other.example"),
    "expired": lambda claims: claims.update(exp=claims["iat"] - 61),
    "without an end": lambda claims: claims.pop("exp"),
    "of nobody": lambda claims: claims.pop("sub"),
    "from the future": lambda claims: claims.update(nbf=claims["iat"] + 3600),
    "of another access token": lambda claims: claims.update(at_hash="AAAAAAAAAAAAAAAAAAAAAA"),
}


async def refused(world: World, **changed: str) -> str:
    """Return what the page says to who comes back; nobody is let in."""
    async with world.office.visitor() as visitor:
        answer = await world.sign_in(visitor, **changed)
        assert answer.status_code == 422
        assert await world.whose(visitor) == ""
        return text_of(answer.text)


@pytest.mark.parametrize("evil", EVIL)
async def test_a_token_that_does_not_hold_lets_nobody_in(world: World, evil: str) -> None:
    world.is_person(LEADER)
    world.idp.twist = EVIL[evil]
    assert "The provider did not prove who you are." in await refused(world)


@pytest.mark.parametrize("sign", [unsigned, foreign, unknown, ours])
async def test_a_token_that_the_provider_did_not_sign_lets_nobody_in(
    world: World, sign: Callable[[Idp, Claims], str]
) -> None:
    world.is_person(LEADER)
    world.idp.sign = sign
    assert "The provider did not prove who you are." in await refused(world)


async def test_a_new_key_of_the_provider_is_asked_for_at_once(world: World) -> None:
    world.is_person(CAMILLE)
    for kid in ("first", "second"):
        world.idp.key = key_of(kid, "ours")
        async with world.office.visitor() as visitor:
            await world.sign_in(visitor)
            assert await world.whose(visitor) == CAMILLE


async def test_an_answer_counts_once_in_the_browser_that_asked_and_in_time(world: World, clock: SetClock) -> None:
    world.is_person(CAMILLE)
    world.idp.remembers = True
    again = "This took too long, or began in another browser."
    assert again in await refused(world, state="other")
    assert "did not prove" in await refused(world, code="other")
    assert "did not prove" in await refused(world, iss="https://other.example")
    async with world.office.visitor() as visitor, world.office.visitor() as thief:
        begun = await visitor.get("sign-in/provider")
        brought = world.idp.authorize(begun.headers["location"])
        stolen = await thief.http.get("/n/small/sign-in/provider/back", params=brought)
        assert again in text_of(stolen.text)
        back = await visitor.http.get("/n/small/sign-in/provider/back", params=brought)
        assert back.status_code == 303
        begun = await thief.get("sign-in/provider")
        brought = world.idp.authorize(begun.headers["location"])
        visited = await thief.http.get("/n/small/sign-in/provider/back", params=brought)
        assert visited.status_code == 303
        replayed = await thief.http.get("/n/small/sign-in/provider/back", params=brought)
        assert replayed.headers["location"] == "/n/small/"
        begun = await visitor.get("sign-in/provider")
        brought = world.idp.authorize(begun.headers["location"])
        clock.forward(timedelta(minutes=15))
        late = await visitor.http.get("/n/small/sign-in/provider/back", params=brought)
        assert late.headers["location"] == "/n/small/"


async def test_a_second_factor_is_the_provider_s_or_ours(world: World) -> None:
    tenant = world.office.tenant
    name = f"{FACTOR}distributor"
    now = tenant.clock.now()
    await tenant.store.write(lambda tx: save_setting(tx, tenant.published.network, name, True, now=now))
    for methods, place in ((["pwd"], "/n/small/sign-in/set-up"), (["pwd", "otp"], "/n/small/tasks")):
        world.is_person(CAMILLE, amr=methods)
        async with world.office.visitor() as visitor:
            answer = await world.sign_in(visitor)
            assert answer.headers["location"].partition("?")[0] == place


@pytest.mark.parametrize(
    ("methods", "strong"),
    [
        ((), False),
        (("pwd",), False),
        (("otp",), False),
        (("pwd", "otp"), True),
        (("mfa",), True),
        (("hwk", "pin"), True),
    ],
)
def test_two_methods_of_two_kinds_are_two_factors(methods: tuple[str, ...], strong: bool) -> None:
    assert Claimed("i", "s", methods=methods).strong is strong


async def test_local_sign_in_can_be_switched_off_but_for_who_administers(world: World) -> None:
    await world.keep(local=False)
    async with world.office.visitor() as visitor:
        answer = await visitor.sign_in(CAMILLE)
        assert answer.status_code == 422
        assert "Here members sign in with Exemple ID." in text_of(answer.text)
        wrong = await visitor.sign_in(CAMILLE, "a wrong one, and long")
        assert "The e-mail or the password is wrong." in text_of(wrong.text)
        assert (await visitor.sign_in(LEADER)).status_code == 303
    world.is_person(CAMILLE)
    async with world.office.visitor() as visitor:
        await world.sign_in(visitor)
        assert await world.whose(visitor) == CAMILLE


async def test_local_sign_in_that_is_off_is_off_for_passkeys_too(world: World) -> None:
    keys = {email: Authenticator() for email in (CAMILLE, LEADER)}
    for email, key in keys.items():
        async with world.office.signed_in(email) as visitor:
            await add_passkey(world.office, visitor, key)
    await world.keep(local=False)
    async with world.office.visitor() as visitor:
        refused = await answered(visitor, keys[CAMILLE], "sign-in/passkey", on="sign-in")
        assert refused.status_code == 422
        assert "Here members sign in with Exemple ID." in text_of(refused.text)
        assert (await visitor.get()).status_code == 303
        entered = await answered(visitor, keys[LEADER], "sign-in/passkey", on="sign-in")
        assert entered.status_code == 303
        assert await world.whose(visitor) == LEADER


async def test_an_account_is_linked_by_who_is_signed_in_to_it(world: World) -> None:
    world.idp.person = {"sub": "7", "email": "private@exemple.fr"}
    async with world.office.signed_in(DIANE) as diane:
        assert "Exemple ID" in (await diane.get("account")).text
        assert "not linked yet" in text_of((await diane.get("account/provider")).text)
        page = await diane.post("account/provider", on="account/provider")
        address = page.text.partition('<a class="btn p" href="')[2].partition('"')[0].replace("&amp;", "&")
        back = await diane.http.get("/n/small/sign-in/provider/back", params=world.idp.authorize(address))
        assert back.headers["location"] == "/n/small/account/provider"
        assert "Linked" in text_of((await diane.get("account/provider")).text)
    async with world.office.visitor() as visitor:
        await world.sign_in(visitor)
        assert await world.whose(visitor) == DIANE
    async with world.office.signed_in(ALICE) as alice:  # it is taken
        page = await alice.post("account/provider", on="account/provider")
        address = page.text.partition('<a class="btn p" href="')[2].partition('"')[0].replace("&amp;", "&")
        await alice.http.get("/n/small/sign-in/provider/back", params=world.idp.authorize(address))
        assert "not linked yet" in text_of((await alice.get("account/provider")).text)
    async with world.office.signed_in(DIANE) as diane:
        assert (await diane.post("account/provider/unlink", on="account/provider")).status_code == 303
    async with world.office.visitor() as visitor:
        assert (await world.sign_in(visitor)).status_code == 422


async def test_who_administers_sets_the_provider_with_the_own_password(world: World) -> None:
    form = {"label": "Autre", "issuer": world.idp.issuer, "client_id": CLIENT, "local": "true", "password": PASSWORD}
    async with world.office.signed_in(DIANE) as diane:
        for path in ("provider", "provider/remove"):
            assert (await diane.post(path, form, on="account")).status_code == 404
        assert (await diane.get("provider")).status_code == 404
    async with world.office.signed_in(LEADER) as claire:
        page = await claire.get("provider")
        assert f"{PUBLIC}/n/small/sign-in/provider/back" in page.text
        assert SECRET not in page.text
        wrong: tuple[tuple[str, str, str], ...] = (
            ("password", "another, and long", "This is not your password."),
            ("label", "", "This is needed."),
            ("issuer", f"{world.idp.issuer}/", "The provider does not answer as OpenID Connect has it."),
            ("issuer", "http://127.0.0.1:1", "The provider cannot be reached."),
        )
        for name, value, said in wrong:
            answer = await claire.post("provider", {**form, name: value}, on="provider")
            assert (answer.status_code, said in text_of(answer.text)) == (422, True)
        assert (await claire.post("provider", form, on="provider")).status_code == 303
        world.is_person(CAMILLE)
        async with world.office.visitor() as visitor:  # the secret stayed
            assert "Sign in with Autre" in (await visitor.get("sign-in")).text
            await world.sign_in(visitor)
            assert await world.whose(visitor) == CAMILLE
        assert (await claire.post("provider/remove", {"password": "x"}, on="provider")).status_code == 422
        assert (await claire.post("provider/remove", {"password": PASSWORD}, on="provider")).status_code == 303
    async with world.office.visitor() as visitor:
        assert "Autre" not in (await visitor.get("sign-in")).text
        assert (await visitor.get("sign-in/provider")).status_code == 404


async def test_a_copy_of_the_store_does_not_tell_the_secret(world: World) -> None:
    rows = await world.office.tenant.store.read(lambda tx: tx.rows('SELECT * FROM "_provider"'))
    assert len(rows) == 1
    assert SECRET not in str(rows)
    assert stored_datetime(world.office.tenant.clock.now()) in str(rows)


@pytest.mark.parametrize(
    ("url", "addresses"),
    [
        ("https://id.exemple.fr", ["127.0.0.1"]),
        ("https://id.exemple.fr", ["10.0.0.1"]),
        ("https://id.exemple.fr", ["93.184.216.34", "169.254.169.254"]),
        ("https://id.exemple.fr", ["::1"]),
        ("https://id.exemple.fr", []),
        ("http://id.exemple.fr", ["93.184.216.34"]),
    ],
)
async def test_nothing_inside_is_asked_and_nothing_in_the_open(clock: SetClock, url: str, addresses: list[str]) -> None:
    async def found(_: str, __: int) -> list[str]:
        return addresses

    with pytest.raises(ProviderError):
        await Relying(find=found).check(url, clock.now())
    async with httpx.AsyncClient(transport=Guarded(inside=False, find=found)) as client:
        with pytest.raises(ProviderError):
            await client.get(url)


async def test_what_a_provider_says_of_itself_is_checked(clock: SetClock) -> None:
    async with provider(clock) as idp:
        relying, kept = Relying(inside=True), Provider("x", idp.issuer, CLIENT)
        for odd in ({"issuer": "https://other.example"}, {"token_endpoint": None}, {"filler": "x" * 1_000_001}):
            idp.about = odd
            with pytest.raises(ProviderError):
                await relying.check(idp.issuer, clock.now())
        idp.about = {}
        await relying.address(kept, Question.drawn("https://us.example"), "state", clock.now())
        asked = len(idp.asked)
        await relying.address(kept, Question.drawn("https://us.example"), "state", clock.now())
        assert len(idp.asked) == asked
