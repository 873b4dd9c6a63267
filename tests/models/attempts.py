"""What comes of what an actor tries, told in a word, and undone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from models.actor import Actor
from models.errors import InvalidError, NotFoundError, RefusedError
from models.query import Filter, Query
from models.records import Records
from tests.models.office import TREE, Office


def outcome(error: BaseException | None) -> str:
    match error:
        case None:
            return "done"
        case NotFoundError():
            return "absent"
        case RefusedError():
            return "refused"
        case InvalidError(fields=fields):
            return f"invalid {sorted(fields)}"
    raise error


async def tried(office: Office, actor: Actor, work: Callable[[Records], Awaitable[Any]]) -> str:
    """Return what came of a change, and undo it."""

    class Undo(Exception):  # noqa: N818 (no error: the way out of the transaction)
        pass

    async def undone(records: Records) -> None:
        await work(records)
        raise Undo

    try:
        await office.write(actor, undone)
    except Undo:
        return outcome(None)
    except (NotFoundError, RefusedError, InvalidError) as error:
        return outcome(error)
    raise AssertionError


async def seen(office: Office, actor: Actor) -> set[str]:
    """Return whose leads are seen, the same through each way of asking."""

    async def work(records: Records) -> set[str]:
        titles = {record.title for record in (await records.list("lead")).records}
        assert await records.count("lead") == len(titles)
        assert sum((await records.group_count("lead", "recruiting")).values()) == len(titles)
        for name in TREE:
            assert await records.count("lead", Query(q=name)) == (name in titles)
            assert await records.count("lead", Query(filters=(Filter("first_name", "equals", name),))) == (
                name in titles
            )
        return titles

    result: set[str] = await office.read(actor, work)
    return result


async def updated(lead: str, records: Records) -> None:
    await records.update("lead", lead, 1, {"calls": 1})


async def deleted(lead: str, records: Records) -> None:
    await records.delete("lead", lead)
