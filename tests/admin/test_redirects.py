"""Wherever an address to go on to can be said, no redirect leaves the network, as a browser reads it."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.clock import SetClock
from tests.admin.door_table import addresses, examples
from tests.admin.office import CAMILLE, FILES, LEADER, PASSWORD, TERMS, Office, Visitor, office_of, token
from tests.homes import Homes
from tests.networks import changed
from tests.running import tries

pytestmark = pytest.mark.anyio

HOME = "/n/small/"
ADMIN = Path(__file__).parents[2] / "admin"
SAID = re.compile(r"""(?:text\(form,|(?:form|query_params|query)\.get\() ?"(\w+)"|<input[^>]* name="(\w+)\"""")
LEADING = {"back", "next"}
"""The parameters in which pages say where to go on."""
PIECES = (
    "/", "//", "\\", "\\\\", "..", ".", "%2e%2e", "%2E.", "%2f", "%5c", "\t", "\n", "\r", "\0", " ", "\u00a0", "\u2024",
    "\uff0f", "evil.example", "@", ":", "?", "#", "https:", "javascript:", "data:", "n", "small", "other", HOME, "é",
)  # fmt: skip
"""What addresses are made of that are read in one way here and in another there."""


def landing(address: str) -> str:
    """Return where a browser goes from a page of the network: a path of this origin, else what it leaves for.

    As the URL standard has it: blanks around are cut, tabs and line ends within are nothing, a backslash is a slash,
    and `%2e` is a dot where a path is walked.
    """
    found = re.sub(r"[\t\n\r]", "", address.strip("".join(map(chr, range(33))))).replace("\\", "/")
    if re.match(r"[a-zA-Z][a-zA-Z0-9+.-]*:", found) or found.startswith("//"):
        return found
    path = re.split(r"[?#]", found)[0]
    steps: list[str] = []
    for step in re.sub("%2e", ".", path if path.startswith("/") else HOME + path, flags=re.IGNORECASE)[1:].split("/"):
        if step == "..":
            del steps[-1:]
        if step not in {".", ".."}:
            steps.append(step)
    return "/" + "/".join(steps) + ("/" if path.endswith(("/.", "/..")) and steps else "")


@pytest.mark.parametrize(
    ("address", "where"),
    [
        ("/n/small/tasks?x=//evil", "/n/small/tasks"),
        (" /\t/evil.example", "//evil.example"),
        ("/\\evil.example", "//evil.example"),
        ("java\nscript:alert(1)", "javascript:alert(1)"),
        ("/n/small/%2e%2E/other/", "/n/other/"),
        ("tasks", "/n/small/tasks"),
        ("/n/small//../tasks/.", "/n/small/tasks/"),
        ("/n/small/tasks/../../..", "/"),
    ],
)
def test_addresses_are_read_as_browsers_do(address: str, where: str) -> None:
    assert landing(address) == where


def targets(count: int) -> list[str]:
    """Return addresses that want to lead away, as hypothesis draws them."""
    found = ["//evil.example", "https://evil.example/", "/n/other/", f"{HOME}../other/"]

    @settings(max_examples=tries(count), database=None)
    @given(parts=st.lists(st.sampled_from(PIECES), min_size=1, max_size=7), inside=st.booleans())
    def collect(parts: list[str], *, inside: bool) -> None:
        found.append((HOME if inside else "") + "".join(parts))

    collect()
    return found


def stays(answer: httpx.Response) -> bool:
    """Whether the answer leads nowhere, or to a page of the network."""
    said = [answer.headers.get(name, HOME) for name in ("location", "hx-redirect", "hx-location", "hx-push-url")]
    return all(landing(each).startswith(HOME) for each in said)


async def lead(visitor: Visitor) -> str:
    """Add a lead and return its address."""
    form = {"first_name": "Paul", "last_name": "Roy", "country": "FR", "phone": "+33639980001"}
    return str((await visitor.post("e/lead/new", form, on="e/lead/new")).headers["location"])


async def _added(visitor: Visitor, target: str) -> httpx.Response:
    form = {"first_name": "Paul", "last_name": "Roy", "country": "FR", "back": target}
    return await visitor.post("e/lead/new", form)


async def _moved(visitor: Visitor, target: str) -> httpx.Response:
    step = {"next_call_at": "2030-01-01T10:00", "version": "1", "back": target}
    return await visitor.post(f"{await lead(visitor)}/move/recruiting/call", step)


async def _task(visitor: Visitor, target: str) -> httpx.Response:
    return await visitor.post("tasks", {"title": "Call", "back": target})


async def _done(visitor: Visitor, target: str) -> httpx.Response:
    await visitor.post("tasks", {"title": "Call"})
    task = re.search(r"/tasks/([0-9a-f-]{36})/done", (await visitor.get("tasks")).text)
    assert task is not None
    return await visitor.post(f"tasks/{task[1]}/done", {"back": target})


async def _theme(visitor: Visitor, target: str) -> httpx.Response:
    return await visitor.post("theme", {"theme": "dark", "back": target})


async def _language(visitor: Visitor, target: str) -> httpx.Response:
    return await visitor.post("language", {"language": "fr", "back": target})


async def _theme_by_htmx(visitor: Visitor, target: str) -> httpx.Response:
    data = {"_csrf": token((await visitor.get("menu")).text), "theme": "dark", "back": target}
    return await visitor.http.post(f"{HOME}theme", data=data, headers={"hx-request": "true"})


async def _sign_in_again(visitor: Visitor, target: str) -> httpx.Response:
    return await visitor.get(f"sign-in?{urlencode({'next': target})}")


async def _terms(visitor: Visitor, target: str) -> httpx.Response:
    return await visitor.get(f"terms?{urlencode({'next': target})}")


DOORS: dict[str, tuple[int, Callable[[Visitor, str], Awaitable[httpx.Response]]]] = {
    "a new record": (30, _added),
    "a step": (15, _moved),
    "a task": (60, _task),
    "a task that is done": (15, _done),
    "the colours": (80, _theme),
    "the colours, by htmx": (80, _theme_by_htmx),
    "the language": (60, _language),
    "the sign-in of who has signed in": (80, _sign_in_again),
    "terms that are accepted already": (60, _terms),
}
"""Doors that lead on to where they are told, and how many addresses each is told."""


@pytest.mark.parametrize("door", DOORS)
async def test_no_door_leads_out_of_the_network(office: Office, door: str) -> None:
    count, ask = DOORS[door]
    async with office.signed_in(CAMILLE) as visitor:
        assert landing((await ask(visitor, f"{HOME}tasks")).headers.get("location", f"{HOME}tasks")) == f"{HOME}tasks"
        for target in targets(count):
            answer = await ask(visitor, target)
            assert answer.status_code in {204, 303}, (target, answer.text)
            assert stays(answer), (target, dict(answer.headers))


async def test_nobody_is_led_away_by_signing_in_or_accepting_terms(homes: Homes, clock: SetClock) -> None:
    async with office_of(homes, clock, changed(FILES, terms=TERMS)) as office:
        for target in targets(8):
            async with office.visitor() as visitor:
                page = await visitor.get(f"sign-in?{urlencode({'next': target})}")
                form = {"_csrf": token(page.text), "email": CAMILLE, "password": PASSWORD, "next": target}
                answer = await visitor.http.post(f"{HOME}sign-in", data=form)
                assert (answer.status_code, stays(answer)) == (303, True), target
                accepted = await visitor.post("terms", {"accept": "1", "next": target}, on="terms")
                assert (accepted.status_code < 400, stays(accepted)) == (True, True), target


def parameters() -> set[str]:
    """Return the names of all that forms and addresses say, as the pages read and write them."""
    sources = [*ADMIN.rglob("*.py"), *ADMIN.rglob("*.html")]
    return {name for source in sources for pair in SAID.findall(source.read_text("utf-8")) for name in pair if name}


@pytest.mark.slow
async def test_nothing_that_is_said_anywhere_leads_out_of_the_network(office: Office) -> None:
    names = parameters() - {"_csrf"}
    assert names >= LEADING
    for target in ("//evil.example", "https://evil.example/", f"{HOME}%2e%2e/other/"):
        said = dict.fromkeys(names, target)
        async with office.signed_in(LEADER) as visitor:
            csrf = token((await visitor.get("menu")).text)
            for each in addresses(office.app):
                path = f"{HOME}{each.filled(**examples())}"
                if each.path == "sign-out":
                    continue
                sent = (
                    visitor.http.get(f"{path}?{urlencode(said)}")
                    if each.method == "GET"
                    else visitor.http.post(path, data={**said, "_csrf": csrf})
                )
                answer = await sent
                assert stays(answer), (each, dict(answer.headers))
