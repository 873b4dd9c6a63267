"""The same for many records in one transaction: each behind a savepoint, so that one that fails hinders no other."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

from models.errors import RequestError
from workflows.unit import Unit

Item = TypeVar("Item")
Result = TypeVar("Result")


async def each(
    unit: Unit, items: Iterable[Item], do: Callable[[Item], Awaitable[Result]]
) -> list[Result | RequestError]:
    """Do each item and return the results in order; what one was refused with stands at its place."""
    results: list[Result | RequestError] = []
    for item in items:
        await unit.tx.run("SAVEPOINT item")
        try:
            result: Result | RequestError = await do(item)
            await unit.tx.run("RELEASE SAVEPOINT item")
        except RequestError as error:
            await unit.tx.run("ROLLBACK TO SAVEPOINT item")
            unit.records.loader.forget()
            await unit.tx.run("RELEASE SAVEPOINT item")
            result = error
        results.append(result)
    return results
