"""People work over HTTP while the server is killed again and again: what was acknowledged is there, mails come once."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from models.accounts import store_password
from models.actor import SYSTEM
from models.connections import connect
from models.passwords import hash_password
from models.record import Record
from models.stores import Home
from models.tenant import Tenant, create_tenant
from tests.admin.office import PASSWORD, token
from tests.admin.served import Served
from tests.networks import SMALL, edited
from tests.workflows.conftest import Mailbox, mailbox
from workflows import commands
from workflows.mail_account import LINES

__all__ = ["mailbox"]
pytestmark = [pytest.mark.anyio, pytest.mark.slow]

FILES = edited(SMALL, ("    undo: 10m\n", ""))
PEOPLE, LEADS, KILLS = 8, 60, 4
AGAIN = 0.2
"""Seconds until who was cut off asks again: the server that is to come back needs the processor more."""
FORM = {"comment": "Bien", "next_call_at": "2030-01-01T10:00"}


@dataclass
class Worked:
    """What clients know: how often the move of a lead was acknowledged, and how many requests broke off."""

    acknowledged: Counter[str] = field(default_factory=Counter)
    broken: int = 0
    bears: frozenset[int] = frozenset()
    """Answers after which they try again."""
    borne: int = 0


async def furnish(home: Home, people: int = PEOPLE, leads_each: int = LEADS) -> dict[str, list[str]]:
    """Make a network of distributors with leads, and return the leads by the distributor's e-mail."""
    tenant = await create_tenant(home, "small", files=FILES)
    hashed = await hash_password(PASSWORD)
    found = {}
    for number in range(people):
        email = f"d{number}@exemple.fr"
        person = {"first_name": "Lea", "last_name": f"Roux{number}", "email": email, "country": "FR", "active": True}
        member = await commands.create(tenant, SYSTEM, "member", {**person, "levels": ["distributor"]})
        await tenant.store.write(lambda tx, id=member.id: store_password(tx, id, hashed, tenant.clock.now()))  # type: ignore[misc] # bound now
        leads = await asyncio.gather(*(lead(tenant, member, f"p{number}.{at}") for at in range(leads_each)))
        found[email] = [record.id for record in leads]
    await tenant.close()
    return found


async def lead(tenant: Tenant, owner: Record, name: str) -> Record:
    given = {"first_name": "Paul", "last_name": "Roy", "email": f"{name}@exemple.fr", "phone": "06 39 98 00 01"}
    return await commands.create(tenant, SYSTEM, "lead", {**given, "country": "FR", "owner": owner.id})


async def work(url: str, email: str, leads: Sequence[str], worked: Worked, stop: asyncio.Event) -> None:
    """Sign in and call lead after lead until there are no more; who is cut off goes on when the server is back."""
    async with httpx.AsyncClient(base_url=url, timeout=20) as http:
        csrf = ""
        for id in leads:
            while not stop.is_set():
                try:
                    csrf = csrf or await sign_in(http, email)
                    answer = await http.post(
                        f"/n/small/e/lead/{id}/move/recruiting/call",
                        data={**FORM, "version": "1"},
                        headers={"accept": "application/json", "x-csrf-token": csrf},
                    )
                except (httpx.TransportError, AssertionError):
                    worked.broken += 1
                    await asyncio.sleep(AGAIN)
                    continue
                if answer.status_code in worked.bears:
                    worked.borne += 1
                    await asyncio.sleep(AGAIN)
                    continue
                assert answer.status_code in {200, 409}, answer.text
                worked.acknowledged[id] += answer.status_code == 200
                break


async def sign_in(http: httpx.AsyncClient, email: str) -> str:
    """Open a session, as from a new browser, and return its token for forms.

    Who was cut off after it was opened, and before the token was read, is signed in: there would be no form any more.
    """
    http.cookies.clear()
    gate = token((await http.get("/n/small/sign-in")).text)
    form = {"_csrf": gate, "email": email, "password": PASSWORD}
    assert (await http.post("/n/small/sign-in", data=form)).status_code == 303
    return token((await http.get("/n/small/account")).text)


@pytest.fixture
async def served(tmp_path: Path, mailbox: Mailbox) -> AsyncIterator[Served]:
    """A server that sends its mails to the mail server of this test."""
    made = Served(tmp_path, {"SMTP_URL": mailbox.url, "MAILLE_SECRET": "a secret of the tests"})
    yield made
    if made.process is not None and made.process.returncode is None:
        await made.kill()


def rows(path: Path, sql: str) -> list[tuple[Any, ...]]:
    """Look into the file beside the server."""
    with contextlib.closing(connect(path, "read")) as connection:
        return connection.execute(sql).fetchall()


async def until(holds: Callable[[], Awaitable[bool]], seconds: float = 60) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(seconds):
        while not await holds():
            await asyncio.to_thread(os.sched_yield)


async def test_kill_9_under_load_loses_no_acknowledged_move_and_doubles_no_mail(
    served: Served, mailbox: Mailbox, tmp_path: Path
) -> None:
    leads = await furnish(tmp_path / "small.sqlite")
    worked, stop, chance = Worked(), asyncio.Event(), random.Random(11)  # noqa: S311 - when to kill is no secret
    await served.start()
    people = [asyncio.ensure_future(work(served.url, email, ids, worked, stop)) for email, ids in leads.items()]
    for _ in range(KILLS):
        goal = worked.acknowledged.total() + chance.randint(20, 60)
        await until(lambda goal=goal: enough(worked, goal, people))  # type: ignore[misc] # bound now
        await served.kill()
        await served.start()
    await asyncio.gather(*people)
    path = tmp_path / "small.sqlite"

    async def nothing_left() -> bool:
        left = rows(path, """SELECT count(*) FROM "_outbox" WHERE "state" = 'ready' AND "kind" IN ('run', 'mail')""")
        return left == [(0,)]

    await until(nothing_left)
    assert await served.end() == -signal.SIGTERM
    assert (tmp_path / "small.sqlite.lock").read_bytes() == b"", "it closed its networks before it ended"
    assert worked.broken >= 1
    histories = rows(path, """SELECT "record", count(*) FROM "_history" WHERE "kind" = 'moved' GROUP BY 1""")
    states = rows(path, """SELECT "recruiting", "calls", "version", count(*) FROM "lead" GROUP BY 1, 2, 3""")
    assert states == [("contacted", 1, 2, PEOPLE * LEADS)]
    assert dict(histories) == dict.fromkeys((id for ids in leads.values() for id in ids), 1)
    assert set(worked.acknowledged.values()) <= {0, 1}
    mails = dict(rows(path, """SELECT "recipient", "state" FROM "_mail" """))
    assert len(mails) == PEOPLE * LEADS == len(rows(path, 'SELECT "id" FROM "_mail"'))
    came = Counter(str(letter["To"]) for letter in mailbox.letters)
    assert set(mails.values()) <= {"sent", "unknown"}
    assert {to: came[to] for to, state in mails.items() if state == "sent"} == dict.fromkeys(
        (to for to, state in mails.items() if state == "sent"), 1
    )
    unknown = [to for to, state in mails.items() if state == "unknown"]
    assert len(unknown) <= KILLS * LINES, "each connection says one mail at a time"
    assert all(came[to] <= 1 for to in unknown)


async def enough(worked: Worked, goal: int, people: Sequence[asyncio.Future[None]]) -> bool:
    """Whether so many moves were acknowledged, or all are done."""
    return worked.acknowledged.total() >= goal or all(person.done() for person in people)
