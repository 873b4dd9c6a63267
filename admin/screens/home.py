"""Today: the tiles of the definition's home, greeted by name; and the menu as a page, for phones."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from admin import navigation
from admin.charts import Chart, chart, references
from admin.formats import MOST
from admin.markdown import to_html
from admin.parts.columns import DAYS, column
from admin.parts.hints import planned
from admin.parts.reader import Reader
from admin.parts.shown import write
from admin.todo import Todo, todo
from admin.visit import Visit
from admin.web import here, render
from definitions.spec.screen import Screen, Tile
from models.query import Query
from models.record import Record
from models.records import Records
from models.statistics import compute
from models.titles import title_fields
from models.tx import Tx
from workflows import granting, tasks
from workflows.unit import read

ROWS = 6
"""How many records of a view a tile shows."""
HEADING, CHART = 2, 4
"""How high a tile's heading and a chart are, in rows."""
SUBLINE = 3
"""How many values stand in the grey line below a record's title."""


@dataclass(frozen=True, slots=True)
class Row:
    """A record in a tile."""

    title: str
    sub: str
    address: str
    due: str = ""
    late: bool = False
    text: Markup = field(default_factory=Markup)


@dataclass(frozen=True, slots=True)
class Shown:
    """A tile with what it shows: a chart, rows of a view, tasks, or a text."""

    kind: Literal["chart", "rows", "tasks", "text"]
    title: str = ""
    chart: Chart | None = None
    rows: tuple[Row, ...] = ()
    count: int = 0
    address: str = ""
    text: Markup = field(default_factory=Markup)


async def today(request: Request) -> Response:
    """Show the first page of the day."""
    visit = here(request)
    reader = Reader(visit.network, visit.formats)
    tiles = navigation.home_of(visit).tiles
    list_of_mine = todo(await tasks.mine(visit.tenant, visit.actor), visit)
    asked = await read(visit.tenant, visit.actor, granting.count)

    async def work(tx: Tx) -> list[Shown]:
        records = Records(visit.tenant.published, tx, visit.actor, visit.tenant.context(), new_id=visit.tenant.new_id)
        found = [await _fill(tile, records, visit, reader) for tile in tiles]
        return [tile for tile in found if tile is not None]

    shown = await visit.tenant.store.read(work)
    numbers = [tile for tile in shown if tile.chart is not None and tile.chart.shape == "number"]
    rest = [tile for tile in shown if tile not in numbers]
    left, right = _columns(rest, list_of_mine)
    name = str((visit.actor.member or {}).get("first_name") or (visit.actor.member or {}).get("name") or "")
    return await render(
        request,
        "home/today.html",
        name=name,
        sub=_sub(visit, list_of_mine),
        asked=asked,
        numbers=numbers,
        left=left,
        right=right,
        todo=list_of_mine,
    )


def _columns(tiles: list[Shown], mine: Todo) -> tuple[list[Shown], list[Shown]]:
    """Return the two columns: charts at the right, until that one is longer than the one of lists."""
    left = [tile for tile in tiles if tile.kind != "chart"]
    right: list[Shown] = []
    lines = {"tasks": max(mine.count, 3), "text": 1}
    room = sum(lines.get(tile.kind, max(len(tile.rows), 3)) + HEADING for tile in left)
    for tile in (tile for tile in tiles if tile.kind == "chart"):
        if not left or CHART * (len(right) + 1) <= max(room, CHART * 2):
            right.append(tile)
        else:
            left.append(tile)
            room += CHART
    return left, right


def _sub(visit: Visit, mine: Todo) -> str:
    """Return the day and what waits, in one line."""
    _n, formats = visit.catalogue.ngettext, visit.formats
    day = formats.long_day(formats.today)
    waiting = []
    if mine.late:
        waiting.append(_n("{n} late task", "{n} late tasks", len(mine.late)))
    if mine.today:
        waiting.append(_n("{n} task for today", "{n} tasks for today", len(mine.today)))
    return f"{day}. {', '.join(waiting)}." if waiting else f"{day}."


async def _fill(tile: Tile, records: Records, visit: Visit, reader: Reader) -> Shown | None:
    """Return what a tile shows; None when the visitor may not see it."""
    if tile.text is not None:
        return Shown("text", text=to_html(visit.words(tile.text)))
    if tile.tasks is not None:
        return Shown("tasks")
    if tile.statistic is not None:
        return await _figure(tile.statistic, records, visit, reader)
    screen = visit.network.screens[tile.screen or ""]
    return await _rows(screen, tile.view, records, visit, reader)


async def _figure(name: str, records: Records, visit: Visit, reader: Reader) -> Shown | None:
    statistic = visit.network.statistics[name]
    access = visit.tenant.published.access
    if "analyse" not in access.functions(visit.actor) or not access.may(visit.actor, "read", statistic.entity):
        return None
    result = await compute(records, statistic)
    wanted = references(statistic, result, reader)
    titles = {entity: await records.labels(entity, ids) for entity, ids in wanted.items()}
    drawn = chart(statistic, result, reader, titles)
    return Shown("chart", drawn.title, drawn)


async def _rows(screen: Screen, view: str | None, records: Records, visit: Visit, reader: Reader) -> Shown | None:
    if screen not in tuple(navigation.screens(visit)):
        return None
    chosen = screen.views[view] if view else None
    where = chosen.where if chosen else None
    query = Query(where=where, sort=(chosen.sort if chosen else None) or screen.sort, limit=ROWS)
    page = await records.list(screen.entity, query)
    entity = visit.network.entities[screen.entity]
    texts = (each for each in screen.columns if each in entity.fields and entity.fields[each].type == "long_text")
    prose = next(texts, "")
    if prose and not page.records:
        return None
    titles = await records.reference_labels(page.records)
    in_title = [prose, *title_fields(entity)]
    columns = [column(reader, entity, name) for name in screen.columns if name not in in_title]
    shown = [each for each in columns if each is not None][: SUBLINE + 2]

    plan = planned(visit.network, entity)
    days = [each.name for each in columns if each is not None and each.kind in DAYS]

    def row(record: Record) -> Row:
        plain = [each for each in shown if each.kind not in DAYS and record.values.get(each.name)]
        values = (write(each, record.values[each.name], reader, titles) for each in plain[:SUBLINE])
        moment = record.values.get(plan) if plan else None
        told = _since(record, days, reader) if prose else ""
        return Row(
            title=record.title,
            sub=" · ".join(value for value in values if value),
            address=visit.url("e", screen.entity, record.id),
            due=told or reader.formats.due(moment),
            late=not told and moment is not None and reader.formats.day_of(moment) < reader.formats.today,
            text=_opening(record.values.get(prose)),
        )

    title = visit.words(chosen.label if chosen else entity.many)
    address = visit.url("e", screen.entity, "", view=view)
    count = await records.count(screen.entity, query, most=MOST)
    return Shown("rows", title, rows=tuple(map(row, page.records)), count=count, address=address)


def _since(record: Record, days: list[str], reader: Reader) -> str:
    """Return the last of a record's days that has come, the one on which it was made without any."""
    moments = [record.values.get(name) for name in ("created_at", *days)]
    come = [reader.formats.day_of(each) for each in moments if each is not None]
    return reader.formats.short_day(max((day for day in come if day <= reader.formats.today), default=None))


def _opening(text: object) -> Markup:
    """Return the first paragraph of a Markdown text as HTML, with … when more follows."""
    first, *more = re.split(r"\r?\n[ \t]*\r?\n", str(text or "").strip(), maxsplit=1)
    return to_html(f"{first} …" if more else first)


async def menu(request: Request) -> Response:
    """Show the menu as a page: what the tab bar of phones has no room for."""
    return await render(request, "home/menu.html")


routes: list[BaseRoute] = [Route("/", today), Route("/menu", menu)]
