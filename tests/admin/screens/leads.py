"""Leads of the small network, made by those who own them; and how tests read pages."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

from models.actor import Actor
from models.members import load_actor
from models.record import Record
from models.tx import Tx
from tests.admin.office import Office, Visitor, token
from workflows import commands


async def actor(office: Office, email: str) -> Actor:
    """Return a member as an actor."""

    async def work(tx: Tx) -> Actor | None:
        return await load_actor(office.tenant.published, tx, office.members[email])

    found = await office.tenant.store.read(work)
    assert found is not None
    return found


async def lead(office: Office, owner: str, first: str, last: str = "Marchand", **values: Any) -> Record:
    """Create a lead as its owner."""
    given = {"first_name": first, "last_name": last, "country": "FR", **values}
    return await commands.create(office.tenant, await actor(office, owner), "lead", given)


def text_of(page: str) -> str:
    """Return what people read of a page: no tags, single spaces."""
    shown = re.sub(r"<(script|template|head)\b.*?</\1>", " ", page, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", shown)).split())


def titles(page: str) -> list[str]:
    """Return the titles of the lines of a list, in order."""
    return [unescape(found) for found in re.findall(r'<a class="whole"[^>]*>(.*?)</a>', page)]


def cards(page: str) -> dict[str, list[str]]:
    """Return the titles of a board's cards by state."""
    found: dict[str, list[str]] = {}
    for state, title in re.findall(r'<article[^>]*data-state="(\w+)"[^>]*data-title="([^"]*)"', page):
        found.setdefault(state, []).append(unescape(title))
    return found


def link(page: str, label: str) -> str:
    """Return where the link with this text or label leads."""
    for attributes, inside in re.findall(r"<a\b([^>]*)>(.*?)</a>", page, re.DOTALL):
        words = " ".join(re.sub(r"<[^>]+>", " ", inside).split())
        if label in (unescape(words), *(unescape(each) for each in re.findall(r'aria-label="([^"]*)"', attributes))):
            return unescape(re.findall(r'href="([^"]*)"', attributes)[0])
    raise AssertionError(f"no link {label!r}")


def value(page: str, name: str) -> str:
    """Return what stands in the input or the text area of this name."""
    line = re.search(rf'<input[^>]*name="{re.escape(name)}"[^>]*>', page)
    if line is not None:
        found = re.search(r'value="([^"]*)"', line[0])
        return unescape(found[1]) if found else ""
    area = re.search(rf'<textarea[^>]*name="{re.escape(name)}"[^>]*>(.*?)</textarea>', page, re.DOTALL)
    assert area is not None, f"no input {name!r}"
    return unescape(area[1])


def asked(page: str) -> set[str]:
    """Return the names of what a form's page asks."""
    return set(re.findall(r'<(?:input|select|textarea)[^>]*id="f-[^"]*"[^>]*name="([^"]+)"', page)) | set(
        re.findall(r'<input[^>]*type="(?:radio|checkbox)"[^>]*name="([^"]+)"', page)
    )


async def fetch(visitor: Visitor, path: str, *, data: dict[str, str] | None = None, accept: str = "text/html") -> Any:
    """Do what a script does: a request of a part of the page, or with `data` a form sent for it."""
    page = await visitor.get()
    headers = {"HX-Request": "true", "X-CSRF-Token": token(page.text), "Accept": accept}
    address = path if path.startswith("/") else f"/n/small/{path}"
    if data is None:
        return await visitor.http.get(address, headers=headers)
    return await visitor.http.post(address, headers=headers, data=data)
