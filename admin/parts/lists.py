"""What a list and a board share: the records that an address asks for, its views, its filters and its order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from starlette.requests import Request

from admin.formats import MOST
from admin.parts.columns import Column
from admin.parts.filters import (
    PERIODS,
    PREFIX,
    Address,
    Asked,
    Chip,
    address,
    asked,
    chips,
    conditions,
    filterable,
    references,
)
from admin.parts.inputs import Input, Question, build
from admin.parts.shown import Titles
from admin.parts.subject import Subject, offered
from definitions.spec.screen import View
from models.message import say
from models.query import Query
from models.records import Records

UNSORTABLE = frozenset({"long_text", "json", "choices", "reference", "file", "image", "duration"})
COLUMN = "c"
"""The parameter that names a column to be shown; without any, the screen's are."""
ALL_BUT_PLACE = ("view", "q", "sort", COLUMN, PREFIX)


@dataclass(frozen=True, slots=True)
class Tab:
    """A view of the list with the number of its records (`MOST` of them are counted)."""

    label: str
    href: str
    count: int
    current: bool


@dataclass(frozen=True, slots=True)
class Order:
    """A way to sort: by a column, up or down."""

    label: str
    href: str
    current: bool
    descending: bool


@dataclass(frozen=True, slots=True)
class Ask:
    """What an address asks of a list; `columns` are those that it names, () for the screen's."""

    at: Address
    view: View | None
    parts: tuple[Asked, ...]
    query: Query
    columns: tuple[str, ...] = ()

    @property
    def narrowed(self) -> bool:
        """Whether a search or a filter is on (beside the view)."""
        return bool(self.query.q or self.query.filters)


@dataclass(frozen=True, slots=True)
class Frame:
    """The head and the bar of a list or a board, ready for the page."""

    tabs: tuple[Tab, ...]
    chips: tuple[Chip, ...]
    orders: tuple[Order, ...]
    parts: tuple[Asked, ...]
    pickers: Mapping[str, Input]
    periods: tuple[tuple[str, str], ...]
    kept: tuple[tuple[str, str], ...]
    cleared: str
    q: str
    path: str
    total: int


def ask(subject: Subject, request: Request) -> Ask:
    """Read the address of a request."""
    return asks(subject, address(request.url.path, request.query_params.multi_items()))


def asks(subject: Subject, at: Address) -> Ask:
    """Read an address of a list."""
    view = subject.screen.views.get(at.get("view"))
    parts = asked(_filter_columns(subject), at)
    query = Query(
        where=view.where if view else None,
        q=at.get("q").strip()[:200],
        filters=conditions(parts, subject.reader),
        sort=_sort(subject, at.get("sort"), view),
        cursor=at.get("after") or None,
    )
    columns = dict.fromkeys(name for name in at.all(COLUMN) if subject.column(name) is not None)
    return Ask(at, view, parts, query, tuple(columns))


def tidy(request: Request) -> str | None:
    """Return the address without the empty parameters that a form leaves, when there are any."""
    pairs = request.query_params.multi_items()
    kept = address(request.url.path, pairs)
    return None if len(kept.pairs) == len(pairs) else str(kept)


async def frame(subject: Subject, wanted: Ask, records: Records) -> Frame:
    """Return the head and the bar: one count a view, titles for the filters that name records."""
    titles, choices = await _filter_titles(wanted, records)
    total = await records.count(subject.entity.name, wanted.query, most=MOST) if wanted.narrowed else None
    tabs = await _tabs(subject, wanted, records)
    here = next(tab for tab in tabs if tab.current)
    return Frame(
        tabs=tabs,
        chips=chips(wanted.parts, wanted.at, subject.reader, titles),
        orders=orders(subject, wanted),
        parts=wanted.parts,
        pickers=_pickers(subject, wanted, choices),
        periods=tuple((name, subject.reader.words(text)) for name, text in PERIODS.items()),
        kept=wanted.at.lacking("q", "after").pairs,
        cleared=str(wanted.at.only("view", "sort", COLUMN)),
        q=wanted.query.q,
        path=wanted.at.path,
        total=here.count if total is None else total,
    )


def sortable(column: Column) -> bool:
    """Whether a list can be sorted by the column."""
    if column.process is not None and column.process.parallel:
        return False
    return column.kind not in UNSORTABLE and not (column.field is not None and column.field.encrypted)


def order(wanted: Ask, column: Column, label: str) -> Order:
    """Return the link that sorts by a column; a second click turns the order around."""
    current = wanted.query.sort.lstrip("-") == column.name
    descending = current and wanted.query.sort.startswith("-")
    target = column.name if not current or descending else f"-{column.name}"
    return Order(label, str(wanted.at.lacking("after").having(sort=target)), current, descending)


def orders(subject: Subject, wanted: Ask) -> tuple[Order, ...]:
    """Return the ways to sort, the present one first where the screen does not show its column."""
    names = dict.fromkeys((*subject.screen.columns, "created_at", "last_activity_at"))
    return tuple(order(wanted, column, column.label) for column in subject.columns(names) if sortable(column))


async def _tabs(subject: Subject, wanted: Ask, records: Records) -> tuple[Tab, ...]:
    name, bare = subject.entity.name, Address(wanted.at.path)
    everything = subject.reader.words(say("All"))
    made = [Tab(everything, str(bare), await records.count(name, most=MOST), wanted.view is None)]
    for view in subject.screen.views.values():
        count = await records.count(name, Query(where=view.where), most=MOST)
        label = subject.reader.words(view.label)
        made.append(Tab(label, str(bare.having(view=view.name)), count, wanted.view is view))
    return tuple(made)


async def _filter_titles(wanted: Ask, records: Records) -> tuple[Titles, Titles]:
    titles: dict[str, dict[str, str]] = {}
    choices: dict[str, dict[str, str]] = {}
    for entity, ids in references(wanted.parts).items():
        choices[entity] = await offered(records, entity)
        named = await records.labels(entity, ids - set(choices[entity]))
        titles[entity] = {**choices[entity], **named}
    return titles, choices


def _pickers(subject: Subject, wanted: Ask, choices: Titles) -> dict[str, Input]:
    made = {}
    for part in wanted.parts:
        if part.column.kind == "reference":
            question = Question(f"{PREFIX}{part.column.name}", part.column, required=False)
            titles = {part.column.to or "": choices.get(part.column.to or "", {})}
            made[part.column.name] = build(question, part.values, subject.reader, titles, base=subject.base)
    return made


def _filter_columns(subject: Subject) -> tuple[Column, ...]:
    return subject.once("filters", lambda: _filterable(subject))


def _filterable(subject: Subject) -> tuple[Column, ...]:
    names: Iterable[str] = (
        *subject.entity.processes,
        *(("owner",) if subject.sees_others else ()),
        *subject.screen.columns,
        *subject.entity.fields,
        "created_at",
        "last_activity_at",
    )
    return tuple(each for each in subject.columns(dict.fromkeys(names)) if filterable(each))


def _sort(subject: Subject, wanted: str, view: View | None) -> str:
    column = subject.column(wanted.lstrip("-")) if wanted else None
    if column is not None and sortable(column):
        return wanted
    return (view.sort if view else None) or subject.screen.sort
