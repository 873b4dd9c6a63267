"""What an address below `/n/<network>/e/` speaks about, and how its records are read."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from starlette.requests import Request

from admin import navigation
from admin.parts.columns import SYSTEM_COLUMNS, Column, column
from admin.parts.reader import Reader
from admin.visit import Visit, here
from definitions.problems import NOWHERE
from definitions.spec.entity import Entity
from definitions.spec.screen import Board, Screen
from models import titles
from models.errors import NotFoundError
from models.query import Query
from models.records import Records
from models.tx import Tx

T = TypeVar("T")
MOST_OPTIONS = 100
"""How many records a reference offers before one searches."""


@dataclass(frozen=True, slots=True)
class Subject:
    """An entity as a visitor may see it."""

    visit: Visit
    entity: Entity
    screen: Screen
    reader: Reader

    @property
    def label(self) -> str:
        """The entity's name for people."""
        return self.reader.words(self.entity.label)

    @property
    def plural(self) -> str:
        """What several records are called."""
        return self.reader.words(self.entity.many)

    @property
    def base(self) -> str:
        """Where entities have their addresses: `/n/demo/e`."""
        return self.visit.url("e")

    def url(self, *parts: str, **query: str | int | None) -> str:
        """Return an address of this entity: `url(id, "edit")`; `url("")` is the list."""
        return self.visit.url("e", self.entity.name, *parts, **query)

    def column(self, name: str) -> Column | None:
        """Return what a name means on the entity; None when it means nothing or the visitor never sees it."""
        return self._columns.get(name)

    def columns(self, names: Iterable[str]) -> tuple[Column, ...]:
        """Return the columns of those names that the visitor may see."""
        found = (self.column(name) for name in names)
        return tuple(each for each in found if each is not None)

    @property
    def _columns(self) -> Mapping[str, Column]:
        return self.once("columns", self._all_columns)

    def _all_columns(self) -> Mapping[str, Column]:
        access, actor = self.visit.tenant.published.access, self.visit.actor
        readable = (
            name
            for name in (*self.entity.fields, *self.entity.processes, *SYSTEM_COLUMNS)
            if access.may_field(actor, self.entity.name, name, "read")
        )
        found = ((name, column(self.reader, self.entity, name)) for name in readable)
        return {name: each for name, each in found if each is not None}

    def once(self, what: str, make: Callable[[], T]) -> T:
        """Return what all visitors of this kind share about the entity; the first time, make it (see `admin.kept`)."""
        return self.visit.kept.once((what, self.entity.name), make)

    def may(self, action: str) -> bool:
        """Whether the visitor may create, update or delete any record of the entity."""
        access = self.visit.tenant.published.access
        match action:
            case "create" | "update" | "delete":
                return access.may(self.visit.actor, action, self.entity.name)
            case _:
                raise ValueError(action)

    @property
    def boards(self) -> tuple[Board, ...]:
        """The boards of the entity: those of the screen, and one for each process that has none there."""
        return self.once("boards", self._boards)

    def _boards(self) -> tuple[Board, ...]:
        given = {board.process: board for board in self.screen.boards}
        fields = tuple(name for name in self.screen.columns if name not in self.entity.processes)
        made = (given.get(name) or Board(name, fields[:4], NOWHERE) for name in self.entity.processes)
        return tuple(board for board in made if self.column(board.process) is not None)

    @property
    def sees_others(self) -> bool:
        """Whether a level of the visitor reaches beyond the own records: only then who follows one is news."""
        return self.once("sees others", self._sees_others)

    def _sees_others(self) -> bool:
        for name in self.visit.actor.levels:
            level = self.visit.network.levels.get(name)
            rights = level.entities.get(self.entity.name) if level else None
            if level and (level.everything or (rights and rights.read.reach not in ("mine", "none"))):
                return True
        return False


def subject(request: Request) -> Subject:
    """Return what the request is about. `NotFoundError` when the visitor may read no record of such a kind."""
    visit = here(request)
    entity = visit.network.entities.get(request.path_params["entity"])
    if entity is None:
        raise NotFoundError
    return subject_of(visit, entity)


def subject_of(visit: Visit, entity: Entity) -> Subject:
    """Return an entity for the visitor; `NotFoundError` like `subject`."""
    if not visit.tenant.published.access.may(visit.actor, "read", entity.name):
        raise NotFoundError
    screen = visit.kept.once(("screen", entity.name), lambda: _screen_of(visit, entity))
    return Subject(visit, entity, screen, Reader(visit.network, visit.formats))


def _screen_of(visit: Visit, entity: Entity) -> Screen:
    named = (each for each in navigation.screens(visit) if each.entity == entity.name)
    drawn = (each for each in visit.network.screens.values() if each.entity == entity.name and each.generated)
    return next(named, None) or next(drawn, None) or _plain_screen(entity)


def _plain_screen(entity: Entity) -> Screen:
    names = (*entity.fields, *entity.processes)
    return Screen(entity.name, entity.name, NOWHERE, names[:6], generated=True)


async def reading(visit: Visit, work: Callable[[Records], Awaitable[T]]) -> T:
    """Do some reading as the visitor, in one transaction."""
    tenant = visit.tenant

    async def within(tx: Tx) -> T:
        return await work(Records(tenant.published, tx, visit.actor, tenant.context(), new_id=tenant.new_id))

    return await tenant.store.read(within)


def title_fields(entity: Entity) -> frozenset[str]:
    """Return the fields that the entity's title is made of; for a computed one also those that it is made of."""
    names = set(titles.title_fields(entity))
    for name in tuple(names & entity.fields.keys()):
        compute = entity.fields[name].compute
        reads = compute.expression.reads if compute and compute.expression else ()
        names.update(path[1] for path in reads if path[0] == "record" and len(path) > 1)
    return frozenset(names)


async def offered(records: Records, entity: str) -> dict[str, str]:
    """Return the first records of an entity by id, for a reference to choose from."""
    page = await records.list(entity, Query(limit=MOST_OPTIONS))
    return dict(sorted(((record.id, record.title) for record in page.records), key=lambda pair: pair[1].casefold()))
