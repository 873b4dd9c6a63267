"""Lists of records, and records one by one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from admin.api.asked import LIST, expected, fields, listed
from admin.api.call import Answer, Call
from admin.api.horizon import Seen
from admin.api.typed import changed, created
from admin.api.values import shown, titles_of
from admin.visit import with_query
from models.errors import NotFoundError
from models.record import Record
from workflows import changes
from workflows.unit import Unit


def seen_of(call: Call, unit: Unit) -> Seen:
    """Return the entity that the address names, as the caller sees it."""
    return call.horizon(unit).entity(call.request.path_params["entity"])


def tag(version: int) -> dict[str, str]:
    """Return the header that names the version of a record."""
    return {"ETag": f'"{version}"'}


async def listing(call: Call) -> Answer:
    """List the records that the caller may read."""

    async def work(unit: Unit) -> Answer:
        seen = seen_of(call, unit)
        asked = listed(call.given, call.horizon(unit), seen)
        name = seen.entity.name
        page = await unit.records.list(name, asked.query)
        references = {field: to for field, to in seen.references.items() if field in asked.names}
        titles = await titles_of(unit.records, page.records, references)
        items = [shown(record, asked.names, references, titles) for record in page.records]
        body: dict[str, Any] = {"items": items, "next": page.next}
        if asked.counts:
            body["count"] = await unit.records.count(name, asked.query)
        return Answer(body, headers=_further(call, page.next))

    return await call.read(work, *LIST)


def _further(call: Call, cursor: str | None) -> dict[str, str]:
    if cursor is None:
        return {}
    query = {**call.request.query_params, "cursor": cursor}
    return {"Link": f'<{with_query(call.request.url.path, query)}>; rel="next"'}


async def create(call: Call) -> Answer:
    """Create a record."""

    async def work(unit: Unit) -> Answer:
        seen = seen_of(call, unit)
        record = await changes.create(unit, seen.entity.name, created(seen, call.sent()))
        headers = {"Location": f"{call.request.url.path}/{record.id}", **tag(record.version)}
        return Answer(await one(unit, seen, record), 201, headers)

    return await call.write(work)


def of_list(seen: Seen) -> Mapping[str, bool]:
    """Return what the levels may do with the records as a whole."""
    return {"GET": seen.reads, "POST": seen.creates}


def of_record(seen: Seen) -> Mapping[str, bool]:
    """Return what the levels may do with single records."""
    return {"GET": seen.reads, "PATCH": seen.reads and seen.updates, "DELETE": seen.reads and seen.deletes}


async def one(unit: Unit, seen: Seen, record: Record, names: tuple[str, ...] | None = None) -> dict[str, Any]:
    """Return a record as JSON, with its lines."""
    (found,) = await _shown(unit, seen, [record], seen.names if names is None else names)
    wanted = {name: line for name, line in seen.lines.items() if line.reads and (names is None or name in names)}
    lines = await unit.records.lines(record) if wanted and "read" in record.may else {}
    return {
        **found,
        **{name: await _shown(unit, wanted[name], lines.get(name, ()), wanted[name].names) for name in wanted},
    }


async def _shown(unit: Unit, seen: Seen, records: Sequence[Record], names: tuple[str, ...]) -> list[dict[str, Any]]:
    own = tuple(name for name in names if name in seen.fields)
    references = {field: to for field, to in seen.references.items() if field in own}
    titles = await titles_of(unit.records, records, references)
    return [shown(record, own, references, titles) for record in records]


async def read(call: Call) -> Answer:
    """Return one record."""

    async def work(unit: Unit) -> Answer:
        seen = seen_of(call, unit)
        names = fields(call.given, seen, lines=True) if call.given.get("fields") else None
        record = await unit.records.get(seen.entity.name, call.request.path_params["id"])
        return Answer(await one(unit, seen, record, names), headers=tag(record.version))

    return await call.read(work, "fields")


async def update(call: Call) -> Answer:
    """Change the fields that are sent, of the version that `If-Match` names."""
    record_id = call.request.path_params["id"]

    async def work(unit: Unit) -> Answer:
        seen = seen_of(call, unit)
        name, wanted = seen.entity.name, changed(seen, call.sent())
        version = await expected(unit, call.request, name, record_id, needed=True)
        change = await changes.update(unit, name, record_id, version, wanted)
        return Answer(await one(unit, seen, change.after), headers=tag(change.after.version))

    return await call.write(work)


async def delete(call: Call) -> Answer:
    """Delete the version of the record that `If-Match` names."""
    record_id = call.request.path_params["id"]

    async def work(unit: Unit) -> Answer:
        name = seen_of(call, unit).entity.name
        version = await expected(unit, call.request, name, record_id, needed=True)
        await changes.delete(unit, name, record_id, version)
        return Answer(status=204)

    return await call.write(work)


async def readable(call: Call, unit: Unit) -> tuple[Seen, Record]:
    """Return the record that the address names; `NotFoundError` for one that the caller may not read."""
    seen = seen_of(call, unit)
    if not seen.reads:
        raise NotFoundError
    return seen, await unit.records.get(seen.entity.name, call.request.path_params["id"])
