"""The pages and the back office beside the reference: every address of the routes themselves, so that a new one is
asked at once."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import quote

import httpx
from fastapi import FastAPI

from admin.piccolo.mount import build
from tests.access.asking import ABSENT
from tests.access.reference import Row
from tests.access.values import marks_of
from tests.access.world import NAME, World
from tests.admin.door_table import Address, addresses
from tests.admin.piccolo.test_sight import addresses as office_addresses
from tests.answers import headers_of

ABOUT_SESSIONS = re.compile(r"sign-|terms|language|theme|join/|office/|account|icon")
"""Addresses that change who asks, and hold no record."""
FOR_LEADERS = ("definitions", "settings", "api/hooks", "back-office")
NAMED = re.compile(r"{(\w+)}")
QUESTIONS = ("sort={field}", "sort=-{field}", "f.{field}={word}", "q={word}", "columns={field}", "view=nothing")
FRESH = re.compile(r'name="token" value="[^"]+"|nonce-[\w-]+')


@dataclass(frozen=True)
class Filling:
    """What stands for the names of an address, and the record that it is about, if about any."""

    values: Mapping[str, str]
    entity: str = ""
    row: Row | None = None


async def pages(world: World) -> None:
    """Every address of the screens, filled with records of each sort."""
    for address in addresses(world.app):
        if address.path.startswith("back-office") and address.method == "POST":
            continue  # `back_office` asks all that is mounted there
        if not ABOUT_SESSIONS.match(address.path) or address.method == "GET":
            for filling in _fillings(world, address):
                await _ask(world, address, filling)


def _fillings(world: World, address: Address) -> Iterator[Filling]:
    if "{entity}" not in address.path:
        yield Filling(_unheld(address))
        return
    for entity, definition in world.network.entities.items():
        for process in definition.processes if "{process}" in address.path else ("",):
            for row in world.sorts(entity) if "{id}" in address.path else (None,):
                base = {**_unheld(address), "entity": entity, "process": process, "history": "none"}
                base["id"] = "" if row is None else row["id"]
                for name, value in _last(world, address, entity, process, row):
                    yield Filling({**base, name: value}, entity, row)


def _unheld(address: Address) -> dict[str, str]:
    """Return what stands for names that no record gives a value: what is not there."""
    return dict.fromkeys(NAMED.findall(address.path), ABSENT) | {"version": "1", "region": "none"}


def _last(world: World, address: Address, entity: str, process: str, row: Row | None) -> Iterator[tuple[str, str]]:
    """Yield the values of the name that an address has beside entity, process and id."""
    if "{field}" in address.path and row is not None:
        found: dict[tuple[bool, bool], str] = {}
        for name in world.fields(entity):
            asked, me = world.reference, world.person
            found[asked.visible(me, entity, row, name), asked.writable(me, entity, row, name)] = name
        yield from (("field", name) for name in found.values())
    elif "{state}" in address.path:
        yield from (("state", name) for name in world.network.processes[process].states)
    elif "{transition}" in address.path:
        yield from (("transition", name) for name in world.network.processes[process].transitions)
    else:
        yield "", ""


async def _ask(world: World, address: Address, filling: Filling) -> None:
    asked, me, entity = world.reference, world.person, filling.entity
    path = address.filled(**filling.values)
    answer = await world.page(address.method, path, {"text": "x"})
    if address.path.startswith(FOR_LEADERS) and not asked.administers(me):
        world.same(answer.status_code in {403, 404}, True, address, answer.status_code)
    if filling.row is not None:
        if not asked.readable(me, entity, filling.row):
            other = address.filled(**{**filling.values, "id": ABSENT})
            absent = await world.page(address.method, other, {"text": "x"})
            world.same(_outside(answer, filling.row["id"]), _outside(absent, ABSENT), "foreign or absent", path)
            world.same(answer.status_code, 404, path)
        elif address.path == "e/{entity}/{id}":
            world.same(answer.status_code, 200, path)
    elif entity and address.method == "GET":
        known = asked.ever(me, entity, "read")
        if not known and not asked.ever(me, entity, "create"):
            world.same(answer.status_code, 404, path)
    if address.path == "e/{entity}/" and entity and asked.ever(me, entity, "read"):
        _lists(world, entity, answer, path)
        await _questions(world, entity)


def _outside(answer: httpx.Response, identity: str) -> tuple[int, str]:
    told = FRESH.sub("", f"{headers_of(answer)} {answer.text}")
    return answer.status_code, told.replace(identity, "").replace(quote(identity), "")


def _lists(world: World, entity: str, answer: httpx.Response, path: str) -> None:
    """Compare the lines of a list with the records that are seen."""
    if answer.status_code != 200:
        return  # it leads to the address of its own screen
    world.same(_lines(entity, answer), {row["id"] for row in world.shown(entity)}, path)


def _lines(entity: str, answer: httpx.Response) -> set[str]:
    """Return the records that a list leads to."""
    return set(re.findall(rf'/e/{entity}/([0-9a-f]{{8}}-[0-9a-f-]{{27}})"', answer.text))


def _other(word: str) -> str:
    """Return a word of the same kind that stands nowhere."""
    if word.startswith("zq"):
        return "zqyyyyy"
    return "7399998" if word.startswith("73") else "639989998"


async def _questions(world: World, entity: str) -> None:
    """Ask lists, pickers, the palette and exports for what is hidden: none of them knows it."""
    found: dict[str, tuple[Row, str]] = {}
    for row in world.sorts(entity):
        for name in world.fields(entity):
            word = next(iter(marks_of(row.get(name))), None)
            if word is not None and world.reference.value(world.person, entity, row, name) is None:
                found[name] = row, word
    for name, (row, word) in found.items():
        for question in QUESTIONS:
            there, nowhere = (question.format(field=name, word=each) for each in (word, _other(word)))
            if there.startswith("q=") and _seen(world, entity, row, word):
                continue
            answers = [await world.page("GET", f"e/{entity}/?{each}") for each in (there, nowhere)]
            world.same(_lines(entity, answers[0]), _lines(entity, answers[1]), entity, there)
        await _picked(world, entity, row, word)
    await _exported(world, entity)


def _seen(world: World, entity: str, row: Row, word: str) -> bool:
    names = world.network.entities[entity].search
    return any(word in str(world.reference.value(world.person, entity, row, name)).lower() for name in names) or (
        not names
    )


async def _picked(world: World, entity: str, row: Row, word: str) -> None:
    for path in (f"e/{entity}/options?q={word}", f"search?q={word}"):
        answer = await world.page("GET", path)
        if answer.status_code == 200 and row["id"] in answer.text and not _seen(world, entity, row, word):
            world.differ("found by", path, entity, row["id"])


async def _exported(world: World, entity: str) -> None:
    exports = "export" in world.reference.functions(world.person)
    for kind in ("csv", "xlsx"):
        for more in ("", "&everything=1", "&all=1"):
            answer = await world.page("GET", f"e/{entity}/export?format={kind}{more}")
            world.same(answer.status_code == 200, exports, "export", entity, kind)
            if answer.status_code == 200 and answer.content.startswith(b"PK"):
                with zipfile.ZipFile(io.BytesIO(answer.content)) as book:
                    for part in book.namelist():
                        world.heard(book.read(part).decode(), "export", entity, part)


async def letters(world: World) -> None:
    """Mails: those that were written to members say what these may read, and lists of them what the reader may."""
    person = world.person
    await _received(world, [row["id"] for row in world.rows("member") if row["id"] != person.id])
    found = await world.tenant.store.read(lambda tx: tx.rows('SELECT "id", "recipient_member" FROM "_mail"'))
    for mail, member in found:
        if member != person.id:
            for method, path in (("GET", "outbox/{}"), ("POST", "outbox/{}/retry"), ("POST", "outbox/{}/cancel")):
                await world.page(method, path.format(mail))


async def own_letters(world: World) -> None:
    """Mails to who asks: what it could read with the levels that it had when they were written."""
    await _received(world, [world.person.id])


async def _received(world: World, members: Collection[str]) -> None:
    person = world.person
    rows = await world.tenant.store.read(
        lambda tx: tx.rows('SELECT "recipient_member", "subject", "html", "text" FROM "_mail"')
    )
    for member, *texts in rows:
        if member in members:
            await world.see_as(member, world.joined[member], sent=False)
            world.heard(" ".join(map(str, texts)), "mail to", member)
    await world.see_as(person.id, person.levels)


async def back_office(world: World) -> None:
    """All that piccolo-admin mounts, for who administers; for everybody else it is not there."""
    if not world.reference.administers(world.person):
        for path in ("", "api/tables/", "api/meta/", "public/meta/"):
            answer = await world.page("GET", f"back-office/{path}")
            world.same(answer.status_code, 404, "back-office", path)
        return
    router: FastAPI = build(world.network, "en", world.tenant.store.engine, f"/n/{NAME}/")
    for method, path in office_addresses(router.router.routes):
        await _office(world, method, path.replace("{form_slug:str}", "x").replace("{language_code:str}", "en"))


async def _office(world: World, method: str, path: str) -> None:
    by_table = {entity.replace("_", "").lower(): entity for entity in world.network.entities}
    table = path.split("/")[3].replace("_", "").lower() if path.startswith("/api/tables/") else ""
    entity = by_table.get(table)
    if entity is not None and "{row_id" in path:
        for row in world.sorts(entity):
            await _office_record(world, method, path, entity, row)
    elif entity is not None and method == "GET":
        await _office_list(world, path, entity)
    elif method == "GET" and "{" not in path:
        await world.page("GET", f"back-office{path}")


async def _office_record(world: World, method: str, path: str, entity: str, row: Row) -> None:
    asked, me = world.reference, world.person
    answers = []
    for identity in (row["id"], ABSENT):
        address = f"back-office{re.sub('{row_id(:str)?}', identity, path)}"
        headers = {"x-csrftoken": world.browser.cookies.get("csrftoken") or ""}
        body = None if method == "GET" else b"{}"
        url = f"/n/{NAME}/{address}"
        answer = await world.browser.request(method, url, content=body, headers=headers)
        world.heard(f"{answer.text} {headers_of(answer)}", method, address)
        answers.append((answer.status_code, answer.text.replace(identity, ""), sorted(answer.headers)))
    if not asked.readable(me, entity, row):
        world.same(answers[0], answers[1], "back-office", method, path, entity, row["id"])
        world.same(answers[0][0] in {404, 405}, True, "back-office", method, path)
    elif method == "GET" and path.endswith("{row_id}/"):
        world.same(answers[0][0], 200, "back-office", path, entity, row["id"])


async def _office_list(world: World, path: str, entity: str) -> None:
    asked, me = world.reference, world.person
    shown = {row["id"]: row for row in world.shown(entity)}
    hidden = [
        name for name in world.fields(entity) if not all(asked.visible(me, entity, r, name) for r in shown.values())
    ]
    questions = ["", "?__readable=true", *(f"?__order={sign}{name}" for name in hidden for sign in ("", "-"))]
    for question in questions:
        answer = await world.page("GET", f"back-office{path}{question}")
        if path.lower().rstrip("/").endswith(entity.replace("_", "")) and answer.status_code == 200:
            rows = {row["id"]: row for row in answer.json()["rows"]}
            world.same(set(rows), set(shown), "back-office", path, question)
            for identity, row in rows.items():
                told = [name for name in hidden if row.get(name)]
                seen = [name for name in told if identity in shown and asked.visible(me, entity, shown[identity], name)]
                world.same(told, seen, "back-office", path, question, identity)


CHECKS = (pages, letters, own_letters, back_office)
