"""Packs as they are lived with: people of every level do their work, until each way was gone."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from admin.networks import Networks
from definitions.checks.rights import never
from definitions.spec.access import EntityAccess, Rule
from definitions.spec.network import Network
from models.accounts import store_password
from models.actor import SYSTEM, Actor
from models.clock import SetClock
from models.contents import Limits
from models.record import Record
from models.terms import accept, open_terms
from models.tx import Tx
from models.uploads import take as take_file
from server import compose
from tests.admin.api.program import program
from tests.admin.office import HASHED, NETWORK, Office
from tests.homes import Homes
from tests.prepared import prepare
from tests.workflows.conftest import RNG, Mailbox, Stage
from workflows import commands
from workflows.inlets import Request, draw, take
from workflows.mail import SmtpTransport
from workflows.moves import Moved
from workflows.unit import write
from workflows.worker import Worker


@dataclass
class Life:
    """A server over a network, its worker and its mail server; people are known by their first names."""

    office: Office
    stage: Stage
    levels: dict[str, str] = field(default_factory=dict)
    ended: set[str] = field(default_factory=set)
    """The automations of which a run came to its end: runs are not kept for ever."""
    sent: set[str] = field(default_factory=set)
    """The templates of which something went out, or was made."""

    @property
    def network(self) -> Network:
        """What the pack defines."""
        return self.stage.tenant.published.network

    async def joins(self, name: str, level: str, /, **values: Any) -> Record:
        """Let a member join who can sign in and has accepted the terms."""
        actor = await self.stage.person(name, level, **values)
        member = actor.id
        assert member is not None
        await self.stage.tenant.store.write(lambda tx: _password(tx, member, self.stage.clock))
        for each in await open_terms(self.stage.tenant, actor):
            await accept(self.stage.tenant, actor, each.name, each.version)
        self.levels[name] = level
        self.office.members[_email(name)] = member
        self.stage.people[name] = await self.stage.actor(member)
        return await self.stage.get(Record("member", member, 1, {}, ""))

    def __getitem__(self, name: str) -> Actor:
        """Return a person, or the system for ""."""
        return self.stage.people[name] if name else SYSTEM

    async def makes(self, name: str, entity: str, /, **values: Any) -> Record:
        """Let somebody create a record."""
        return await commands.create(self.stage.tenant, self[name], entity, values)

    async def changes(self, name: str, record: Record, /, **values: Any) -> None:
        """Let somebody change a record."""
        await commands.update(self.stage.tenant, self[name], record.entity, record.id, None, values)

    async def moves(self, name: str, record: Record, transition: str, /, **form: Any) -> Moved:
        """Let somebody take a transition, `process.transition` where its name is that of several."""
        process, _, alone = transition.rpartition(".")
        at = (record.entity, record.id, alone)
        return await commands.move(self.stage.tenant, self[name], *at, process=process or None, form=form)

    async def uploads(self, name: str, content: bytes, called: str) -> str:
        """Let somebody send a file; return what names it in a field."""

        async def source() -> AsyncIterator[bytes]:
            yield content

        return (await take_file(self.stage.tenant, self[name], source(), called, Limits())).id

    async def agrees(self, *names: str) -> None:
        """Let people agree to the one request that is open, one after the other."""
        for name in names:
            [(asked,)] = await self.stage.rows("_approval", "id", where="state = 'open'")
            granted = await commands.grant(self.stage.tenant, self[name], asked)
            assert granted.closed is None, granted.closed

    async def passes(self, span: timedelta = timedelta()) -> None:
        """Let time pass, and everything be done that is due then."""
        self.stage.clock.forward(span)
        await self.stage.worker.run_due()
        self.ended |= {name for (name,) in await self.stage.rows("_run", "automation", where="state = 'done'")}
        for table in ("_mail", "_notice", "_document"):
            self.sent |= {name for (name,) in await self.stage.rows(table, "template")}

    async def calls(self, hook: str, /, **body: Any) -> None:
        """Let another system call a hook."""
        secret = await write(self.stage.tenant, self["leader"], lambda unit: draw(unit, hook))
        headers = {"authorization": f"Bearer {secret}"}
        await take(self.stage.tenant, Request(hook, headers, json.dumps(body).encode()), lambda: None)

    async def is_in(self, record: Record, process: str) -> Any:
        """Return the state that a record is in now."""
        return await self.stage.value(record, process)

    async def never(self) -> dict[str, set[str]]:
        """Return the transitions that were never taken, automations that never came to their end, templates unsent."""
        taken = await self.stage.rows("_history", "process", "transition", where="kind = 'moved'")
        every = {(p.name, name) for p in self.network.processes.values() for name in p.transitions}
        left = {f"{process}.{name}" for process, name in every - {(p, t) for p, t in taken}}
        return {
            "transitions": left,
            "automations": set(self.network.automations) - self.ended,
            "templates": set(self.network.templates) - self.sent,
        }

    async def failed(self) -> list[tuple[Any, ...]]:
        """Return the runs and mails that failed, each with its error."""
        runs = await self.stage.rows("_run", "automation", "error", where="state = 'failed'")
        return runs + await self.stage.rows("_mail", "template", "error", where="state = 'failed'")


@asynccontextmanager
async def life(homes: Homes, clock: SetClock, mailbox: Mailbox, files: Mapping[str, str]) -> AsyncIterator[Life]:
    """Open a server over a new network."""
    settings = replace(homes.settings, secret="a secret of the tests")
    prepared = await prepare(homes(NETWORK), NETWORK, files, clock)
    app = compose(settings, clock=clock, new_id=prepared.new_ids(), works=False)
    networks: Networks = app.state.networks
    async with app.router.lifespan_context(app):
        tenant = await networks.tenants.open(NETWORK)
        worker = Worker(tenant, SmtpTransport(mailbox.url), rng=RNG, url=f"https://reseau.example/n/{NETWORK}")
        yield Life(Office(app, tenant, clock, {}), Stage(tenant, clock, mailbox, worker))


async def _password(tx: Tx, member: str, clock: SetClock) -> None:
    await store_password(tx, member, HASHED, clock.now())


def _email(name: str) -> str:
    return f"{name.lower()}@exemple.fr"


# Doors ------------------------------------------------------------------------------------------------------------


async def check_doors(lived: Life) -> None:
    """Open every list, board, form and record as every person: what the level may do is there, the rest is not."""
    for name, level in lived.levels.items():
        for door, status in (await _doors_of(lived, name)).items():
            assert status == _expected(lived, level, door), (name, door, status)


def _expected(lived: Life, level: str, door: str) -> int:
    entity = door.removeprefix("api ").removeprefix("e/").partition("/")[0]
    if entity not in lived.network.entities or lived.network.levels[level].everything:
        return 200
    access = lived.network.levels[level].entities.get(entity)
    creates, reads = (access is not None and not never(rule) for rule in _rules(access))
    if door.endswith("/new"):
        return 200 if creates else 403 if reads else 404
    return 200 if reads else 404


def _rules(access: EntityAccess | None) -> tuple[Rule | None, Rule | None]:
    return (None, None) if access is None else (access.create, access.read)


async def _doors_of(lived: Life, name: str) -> dict[str, int]:
    """Return how the pages and the API answered somebody: lists, boards, new and kept records, exports."""
    email = _email(name)
    found: dict[str, int] = {}
    async with lived.office.signed_in(email) as visitor, program(lived.office, email) as client:
        for path in ("", "tasks", "notices", "account", "search?q=a"):
            found[path] = (await visitor.get(path)).status_code
        for entity in lived.network.entities.values():
            if entity.parent is not None:
                continue
            at = f"e/{entity.name}"
            found[f"{at}/"] = (await visitor.get(f"{at}/")).status_code
            found[f"{at}/new"] = (await visitor.get(f"{at}/new")).status_code
            answer = await client.get(f"/entities/{entity.name}")
            found[f"api {entity.name}"] = answer.status_code
            for process in entity.processes:
                found[f"{at}/board/{process}"] = (await visitor.get(f"{at}/board/{process}")).status_code
            for item in answer.json().get("items", [])[:2] if answer.status_code == 200 else ():
                page = await visitor.get(f"{at}/{item['id']}")
                found[f"{at}/…"] = page.status_code
                alone = await client.get(f"/entities/{entity.name}/{item['id']}")
                found[f"api {entity.name}/…"] = alone.status_code
    return found
