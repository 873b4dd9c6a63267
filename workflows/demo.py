"""A demo network: members and records whose history is lived through the engine, on a clock that is set."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from definitions.pack import load
from definitions.problems import DefinitionError
from definitions.spec.demo import Demo
from definitions.spec.network import Network
from models.calendar import OfficeCalendar
from models.clock import SetClock
from models.message import say
from models.stores import Home, clear, partial, rename_store
from models.tenant import create_tenant
from workflows.course import course
from workflows.made_up import counting_ids
from workflows.stage import DemoError, Progress, Stage
from workflows.unit import Words, in_english

BEFORE = timedelta(days=45)
"""The network is this much older than its first record."""


@dataclass(frozen=True, slots=True)
class SignIn:
    """Somebody to sign in as."""

    level: str
    name: str
    email: str


def sign_ins(network: Network, demo: Demo, language: str) -> list[SignIn]:
    """Return one member a level: the first of the demo that has it. Levels have their names in `language`."""
    found: dict[str, SignIn] = {}
    for member in demo.members.values():
        for level in member.levels:
            name = f"{member.values.get('first_name', '')} {member.values.get('last_name', '')}".strip()
            label = network.levels[level].label.pick(language, *network.languages)
            found.setdefault(level, SignIn(label, name, str(member.values.get("email", ""))))
    return list(found.values())


def read_demo(files: Mapping[str, str]) -> tuple[Network, Demo]:
    """Return a pack's network and its demo. `DefinitionError` when it has errors, `DemoError` when it has no demo."""
    loaded = load(files)
    if loaded.network is None:
        raise DefinitionError(loaded.errors)
    if loaded.network.demo is None:
        raise DemoError(say("This pack has no demo. Write one: a document that begins with 'demo: name'."))
    return loaded.network, loaded.network.demo


async def create_demo(
    home: Home,
    name: str,
    files: Mapping[str, str],
    *,
    now: datetime,
    progress: Progress = lambda *_: None,
    words: Words = in_english,
) -> Demo:
    """Make a network at `home` with what its demo describes, up to just before `now`; `words` says the product's own.

    It appears there when everything is in it. The same files, name and time make the same network, the salts of the
    passwords aside.
    """
    network, demo = await asyncio.to_thread(read_demo, files)
    events = course(demo, OfficeCalendar(network.calendar, ZoneInfo(network.timezone)), now)
    clock = SetClock((events[0].at if events else now) - BEFORE)
    making = partial(home)
    await clear(making)
    tenant = await create_tenant(making, name, files=files, clock=clock, new_id=counting_ids(demo.seed, clock.now))
    try:
        await Stage(tenant, demo, clock, progress=progress, words=words).play(events, now)
    finally:
        await tenant.close()
    await rename_store(making, home)
    return demo
