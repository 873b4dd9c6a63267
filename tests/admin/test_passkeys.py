"""Passkeys through the pages, with an authenticator made of software."""

from __future__ import annotations

import json

import httpx
import pytest

from models import passkeys
from tests.admin.authenticator import Authenticator
from tests.admin.office import CAMILLE, DIANE, PASSWORD, Office, Visitor
from tests.admin.test_second_step import codes_of, rows

pytestmark = pytest.mark.anyio

SITE = "http://testserver"


async def add_passkey(office: Office, visitor: Visitor, device: Authenticator, name: str = "My key") -> httpx.Response:
    page = await visitor.get("account/security")
    question = await visitor.post("account/security/passkeys/question", {"password": PASSWORD}, on="account/security")
    assert question.status_code == 200, page.text
    answer = device.create(json.loads(question.json()["options"]), SITE)
    form = {"name": name, "token": question.json()["token"], "answer": answer}
    return await visitor.post("account/security/passkeys", form, on="account/security")


async def answered(visitor: Visitor, device: Authenticator, path: str, *, on: str, **how: object) -> httpx.Response:
    question = (await visitor.post("sign-in/passkey/question", on=on)).json()
    answer = device.get(json.loads(question["options"]), how.pop("origin", SITE), **how)  # type: ignore[arg-type] # the keywords of `get`
    return await visitor.post(path, {"token": question["token"], "answer": answer}, on=on)


async def test_a_passkey_signs_in_alone(office: Office) -> None:
    device = Authenticator()
    async with office.signed_in(CAMILLE) as camille, office.visitor() as phone:
        added = await add_passkey(office, camille, device, "Blue key")
        assert len(codes_of(added)) == 10
        assert "Blue key" in (await camille.get("account/security")).text
        entered = await answered(phone, device, "sign-in/passkey", on="sign-in")
        assert entered.headers["location"] == "/n/small/"
        assert "Camille" in (await phone.get()).text


async def test_a_passkey_is_the_second_factor_where_the_password_came_first(office: Office) -> None:
    device, foreign = Authenticator(), Authenticator()
    async with office.signed_in(CAMILLE) as camille, office.signed_in(DIANE) as diane, office.visitor() as phone:
        await add_passkey(office, camille, device)
        await add_passkey(office, diane, foreign)
        assert (await phone.sign_in(CAMILLE)).headers["location"].startswith("/n/small/sign-in/factor")
        other = await answered(phone, foreign, "sign-in/factor/passkey", on="sign-in/factor")
        assert other.status_code == 422, "a passkey of somebody else"
        mine = await answered(phone, device, "sign-in/factor/passkey", on="sign-in/factor")
        assert mine.headers["location"] == "/n/small/"


@pytest.mark.parametrize(
    "how",
    [
        {"origin": "https://evil.example"},
        {"verified": False},
        {"counter": 0},
        {"challenge": "AAAA"},
        {"forged": True},
        {"host": "evil.example"},
    ],
    ids=str,
)
async def test_a_passkey_that_does_not_answer_as_it_must_opens_nothing(office: Office, how: dict[str, object]) -> None:
    device = Authenticator()
    async with office.signed_in(CAMILLE) as camille, office.visitor() as phone:
        await add_passkey(office, camille, device)
        await answered(phone, device, "sign-in/passkey", on="sign-in")
        await phone.post("sign-out")
        refused = await answered(phone, device, "sign-in/passkey", on="sign-in", **how)
        assert refused.status_code == 422
        assert (await phone.get()).status_code == 303


@pytest.mark.parametrize(
    "answer", ["", "{}", "[]", '{"id": 7}', '{"id": "AA", "rawId": "AA", "type": "public-key"}', "ÿ"]
)
async def test_a_made_up_answer_is_refused_and_an_answer_serves_once(office: Office, answer: str) -> None:
    device = Authenticator()
    async with office.signed_in(CAMILLE) as camille, office.visitor() as phone:
        await add_passkey(office, camille, device)
        form = {"token": (await phone.post("sign-in/passkey/question", on="sign-in")).json()["token"], "answer": answer}
        assert (await phone.post("sign-in/passkey", form, on="sign-in")).status_code == 422
        question = (await phone.post("sign-in/passkey/question", on="sign-in")).json()
        right = {"token": question["token"], "answer": device.get(json.loads(question["options"]), SITE)}
        assert (await phone.post("sign-in/passkey", right, on="sign-in")).status_code == 303
        await phone.post("sign-out")
        assert (await phone.post("sign-in/passkey", right, on="sign-in")).status_code == 422


async def test_a_passkey_is_added_and_removed_with_the_password_only(office: Office) -> None:
    async with office.signed_in(CAMILLE) as camille:
        refused = await camille.post(
            "account/security/passkeys/question", {"password": "not mine at all"}, on="account/security"
        )
        assert (refused.status_code, refused.json()) == (422, {"error": "This is not your password."})
        await add_passkey(office, camille, Authenticator())
        known = (await office.tenant.store.read(lambda tx: passkeys.of_member(tx, office.members[CAMILLE])))[0]
        form = {"passkey": known.id, "password": "not mine at all"}
        address = "account/security/passkeys/remove"
        assert (await camille.post(address, form, on="account/security")).status_code == 422
        assert (await camille.post(address, {**form, "password": PASSWORD}, on="account/security")).status_code == 303
    assert await rows(office, 'SELECT * FROM "_passkey"') == []
