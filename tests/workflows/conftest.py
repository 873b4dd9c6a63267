"""A network that is worked in, with a real mail server beside it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from models.actor import SYSTEM, Actor
from models.clock import SetClock
from models.members import load_actor
from models.record import Record
from models.tenant import Tenant, open_tenant
from tests.homes import Homes
from tests.networks import SMALL
from tests.prepared import open_prepared, prepare
from workflows import commands
from workflows.mail import SmtpTransport
from workflows.moves import Moved
from workflows.worker import Worker


@dataclass
class Mailbox:
    """A mail server's side: what came in, and what it answers to recipients or texts that it was told to refuse."""

    url: str = ""
    letters: list[EmailMessage] = field(default_factory=list)
    recipients: list[list[str]] = field(default_factory=list)
    senders: list[str] = field(default_factory=list)
    refuse: dict[str, str] = field(default_factory=dict)
    refuse_text: str = ""
    on_text: Callable[[SMTP], Awaitable[None]] | None = None

    async def handle_RCPT(  # noqa: N802 - the server asks for this name and these arguments
        self,
        server: SMTP,  # noqa: ARG002 - the same
        session: Session,  # noqa: ARG002 - the same
        envelope: Envelope,
        address: str,
        options: list[str],  # noqa: ARG002 - the same
    ) -> str:
        if address in self.refuse:
            return self.refuse[address]
        envelope.rcpt_tos.append(address)
        return "250 fine"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802, ARG002 - the same
        if self.on_text is not None:
            await self.on_text(server)
        if self.refuse_text:
            return self.refuse_text
        content = envelope.content
        assert isinstance(content, bytes)
        letter = message_from_bytes(content, policy=policy.default)
        assert isinstance(letter, EmailMessage)
        self.letters.append(letter)
        self.recipients.append(list(envelope.rcpt_tos))
        self.senders.append(envelope.mail_from or "")
        return "250 taken"


@pytest.fixture
async def mailbox() -> AsyncIterator[Mailbox]:
    """A mail server on this machine."""
    box = Mailbox()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(box, hostname="test", enable_SMTPUTF8=True, loop=loop), "127.0.0.1", 0
    )
    port = server.sockets[0].getsockname()[1]
    box.url = f"smtp://127.0.0.1:{port}?from=office@reseau.example&starttls=never"
    yield box
    server.close()
    await server.wait_closed()


@dataclass
class Stage:
    """A network with a few people, and what tests do in it."""

    tenant: Tenant
    clock: SetClock
    mailbox: Mailbox
    worker: Worker
    people: dict[str, Actor] = field(default_factory=dict)

    async def person(self, name: str, *levels: str, **values: Any) -> Actor:
        """Let a member join and return it as an actor."""
        given: dict[str, Any] = {
            "first_name": name,
            "last_name": "Roux",
            "email": f"{name.lower()}@exemple.fr",
            "language": "fr",
        }
        given |= {"country": "FR", "active": True, "levels": list(levels), **values}
        record = await commands.create(self.tenant, SYSTEM, "member", given)
        return await self.actor(record.id)

    async def actor(self, member: str) -> Actor:
        """Return a member as it acts now."""
        found = await self.tenant.store.read(lambda tx: load_actor(self.tenant.published, tx, member, ip="192.0.2.7"))
        assert found is not None
        return found

    async def lead(self, actor: Actor, **values: Any) -> Record:
        """Create a lead that can be called."""
        given = {"first_name": "Paul", "last_name": "Roy", "email": "paul@exemple.fr", "phone": "06 39 98 00 01"}
        return await commands.create(self.tenant, actor, "lead", given | values)

    async def call(self, actor: Actor, lead: Record, **form: Any) -> Moved:
        """Take the transition `call`."""
        given = {"comment": "Très bien", "next_call_at": "2026-03-05T10:00"} | form
        return await commands.move(self.tenant, actor, "lead", lead.id, "call", form=given, version=None)

    async def rows(self, table: str, *columns: str, where: str = "1 = 1") -> list[tuple[Any, ...]]:
        """Return columns of a system table, oldest row first."""
        names = ", ".join(f'"{column}"' for column in columns)
        sql = f'SELECT {names} FROM "{table}" WHERE {where} ORDER BY "id"'  # noqa: S608 - names of the tests
        return [tuple(row) for row in await self.tenant.store.read(lambda tx: tx.rows(sql))]

    async def value(self, lead: Record, name: str) -> Any:
        """Return a field's value as it is now."""
        return (await self.get(lead)).full[name]

    async def get(self, record: Record) -> Record:
        """Return a record as it is now."""
        from workflows.unit import read  # noqa: PLC0415 - this fixture alone needs it

        return await read(self.tenant, SYSTEM, lambda unit: unit.records.get(record.entity, record.id))


RNG = random.Random(7)  # noqa: S311 - it spreads pauses, no secret hangs on it
MakeStage = Callable[..., Awaitable[Stage]]


@pytest.fixture
async def make_stage(homes: Homes, clock: SetClock, mailbox: Mailbox) -> AsyncIterator[MakeStage]:
    """Return what opens a network with a pack."""
    opened: list[Tenant] = []

    async def make(files: Mapping[str, str] = SMALL) -> Stage:
        home = homes(f"network{len(opened)}")
        if files is SMALL:
            prepared = await prepare(home, "small", SMALL, clock)
            tenant = await open_tenant(home, "small", clock=clock, new_id=prepared.new_ids())
        else:
            tenant = await open_prepared(home, "small", files, clock)
        opened.append(tenant)
        worker = Worker(tenant, SmtpTransport(mailbox.url), rng=RNG, url="https://reseau.example/n/small")
        return Stage(tenant, clock, mailbox, worker)

    yield make
    for tenant in opened:
        await tenant.close()


@pytest.fixture
async def stage(make_stage: MakeStage) -> Stage:
    """The small network with Léa, a distributor, and Rita, who runs it."""
    made = await make_stage()
    made.people["lea"] = await made.person("Lea", "distributor")
    made.people["rita"] = await made.person("Rita", "leader")
    return made


@pytest.fixture
def lea(stage: Stage) -> Actor:
    """A distributor."""
    return stage.people["lea"]


@pytest.fixture
def rita(stage: Stage) -> Actor:
    """The leader."""
    return stage.people["rita"]
