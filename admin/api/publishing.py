"""Definitions through the API, for who runs the network: check, plan, simulate, publish, look back, go back.

A publication has transactions of its own, so the caller is found out in one before it. It needs no `Idempotency-Key`:
the same files as now are no new version.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any

from admin import under_way
from admin.api.call import Answer, Call
from admin.api.problems import ApiError, Words, problem, problem_of
from admin.api.values import moment
from definitions.pack import load
from definitions.problems import DefinitionError, Problem
from definitions.text import Text
from models.actor import Actor
from models.archive import Progress, silent
from models.errors import InvalidError, NotFoundError, RequestError
from models.message import Message, say
from models.published import Published
from workflows import publishing, simulation
from workflows.proposal import propose
from workflows.publishing import Version
from workflows.simulation import Subject
from workflows.unit import Unit

LONGEST_NOTE = 500
_TERMS = ("note", "allow_loss", "base")
_SUBJECT = ("automation", "process", "days")


@dataclass(frozen=True, slots=True)
class Terms:
    """How something is to be published: the version that it is for (None: any), the leave to lose values, a note."""

    note: str
    allow_loss: bool
    base: int | None


async def history(call: Call) -> Answer:
    """List the versions, the newest first, a page of them."""
    await _leader(call, "before")
    before = call.given.get("before")
    if before is not None and not (before.isascii() and before.isdigit() and len(before) < 10 and int(before) > 1):
        raise InvalidError({"before": say("This is the number of a version.")})
    found = await publishing.history(call.tenant, up_to=None if before is None else int(before) - 1)
    return Answer({"items": [_version(each) for each in found]})


async def version(call: Call) -> Answer:
    """Return a version with its files."""
    await _leader(call)
    number = _number(call)
    files = await publishing.files_of(call.tenant, number)
    (found, *_) = await publishing.history(call.tenant, up_to=number)
    return Answer({**_version(found), "contents": dict(files)})


async def plan(call: Call) -> Answer:
    """Return what publishing would change; nothing is written."""
    await _leader(call)
    files, terms = _asked(call, "files", "allow_loss")
    found = await propose(call.tenant, files, allow_loss=terms.allow_loss)
    return Answer(written(found, call.words))


async def check(call: Call) -> Answer:
    """Return what is wrong with definitions, their data aside."""
    await _leader(call)
    files, _ = _asked(call, "files")
    loaded = await asyncio.to_thread(load, files)
    return Answer({"items": written(loaded.problems, call.words)})


async def simulate(call: Call) -> Answer:
    """Return what definitions would have done in the last days; nothing is written or sent.

    Who wants lines of JSON is told meanwhile how far it is; what is wrong stands in the last line then.
    """
    actor = await _leader(call)
    files, _ = _asked(call, "files", *_SUBJECT)
    subject = _subject(call.sent())

    async def work(progress: Progress) -> Mapping[str, Any]:
        found = await simulation.simulate(call.tenant, files, subject, actor=actor, progress=progress)
        return {**written(found, call.words)}

    async def told(progress: Progress) -> Mapping[str, Any]:
        try:
            return {"result": await work(progress)}
        except (RequestError, DefinitionError) as error:
            return {"problem": problem(error, call.words)}

    return Answer(await work(silent)) if not under_way.wanted(call.request) else Answer(stream=told)


def _subject(body: Mapping[str, Any]) -> Subject:
    """Return what is to be simulated."""
    given = {name: body[name] for name in _SUBJECT if body.get(name) is not None}
    fits = {name: type(value) is (int if name == "days" else str) for name, value in given.items()}
    wrong: dict[str, Message] = {name: say("This does not fit.") for name, fit in fits.items() if not fit}
    if wrong:
        raise InvalidError(wrong)
    return Subject(**given)


async def publish(call: Call) -> Answer:
    """Publish a version."""
    actor = await _leader(call, refusal=ApiError(405, headers={"Allow": "GET, HEAD, OPTIONS"}))
    files, terms = _asked(call, "files", *_TERMS)
    before = call.tenant.published.version
    return _done(before, await publishing.publish(call.tenant, files, actor.id, **_options(terms)))


async def roll_back(call: Call) -> Answer:
    """Publish the files of an earlier version once more."""
    actor, number = await _leader(call), _number(call)
    _, terms = _asked(call, *_TERMS)
    before = call.tenant.published.version
    return _done(before, await publishing.roll_back(call.tenant, number, actor.id, **_options(terms)))


def _options(terms: Terms) -> dict[str, Any]:
    return {"note": terms.note, "allow_loss": terms.allow_loss, "base": terms.base}


def _done(before: int, published: Published) -> Answer:
    return Answer({"version": published.version, "hash": published.hash, "changed": published.version != before})


async def _leader(call: Call, *known: str, refusal: Exception | None = None) -> Actor:
    """Return who calls; for everyone who does not run the network there is no such thing (or what `refusal` says)."""

    def check(unit: Unit) -> None:
        if not call.horizon(unit).administers:
            raise refusal or NotFoundError

    return await call.enter(check, *known)


def _number(call: Call) -> int:
    text = call.request.path_params["version"]
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise NotFoundError
    number = int(text)
    if not 0 < number <= call.tenant.published.version:
        raise NotFoundError
    return number


def _version(found: Version) -> dict[str, Any]:
    return {
        "version": found.version,
        "at": moment(found.at),
        "author": found.author,
        "hash": found.hash,
        "note": found.note,
        "files": list(found.files),
        "current": found.current,
    }


def _asked(call: Call, *known: str) -> tuple[Mapping[str, str], Terms]:
    """Return the files and the terms that were sent."""
    body = call.sent(optional="files" not in known)
    wrong: dict[str, Message] = {name[:100]: say("There is no such field.") for name in body if name not in known}
    files, note = body.get("files", {}), body.get("note", "")
    allow_loss, base = body.get("allow_loss", False), body.get("base")
    if "files" in known and not (isinstance(files, dict) and files and all(map(_is_file, files.items()))):
        wrong["files"] = say("This is an object of files: the path of each in the pack, and its text.")
    if not (isinstance(note, str) and len(note) <= LONGEST_NOTE):
        wrong["note"] = say("This is a text of at most {count} characters.", count=LONGEST_NOTE)
    if not isinstance(allow_loss, bool):
        wrong["allow_loss"] = say("This is neither yes nor no.")
    if base is not None and (not isinstance(base, int) or isinstance(base, bool)):
        wrong["base"] = say("This is not a whole number.")
    if wrong:
        raise InvalidError(wrong)
    return files, Terms(note, allow_loss, base)


def _is_file(pair: tuple[Any, Any]) -> bool:
    """Whether this is a path inside of a pack with a text."""
    path, text = pair
    parts = PurePosixPath(path).parts
    return isinstance(text, str) and bool(parts) and not path.startswith("/") and ".." not in parts


def written(value: Any, words: Words) -> Any:
    """Return a proposal as JSON, its sentences in the caller's language."""
    match value:
        case Message() | Text():
            return words(value)
        case datetime():
            return moment(value)
        case Mapping():
            return {str(name): written(each, words) for name, each in value.items()}
        case Problem():
            return problem_of(value, words)
        case list() | tuple():
            return [written(each, words) for each in value]
        case _ if is_dataclass(value):
            return {each.name: written(getattr(value, each.name), words) for each in fields(value)}
        case _:
            return value
