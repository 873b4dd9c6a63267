"""What is going to be erased and when, for who runs the network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from definitions.duration import Duration
from models.errors import NotFoundError
from models.query import Query
from models.tx import Row
from workflows import registers
from workflows.registers import Entry
from workflows.registry import REGISTERS
from workflows.stored import read_moment
from workflows.terms import terms
from workflows.unit import Unit

LISTED = 50
"""So many records stand on a page."""
_NONE: Row = ("", 0, 0, None)
_COUNTS = """SELECT "entity", count(*), sum(CASE WHEN "state" = 'waiting' THEN 0 ELSE 1 END), min("erase_at")
FROM "_retention" GROUP BY "entity" """


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of record: kept `after` since a field (None: for ever); how many are due soon, and cannot be erased.

    `first` is when the first of them goes.
    """

    entity: str
    since: str = ""
    after: Duration | None = None
    warn: Duration | None = None
    announced: int = 0
    blocked: int = 0
    first: datetime | None = None


@dataclass(frozen=True, slots=True)
class Expected:
    """Every kind of record, and a page of those that are announced, the first to go first."""

    kinds: tuple[Kind, ...]
    records: tuple[Entry, ...]
    more: bool


async def expected(unit: Unit, offset: int = 0) -> Expected:
    """Return what is going to be erased; `NotFoundError` for who does not run the network.

    Records that the reader may not see are counted and not named.
    """
    if not unit.published.access.administers(unit.actor):
        raise NotFoundError
    counts = {row[0]: row for row in await unit.tx.rows(_COUNTS)}
    found = await _kinds(unit, counts)
    query = Query(sort="erase_at", limit=LISTED + 1, offset=offset)
    records = await registers.page(unit, REGISTERS["retention"], query)
    return Expected(found, tuple(records[:LISTED]), len(records) > LISTED)


async def _kinds(unit: Unit, counts: Mapping[str, Row]) -> tuple[Kind, ...]:
    known, found = await terms(unit), []
    for entity in unit.network.entities.values():
        term, (_, announced, blocked, first) = known.get(entity.name), counts.get(entity.name, _NONE)
        rest = (announced, blocked, read_moment(first))
        if term is None:
            found.append(Kind(entity.name, "", None, None, *rest))
        else:
            found.append(Kind(entity.name, term.since, term.after, term.warn, *rest))
    return tuple(found)
