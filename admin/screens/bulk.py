"""Many records of a list at once: what is to be done is asked once, then a job does it; exports are sent at once."""

from __future__ import annotations

import asyncio
import re
import tempfile
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import FileResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from admin.asked import text
from admin.parts.asking import Raw, choices, inputs, move_questions
from admin.parts.columns import Column
from admin.parts.export import TYPES, Format, Part, as_csv, as_workbook
from admin.parts.filters import address
from admin.parts.inputs import Question, answers, raw_from
from admin.parts.lists import asks
from admin.parts.selection import LONGEST, Selection, assigns, bulk_moves, chosen, first, ids_of, pages
from admin.parts.shown import Titles
from admin.parts.subject import Subject, reading, subject
from admin.web import redirect, render, say_on
from definitions.text import Text
from models.errors import NotFoundError, RefusedError
from models.message import Message, say
from models.record import Page
from models.records import Records
from models.validation import converted
from workflows import auditing, jobs
from workflows.deeds import Action
from workflows.jobs import Job

NAMED = 3
"""So many of the records are named where one is asked whether to go on."""
TOKEN = re.compile(r"[\w-]{8,64}", re.ASCII)


ASKED = say("The step is asked for: others must agree to it.")


@dataclass(frozen=True, slots=True)
class Deed:
    """What is to be done: what the form sends, its name for people, its questions, and what it needs besides them.

    `agreed`: others must agree to it, record by record.
    """

    do: str
    action: Action
    label: str
    asked: tuple[Question, ...] = ()
    fixed: Mapping[str, Any] = field(default_factory=dict)
    danger: bool = False
    agreed: bool = False


async def choose(request: Request) -> Response:
    """Ask what the action needs, or whether it is meant; with `sure`, do it. Exports need no question."""
    about = subject(request)
    form = await request.form()
    do, selection = text(form, "do"), chosen(about, form)
    if do in ("export:csv", "export:xlsx"):
        return await _file(about, selection, "csv" if do == "export:csv" else "xlsx", everything=False)
    deed = _deed(about, do)
    if not text(form, "sure"):
        return await _ask(request, about, selection, deed, {})
    raw = raw_from(form, deed.asked)
    values, wrong = _read(about, deed, raw)
    if wrong:
        return await _ask(request, about, selection, deed, raw, wrong)
    return await _begin(request, about, selection, deed, values)


async def export(request: Request) -> Response:
    """Send the list of an address as a file: its columns, or with `all` every field that the visitor may see."""
    about = subject(request)
    given = request.query_params
    wanted = asks(about, address(about.url(""), parse_qsl(given.get("list", "")[:LONGEST])))
    kind: Format = "csv" if given.get("format") == "csv" else "xlsx"
    return await _file(about, Selection(None, wanted), kind, everything="all" in given)


def _deed(about: Subject, do: str) -> Deed:
    """Return what a form's action means; `NotFoundError` for one that the visitor may not take."""
    words = about.reader.words
    match do.split(":"):
        case ["move", process, name]:
            found = next((each for at, each in bulk_moves(about) if (at, each.name) == (process, name)), None)
            if found is None:
                raise NotFoundError
            fixed = {"process": process, "transition": name}
            agreed = found.approval is not None
            return Deed(do, "move", words(found.label), move_questions(about, found), fixed, agreed=agreed)
        case ["assign"] if assigns(about):
            column = about.column("owner")
            asked = () if column is None else (Question("owner", column, required=True),)
            return Deed(do, "assign", words(say("Give to…")), asked)
        case ["task"]:
            title = Column("title", words(say("What is to be done")), "text")
            due = Column("due", words(say("Due on")), "datetime")
            both = (Question("title", title, required=True), Question("due", due, required=False))
            return Deed(do, "task", words(say("Add a task")), both)
        case ["delete"] if about.may("delete"):
            return Deed(do, "delete", words(say("Delete")), danger=True)
        case _:
            raise NotFoundError


def _read(about: Subject, deed: Deed, raw: Raw) -> tuple[dict[str, Any], dict[str, Message]]:
    """Return the answers that were given, and what is wrong with them as far as no record is needed to tell."""
    given = [each for each in deed.asked if raw.get(each.name) or each.required]
    values, wrong = answers(raw, given, about.reader.formats.timezone)
    fields = {
        each.name: replace(each.column.field, required=each.required, default=None)
        for each in given
        if each.column.field is not None and each.name in values
    }
    checked = converted(about.visit.network, fields, {name: values[name] for name in fields})
    missing = {each.name: say("This is needed.") for each in given if each.required and values.get(each.name) is None}
    return values, {**missing, **checked.problems, **wrong}


async def _ask(
    request: Request,
    about: Subject,
    selection: Selection,
    deed: Deed,
    raw: Raw,
    wrong: Mapping[str, Message | Text] | None = None,
) -> Response:
    async def work(records: Records) -> Titles:
        return await choices(deed.asked, raw, records)

    some, count = await first(about, selection, NAMED)
    made = inputs(about, deed.asked, raw, await reading(about.visit, work), wrong)
    return await render(
        request,
        "bulk/ask.html",
        status=422 if wrong else 200,
        about=about,
        selection=selection,
        deed=deed,
        count=count,
        titles=[record.title for record in some],
        inputs=tuple(made.values()),
        keeps=any(each.column.name and not each.required and deed.action == "move" for each in deed.asked),
        notices=[about.reader.words(said) for name, said in (wrong or {}).items() if name not in made],
        token=about.visit.tenant.new_id(),
        many=count > jobs.BATCH,
    )


async def _begin(
    request: Request, about: Subject, selection: Selection, deed: Deed, values: Mapping[str, Any]
) -> Response:
    asked: dict[str, Any] = {**deed.fixed, **values}
    if deed.action == "move":
        asked = {**deed.fixed, "form": {name: _plain(value) for name, value in values.items()}}
    if deed.action == "assign":
        asked = {"owner": {"id": values["owner"]}}
    form = await request.form()
    token = text(form, "token")
    job = await jobs.begin(
        about.visit.tenant,
        about.visit.actor,
        about.entity.name,
        deed.action,
        asked,
        await ids_of(about, selection),
        token=token if TOKEN.fullmatch(token) else None,
    )
    return await _led_to(request, about, selection, deed, job)


async def _led_to(request: Request, about: Subject, selection: Selection, deed: Deed, job: Job) -> Response:
    """Return to the list when all is done already, else show how far it is."""
    place = about.visit.url("jobs", job.id)
    if not job.over or job.failed:
        return redirect(request, place)
    found, _ = await jobs.seen(about.visit.tenant, about.visit.actor, job.id)
    count = about.reader.count("{n} record", "{n} records", job.done)
    undo = about.visit.url("jobs", job.id, "undo") if found.undo_until else None
    asked = f" · {about.reader.words(ASKED)}" if deed.agreed else ""
    return say_on(request, redirect(request, selection.back), f"{deed.label} · {count}{asked}", undo=undo)


def _plain(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else value


async def _file(about: Subject, selection: Selection, kind: Format, *, everything: bool) -> Response:
    """Send the records as a file, read page by page as the visitor."""
    visit = about.visit
    if "export" not in visit.tenant.published.access.functions(visit.actor):
        raise RefusedError(say("Your access level may not export."))
    columns = _columns(about, selection, everything=everything)
    name = f"{about.entity.name}-{visit.formats.today.isoformat()}.{kind}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    await auditing.granted(visit.tenant, visit.actor, about.entity.name, _told(selection))
    parts = _parts(about, selection, columns)
    if kind == "csv":
        return StreamingResponse(as_csv(columns, parts, about.reader), headers=headers, media_type=TYPES["csv"])
    with tempfile.NamedTemporaryFile(prefix="maille-export-", suffix=".xlsx", delete=False) as file:
        path = Path(file.name)
    try:
        await as_workbook(path, columns, parts, about.reader)
    except BaseException:
        await asyncio.to_thread(path.unlink, missing_ok=True)
        raise
    return FileResponse(path, headers=headers, media_type=TYPES["xlsx"], background=BackgroundTask(path.unlink))


def _told(selection: Selection) -> str:
    """Return what the audit says of the records that were chosen: how many by hand, or the list's query."""
    return selection.list.query.told if selection.ids is None else str(len(selection.ids))


def _columns(about: Subject, selection: Selection, *, everything: bool) -> tuple[Column, ...]:
    names = selection.list.columns or about.screen.columns
    if everything:
        owner = ("owner",) if about.entity.owner and about.sees_others else ()
        names = (*about.entity.fields, *about.entity.processes, *owner, "created_at", "last_activity_at")
    return tuple(each for each in about.columns(dict.fromkeys(names)) if each.kind not in ("file", "image"))


async def _parts(about: Subject, selection: Selection, columns: tuple[Column, ...]) -> AsyncIterator[Part]:
    refers = any(column.kind == "reference" for column in columns)
    async for page in pages(about, selection, exporting=True):
        yield page.records, await _titles(about, page) if refers else {}


async def _titles(about: Subject, page: Page) -> Titles:
    return await reading(about.visit, lambda records: records.reference_labels(page.records))


routes: list[BaseRoute] = [
    Route("/e/{entity}/bulk", choose, methods=["POST"]),
    Route("/e/{entity}/export", export, methods=["GET"], name="export"),
]
