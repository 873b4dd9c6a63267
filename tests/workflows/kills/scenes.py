"""What happens in the swept network: each scene is a few deeds, one after the other, and what they owe in the end."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from models.actor import SYSTEM, Actor
from models.members import load_actor
from models.record import Record
from models.tenant import Tenant
from tests.workflows.kills.pack import renamed
from workflows import changes, commands, jobs, publishing
from workflows.unit import write

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
LOSE = {"process": "recruiting", "transition": "lose", "form": {}}
FORM = {"comment": "Bien", "next_call_at": "2026-03-05T10:00"}
MANY = 7


@dataclass(frozen=True)
class Cast:
    """Who is there: an open network, and what is known of it by name."""

    tenant: Tenant
    known: Mapping[str, str]

    async def actor(self, name: str) -> Actor:
        """Return a member as it acts now."""
        found = await self.tenant.store.read(lambda tx: load_actor(self.tenant.published, tx, self.known[name]))
        assert found is not None
        return found

    async def found(self, sql: str) -> list[str]:
        """Return the only column of a query."""
        return [row[0] for row in await self.tenant.store.read(lambda tx: tx.rows(sql))]


Deed = Callable[[Cast], Awaitable[object]]
"""What somebody does. Done again after it was cut off, it is refused where it has happened."""
Given = Callable[[Tenant, dict[str, str]], Awaitable[None]]


@dataclass(frozen=True)
class Scene:
    """What is there before, and what is done how long after the beginning; None: the worker looks what is due."""

    given: Given
    deeds: tuple[tuple[timedelta, Deed | None], ...]


async def people(tenant: Tenant) -> dict[str, str]:
    """Let the members join, and return their ids by their names."""
    known = {}
    for name, level in (("lea", "distributor"), ("zoe", "distributor"), ("rita", "leader"), ("rose", "leader")):
        person = {"first_name": name.title(), "last_name": "Roux", "email": f"{name}@exemple.fr", "country": "FR"}
        given = {**person, "active": True, "levels": [level], "phone": "06 39 98 00 09"}
        known[name] = (await commands.create(tenant, SYSTEM, "member", given)).id
    return known


def named(name: str, **values: Any) -> dict[str, Any]:
    """Return what is said of a lead."""
    given = {"first_name": name, "last_name": "Roy", "email": f"{name.lower()}@exemple.fr", "phone": "06 39 98 00 01"}
    return given | values


async def _lead(tenant: Tenant, known: dict[str, str], name: str, **values: Any) -> Record:
    record = await commands.create(tenant, SYSTEM, "lead", named(name, owner=known["lea"], **values))
    known[name] = record.id
    return record


async def nothing(tenant: Tenant, known: dict[str, str]) -> None:
    """Nothing is there."""


async def a_lead(tenant: Tenant, known: dict[str, str]) -> None:
    """A lead that nobody called."""
    await _lead(tenant, known, "Paul")


async def a_lead_of_lyon(tenant: Tenant, known: dict[str, str]) -> None:
    """A lead that something is done for each day."""
    await _lead(tenant, known, "Paul", city="Lyon")


async def a_called_lead(tenant: Tenant, known: dict[str, str]) -> None:
    """A lead that was called."""
    record = await _lead(tenant, known, "Paul", email=None)
    await commands.move(tenant, await Cast(tenant, known).actor("lea"), "lead", record.id, "call", form=FORM)


async def many_leads(tenant: Tenant, known: dict[str, str]) -> None:
    """So many leads that a job has several batches."""
    for number in range(MANY):
        await _lead(tenant, known, f"P{number}")


def create(name: str, **values: Any) -> Deed:
    """Have a lead created under a key."""

    async def deed(cast: Cast) -> None:
        lea = await cast.actor("lea")
        await commands.create_once(cast.tenant, lea, "lead", named(name, **values), f"key of {name}")

    return deed


def move(transition: str, version: int, form: Mapping[str, Any] | None = None) -> Deed:
    """Have Paul moved, as it was read at a version."""

    async def deed(cast: Cast) -> None:
        lea, paul = await cast.actor("lea"), cast.known["Paul"]
        await commands.move(cast.tenant, lea, "lead", paul, transition, form=form, version=version)

    return deed


async def undo(cast: Cast) -> None:
    """Take the move back."""
    (history,) = await cast.found("""SELECT "id" FROM "_history" WHERE "kind" = 'moved'""")
    await commands.undo(cast.tenant, await cast.actor("lea"), history)


def decide(name: str, *, agree: bool = True) -> Deed:
    """Agree to what is asked for, or refuse it."""

    async def deed(cast: Cast) -> None:
        (asked,) = await cast.found('SELECT "id" FROM "_approval"')
        actor = await cast.actor(name)
        if agree:
            await commands.grant(cast.tenant, actor, asked)
        else:
            await commands.refuse(cast.tenant, actor, asked, "Non")

    return deed


def begin(transition: str, form: Mapping[str, Any]) -> Deed:
    """Move many at once."""

    async def deed(cast: Cast) -> None:
        asked = {"process": "recruiting", "transition": transition, "form": form}
        ids = [cast.known[f"P{number}"] for number in range(MANY)]
        await jobs.begin(cast.tenant, await cast.actor("lea"), "lead", "move", asked, ids, token="job")

    return deed


async def undo_job(cast: Cast) -> None:
    """Take the moves of the job back."""
    await jobs.undo(cast.tenant, await cast.actor("lea"), "job")


async def bring(cast: Cast) -> None:
    """Take in many leads at once; one of them is wrong."""
    given = [named(f"N{number}", source="site" if number == 0 else None) for number in range(3)]
    given.append(named("Wrong", email="none"))
    lea = await cast.actor("lea")
    await write(cast.tenant, lea, lambda unit: changes.create_many(unit, "lead", given))


async def change(cast: Cast) -> None:
    """Change Paul, as it was read."""
    lea, paul = await cast.actor("lea"), cast.known["Paul"]
    await commands.update(cast.tenant, lea, "lead", paul, 2, {"next_call_at": "2026-03-04T10:00"})


async def remove(cast: Cast) -> None:
    """Delete Paul."""
    await commands.delete(cast.tenant, await cast.actor("lea"), "lead", cast.known["Paul"], None)


async def publish(cast: Cast) -> None:
    """Publish other definitions."""
    (files,) = await cast.found('SELECT "files" FROM "_definition" WHERE "version" = 1')
    await publishing.publish(cast.tenant, renamed(_read(files)))


def _read(files: str) -> dict[str, str]:

    return dict(json.loads(files))


def _at(*deeds: tuple[timedelta, Deed | None]) -> tuple[tuple[timedelta, Deed | None], ...]:
    return deeds


NOW = timedelta()
SCENES: Mapping[str, Scene] = {
    "created": Scene(nothing, _at((NOW, create("Nina", source="site")), (15 * MINUTE, None))),
    "moved": Scene(a_lead, _at((NOW, move("call", 1, FORM)), (15 * MINUTE, move("lose", 2)))),
    "undone": Scene(a_lead, _at((NOW, move("call", 1, FORM)), (5 * MINUTE, undo), (20 * MINUTE, None))),
    "granted": Scene(
        a_called_lead,
        _at((20 * MINUTE, move("sign", 2)), (25 * MINUTE, decide("rita")), (30 * MINUTE, decide("rose"))),
    ),
    "refused": Scene(a_called_lead, _at((20 * MINUTE, move("sign", 2)), (25 * MINUTE, decide("rita", agree=False)))),
    "bulk": Scene(many_leads, _at((NOW, begin("call", FORM)), (15 * MINUTE, None))),
    "bulk taken back": Scene(many_leads, _at((NOW, begin("call", FORM)), (5 * MINUTE, undo_job), (20 * MINUTE, None))),
    "imported": Scene(nothing, _at((NOW, bring), (15 * MINUTE, None))),
    "document": Scene(
        nothing,
        _at(
            (NOW, create("Nina", source="direct")),
        ),
    ),
    "timers": Scene(a_called_lead, _at((15 * MINUTE, change), (2 * DAY, None), (4 * DAY, None), (5 * DAY, None))),
    "daily": Scene(a_lead_of_lyon, _at((NOW, None), (2 * DAY, None), (3 * DAY, None), (3 * DAY, remove))),
    "published": Scene(
        a_called_lead, _at((20 * MINUTE, None), (3.5 * DAY, None), (3.5 * DAY, publish), (5 * DAY, None))
    ),
    "erased": Scene(a_lead, _at((NOW, None), (7 * DAY, None), (12 * DAY, None))),
}
"""By what happens in it."""
