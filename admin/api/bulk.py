"""Many records at once: one transaction, each item for itself behind a savepoint."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from admin.api.call import Answer, Call
from admin.api.entities import seen_of
from admin.api.horizon import Seen
from admin.api.moves import request_of, typed_form
from admin.api.problems import problem
from admin.api.typed import created
from models.errors import InvalidError, RefusedError, RequestError
from models.message import say
from models.record import Record
from workflows import bulk, changes, moves
from workflows.unit import Unit

MOST = 1000
"""How many items a request holds at most."""

Result = TypeVar("Result")


async def create(call: Call) -> Answer:
    """Create up to 1,000 records; one that is wrong is reported and hinders no other."""

    async def work(unit: Unit) -> Answer:
        seen = seen_of(call, unit)
        if not seen.creates:
            raise RefusedError(say("You may not create this."))
        if not call.horizon(unit).imports:
            raise RefusedError(say("Your access level may not import."))
        given = [_typed(seen, item) for item in _items(call.sent(), ())]
        return _told(call, await changes.create_many(unit, seen.entity.name, given), _created)

    return await call.write(work)


def _typed(seen: Seen, item: dict[str, Any]) -> dict[str, Any] | RequestError:
    try:
        return created(seen, item)
    except InvalidError as error:
        return error


def _created(record: Record) -> dict[str, Any]:
    return {"status": 201, "id": record.id, "version": record.version}


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

        return _told(call, await bulk.each(unit, items, each), dict)

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


def _told(call: Call, done: Sequence[Result | RequestError], tell: Callable[[Result], dict[str, Any]]) -> Answer:
    """Return what became of each item, what was wrong with one at its place among the results."""
    results = [_wrong(call, each) if isinstance(each, RequestError) else tell(each) for each in done]
    failed = sum(isinstance(each, RequestError) for each in done)
    return Answer({"done": len(results) - failed, "failed": failed, "results": results})


def _wrong(call: Call, found: RequestError) -> dict[str, Any]:
    said = problem(found, call.words, call.reader)
    return {"status": said["status"], "problem": said}
