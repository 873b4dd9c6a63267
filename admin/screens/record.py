"""The page of a record: fields, steps, what can be done next, tasks, and all that happened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from admin.asked import text
from admin.parts.asking import at_first, choices, inputs, questions, version_of
from admin.parts.columns import Column
from admin.parts.deciding import Card, cards
from admin.parts.inputs import Input, answers, raw_from
from admin.parts.lines import Table, lines_of, table
from admin.parts.next_steps import next_steps
from admin.parts.related import Related, related
from admin.parts.shown import Shown, Titles, show, write
from admin.parts.steps import Steps, bars
from admin.parts.story import SHOWS, days, references
from admin.parts.subject import Subject, reading, subject, title_fields
from admin.parts.uploading import received
from admin.piccolo.descriptors import titles
from admin.todo import item
from admin.web import redirect, render, say_on
from definitions.text import Text
from models.errors import ConflictError, InvalidError, NotFoundError
from models.message import Message, say
from models.record import Record
from models.records import Records
from workflows import commands, granting
from workflows.commands import Offer
from workflows.moves import offers
from workflows.tasks import Task, tasks_about
from workflows.timeline import Event, events_of
from workflows.unit import Unit, read

MOST_EVENTS = 200
ABOUT = ("parent", "owner", "created_at", "created_by", "last_activity_at")


@dataclass(frozen=True, slots=True)
class Property:
    """A field on the page. `edit` is where it is changed in place ("" when the visitor may not write it)."""

    name: str
    label: str
    shown: Shown
    edit: str
    anchor: str


@dataclass(frozen=True, slots=True)
class Group:
    """A section of the record's fields."""

    label: str
    properties: tuple[Property, ...]


@dataclass(frozen=True, slots=True)
class Read:
    """What one transaction read of a record; `titles` are those that its fields and its timeline name."""

    record: Record
    titles: Titles
    related: tuple[Related, ...]
    events: Sequence[Event]
    offers: Sequence[Offer]
    todo: Sequence[Task]
    lines: tuple[Table, ...] = ()
    asked: Sequence[Card] = ()


async def page(request: Request) -> Response:
    """Answer with the record's page; htmx gets what changes on it."""
    about = subject(request)
    part = about.visit.htmx and "HX-History-Restore-Request" not in request.headers
    return await _page(request, about, block="record" if part else None)


async def _page(
    request: Request, about: Subject, *, block: str | None, status: int = 200, note_error: str = ""
) -> Response:
    record_id, visit = request.path_params["id"], about.visit
    found = await read(visit.tenant, visit.actor, lambda unit: _read(about, unit, record_id))
    record = found.record
    shown = request.query_params.get("show", "all")
    kinds = SHOWS[
        "notes" if shown == "notes" else "mails" if shown == "mails" else "changes" if shown == "changes" else "all"
    ]
    return await render(
        request,
        "record/page.html",
        block=block,
        status=status,
        about=about,
        record=record,
        title=record.title.strip() or about.reader.words(say("Untitled")),
        sub=_sub(about, record, found.titles),
        direct=_direct(about, record),
        back_office=_back_office(about, record),
        reasons=about.visit.url("reasons", entity=about.entity.name, record=record.id) if about.visit.leads else "",
        bars=_bars(about, record),
        groups=_groups(about, record, found.titles),
        next_steps=next_steps(about, record, found.offers),
        todo=[item(task, visit) for task in found.todo],
        open_tasks=sum(1 for task in found.todo if task.done_at is None),
        story=days(
            about, record.id, [event for event in found.events if not kinds or event.kind in kinds], found.titles
        ),
        show=shown,
        related=found.related,
        lines=found.lines,
        asked=found.asked,
        note_error=note_error,
    )


def _back_office(about: Subject, record: Record) -> str:
    """Return where the record stands in the back office, for who has one."""
    visit = about.visit
    if not visit.leads:
        return ""
    table = titles(visit.network, visit.language)[about.entity.name]
    return f"{visit.url('back-office', '')}#/{quote(table, safe='')}/{quote(record.id)}/"


async def field(request: Request) -> Response:
    """Answer with one field to be changed in place."""
    about, record = await _one(request)
    asked = questions(about, [request.path_params["field"]])
    if not asked or asked[0].name not in record.writable:
        raise NotFoundError
    raw = at_first(about, asked, record)
    titles = await reading(about.visit, lambda records: choices(asked, raw, records))
    return await _in_place(request, about, record, inputs(about, asked, raw, titles)[asked[0].name])


async def save_field(request: Request) -> Response:
    """Write one field; htmx gets the page's content with the new values."""
    about, record = await _one(request)
    asked = questions(about, [request.path_params["field"]])
    if not asked or asked[0].name not in record.writable:
        raise NotFoundError
    form, refused = await received(request, asked)
    raw = raw_from(form, asked)
    values, wrong = answers(raw, asked, about.reader.formats.timezone)
    wrong |= refused
    try:
        if not wrong:
            await commands.update(
                about.visit.tenant,
                about.visit.actor,
                about.entity.name,
                record.id,
                version_of(form) or record.version,
                values,
            )
            return await _changed(request, about, say("Saved"))
    except InvalidError as error:
        wrong_there: Mapping[str, Message | Text] = error.fields
    except ConflictError as error:
        wrong_there = {asked[0].name: error.message}
    else:
        wrong_there = wrong
    titles = await reading(about.visit, lambda records: choices(asked, raw, records))
    made = inputs(about, asked, raw, titles, wrong_there)[asked[0].name]
    return await _in_place(request, about, record, made, status=422)


async def note(request: Request) -> Response:
    """Write a note on the timeline."""
    about, record = await _one(request)
    written = text(await request.form(), "text")
    try:
        await commands.note(about.visit.tenant, about.visit.actor, about.entity.name, record.id, written)
    except InvalidError as error:
        said = about.reader.words(next(iter(error.fields.values())))
        block = "record" if about.visit.htmx else None
        return await _page(request, about, block=block, status=422, note_error=said)
    return await _changed(request, about, say("The note is on the timeline."))


async def _changed(request: Request, about: Subject, said: Message) -> Response:
    if about.visit.htmx:
        return say_on(request, await _page(request, about, block="record"), said)
    return say_on(request, redirect(request, about.url(request.path_params["id"])), said)


async def _one(request: Request) -> tuple[Subject, Record]:
    about = subject(request)
    return about, await reading(about.visit, lambda records: records.get(about.entity.name, request.path_params["id"]))


async def _in_place(request: Request, about: Subject, record: Record, made: Input, *, status: int = 200) -> Response:
    return await render(
        request,
        "record/field.html",
        block="field" if about.visit.htmx else None,
        status=status,
        headers={"HX-Retarget": f"#prop-{made.name}", "HX-Reswap": "outerHTML"} if about.visit.htmx else None,
        about=about,
        record=record,
        each=made,
    )


async def _read(about: Subject, unit: Unit, record_id: str) -> Read:
    records = unit.records
    record = await records.get(about.entity.name, record_id)
    events = await events_of(unit, record, MOST_EVENTS)
    return Read(
        record,
        await _titles(records, await records.reference_labels([record]), references(about, events)),
        await related(about, records, record),
        events,
        await offers(unit, record),
        await tasks_about(unit, about.entity.name, record.id),
        await _lines(about, records, record),
        await cards(about.visit, unit, await granting.waiting(unit, about.entity.name, record)),
    )


async def _lines(about: Subject, records: Records, record: Record) -> tuple[Table, ...]:
    """Return the lines of the record that the visitor may see, those that could be added too."""
    every = lines_of(about)
    present = await records.lines(record) if every else {}
    titles = await records.reference_labels([line for lines in every for line in present[lines.name]])
    found = (table(lines, record, present[lines.name], titles) for lines in every)
    return tuple(each for each in found if each.rows or each.edit)


async def _titles(records: Records, known: Titles, wanted: Mapping[str, set[str]]) -> Titles:
    """Add the titles that the timeline needs to those that are known."""
    found = {entity: dict(titles) for entity, titles in known.items()}
    for entity, ids in wanted.items():
        if missing := ids - set(found.get(entity, ())):
            found[entity] = {**found.get(entity, {}), **await records.labels(entity, missing)}
    return found


def _sub(about: Subject, record: Record, titles: Titles) -> str:
    """Return the line under the title: the first two things that the list says too and that are short."""
    names = [name for name in about.screen.columns if name not in title_fields(about.entity)]
    columns = [column for column in about.columns(names) if column.kind in ("text", "choice", "country", "reference")]
    said = [write(column, record.values.get(column.name), about.reader, titles) for column in columns]
    return " · ".join([text for text in said if text][:2]) or about.label


def _direct(about: Subject, record: Record) -> list[tuple[str, str, str]]:
    """Return the ways to reach whom the record is about: label, address, icon."""
    found = []
    for kind, label, icon, scheme in (
        ("phone", say("Call"), "phone", "tel:"),
        ("email", say("Write"), "mail", "mailto:"),
    ):
        names = (name for name, field in about.entity.fields.items() if field.type == kind and record.values.get(name))
        name = next(names, None)
        if name is not None:
            found.append((about.reader.words(label), f"{scheme}{quote(str(record.values[name]), safe='@+')}", icon))
    return found


def _bars(about: Subject, record: Record) -> tuple[Steps, ...]:
    processes = (about.visit.network.processes[name] for name in about.entity.processes if name not in record.hidden)
    return tuple(bar for process in processes for bar in bars(process, record.values.get(process.name), about.reader))


def _groups(about: Subject, record: Record, titles: Titles) -> tuple[Group, ...]:
    sections = [(about.reader.words(section.label), section.fields) for section in about.screen.sections]
    if not sections:
        sections = [("", tuple(about.entity.fields))]
    sections.append((about.reader.words(say("About this record")), ABOUT))
    groups = (
        Group(label, tuple(_property(about, record, column, titles) for column in _visible(about, record, names)))
        for label, names in sections
    )
    return tuple(group for group in groups if group.properties)


def _visible(about: Subject, record: Record, names: Sequence[str]) -> list[Column]:
    return [
        column
        for column in about.columns(names)
        if column.name not in record.hidden
        and column.kind != "state"
        and (column.field is not None or record.values.get(column.name) is not None)
    ]


def _property(about: Subject, record: Record, column: Column, titles: Titles) -> Property:
    editable = column.name in record.writable and bool(questions(about, [column.name]))
    shown = show(column, record.values.get(column.name), about.reader, titles, base=about.base)
    if shown.kind in ("file", "picture"):
        shown = replace(shown, href=about.url(record.id, "files", column.name))
    edit = about.url(record.id, "field", column.name) if editable else ""
    return Property(column.name, column.label, shown, edit, f"{about.url(record.id, 'edit')}#f-{column.name}")


routes = [
    Route("/e/{entity}/{id}", page, name="record"),
    Route("/e/{entity}/{id}/field/{field}", field, methods=["GET"], name="field"),
    Route("/e/{entity}/{id}/field/{field}", save_field, methods=["POST"]),
    Route("/e/{entity}/{id}/notes", note, methods=["POST"]),
]
