"""Who has a connection to the mail server next."""

from __future__ import annotations

import asyncio

import pytest

from workflows.mail_lines import Lines

pytestmark = pytest.mark.anyio


class Queue:
    """Those who ask for a turn; each keeps it until it is told to go."""

    def __init__(self, most: int) -> None:
        """Begin with nobody."""
        self.lines = Lines(most)
        self.had: list[str] = []
        self.tasks: dict[str, asyncio.Task[None]] = {}
        self.over: dict[str, asyncio.Event] = {}

    async def ask(self, name: str, *, first: bool = False) -> None:
        """Ask for a turn, and see who has one by now."""
        self.over[name] = asyncio.Event()
        self.tasks[name] = asyncio.create_task(self._have(name, first=first))
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    async def _have(self, name: str, *, first: bool) -> None:
        async with self.lines.turn(first=first):
            self.had.append(name)
            await self.over[name].wait()

    async def leave(self, name: str) -> None:
        """End a turn, and see who has the next one."""
        self.over[name].set()
        await self.tasks[name]
        await asyncio.sleep(0)

    async def end(self) -> None:
        """Let all go."""
        for event in self.over.values():
            event.set()
        await asyncio.gather(*self.tasks.values())


async def test_one_connection_is_kept_for_what_somebody_waits_for() -> None:
    queue = Queue(3)
    for name in ("a", "b", "c"):
        await queue.ask(name)
    assert queue.had == ["a", "b"]
    await queue.ask("waited for", first=True)
    assert queue.had == ["a", "b", "waited for"]
    await queue.end()
    assert queue.had[3:] == ["c"]


async def test_what_somebody_waits_for_has_the_next_turn_whoever_asked_before() -> None:
    queue = Queue(1)
    for name in ("a", "b"):
        await queue.ask(name)
    await queue.ask("waited for", first=True)
    await queue.leave("a")
    assert queue.had == ["a", "waited for"]
    await queue.end()
    assert queue.had == ["a", "waited for", "b"]
