"""Which records of a list were chosen, and what can be done with many of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode

from starlette.datastructures import FormData

from admin.asked import text
from admin.parts.filters import address
from admin.parts.lists import Ask, asks
from admin.parts.subject import Subject, reading
from definitions.spec.process import Transition
from models.errors import InvalidError, RefusedError
from models.message import say
from models.query import LIMIT, Filter, Query
from models.record import Page, Record
from models.records import Records
from models.rules import NEVER, plain
from workflows.jobs import MOST

CHUNK = 100
"""Records that are looked up by their ids at once."""
LONGEST = 8000
"""Letters of a list's address at most."""


@dataclass(frozen=True, slots=True)
class Selection:
    """The records with these ids, or (`ids` None) all of a list."""

    ids: tuple[str, ...] | None
    list: Ask

    @property
    def back(self) -> str:
        """The address of the list."""
        return str(self.list.at.lacking("after"))

    @property
    def query(self) -> str:
        """The list's address without its path."""
        return urlencode(self.list.at.lacking("after").pairs)


@dataclass(frozen=True, slots=True)
class Offer:
    """Something to do with many records: what a form sends for it (`do`), and how its button looks."""

    do: str
    label: str
    icon: str
    danger: bool = False


def chosen(about: Subject, form: FormData) -> Selection:
    """Return what a form says; `InvalidError` when nothing is chosen."""
    wanted = asks(about, address(about.url(""), parse_qsl(text(form, "list")[:LONGEST])))
    if text(form, "all"):
        return Selection(None, wanted)
    ids = tuple(dict.fromkeys(each for each in form.getlist("id") if isinstance(each, str) and 0 < len(each) <= 100))
    if not ids:
        raise InvalidError({"": say("Choose at least one record.")})
    return Selection(ids[: MOST + 1], wanted)


async def pages(about: Subject, selection: Selection, *, exporting: bool = False) -> AsyncIterator[Page]:
    """Yield the chosen records that the visitor may read, each page read for itself; `exporting`: for a file."""
    query = selection.list.query
    if selection.ids is None:
        cursor: str | None = None
        while True:
            wanted = Query(query.where, query.q, query.filters, query.sort, LIMIT, cursor)
            found = await _page(about, wanted, exporting=exporting)
            yield found
            cursor = found.next
            if cursor is None:
                return
    for start in range(0, len(selection.ids), CHUNK):
        ids = selection.ids[start : start + CHUNK]
        yield await _page(
            about, Query(filters=(Filter("id", "any_of", ids),), sort=query.sort, limit=CHUNK), exporting=exporting
        )


async def _page(about: Subject, query: Query, *, exporting: bool) -> Page:
    async def work(records: Records) -> Page:
        records.exporting = exporting
        return await records.list(about.entity.name, query)

    return await reading(about.visit, work)


async def ids_of(about: Subject, selection: Selection) -> list[str]:
    """Return the ids of what was chosen; `RefusedError` when these are too many for one job."""
    if selection.ids is not None:
        found = list(selection.ids)
    else:
        found = []
        async for page in pages(about, selection):
            found += [record.id for record in page.records]
            if len(found) > MOST:
                break
    if len(found) > MOST:
        raise RefusedError(say("At most {count} records at once: narrow the list first.", count=MOST))
    return found


async def first(about: Subject, selection: Selection, count: int) -> tuple[list[Record], int]:
    """Return the first of the chosen records, and how many there are in all that the visitor may read."""
    query = selection.list.query

    async def work(records: Records) -> tuple[list[Record], int]:
        if selection.ids is None:
            wanted = Query(query.where, query.q, query.filters, query.sort, count)
            page = await records.list(about.entity.name, wanted)
            return list(page.records), await records.count(about.entity.name, wanted)
        ids = selection.ids[:CHUNK]
        page = await records.list(about.entity.name, Query(filters=(Filter("id", "any_of", ids),), limit=CHUNK))
        return list(page.records[:count]), len(page.records) + len(selection.ids[CHUNK:])

    return await reading(about.visit, work)


def offers(about: Subject) -> tuple[Offer, ...]:
    """Return what the visitor may do with many records of the entity."""
    return about.once("bulk", lambda: tuple(_offers(about)))


def _offers(about: Subject) -> Iterable[Offer]:
    words, visit = about.reader.words, about.visit
    access = visit.tenant.published.access
    for process, transition in bulk_moves(about):
        yield Offer(f"move:{process}:{transition.name}", words(transition.label), "arrow-right")
    if assigns(about):
        yield Offer("assign", words(say("Give to…")), "user-round-check")
    yield Offer("task", words(say("Add a task")), "list-checks")
    if "export" in access.functions(visit.actor):
        yield Offer("export:xlsx", words(say("Export to Excel")), "file-spreadsheet")
        yield Offer("export:csv", words(say("Export as CSV")), "download")
    if about.may("delete"):
        yield Offer("delete", words(say("Delete")), "trash-2", danger=True)


def assigns(about: Subject) -> bool:
    """Whether the visitor may give records to somebody else."""
    access = about.visit.tenant.published.access
    return (
        about.entity.owner
        and about.sees_others
        and access.may_field(about.visit.actor, about.entity.name, "owner", "write")
    )


def bulk_moves(about: Subject) -> Iterable[tuple[str, Transition]]:
    """Yield the transitions that are meant for many records and that the visitor's levels may take."""
    rights = about.visit.tenant.published.access.rights(about.visit.actor)
    for name in about.entity.processes:
        for transition in about.visit.network.processes[name].transitions.values():
            if transition.bulk and not transition.auto and plain(rights.transition(name, transition.name)) != NEVER:
                yield name, transition
