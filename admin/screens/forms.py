"""Creating and changing a record: all its fields that the visitor may write, on one page."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from admin.asked import text
from admin.parts.asking import (
    Raw,
    at_first,
    begun,
    choices,
    given,
    grouped,
    inputs,
    questions,
    version_of,
    way_back,
    writable,
)
from admin.parts.filters import PREFIX
from admin.parts.inputs import Question, answers, raw_from, raw_of, typed
from admin.parts.lines import (
    Editor,
    Lines,
    Row,
    blamed,
    editor,
    lines_of,
    merged,
    of_a_row,
    rows_from,
    rows_of,
    values_of,
)
from admin.parts.shown import Titles, write
from admin.parts.subject import Subject, reading, subject, title_fields
from admin.parts.uploading import received
from admin.web import redirect, render, say_on
from definitions.text import Text
from models.duplicates import duplicates
from models.errors import ConflictError, InvalidError, RefusedError
from models.message import Message, say
from models.record import Record
from models.records import Records
from models.refusals import refusal
from workflows import commands

TOKEN = 64
"""So many letters of a form's token count: they are kept."""


@dataclass(frozen=True, slots=True)
class Clash:
    """A field that two people changed: what this one typed, and what the other one wrote."""

    label: str
    yours: str
    now: str


@dataclass(frozen=True, slots=True)
class Twin:
    """A record that is like the one that is being added: its address, its title, and a few values to tell it by."""

    href: str
    title: str
    told: str


@dataclass(frozen=True, slots=True)
class Filled:
    """A form as it is to be shown. `base` is what stood in it when the record was read: it tells what was changed.

    `rows` are its lines by what the record calls them.
    """

    raw: Raw
    base: Raw
    version: int | None = None
    wrong: Mapping[str, Message | Text] = field(default_factory=dict)
    clashes: tuple[Clash, ...] = ()
    token: str = ""
    twins: tuple[Twin, ...] = ()
    status: int = 200
    rows: Mapping[str, Sequence[Row]] = field(default_factory=dict)


async def new(request: Request) -> Response:
    """Answer with an empty form; fields can be filled by the address (`?f.company=…`)."""
    about = _creating(request)
    asked = questions(about, writable(about, None))
    filled = {
        question.name: tuple(request.query_params.getlist(f"{PREFIX}{question.name}"))
        for question in asked
        if f"{PREFIX}{question.name}" in request.query_params
    }
    raw = {**await reading(about.visit, lambda records: begun(about, asked, None, records)), **filled}
    return await _page(request, about, asked, None, Filled(raw, raw, token=about.visit.tenant.new_id()))


async def create(request: Request) -> Response:
    """Create the record that the form describes; what is wrong comes back with the form."""
    about = _creating(request)
    asked = questions(about, writable(about, None))
    form, refused = await received(request, asked)
    raw, token = raw_from(form, asked), text(form, "token")[:TOKEN] or about.visit.tenant.new_id()
    values, unreadable = answers(raw, asked, about.reader.formats.timezone)
    values = given(asked, values, lambda each: each.follows)
    unreadable |= refused
    lines = _sent(about, form, new=True)
    filled = Filled(raw, raw, token=token, rows=lines.rows)
    if unreadable or lines.unreadable:
        return await _page(request, about, asked, None, replace(filled, wrong=unreadable, status=422))
    twins = () if text(form, "despite") else await _twins(about, values)
    if twins:
        return await _page(request, about, asked, None, replace(filled, twins=twins, status=409))
    tenant, actor = about.visit.tenant, about.visit.actor
    complete = {**values, **{name: found for name, found in lines.values.items() if found}}
    try:
        made = await commands.create_once(tenant, actor, about.entity.name, complete, _key(token, {**raw, **lines.raw}))
    except InvalidError as error:
        wrong = replace(filled, wrong=error.fields, rows=lines.blamed(error.fields), status=422)
        return await _page(request, about, asked, None, wrong)
    response = redirect(request, way_back(about, form, about.url(made.id)))
    return say_on(request, response, say("Added: {title}", title=made.title))


@dataclass(frozen=True, slots=True)
class _Sent:
    """The lines that a form holds: rows as they were typed, and the values that they say."""

    every: tuple[Lines, ...]
    rows: Mapping[str, Sequence[Row]]
    values: Mapping[str, Sequence[Mapping[str, Any]]]

    @property
    def unreadable(self) -> bool:
        return any(row.wrong for rows in self.rows.values() for row in rows)

    @property
    def raw(self) -> Raw:
        """What was typed, to tell a form that is sent twice."""
        rows = [(name, row) for name, found in self.rows.items() for row in found]
        return {f"{name}.{row.key}.{each}": texts for name, row in rows for each, texts in row.raw.items()}

    def blamed(self, problems: Mapping[str, Message | Text]) -> Mapping[str, Sequence[Row]]:
        return {lines.name: blamed(lines, self.rows[lines.name], problems) for lines in self.every}


def _sent(about: Subject, form: FormData, *, new: bool = False) -> _Sent:
    every = lines_of(about, new=new)
    read = {
        lines.name: values_of(lines, rows_from(form, lines)) for lines in every if lines.asked and lines.name in form
    }
    shown = tuple(lines for lines in every if lines.name in read)
    return _Sent(
        shown, {name: rows for name, (_, rows) in read.items()}, {name: found for name, (found, _) in read.items()}
    )


async def _twins(about: Subject, values: Mapping[str, Any]) -> tuple[Twin, ...]:
    """Return the records that the visitor may read and that the new one may be the same as."""
    if not about.entity.duplicates:
        return ()

    async def work(records: Records) -> tuple[list[Record], Titles]:
        found = await duplicates(records, about.entity.name, values)
        return found, await records.reference_labels(found)

    found, titles = await reading(about.visit, work)
    columns = [each for each in about.columns(about.screen.columns) if each.name not in title_fields(about.entity)]
    return tuple(
        Twin(
            about.url(record.id),
            record.title,
            " · ".join(
                filter(None, (write(each, record.values.get(each.name), about.reader, titles) for each in columns))
            ),
        )
        for record in found
    )


def _key(token: str, raw: Raw) -> str:
    """Return what tells a form that is sent twice from one that was filled anew after a step back."""
    return f"{token} {json.dumps(raw, sort_keys=True)}"


async def edit(request: Request) -> Response:
    """Answer with the record's form."""
    about, record = await _changing(request)
    asked = questions(about, writable(about, record))
    raw = at_first(about, asked, record)
    every = lines_of(about)
    present = await reading(about.visit, lambda records: records.lines(record)) if every else {}
    rows = {lines.name: rows_of(lines, present[lines.name]) for lines in every}
    return await _page(request, about, asked, record, Filled(raw, raw, record.version, rows=rows))


async def save(request: Request) -> Response:
    """Write what was changed on the form. Where somebody was faster, show both values and ask again."""
    about, record = await _changing(request)
    asked = questions(about, writable(about, record))
    form, refused = await received(request, asked)
    raw, base = raw_from(form, asked), _base(form.get("base"))
    version = version_of(form) or record.version
    changed = [question for question in asked if raw[question.name] != base.get(question.name, ())]
    values, unreadable = answers(raw, changed, about.reader.formats.timezone)
    unreadable |= refused
    lines = _sent(about, form)
    filled = Filled(raw, base, version, rows=lines.rows)
    if unreadable or lines.unreadable:
        return await _page(request, about, asked, record, replace(filled, wrong=unreadable, status=422))
    changes = {**values, **lines.values}
    try:
        if changes:
            await commands.update(about.visit.tenant, about.visit.actor, about.entity.name, record.id, version, changes)
    except InvalidError as error:
        wrong = replace(filled, wrong=error.fields, rows=lines.blamed(error.fields), status=422)
        return await _page(request, about, asked, record, wrong)
    except ConflictError:
        return await _conflict(request, about, asked, filled)
    return say_on(request, redirect(request, about.url(record.id)), say("Saved"))


async def remove(request: Request) -> Response:
    """Delete the record."""
    about = subject(request)
    record = await reading(about.visit, lambda records: records.get(about.entity.name, request.path_params["id"]))
    form = await request.form()
    version = version_of(form) or record.version
    await commands.delete(about.visit.tenant, about.visit.actor, about.entity.name, record.id, version)
    return say_on(request, redirect(request, _after(about, record)), say("Deleted: {title}", title=record.title))


def _after(about: Subject, record: Record) -> str:
    """Return where one goes when a record is gone: a line's place is what it was a line of."""
    parent = record.values.get("parent")
    if about.entity.parent is None or parent is None:
        return about.url("")
    return about.visit.url("e", about.entity.parent, parent["id"])


def _creating(request: Request) -> Subject:
    about = subject(request)
    if not about.may("create"):
        raise RefusedError(say("You may not add records here."))
    return about


async def _changing(request: Request) -> tuple[Subject, Record]:
    about = subject(request)
    record = await reading(about.visit, lambda records: records.get(about.entity.name, request.path_params["id"]))
    if "update" not in record.may:
        raise refusal(about.visit.tenant.published.access.rights(about.visit.actor), about.entity.name, "update")
    return about, record


async def _page(
    request: Request, about: Subject, asked: tuple[Question, ...], record: Record | None, filled: Filled
) -> Response:
    every = [lines for lines in lines_of(about, new=record is None) if lines.asked]

    async def work(records: Records) -> tuple[Titles, list[Editor]]:
        present = await records.lines(record) if record is not None and every else {}
        editors = [
            await editor(lines, filled.rows.get(lines.name, ()), records, present.get(lines.name, ()))
            for lines in every
        ]
        return await choices(asked, filled.raw, records), [each for each in editors if each.adds or each.rows]

    titles, editors = await reading(about.visit, work)
    made = inputs(about, asked, filled.raw, titles, filled.wrong)
    stray = [
        about.reader.words(said)
        for name, said in filled.wrong.items()
        if name not in made and not of_a_row(name, every)
    ]
    return await render(
        request,
        "forms/page.html",
        status=filled.status,
        about=about,
        record=record,
        groups=grouped(about, made),
        filled=filled,
        base=json.dumps({name: list(texts) for name, texts in filled.base.items()}),
        notices=stray,
        editors=editors,
        sends_files=any(each.widget == "upload" for each in made.values()),
        wrongs=sum(1 for each in made.values() if each.error) + sum(each.wrongs for each in editors),
    )


async def _conflict(request: Request, about: Subject, asked: tuple[Question, ...], filled: Filled) -> Response:
    """Show the form with the record as it is now under what this visitor changed."""

    async def work(records: Records) -> tuple[Record, Titles]:
        now = await records.get(about.entity.name, request.path_params["id"])
        titles = {entity: dict(found) for entity, found in (await records.reference_labels([now])).items()}
        for entity, found in (await choices(asked, filled.raw, records)).items():
            titles.setdefault(entity, {}).update(found)
        return now, titles

    now, titles = await reading(about.visit, work)
    every = lines_of(about)
    present = await reading(about.visit, lambda records: records.lines(now)) if every else {}
    rows = {lines.name: merged(lines, filled.rows.get(lines.name, ()), present[lines.name]) for lines in every}
    formats = about.reader.formats
    current = {question.name: raw_of(question.column, now.values.get(question.name), formats) for question in asked}
    mine = {name for name, texts in filled.raw.items() if texts != filled.base.get(name, ())}
    clashes = tuple(
        Clash(
            question.column.label,
            typed(question, filled.raw[question.name], about.reader, titles),
            write(question.column, now.values.get(question.name), about.reader, titles),
        )
        for question in asked
        if question.name in mine and _clashes(filled, question.name, current[question.name])
    )
    raw = {name: filled.raw[name] if name in mine else current[name] for name in current}
    return await _page(
        request, about, asked, now, Filled(raw, current, now.version, clashes=clashes, status=409, rows=rows)
    )


def _clashes(filled: Filled, name: str, now: tuple[str, ...]) -> bool:
    """Whether the other one wrote something new, and something else than this visitor."""
    return now not in (filled.base.get(name, ()), filled.raw[name])


def _base(text: object) -> Raw:
    """Read what stood in the form; nonsense means that everything counts as changed."""
    try:
        found = json.loads(text) if isinstance(text, str) else {}
    except (ValueError, RecursionError):
        return {}
    if not isinstance(found, dict):
        return {}
    return {str(name): tuple(map(str, texts)) for name, texts in found.items() if isinstance(texts, list)}


routes = [
    Route("/e/{entity}/new", new, methods=["GET"], name="new"),
    Route("/e/{entity}/new", create, methods=["POST"]),
    Route("/e/{entity}/{id}/edit", edit, methods=["GET"], name="edit"),
    Route("/e/{entity}/{id}/edit", save, methods=["POST"]),
    Route("/e/{entity}/{id}/delete", remove, methods=["POST"]),
]
