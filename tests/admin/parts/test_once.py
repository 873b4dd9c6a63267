"""The same form sent twice does its work once."""

from __future__ import annotations

import asyncio

import pytest

from admin.parts.once import Once

pytestmark = pytest.mark.anyio


async def test_the_second_gets_what_the_first_made() -> None:
    made: list[int] = []
    begun, go = asyncio.Event(), asyncio.Event()
    once: Once[int] = Once()

    async def work() -> int:
        begun.set()
        await go.wait()
        made.append(1)
        return len(made)

    first = asyncio.ensure_future(once.do(("a",), work))
    await begun.wait()
    second = asyncio.ensure_future(once.do(("a",), work))
    go.set()
    assert (await first, await second) == (1, 1)
    assert await once.do(("a",), work) == 1
    assert await once.do(("b",), work) == 2


async def test_what_failed_can_be_sent_again() -> None:
    once: Once[int] = Once()

    async def fails() -> int:
        raise ValueError("no")

    async def works() -> int:
        return 1

    with pytest.raises(ValueError, match="no"):
        await once.do(("a",), fails)
    assert await once.do(("a",), works) == 1


async def test_the_oldest_are_forgotten() -> None:
    once: Once[int] = Once(kept=1)
    made: list[int] = []

    async def work() -> int:
        made.append(1)
        return len(made)

    await once.do(("a",), work)
    await once.do(("b",), work)
    assert await once.do(("a",), work) == 3
