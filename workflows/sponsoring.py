"""The sponsor tree as somebody sees it: a branch at a time, with how many stand below; and moving branches."""

from __future__ import annotations

from dataclasses import dataclass

from models.actor import Actor
from models.errors import InvalidError, NotFoundError
from models.members import readable_below, with_email
from models.message import say
from models.query import Filter, Query
from models.record import Record
from models.tenant import Tenant
from workflows import changes
from workflows.unit import Unit, read, write

MEMBER = "member"
PAGE = 50
FOUND = 20
"""So many members a search shows."""


@dataclass(frozen=True, slots=True)
class Branch:
    """A member in the tree, with how many of those below it the reader may see."""

    record: Record
    below: int

    @property
    def active(self) -> bool:
        """Whether the member is active."""
        return bool(self.record.full.get("active"))


@dataclass(frozen=True, slots=True)
class View:
    """A part of the tree: `at` is whose branch it is (None: all that begin it), `line` the sponsors seen above."""

    at: Branch | None
    line: tuple[Record, ...]
    children: tuple[Branch, ...]
    next: str | None
    moves: bool
    found: tuple[Record, ...] = ()


async def view(tenant: Tenant, actor: Actor, at: str = "", q: str = "", cursor: str | None = None) -> View:
    """Return a branch: the one of `at`, else the actor's own, else (for who runs the network) where the tree begins."""

    async def work(unit: Unit) -> View:
        if not unit.published.access.may(unit.actor, "read", MEMBER):
            raise NotFoundError
        leads = unit.published.access.administers(unit.actor)
        start = at or ("" if leads else unit.actor.id or "")
        node = await _node(unit, start, own=not at) if start else None
        where = Filter("sponsor", "any_of", [start]) if start else Filter("sponsor", "empty")
        page = await unit.records.list(MEMBER, Query(filters=(where,), sort="name", limit=PAGE, cursor=cursor))
        return View(
            None if node is None else await _branch(unit, node),
            () if node is None else await _line(unit, node),
            tuple([await _branch(unit, each) for each in page.records]),
            page.next,
            node is not None and "sponsor" in node.writable,
            await _search(unit, q),
        )

    return await read(tenant, actor, work)


async def _node(unit: Unit, member: str, *, own: bool) -> Record | None:
    """Return whose branch it is; nobody where somebody may not read the own record."""
    try:
        return await unit.records.get(MEMBER, member)
    except NotFoundError:
        if own:
            return None
        raise


async def _branch(unit: Unit, record: Record) -> Branch:
    return Branch(record, await readable_below(unit.records, str(record.full["_path"])))


async def _line(unit: Unit, node: Record) -> tuple[Record, ...]:
    """Return the sponsors above that the actor may read, the highest first."""
    above = str(node.full["_path"]).strip("/").split("/")[:-1]
    if not above:
        return ()
    wanted = Filter("id", "any_of", above)
    found = await unit.records.list(MEMBER, Query(filters=(wanted,), limit=len(above)))
    return tuple(sorted(found.records, key=lambda each: above.index(each.id)))


async def _search(unit: Unit, q: str) -> tuple[Record, ...]:
    if not q.strip():
        return ()
    return tuple((await unit.records.list(MEMBER, Query(q=q, sort="name", limit=FOUND))).records)


async def move(tenant: Tenant, actor: Actor, member: str, sponsor: str) -> None:
    """Put a member with everybody below under the member with the e-mail `sponsor` ("" for nobody).

    `InvalidError` when that is in the own branch, or nobody whom the actor may see; two at once wait for each other.
    """

    async def work(unit: Unit) -> None:
        await unit.records.get(MEMBER, member)
        above = None if not sponsor else await _sponsor(unit, sponsor)
        await changes.update(unit, MEMBER, member, None, {"sponsor": above})

    await write(tenant, actor, work)


async def _sponsor(unit: Unit, email: str) -> str:
    found = await with_email(unit.tx, email)
    wanted = Filter("id", "any_of", [found or ""])
    if found is None or not (await unit.records.list(MEMBER, Query(filters=(wanted,), limit=1))).records:
        raise InvalidError({"sponsor": say("Nobody whom you may see here has this e-mail address.")})
    return found
