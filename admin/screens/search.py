"""The search of the command palette: records of every kind that the visitor may read, as JSON."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from admin.visit import here
from definitions.spec.entity import Entity
from models.query import Query
from models.records import Records
from models.tx import Tx

EACH = 5
"""How many records of a kind are shown."""


async def search(request: Request) -> Response:
    """Answer with the records in which all the words are found, a few of each kind."""
    visit = here(request)
    words = request.query_params.get("q", "").strip()[:200]
    tenant, access = visit.tenant, visit.tenant.published.access
    kinds = [
        entity
        for entity in visit.network.entities.values()
        if entity.search and access.may(visit.actor, "read", entity.name)
    ]

    async def work(tx: Tx) -> list[dict[str, str]]:
        records = Records(tenant.published, tx, visit.actor, tenant.context(), new_id=tenant.new_id)
        return [found for entity in kinds for found in await _found(records, entity)]

    async def _found(records: Records, entity: Entity) -> list[dict[str, str]]:
        page = await records.list(entity.name, Query(q=words, sort="-last_activity_at", limit=EACH))
        label = visit.words(entity.label)
        return [
            {"title": record.title, "url": visit.url("e", entity.name, record.id), "label": label}
            for record in page.records
        ]

    results = await tenant.store.read(work) if words else []
    return JSONResponse({"results": results})


routes = [Route("/search", search, name="search")]
