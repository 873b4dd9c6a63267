"""How long records are kept, and which are going to be erased when: for who runs the network."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from admin.parts.reader import Reader
from admin.parts.shown import duration
from admin.visit import Visit
from admin.web import here, render
from models.message import say
from workflows.expected import LISTED, Kind, expected
from workflows.terms import ACTIVITY
from workflows.unit import read


async def listed(request: Request) -> Response:
    """Show the times, and the records whose time is over soon."""
    visit = here(request)
    given = request.query_params.get("offset", "")
    offset = int(given) if given.isascii() and given.isdigit() and len(given) < 8 else 0
    found = await read(visit.tenant, visit.actor, lambda unit: expected(unit, offset))
    return await render(
        request,
        "definitions/retention.html",
        kinds=[(kind, _label(visit, kind.entity), _kept(visit, kind)) for kind in found.kinds],
        records=[(entry, _label(visit, entry["entity"])) for entry in found.records],
        later=offset + LISTED if found.more else None,
    )


def _label(visit: Visit, entity: str) -> str:
    return visit.words(visit.network.entities[entity].label) if entity in visit.network.entities else entity


def _kept(visit: Visit, kind: Kind) -> str:
    """Return how long a kind of record is kept, in words."""
    if kind.after is None:
        return visit.words(say("Kept for ever"))
    reader = Reader(visit.network, visit.formats)
    field = visit.network.entities[kind.entity].fields.get(kind.since)
    since = visit.words(say("the last activity")) if kind.since == ACTIVITY else kind.since
    named = since if field is None else visit.words(field.label)
    after = visit.words(say("{span} after {field}", span=duration(kind.after, reader), field=named))
    if kind.warn is None:
        return after
    return visit.words(say("{after}, announced {span} before", after=after, span=duration(kind.warn, reader)))


routes: list[BaseRoute] = [Route("/definitions/retention", listed, methods=["GET"])]
