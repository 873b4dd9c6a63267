"""The list of an entity's records: its screen's columns, views, search, filters and order, all in the address."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from admin.parts.cells import cells
from admin.parts.columns import NUMBERS, Column
from admin.parts.filters import Address
from admin.parts.hints import Hint, Outlook, hints, outlook, planned
from admin.parts.lists import Ask, Frame, Order, ask, frame, order, sortable, tidy
from admin.parts.saved import EVERYTHING, first_address, shelf
from admin.parts.selection import offers
from admin.parts.shown import Titles
from admin.parts.subject import Subject, reading, subject, title_fields
from admin.web import render
from models.access import PUBLIC_LEVEL
from models.message import say
from models.query import Query
from models.record import Page, Record
from models.records import Records
from workflows import jobs, views
from workflows.jobs import Job
from workflows.views import SavedView

PAGE = 50
UNLISTED = frozenset({"file", "image", "json", "long_text"})
"""Kinds of fields that no column shows."""
FOUND = 20
"""How many records a reference's search answers with."""


@dataclass(frozen=True, slots=True)
class Heading:
    """The head of a column; `order` is None where the column can't sort."""

    label: str
    order: Order | None
    number: bool


@dataclass(frozen=True, slots=True)
class Line:
    """A record of the list: all of it leads to `href`."""

    href: str
    id: str
    title: str
    cells: Markup
    hints: tuple[Hint, ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns of the list; the first one is the title and stands for the columns that it is made of."""

    title: str
    sorts_by: Column | None
    columns: tuple[Column, ...]
    outlook: Outlook


@dataclass(frozen=True, slots=True)
class Beside:
    """What the visitor keeps beside the records: saved views, and jobs that are under way."""

    views: list[SavedView]
    running: list[Job]


async def page(request: Request) -> Response:
    """Answer with the list, or with what htmx asks for: the results of a search, the next lines."""
    clean = tidy(request)
    if clean is not None:
        return RedirectResponse(clean, status_code=303)
    about = subject(request)
    wanted = ask(about, request)
    if not wanted.at.pairs and _block(request) is None:
        first = await reading(about.visit, lambda records: views.visible(records, about.entity.name))
        target = first_address(about.url(""), first)
        if target is not None:
            return RedirectResponse(target, status_code=303)
    layout = _layout(about, wanted.columns) if wanted.columns else about.once("layout", lambda: _layout(about))

    async def work(records: Records) -> tuple[Frame, Page, Titles, Beside]:
        query = Query(
            wanted.query.where, wanted.query.q, wanted.query.filters, wanted.query.sort, PAGE, wanted.query.cursor
        )
        found = await records.list(about.entity.name, query)
        name = about.entity.name
        beside = Beside(await views.visible(records, name), await jobs.running(records, name))
        return await frame(about, wanted, records), found, await records.reference_labels(found.records), beside

    around, found, titles, beside = await reading(about.visit, work)
    return await render(
        request,
        "listing/page.html",
        block=_block(request),
        about=about,
        frame=_around(around, beside.views),
        shelf=shelf(about, wanted, beside.views),
        running=beside.running,
        choice=_choice(about, wanted),
        bulk=offers(about),
        exports="export" in about.visit.tenant.published.access.functions(about.visit.actor),
        levels=_levels(about),
        wanted=wanted,
        headings=_headings(about, wanted, layout),
        lines=_lines(about, layout, found.records, titles),
        more=str(wanted.at.having(after=found.next)) if found.next else None,
        begun=bool(wanted.query.cursor),
        start=str(wanted.at.lacking("after")),
        may_create=about.may("create"),
    )


async def options(request: Request) -> Response:
    """Answer a reference's search: the records whose words are found, as JSON."""
    about = subject(request)
    words = request.query_params.get("q", "").strip()[:200]

    async def work(records: Records) -> Page:
        return await records.list(about.entity.name, Query(q=words, limit=FOUND))

    found = await reading(about.visit, work)
    return JSONResponse([{"id": record.id, "label": record.title} for record in found.records])


def _block(request: Request) -> str | None:
    if "HX-Request" not in request.headers or "HX-History-Restore-Request" in request.headers:
        return None
    return "lines" if "after" in request.query_params else "results"


def _around(around: Frame, saved: Sequence[SavedView]) -> Frame:
    """Let the tab of everything lead there, for who has a view that the list opens with."""
    if not any(view.first for view in saved):
        return around
    everything, *rest = around.tabs
    away = str(Address(around.path).having(view=EVERYTHING))
    return replace(around, tabs=(replace(everything, href=away), *rest))


def _choice(about: Subject, wanted: Ask) -> tuple[tuple[str, str, bool], ...]:
    """Return the columns to choose from: name, label, whether it is shown."""
    entity = about.entity
    names = (*about.screen.columns, *entity.fields, *entity.processes, *(("owner",) if about.sees_others else ()))
    shown = wanted.columns or about.screen.columns
    known = about.columns(dict.fromkeys((*names, "created_at", "last_activity_at")))
    return tuple((each.name, each.label, each.name in shown) for each in known if each.kind not in UNLISTED)


def _levels(about: Subject) -> tuple[tuple[str, str], ...]:
    """Return the levels that the visitor may share views with."""
    visit = about.visit
    found = visit.network.levels.values() if visit.leads else ()
    return tuple((level.name, visit.words(level.label)) for level in found if level.name != PUBLIC_LEVEL)


def _layout(about: Subject, chosen: Sequence[str] = ()) -> Layout:
    """Merge the first columns into one when they are what the title is made of."""
    columns = about.columns(chosen or about.screen.columns)
    merged: list[Column] = []
    for column in columns:
        if column.name not in title_fields(about.entity):
            break
        merged.append(column)
    label = " ".join(column.label for column in merged) or about.label
    plan = planned(about.visit.network, about.entity)
    known = outlook(about.visit.network, about.entity, plan if about.column(plan or "") else None)
    return Layout(label, merged[-1] if merged else None, columns[len(merged) :], known)


def _headings(about: Subject, wanted: Ask, layout: Layout) -> tuple[Heading, ...]:
    first = order(wanted, layout.sorts_by, layout.title) if layout.sorts_by and sortable(layout.sorts_by) else None
    rest = (
        Heading(column.label, order(wanted, column, column.label) if sortable(column) else None, column.kind in NUMBERS)
        for column in layout.columns
    )
    return (Heading(layout.title or about.label, first, number=False), *rest)


def _lines(about: Subject, layout: Layout, records: Sequence[Record], titles: Titles) -> list[Line]:
    calendar, untitled = about.visit.tenant.published.calendar, about.reader.words(say("Untitled"))
    write = cells(about, layout.columns, titles, layout.outlook.plan)

    def line(record: Record) -> Line:
        said = hints(record, layout.outlook, about.reader, calendar)
        urgent = next((hint for hint in said if hint.kind in ("late", "today")), None)
        idle = tuple(hint for hint in said if hint.kind == "idle")
        return Line(about.url(record.id), record.id, record.title.strip() or untitled, write(record, urgent), idle)

    return [line(record) for record in records]


routes = [
    Route("/e/{entity}/", page, name="list"),
    Route("/e/{entity}/options", options, name="options"),
]
