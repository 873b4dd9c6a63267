"""Nonsense at the doors: an answer for people, never a failure of ours, and nothing kept that breaks a page later."""

from __future__ import annotations

import base64

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from admin.cookies import outer
from admin.faults import HANDLERS
from admin.headers import SAFE_HEADERS
from tests.admin.office import CAMILLE, LEADER, PASSWORD, Office, token

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

DEEP = base64.urlsafe_b64encode(b"[" * 20_000).decode()
"""A cursor that nobody should read to its end."""
ENDS = ("0001-01-01", "9999-12-31")
"""The first and the last day that there is."""
HUGE = ("9" * 30, "9" * 5_000)
BACK_OFFICE = "back-office/api/tables/Lead/"
LISTS = ("e/lead/", "e/lead/board/recruiting", "e/lead/board/recruiting/new")


def queries() -> list[str]:
    """Return addresses with something in them that cannot be meant."""
    days = [f"f.{name}={day}" for name in ("next_call_at.from", "next_call_at.to", "birth_date.to") for day in ENDS]
    odd = [*days, f"after={DEEP}", "sort=--city", "sort=%00", "q=%00", "f.city=%00", "f.calls.from=" + HUGE[0]]
    found = [f"{path}?{query}" for path in LISTS for query in odd]
    found += [f"{BACK_OFFICE}?{name}={number}" for name in ("__page", "__page_size") for number in HUGE]
    found += [f"{BACK_OFFICE}count/?__page={HUGE[1]}", f"{BACK_OFFICE}ids/?limit={HUGE[1]}"]
    return found + [
        f"{BACK_OFFICE}?next_call_at__operator={sign}&next_call_at={day}" for sign in ("gt", "lt") for day in ENDS
    ]


@pytest.mark.parametrize("path", queries())
async def test_an_address_that_makes_no_sense_is_no_failure(office: Office, path: str) -> None:
    async with office.signed_in(LEADER) as visitor:
        assert (await visitor.get(path)).status_code < 500


@pytest.mark.parametrize("query", [b"q=\xff", b"next=\xc3\xa9"])
@pytest.mark.parametrize("path", ["tasks", "sign-in", "e/lead/"])
async def test_an_address_is_written_in_ascii(office: Office, path: str, query: bytes) -> None:
    async def with_query(scope: Scope, receive: Receive, send: Send) -> None:
        await office.app({**scope, "query_string": query}, receive, send)

    async with httpx.AsyncClient(transport=httpx.ASGITransport(with_query), base_url="http://testserver") as client:
        answer = await client.get(f"/n/small/{path}")
        assert answer.status_code == 400
        assert "cannot be read" in answer.text


@pytest.mark.parametrize("charset", ["unicode_escape", "raw_unicode_escape", "punycode", "utf-7", "zip"])
@pytest.mark.parametrize("in_header", [True, False])
async def test_a_form_in_a_strange_alphabet_is_not_read(office: Office, charset: str, in_header: bool) -> None:
    async with office.visitor() as visitor:
        mark = token((await visitor.get("sign-in")).text)
        parts = {"_csrf": mark, "email": "\\ud800", "password": "\\ud800"}
        body = "".join(
            f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{text}\r\n' for name, text in parts.items()
        )
        headers = {"content-type": f"multipart/form-data; boundary=x; charset={charset}"}
        if in_header:
            headers["x-csrf-token"] = mark
        answer = await visitor.http.post("/n/small/sign-in", content=f"{body}--x--\r\n".encode(), headers=headers)
        assert answer.status_code == 400


@pytest.mark.parametrize("value", ["0001-01-01T00:00", "9999-12-31T23:59:59+00:00", "9999-12-31T23:59-12:00"])
async def test_a_moment_that_no_page_can_show_is_not_kept(office: Office, value: str) -> None:
    async with office.signed_in(CAMILLE) as visitor:
        form = {"first_name": "Paul", "last_name": "Roy", "country": "FR", "next_call_at": value}
        assert (await visitor.post("e/lead/new", form)).status_code == 422
        assert (await visitor.get("e/lead/")).status_code == 200


async def test_the_last_days_that_there_are_can_be_kept_and_shown(office: Office) -> None:
    async with office.signed_in(CAMILLE) as visitor:
        for day in ENDS:
            moment = "0001-01-03T00:00" if day == ENDS[0] else f"{day}T00:00"
            form = {"first_name": "Paul", "last_name": "Roy", "country": "FR", "birth_date": day}
            made = await visitor.post("e/lead/new", {**form, "next_call_at": moment})
            assert made.status_code == 303
            for path in (made.headers["location"], *LISTS, ""):
                assert (await visitor.get(path)).status_code == 200


@pytest.mark.parametrize("day", ENDS)
async def test_a_task_is_due_on_a_day_that_there_is(office: Office, day: str) -> None:
    async with office.signed_in(CAMILLE) as visitor:
        answer = await visitor.post("tasks", {"title": "Call", "day": day, "hour": "00:00"})
        assert answer.status_code in (303, 422)
        assert (await visitor.get("tasks")).status_code == 200


async def test_what_stood_in_a_form_may_be_nonsense_without_end(office: Office) -> None:
    async with office.signed_in(CAMILLE) as visitor:
        form = {"first_name": "Paul", "last_name": "Roy", "country": "FR"}
        made = (await visitor.post("e/lead/new", form)).headers["location"]
        answer = await visitor.post(f"{made}/edit", {**form, "base": "[" * 100_000, "version": "1"})
        assert answer.status_code == 303


@pytest.mark.parametrize("target", ["漢", "\x0b\x00", "é", "%e6%bc%a2?q=a b"])
async def test_the_way_back_is_a_header_whatever_it_is(office: Office, target: str) -> None:
    async with office.signed_in(CAMILLE) as visitor:
        mark = token((await visitor.get("menu")).text)
        data = {"_csrf": mark, "theme": "dark", "back": f"/n/small/{target}"}
        answer = await visitor.http.post("/n/small/theme", data=data, headers={"hx-request": "true"})
        assert answer.status_code == 204
        assert answer.headers["hx-redirect"].startswith("/n/small/")
        assert answer.headers["hx-redirect"].isascii()


@pytest.mark.parametrize("target", ["%2e%2e/other/", "%2E./other/", ".\t./other/", "\n//evil.example/", "\\evil"])
async def test_the_way_back_stays_in_the_network(office: Office, target: str) -> None:
    async with office.signed_in(CAMILLE) as visitor:
        answer = await visitor.post("theme", {"theme": "dark", "back": f"/n/small/{target}"})
        assert answer.headers["location"] == "/n/small/"


async def test_the_cookies_of_choices_are_as_safe_as_the_session(office: Office) -> None:
    transport = httpx.ASGITransport(app=office.app)
    async with httpx.AsyncClient(transport=transport, base_url="https://testserver") as client:
        page = await client.get("/n/small/sign-in")
        data = {"_csrf": token(page.text), "email": LEADER, "password": PASSWORD}
        answers = [page, await client.post("/n/small/sign-in", data=data)]
        mark = token((await client.get("/n/small/menu")).text)
        for path, choice in (("theme", "dark"), ("language", "fr")):
            answers.append(await client.post(f"/n/small/{path}", data={"_csrf": mark, path: choice}))
        answers.append(await client.post("/n/small/tasks", data={"_csrf": mark, "title": "Call"}))
        answers.append(await client.get("/n/small/back-office/"))
        cookies = [line for answer in answers for line in answer.headers.get_list("set-cookie")]
        names = {line.partition("=")[0] for line in cookies}
        kinds = {"maille", *(f"maille_{kind}" for kind in ("gate", "device", "theme", "language", "toast"))}
        read_by_scripts = {"csrftoken", "theme"}  # those of the back office, which its page reads
        assert names == {*read_by_scripts, *(outer(kind, "small") for kind in kinds)}
        for line in cookies:
            assert "Secure" in line
            its_own = line.partition("=")[0] in read_by_scripts
            assert its_own == ("Path=/n/small/back-office/" in line)
            assert "samesite=lax" in line.lower()
            assert ("HttpOnly" in line) != its_own


async def test_an_answer_to_a_failure_of_ours_is_as_safe_as_any() -> None:
    async def fails(_: Request) -> Response:
        raise LookupError

    app = Starlette(routes=[Route("/", fails)], exception_handlers=HANDLERS)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as client:
        answer = await client.get("/")
        assert answer.status_code == 500
        assert all(answer.headers[name] == text for name, text in SAFE_HEADERS.items())
