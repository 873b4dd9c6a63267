"""Jobs: a step of many records that goes on in the background, asked after, left and taken back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from admin.api.asked import whole
from admin.api.call import Answer, Call
from admin.api.entities import seen_of
from admin.api.horizon import Seen
from admin.api.moves import typed_form
from admin.api.runs import FURTHEST
from admin.api.values import moment
from definitions.text import Text
from models.errors import InvalidError, NotFoundError, RefusedError
from models.message import Message, say
from models.query import LIMIT, Query
from workflows import jobs
from workflows.jobs import MOST, Ask, Failure, Job
from workflows.unit import Unit

FIELDS = frozenset({"ids", "filter", "q", "form"})
"""What a job is begun with."""


async def begin(call: Call) -> Answer:
    """Begin to take one step of up to 10,000 records: those with these ids, or all of a list."""
    path = call.request.path_params

    async def work(unit: Unit) -> Answer:
        seen = seen_of(call, unit)
        process, transition = seen.move(path["process"], path["transition"])
        body = _checked(call.sent())
        form = dict(typed_form(transition, body.get("form", {})))
        asked = {"process": process.name, "transition": transition.name, "form": form}
        ids = dict.fromkeys(body["ids"] if "ids" in body else await _listed(call, unit, seen, body))
        if not ids:
            raise InvalidError({"filter": say("The list has no records.")})
        ask = Ask("move", asked, _token(call))
        job = await jobs.start(unit, unit.new_id(), seen.entity.name, ask, [(each, None) for each in ids])
        return await _begun(call, unit, job)

    return await call.write(work)


def _checked(body: dict[str, Any]) -> dict[str, Any]:
    wrong: dict[str, Message | Text] = {name[:100]: say("There is no such field.") for name in body.keys() - FIELDS}
    ids = body.get("ids")
    if ("ids" in body) == ("filter" in body) or ("q" in body and "filter" not in body):
        wrong["ids"] = say("Send either ids, or a filter (an empty one for all).")
    elif "ids" in body and not (isinstance(ids, list) and 1 <= len(ids) <= MOST and all(map(_is_text, ids))):
        wrong["ids"] = say("This is a list of 1 to {count} ids.", count=MOST)
    wrong |= {name: say("This is a text.") for name in ("filter", "q") if not _is_text(body.get(name, ""))}
    if not isinstance(body.get("form", {}), dict):
        wrong["form"] = say("This is an object.")
    if wrong:
        raise InvalidError(wrong)
    return body


def _is_text(value: object) -> bool:
    return isinstance(value, str)


async def _listed(call: Call, unit: Unit, seen: Seen, body: Mapping[str, Any]) -> list[str]:
    """Return the ids of a list that the caller may read; `RefusedError` where these are too many for one job."""
    if not seen.reads:
        raise NotFoundError
    text, name = body["filter"].strip(), seen.entity.name
    where = call.horizon(unit).filter(name, text) if text else None
    found: list[str] = []
    cursor: str | None = None
    while len(found) <= MOST:
        query = Query(where=where, q=body.get("q", ""), sort="created_at", limit=LIMIT, cursor=cursor, columns=("id",))
        page = await unit.records.list(name, query)
        found += [record.id for record in page.records]
        cursor = page.next
        if cursor is None:
            return found
    raise RefusedError(say("At most {count} records at once: narrow the list first.", count=MOST))


async def one(call: Call) -> Answer:
    """Return how far a job is, with the records that it failed for."""

    async def work(unit: Unit) -> Answer:
        offset = whole(call.given, "offset", 0, FURTHEST)
        return Answer(await _shown(call, unit, await _reached(call, unit), offset))

    return await call.read(work, "offset")


async def cancel(call: Call) -> Answer:
    """Leave what a job has not done yet."""

    async def work(unit: Unit) -> Answer:
        return Answer(await _shown(call, unit, await jobs.stop(unit, (await _reached(call, unit)).id)))

    return await call.write(work)


async def undo(call: Call) -> Answer:
    """Take back all that a job did, in a job of its own."""

    async def work(unit: Unit) -> Answer:
        job = await _reached(call, unit)
        return await _begun(call, unit, await jobs.take_back(unit, job.id, _token(call)))

    return await call.write(work)


def _token(call: Call) -> str | None:
    return None if call.token is None else call.token.id


async def _reached(call: Call, unit: Unit) -> Job:
    """Return the job that the address names, about records that the caller may read at all."""
    job = await jobs.own(unit, call.request.path_params["job"])
    if not unit.published.access.may(unit.actor, "read", job.entity):
        raise NotFoundError
    return job


async def _begun(call: Call, unit: Unit, job: Job) -> Answer:
    base = call.request.url.path.partition("/entities/")[0].partition("/jobs/")[0]
    return Answer(await _shown(call, unit, job), 202, {"Location": f"{base}/jobs/{job.id}"})


async def _shown(call: Call, unit: Unit, job: Job, offset: int = 0) -> dict[str, Any]:
    found, failures = await jobs.told(unit, job.id, offset)
    times = {"created_at": found.created_at, "ended_at": found.ended_at, "undo_until": found.undo_until}
    told = offset + len(failures)
    return {
        **{name: getattr(found, name) for name in ("id", "entity", "action", "state", "total", "done", "failed")},
        **{name: found.asked.get(name) for name in ("process", "transition")},
        **{name: None if time is None else moment(time) for name, time in times.items()},
        "failures": [_failure(call, each) for each in failures],
        "next": told if told < found.failed else None,
    }


def _failure(call: Call, failure: Failure) -> dict[str, Any]:
    about = {"id": failure.record, "title": failure.title, "field": failure.field or None}
    return {**about, "reason": call.words(failure.reason)}
