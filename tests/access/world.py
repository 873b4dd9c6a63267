"""Two networks of a pack, filled so that whoever looks stands in every relation to somebody's records."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from typing import Any, Literal

import httpx
from starlette.applications import Starlette

from definitions.spec.network import Network
from models.actor import SYSTEM, Actor
from models.clock import SetClock
from models.delegations import Delegation, Kind, keep
from models.members import load_actor
from models.records import Records
from models.settings import load_settings
from models.system import SYSTEM_TABLES
from models.tenant import Tenant
from models.tx import Tx
from models.validation import all_fields
from tests.access.reference import Person, Reference, Row
from tests.access.values import mark, marks_in, marks_of

SPONSORS: Mapping[str, str | None] = {
    "boss": None, "me": "boss", "below": "me", "deeper": "below", "aside": "boss", "abroad": "boss", "shut": "boss",
    "gone": "aside",
}  # fmt: skip
"""Everybody by the relation to `me`, and who sponsors whom: above, below, in another branch, in another country, closed
to the leader, and no longer active."""
RELATIONS = (*SPONSORS, "nobody")
"""Whose a record can be."""
NAME, OTHER = "world", "elsewhere"
NAMES = ("first_name", "last_name", "name")
NAMES_WHO_WRITES = re.compile(r"^outbox|^e/\w+/[0-9a-f-]{36}|^mail to|/history$")
"""Where letters are told: whose record a letter is about signs it, and that name is no secret."""
DRAWN = mark(0)[:4]
"""What marks of either network begin with, and hardly a random token."""
Holder = tuple[str, str, str | None]
"""An entity, a record's id, and a field (None: what hangs on the record as a whole)."""


When = Literal["before", "now", "after", "taken back"]
SPANS: Mapping[When, tuple[int, int]] = {"before": (1, 2), "now": (0, 1), "after": (-2, -1), "taken back": (-1, 1)}
"""From when until when somebody may act in an office, in days from now."""


class Undone(Exception):  # noqa: N818 - no error: the way out of a transaction
    """Carries what a rehearsed transaction came to."""


@dataclass
class World:
    """The networks, the doors of one member of the first, and what the reference says of it."""

    app: Starlette
    tenant: Tenant
    clock: SetClock
    members: dict[str, str] = field(default_factory=dict)
    records: dict[tuple[str, str], str] = field(default_factory=dict)
    """By entity and relation."""
    joined: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """The levels that members had when their letters were written, by id."""
    differences: list[str] = field(default_factory=list)
    numbers: Iterator[int] = field(default_factory=count)
    _holders: dict[str, set[Holder]] = field(default_factory=dict)
    _allowed: frozenset[str] = frozenset()
    _named: frozenset[str] = frozenset()

    reference: Reference = field(init=False)
    person: Person = field(init=False)
    program: httpx.AsyncClient = field(init=False)
    browser: httpx.AsyncClient = field(init=False)
    delegation: str = ""
    csrf: str = ""
    cookies: dict[str, str] = field(default_factory=dict)

    @property
    def network(self) -> Network:
        """The definitions."""
        return self.tenant.published.network

    def differ(self, *what: Any) -> None:
        """Keep a difference between the product and the reference."""
        self.differences.append(" ".join(map(str, ("+".join(self.person.levels) or "no level", *what))))

    def same(self, found: Any, expected: Any, *where: Any) -> None:
        """Compare an answer of the product with the reference's."""
        if found != expected:
            self.differ(*where, f"product {found!r}, reference {expected!r}")

    def rows(self, entity: str) -> list[Row]:
        """Return all records of an entity."""
        return list(self.reference.rows[entity].values())

    def shown(self, entity: str) -> list[Row]:
        """Return the records that the person may read."""
        return [row for row in self.rows(entity) if self.reference.readable(self.person, entity, row)]

    def sorts(self, entity: str) -> list[Row]:
        """Return one record of each sort: those of a sort are the same to the person, by the reference."""
        found: dict[Any, Row] = {}
        for row in self.rows(entity):
            found.setdefault(self.verdict(entity, row), row)
        return list(found.values())

    def verdict(self, entity: str, row: Row) -> tuple[Any, ...]:
        """Return all that the reference says of a record."""
        asked, me = self.reference, self.person
        if not asked.readable(me, entity, row):
            return (False,)
        hidden = frozenset(name for name in self.fields(entity) if not asked.visible(me, entity, row, name))
        return (True, hidden, asked.may(me, entity, row, "update"), asked.may(me, entity, row, "delete"))

    def fields(self, entity: str) -> list[str]:
        """Return the names of all that a record holds."""
        definition = self.network.entities[entity]
        return [*all_fields(definition), *definition.processes]

    # Levels --------------------------------------------------------------------------------------------------------

    async def become(self, *levels: str) -> None:
        """Give `me` other levels, and ask the reference what that comes to."""

        async def work(tx: Tx) -> None:
            await self.opened(tx).update("member", self.members["me"], None, {"levels": list(levels)})

        await type(self.tenant.store).write(self.tenant.store, work)
        self.person = Person(self.members["me"], levels)
        await self.refresh()

    async def see_as(self, member: str, levels: tuple[str, ...], *, sent: bool = True) -> None:
        """Let the reference speak of somebody else; `sent`: what was mailed to it is known to it."""
        self.person = Person(member, levels)
        await self.refresh(sent=sent)

    async def visit(self, lender: str, *lent: str, when: When = "now", kind: Kind = "given") -> None:
        """Bring the browser of `me` into somebody's office.

        The lender has every level and lends some of them; who assists runs the network, in the office of who has those.
        """
        every = [name for name in self.network.levels if name != "public"]
        now, member, me = self.clock.now(), self.members[lender], self.members["me"]
        begins, ends = (now + timedelta(days=each) for each in SPANS[when])
        levels = lent if kind == "given" else ()
        gone = now if when == "taken back" else None
        made = Delegation(self.tenant.new_id(), member, me, kind, levels, begins, ends, gone, begins)

        async def work(tx: Tx) -> None:
            if kind == "assistance":
                await self.opened(tx).update("member", me, None, {"levels": ["leader"]})
            await self.opened(tx).update("member", member, None, {"levels": every if kind == "given" else list(lent)})
            await keep(tx, made)
            await tx.run('UPDATE "_session" SET "acting" = ? WHERE "member" = ?', (made.id, me))

        await type(self.tenant.store).write(self.tenant.store, work)
        self.person, self.delegation = Person(member, lent, visiting=True), made.id
        await self.refresh()

    async def actor(self) -> Actor:
        """Return the person as an actor."""
        found = await self.tenant.store.read(lambda tx: load_actor(self.tenant.published, tx, self.person.id))
        assert found is not None
        return found

    def opened(self, tx: Tx, actor: Actor = SYSTEM) -> Records:
        """Return the records as an actor sees them."""
        return Records(self.tenant.published, tx, actor, self.tenant.context(), new_id=self.tenant.new_id)

    async def refresh(self, *, sent: bool = True) -> None:
        """Read every record past all rules, and find out which marks the person may see.

        Own letters tell nothing new, unless it is these that are asked about: then they are not `sent`.
        """
        self.reference, kept, notes, letters = await self.tenant.store.read(self._read)
        self._holders = {}
        for entity, rows in self.reference.rows.items():
            for identity, row in rows.items():
                for name, value in row.items():
                    self._hold((entity, identity, name), marks_of(value))
        for entity, identity, text in kept:
            for name, value in json.loads(text or "{}").items():
                self._hold((entity, identity, None if "." in name else name), marks_in(json.dumps(value)))
        for entity, identity, text in notes:
            self._hold((entity, identity, None), marks_in(text or ""))
        self._allow(letters if sent else ())

    def _hold(self, holder: Holder, marks: Iterable[str]) -> None:
        for each in marks:
            self._holders.setdefault(each, set()).add(holder)

    def _allow(self, letters: Iterable[tuple[str | None, str]]) -> None:
        owners = (row["owner"] for entity in self.network.entities for row in self.shown(entity) if row.get("owner"))
        people = [self.reference.rows["member"][owner["id"]] for owner in owners]
        self._named = frozenset(each for row in people for name in NAMES for each in marks_of(row[name]))
        here: frozenset[str] = frozenset()
        if self.person.visiting:  # each page says who is in whose office
            both = (self.reference.rows["member"][each] for each in (self.person.id, self.members["me"]))
            here = frozenset(m for row in both for name in NAMES for m in marks_of(row[name]))
        mine = {each for member, text in letters if member == self.person.id for each in marks_in(text)}
        self._allowed = (
            here
            | frozenset(mine)
            | frozenset(each for each, held in self._holders.items() if any(map(self._shows, held)))
        )

    async def _read(self, tx: Tx) -> tuple[Reference, list[Any], list[Any], list[Any]]:
        tables = self.tenant.published.tables
        rows = {}
        for entity in self.network.entities:
            table = tables[entity]
            found = [table.decode_values(row) for row in await tx.rows(table.select)]
            rows[entity] = {row["id"]: row for row in found}
        closed: frozenset[str] = frozenset()
        if "_closed" in SYSTEM_TABLES:
            closed = frozenset(row[0] for row in await tx.rows('SELECT "member" FROM "_closed"'))
        settings = await load_settings(tx, self.network)
        kept = await tx.rows('SELECT "entity", "record", "before" FROM "_history"')
        kept += await tx.rows('SELECT "entity", "record", "after" FROM "_history"')
        notes = await tx.rows('SELECT "entity", "record", "text" FROM "_history"')
        notes += await tx.rows('SELECT "entity", "record", "title" FROM "_task"')
        letters = await tx.rows(
            """SELECT "recipient_member", "subject" || ' ' || "text" || ' ' || "html" FROM "_mail" """
        )
        return Reference(self.network, rows, self.tenant.context(), settings, closed), kept, notes, letters

    def _shows(self, holder: Holder) -> bool:
        entity, identity, name = holder
        row = self.reference.rows.get(entity, {}).get(identity)
        if row is None:
            return False
        if (entity, identity) == ("member", self.person.id) and not self.person.visiting:
            return True  # the own account
        if name is None or name not in row:
            return self.reference.readable(self.person, entity, row)
        return self.reference.visible(self.person, entity, row, name)

    # Doors ---------------------------------------------------------------------------------------------------------

    def heard(self, told: str, *where: Any) -> None:
        """Look through an answer for what the person may not see."""
        named = self._named if any(map(NAMES_WHO_WRITES.search, map(str, where))) else frozenset()
        for each in sorted(marks_in(told) - self._allowed - named):
            if each in self._holders or each.startswith(DRAWN):
                held = sorted(self._holders.get(each, ()), key=str)[:2] or "the other network"
                self.differ(*where, f"tells {each} of {held}")

    @contextmanager
    def knowing(self, entity: str, row: Row) -> Iterator[None]:
        """Let the person be told of a record what it sees of it after a change that it tries."""
        before, asked = self._allowed, self.reference
        seen = (value for name, value in row.items() if asked.visible(self.person, entity, row, name))
        self._allowed = before | {each for value in seen for each in marks_of(value)}
        yield
        self._allowed = before

    async def api(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        """Ask the API, and look through its answer."""
        sent = {name.replace("_", "-"): text for name, text in headers.items()}
        answer = await self.program.request(method, f"/n/{NAME}/api/v1{path}", json=body, headers=sent)
        self.heard(_without(answer.text, path, body), method, path)
        if answer.status_code >= 500:
            self.differ(method, path, answer.status_code)
        return answer

    async def page(self, method: str, path: str, data: Mapping[str, str] | None = None, **more: Any) -> httpx.Response:
        """Ask for a page as a browser does, and look through it."""
        form = None if method == "GET" else {"_csrf": self.csrf, **(data or {})}
        self.browser.cookies = httpx.Cookies(self.cookies)  # without what an answer before wants said on the next page
        answer = await self.browser.request(method, f"/n/{NAME}/{path}", data=form, **more)
        told = f"{answer.text} {answer.headers.get('location', '')} {answer.cookies}"
        self.heard(_without(told, path, data), method, path)
        if answer.status_code >= 500:
            self.differ(method, path, answer.status_code)
        return answer


def _without(told: str, *asked: Any) -> str:
    """Leave out of an answer the marks that stood in the question."""
    for each in {found for part in asked for found in marks_in(str(part))}:
        told = told.replace(each, "").replace(each.upper(), "")
    return told
