"""Many records at once: one transaction, each item for itself behind a savepoint."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from admin.api.call import Answer, Call
from admin.api.entities import seen_of
from admin.api.moves import request_of, typed_form
from admin.api.problems import problem
from admin.api.typed import typed
from models.errors import InvalidError, RefusedError, RequestError
from models.message import say
from workflows import bulk, changes, moves
from workflows.unit import Unit

MOST = 1000
"""How many items a request holds at most."""

Each = Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]


async def create(call: Call) -> Answer:
    """Create up to 1,000 records; one that is wrong is reported and hinders no other."""

    async def work(unit: Unit) -> Answer:
        seen = seen_of(call, unit)
        if not seen.creates:
            raise RefusedError(say("You may not create this."))
        if not call.horizon(unit).imports:
            raise RefusedError(say("Your access level may not import."))
        items = _items(call.sent(), ())

        async def each(item: dict[str, Any]) -> dict[str, Any]:
            record = await changes.create(unit, seen.entity.name, typed(seen.new, seen, item))
            return {"status": 201, "id": record.id, "version": record.version}

        return await _each(call, unit, items, each)

    return await call.write(work)


async def move(call: Call) -> Answer:
    """Take one transition of up to 1,000 records, with one form for all or one for each."""
    path = call.request.path_params

    async def work(unit: Unit) -> Answer:
        seen = seen_of(call, unit)
        _, transition = seen.move(path["process"], path["transition"])
        if not transition.bulk:
            raise RefusedError(say("This step is not meant for many records at once."))
        body = call.sent()
        items, form = _items(body, ("form",)), body.get("form", {})

        async def each(item: dict[str, Any]) -> dict[str, Any]:
            record, version, own = _moved_item(item, form)
            done = await moves.move(unit, request_of(path, record, typed_form(transition, own), version))
            found = {"status": 200, "id": record, "history": done.history}
            return found if done.record is None else {**found, "version": done.record.version}

        return await _each(call, unit, items, each)

    return await call.write(work)


def _items(body: dict[str, Any], others: tuple[str, ...]) -> list[dict[str, Any]]:
    wrong = {name[:100]: say("There is no such field.") for name in body if name not in {"items", *others}}
    items = body.get("items")
    if not isinstance(items, list) or not 1 <= len(items) <= MOST or not all(isinstance(item, dict) for item in items):
        wrong["items"] = say("This is a list of 1 to {count} objects.", count=MOST)
    if not isinstance(body.get("form", {}), dict):
        wrong["form"] = say("This is an object.")
    if wrong:
        raise InvalidError(wrong)
    return list(items or ())


def _moved_item(item: dict[str, Any], form: dict[str, Any]) -> tuple[str, int | None, dict[str, Any]]:
    wrong = {name[:100]: say("There is no such field.") for name in item if name not in {"id", "version", "form"}}
    record, version, own = item.get("id"), item.get("version"), item.get("form", form)
    if not isinstance(record, str):
        wrong["id"] = say("This is needed.")
    if version is not None and (not isinstance(version, int) or isinstance(version, bool)):
        wrong["version"] = say("This is not a whole number.")
    if not isinstance(own, dict):
        wrong["form"] = say("This is an object.")
    if wrong:
        raise InvalidError(wrong)
    return str(record), version, own


async def _each(call: Call, unit: Unit, items: list[dict[str, Any]], each: Each) -> Answer:
    """Do each item; what is wrong with one is undone alone and stands at its place among the results."""
    done = await bulk.each(unit, items, each)
    results = [_result(call, found) for found in done]
    failed = sum(isinstance(found, RequestError) for found in done)
    return Answer({"done": len(results) - failed, "failed": failed, "results": results})


def _result(call: Call, found: dict[str, Any] | RequestError) -> dict[str, Any]:
    if not isinstance(found, RequestError):
        return found
    said = problem(found, call.words)
    return {"status": said["status"], "problem": said}
