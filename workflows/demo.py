"""A demo network: members and records whose history is lived through the engine, on a clock that is set."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from definitions.pack import load
from definitions.problems import DefinitionError
from definitions.spec.demo import Demo
from definitions.spec.network import Network
from models.calendar import OfficeCalendar
from models.clock import SetClock
from models.connections import FileLock
from models.tenant import create_tenant
from workflows.course import course
from workflows.made_up import counting_ids
from workflows.stage import DemoError, Progress, Stage

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
        raise DemoError("This pack has no demo. Write one: a document that begins with 'demo: name'.")
    return loaded.network, loaded.network.demo


async def create_demo(
    path: Path, name: str, files: Mapping[str, str], *, now: datetime, progress: Progress = lambda *_: None
) -> Demo:
    """Make a network in the file `path` with what its demo describes, up to just before `now`.

    The file appears when everything is in it. The same files, name and time make the same network, the salts of the
    passwords aside.
    """
    network, demo = await asyncio.to_thread(read_demo, files)
    events = course(demo, OfficeCalendar(network.calendar, ZoneInfo(network.timezone)), now)
    clock = SetClock((events[0].at if events else now) - BEFORE)
    partial = path.with_name(f".{path.name}.partial")
    await asyncio.to_thread(_clear, partial)
    tenant = await create_tenant(partial, name, files=files, clock=clock, new_id=counting_ids(demo.seed, clock.now))
    try:
        await Stage(tenant, demo, clock, progress=progress).play(events, now)
    finally:
        await tenant.close()
    await asyncio.to_thread(_finish, partial, path)
    return demo


def _clear(path: Path) -> None:
    """Remove what an attempt that was broken off left behind; `StoreBusyError` when it is still going on."""
    if path.exists():
        FileLock(path).release()
        _remove(path)


def _finish(partial: Path, path: Path) -> None:
    partial.rename(path)
    _remove(partial)


def _remove(path: Path) -> None:
    for found in path.parent.glob(f"{path.name}*"):
        found.unlink()
