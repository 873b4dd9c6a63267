"""Coming in, staying in, going out."""

from __future__ import annotations

import re
from datetime import timedelta
from functools import partial

import pytest

from models.clock import SetClock
from tests.admin.office import CAMILLE, FILES, TERMS, Office, Visitor, office_of, token
from tests.homes import Homes
from tests.networks import changed
from workflows import membership

pytestmark = pytest.mark.anyio


async def test_a_running_session_has_other_rights_with_the_next_request(office: Office) -> None:
    async def statuses(visitor: Visitor) -> list[int]:
        found = [await visitor.get(page) for page in ("e/lead/new", "members", "definitions", "api/v1/me")]
        return [answer.status_code for answer in found]

    async with office.signed_in(CAMILLE) as visitor:
        assert await statuses(visitor) == [200, 404, 404, 200]
        for level, may in {"leader": [200, 200, 200, 200], "assistant": [403, 404, 404, 200]}.items():
            await membership.change_levels(office.tenant, CAMILLE, partial(_only, level))
            assert await statuses(visitor) == may, level
            told = (await visitor.get("api/v1/me")).json()
            assert (told["levels"], told["administers"]) == ([level], level == "leader")


def _only(level: str, _: tuple[str, ...]) -> list[str]:
    return [level]


PASSWORD_FIELD = re.compile(r'<input[^>]*name="(?:password|old)"[^>]*>')


async def test_passwords_are_masked_and_left_to_whatever_fills_them_in(office: Office) -> None:
    async with office.visitor() as stranger, office.signed_in(CAMILLE) as camille:
        pages = [await stranger.get("sign-in")]
        pages += [await camille.get(page) for page in ("account/security", "account/email")]
    for page in pages:
        found = PASSWORD_FIELD.findall(page.text)
        assert found
        for field in found:
            assert 'type="password"' in field
            assert re.search(r'autocomplete="(?:current|new)-password"', field)
            assert "onpaste" not in field


async def test_who_signs_out_leaves_nothing_in_the_browser(office: Office) -> None:
    async with office.signed_in(CAMILLE) as visitor:
        answer = await visitor.post("sign-out")
    assert answer.headers["clear-site-data"] == '"storage"'


async def test_a_page_asks_who_one_is_and_comes_back_to_itself(office: Office) -> None:
    async with office.visitor() as visitor:
        asked = await visitor.get("tasks?done=1")
        assert asked.status_code == 303
        assert asked.headers["location"] == "/n/small/sign-in?next=%2Fn%2Fsmall%2Ftasks%3Fdone%3D1"
        let_in = await visitor.sign_in(CAMILLE, next="/n/small/tasks?done=1")
        assert let_in.headers["location"] == "/n/small/tasks?done=1"
        assert (await visitor.get("tasks?done=1")).status_code == 200


async def test_the_cookie_is_for_one_network_and_out_of_reach_of_scripts(office: Office) -> None:
    async with office.visitor() as visitor:
        answer = await visitor.sign_in(CAMILLE)
        cookie = next(line for line in answer.headers.get_list("set-cookie") if line.startswith("maille="))
        assert "HttpOnly" in cookie
        assert "Path=/n/small/" in cookie
        assert "SameSite=lax" in cookie


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example/", "/n/other/", "/n/small/../other/", ""])
async def test_sign_in_leads_to_pages_of_the_network_only(office: Office, target: str) -> None:
    async with office.visitor() as visitor:
        answer = await visitor.sign_in(CAMILLE, next=target)
        assert answer.headers["location"] == "/n/small/"


@pytest.mark.parametrize("email", [CAMILLE, "nobody@exemple.fr"])
async def test_a_wrong_password_and_an_unknown_email_sound_the_same(office: Office, email: str) -> None:
    async with office.visitor() as visitor:
        answer = await visitor.sign_in(email, "not the password")
        assert answer.status_code == 422
        assert "The e-mail or the password is wrong." in answer.text
        assert "maille=" not in answer.headers.get("set-cookie", "")


async def test_too_many_tries_are_refused_for_a_while(office: Office) -> None:
    async with office.visitor() as visitor:
        answers = [await visitor.sign_in(CAMILLE, "not the password") for _ in range(30)]
        assert answers[-1].status_code == 429
        assert "Too many tries." in answers[-1].text


async def test_an_idle_session_ends_and_says_so(office: Office, clock: SetClock) -> None:
    async with office.signed_in(CAMILLE) as visitor:
        clock.forward(timedelta(minutes=19))
        assert (await visitor.get()).status_code == 200
        clock.forward(timedelta(minutes=19))
        assert (await visitor.get()).status_code == 200
        clock.forward(timedelta(minutes=21))
        answer = await visitor.get()
        assert answer.status_code == 303
        page = await visitor.get(answer.headers["location"])
        assert "Your session has ended." in page.text


async def test_signing_out_ends_the_session_on_the_server(office: Office) -> None:
    async with office.signed_in(CAMILLE) as visitor:
        kept = visitor.http.cookies["maille"]
        answer = await visitor.post("sign-out")
        assert answer.headers["location"] == "/n/small/sign-in"
        visitor.http.cookies.set("maille", kept, domain="testserver.local", path="/n/small/")
        assert (await visitor.get()).status_code == 303


async def test_a_form_without_its_token_is_refused(office: Office) -> None:
    async with office.signed_in(CAMILLE) as visitor:
        answer = await visitor.http.post("/n/small/tasks", data={"title": "Call"})
        assert answer.status_code == 403
        assert "too old or came from elsewhere" in answer.text
        assert "Call" not in (await visitor.get("tasks")).text


async def test_a_token_in_the_header_is_as_good(office: Office) -> None:
    async with office.signed_in(CAMILLE) as visitor:
        header = {"X-CSRF-Token": token((await visitor.get()).text)}
        answer = await visitor.http.post("/n/small/tasks", data={"title": "Call"}, headers=header)
        assert answer.status_code == 303


@pytest.mark.parametrize(
    "header", [{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}]
)
async def test_a_form_sent_by_another_site_is_refused_even_with_the_token(
    office: Office, header: dict[str, str]
) -> None:
    async with office.signed_in(CAMILLE) as visitor:
        data = {"title": "Call", "_csrf": token((await visitor.get()).text)}
        answer = await visitor.http.post("/n/small/tasks", data=data, headers=header)
        assert answer.status_code == 403


async def test_a_token_of_one_session_does_not_serve_another(office: Office) -> None:
    async with office.signed_in(CAMILLE) as one, office.signed_in(CAMILLE) as other:
        stolen = token((await one.get()).text)
        answer = await other.http.post("/n/small/tasks", data={"title": "Call", "_csrf": stolen})
        assert answer.status_code == 403


async def test_signing_in_needs_the_token_of_the_page(office: Office) -> None:
    async with office.visitor() as visitor:
        answer = await visitor.http.post("/n/small/sign-in", data={"email": CAMILLE, "password": "x"})
        assert answer.status_code == 403


async def test_terms_come_before_anything_else_and_once_a_version(homes: Homes, clock: SetClock) -> None:
    async with office_of(homes, clock, changed(FILES, terms=TERMS)) as office, office.signed_in(CAMILLE) as visitor:
        answer = await visitor.get("tasks")
        assert answer.headers["location"] == "/n/small/terms?next=%2Fn%2Fsmall%2Ftasks"
        page = await visitor.get("terms?next=/n/small/tasks")
        assert "Be <strong>fair</strong>." in page.text
        form = {"terms": "general", "version": "2026-11", "next": "/n/small/tasks"}
        await visitor.post("terms", form, on="terms")
        assert (await visitor.get("tasks")).status_code == 303, "not ticked, not accepted"
        await visitor.post("terms", {**form, "version": "2020-01", "accepted": "true"}, on="terms")
        assert (await visitor.get("tasks")).status_code == 303, "another version was not shown"
        answer = await visitor.post("terms", {**form, "accepted": "true"}, on="terms")
        assert (await visitor.get(answer.headers["location"])).headers["location"] == "/n/small/tasks"
        assert (await visitor.get("tasks")).status_code == 200
        await office.tenant.publish(changed(FILES, terms=TERMS.replace("2026-11", "2026-12")), None)
        assert (await visitor.get("tasks")).status_code == 303, "a new version asks again"


async def test_the_language_follows_the_browser_then_the_choice_then_the_member(office: Office) -> None:
    async with office.visitor() as visitor:
        assert "Mot de passe" in (await visitor.get("sign-in", accept_language="de, fr;q=0.8, en;q=0.5")).text
        assert "Password" in (await visitor.get("sign-in", accept_language="en")).text
        await visitor.post("language", {"language": "fr", "back": "/n/small/sign-in"}, on="sign-in")
        assert "Mot de passe" in (await visitor.get("sign-in", accept_language="en")).text
        await visitor.sign_in(CAMILLE)
        assert "Hello Camille" in (await visitor.get()).text
