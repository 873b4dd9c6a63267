"""The board of a process: a column a state, a card a record, moved by dragging, by keyboard or by touch.

Where states run side by side there is a board for each region, with what is outside of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from admin.formats import MOST
from admin.parts.columns import NUMBERS, Column
from admin.parts.hints import Hint, Outlook, hints, outlook, planned
from admin.parts.lists import Ask, Frame, ask, frame, tidy
from admin.parts.shown import Titles, write
from admin.parts.subject import Subject, reading, subject, title_fields
from admin.web import render
from definitions.charts.process import leaves_of
from definitions.charts.steps import Situation, domain, entered
from definitions.spec.process import Process, State
from definitions.spec.screen import Board
from models.errors import NotFoundError
from models.message import say
from models.query import Filter, Query
from models.record import Page, Record
from models.records import Records

CARDS = 50


@dataclass(frozen=True, slots=True)
class Card:
    """A record on the board. `moves` are the transitions that the visitor's levels grant from anywhere."""

    id: str
    href: str
    title: str
    version: int
    state: str
    moves: str
    line: str
    figures: tuple[str, ...]
    hints: tuple[Hint, ...]


@dataclass(frozen=True, slots=True)
class Lane:
    """A column: a state with the number of its records (as far as counted), the first cards, and where the next are.

    `group` is what the state stands in.
    """

    state: State
    label: str
    group: str
    count: int
    cards: tuple[Card, ...]
    more: str | None


@dataclass(frozen=True, slots=True)
class Plan:
    """How the cards of a board look, and the innermost states that are its columns: those of a `region`, if any."""

    about: Subject
    process: Process
    region: str
    states: tuple[str, ...]
    columns: tuple[Column, ...]
    outlook: Outlook


@dataclass(frozen=True, slots=True)
class Known:
    """What the cards need beside their records; `moves` by the record's id."""

    titles: Titles
    moves: Mapping[str, str]


async def page(request: Request) -> Response:
    """Answer with the board, or with what htmx asks for: the results of a search."""
    clean = tidy(request)
    if clean is not None:
        return RedirectResponse(clean, status_code=303)
    plan = _plan(request)
    about, wanted = plan.about, ask(plan.about, request)

    async def work(records: Records) -> tuple[Frame, Mapping[str, int], dict[str, Page], Known]:
        query = replace(wanted.query, cursor=None)
        pages = {name: await _cards(plan, wanted, records, name) for name in plan.states}
        counts = {name: await _count(plan, query, records, name, found) for name, found in pages.items()}
        shown = [record for found in pages.values() for record in found.records]
        return await frame(about, wanted, records), counts, pages, await _known(plan, records, shown)

    around, counts, pages, known = await reading(about.visit, work)
    htmx = about.visit.htmx and "HX-History-Restore-Request" not in request.headers
    return await render(
        request,
        "board/page.html",
        block="results" if htmx else None,
        about=about,
        process=plan.process,
        region=plan.region,
        frame=around,
        wanted=wanted,
        lanes=[_lane(plan, wanted, name, counts[name], found, known) for name, found in pages.items()],
        transitions=_transitions(plan),
        may_create=about.may("create"),
    )


async def cards(request: Request) -> Response:
    """Answer with the next cards of a column."""
    plan = _plan(request)
    wanted, name = ask(plan.about, request), request.path_params["state"]
    if name not in plan.states:
        raise NotFoundError

    async def work(records: Records) -> tuple[Page, Known]:
        found = await _cards(plan, wanted, records, name)
        return found, await _known(plan, records, found.records)

    found, known = await reading(plan.about.visit, work)
    lane = _lane(plan, wanted, name, 0, found, known)
    return await render(request, "board/page.html", block="cards", about=plan.about, lane=lane, process=plan.process)


async def card(request: Request) -> Response:
    """Answer with one card as it is now (after a move)."""
    plan = _plan(request)
    record_id = request.path_params["id"]

    async def work(records: Records) -> tuple[Record, Known]:
        record = await records.get(plan.about.entity.name, record_id)
        return record, await _known(plan, records, [record])

    record, known = await reading(plan.about.visit, work)
    return await render(request, "board/card.html", about=plan.about, card=_card(plan, record, known))


def _plan(request: Request) -> Plan:
    about = subject(request)
    board = next((each for each in about.boards if each.process == request.path_params["process"]), None)
    if board is None:
        raise NotFoundError
    process = about.visit.network.processes[board.process]
    region = request.path_params.get("region", next(iter(process.lanes)))
    if region not in process.lanes:
        raise NotFoundError
    columns, known = about.once(f"board {process.name}", lambda: _look(about, board))
    return Plan(about, process, region, process.lanes[region], columns, known)


def _look(about: Subject, board: Board) -> tuple[tuple[Column, ...], Outlook]:
    planned_at = planned(about.visit.network, about.entity)
    plan = planned_at if about.column(planned_at or "") else None
    return _card_columns(about, board, plan), outlook(about.visit.network, about.entity, plan)


def _card_columns(about: Subject, board: Board, plan: str | None) -> tuple[Column, ...]:
    """Leave out what the card says already: its title, its state and the hint about the planned date."""
    said = {*title_fields(about.entity), board.process, plan}
    return tuple(column for column in about.columns(board.card) if column.name not in said)


async def _cards(plan: Plan, wanted: Ask, records: Records, state: str) -> Page:
    query = replace(_within(plan, wanted.query, state), limit=CARDS)
    return await records.list(plan.about.entity.name, query)


async def _count(plan: Plan, query: Query, records: Records, state: str, first: Page) -> int:
    """Return how many records a column has, as far as pages count; the first cards may be all that there are."""
    if first.next is None:
        return len(first.records)
    return await records.count(plan.about.entity.name, _within(plan, query, state), most=MOST)


def _within(plan: Plan, query: Query, state: str) -> Query:
    return replace(query, filters=(*query.filters, Filter(plan.process.name, "equals", state)))


async def _known(plan: Plan, records: Records, shown: Sequence[Record]) -> Known:
    """Look up what the cards of these records need: titles of what they refer to, and the moves that are granted."""
    moves = {}
    for record in shown:
        granted = [
            name
            for name, transition in plan.process.transitions.items()
            if not transition.auto and await records.may_move(record, plan.process.name, name)
        ]
        moves[record.id] = " ".join(granted)
    return Known(await records.reference_labels(shown), moves)


def _lane(plan: Plan, wanted: Ask, state: str, count: int, found: Page, known: Known) -> Lane:
    about = plan.about
    more = None
    if found.next:
        inside = ("in", plan.region) if plan.region else ()
        more = str(wanted.at.at(about.url("board", plan.process.name, *inside, state)).having(after=found.next))
    made = tuple(_card(plan, record, known) for record in found.records)
    defined = plan.process.states[state]
    around = plan.process.states.get(defined.parent or "")
    group = about.reader.words(around.label) if around is not None and around.name != plan.region else ""
    return Lane(defined, about.reader.words(defined.label), group, count, made, more)


def _card(plan: Plan, record: Record, known: Known) -> Card:
    about = plan.about
    written = [
        (column.kind in NUMBERS, write(column, record.values.get(column.name), about.reader, known.titles))
        for column in plan.columns
    ]
    return Card(
        id=record.id,
        href=about.url(record.id),
        title=record.title.strip() or about.reader.words(say("Untitled")),
        version=record.version,
        state=next((name for name in leaves_of(record.values.get(plan.process.name)) if name in plan.states), ""),
        moves=known.moves[record.id],
        line=" · ".join(text for number, text in written if text and not number),
        figures=tuple(text for number, text in written if text and number),
        hints=hints(record, plan.outlook, about.reader, about.visit.tenant.published.calendar),
    )


def _transitions(plan: Plan) -> dict[str, dict[str, object]]:
    """Return what the script needs to know: the columns to which each transition leads from others, and whether it
    asks something.
    """
    return {
        name: {
            "label": plan.about.reader.words(transition.label),
            "ways": {state: to for state in plan.states if (to := _leads(plan, state, name)) is not None},
            "asks": bool(transition.form or transition.confirm),
        }
        for name, transition in plan.process.transitions.items()
        if not transition.auto
    }


def _leads(plan: Plan, state: str, transition: str) -> str | None:
    """Return the column to which a transition leads from another; None where it does not, or stays in it."""
    chart = plan.process.chart
    around = (state, *chart.above[state])
    arcs = (arc for name in around for arc in chart.nodes[name].arcs if arc.name == transition)
    arc = next((arc for arc in arcs if not set(arc.outside) & set(around)), None)
    if arc is None:
        return None
    reached = entered(chart, Situation(frozenset()), arc, domain(chart, Situation(frozenset()), arc) or "")
    return next((name for name in plan.states if name in reached), None)


routes = [
    Route("/e/{entity}/board/{process}", page, name="board"),
    Route("/e/{entity}/board/{process}/{state}", cards),
    Route("/e/{entity}/board/{process}/card/{id}", card),
    Route("/e/{entity}/board/{process}/in/{region}", page),
    Route("/e/{entity}/board/{process}/in/{region}/card/{id}", card),
    Route("/e/{entity}/board/{process}/in/{region}/{state}", cards),
]
