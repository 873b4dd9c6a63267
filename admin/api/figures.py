"""Statistics, and who the caller is."""

from __future__ import annotations

from typing import Any

from admin.api.call import Answer, Call
from admin.api.values import moment, texts
from definitions.spec.screen import Statistic
from models.errors import NotFoundError
from models.statistics import compute
from workflows.unit import Unit


async def statistics(call: Call) -> Answer:
    """List the statistics that the caller may see."""

    async def work(unit: Unit) -> Answer:
        found = call.horizon(unit).statistics.values()
        return Answer({"items": [described(each, unit.network.languages) for each in found]})

    return await call.read(work)


def described(statistic: Statistic, languages: tuple[str, ...]) -> dict[str, Any]:
    """Return what a statistic is."""
    return {
        "name": statistic.name,
        "label": texts(statistic.label, languages),
        "entity": statistic.entity,
        "measure": statistic.measure,
        "by": [expression.text for expression in statistic.by],
    }


async def statistic(call: Call) -> Answer:
    """Compute one statistic over the records that the caller may read."""

    async def work(unit: Unit) -> Answer:
        found = call.horizon(unit).statistics.get(call.request.path_params["statistic"])
        if found is None:
            raise NotFoundError
        result = await compute(unit.records, found)
        rows = [
            {"group": list(row.group), "value": row.value, "count": row.count, "merged": row.merged}
            for row in result.rows
        ]
        return Answer({**described(found, unit.network.languages), "rows": rows})

    return await call.read(work)


async def me(call: Call) -> Answer:
    """Say who calls, with which rights and until when."""

    async def work(unit: Unit) -> Answer:
        member, token = unit.actor.member or {}, call.token
        body = {
            "id": unit.actor.id,
            "name": member.get("name"),
            "email": member.get("email"),
            "language": unit.actor.language,
            "levels": list(unit.actor.levels),
            "functions": sorted(unit.published.access.functions(unit.actor)),
            "administers": unit.published.access.administers(unit.actor),
            "network": {"name": call.tenant.name, "label": texts(unit.network.label, unit.network.languages)},
            "token": None if token is None else {"name": token.name, "expires_at": moment(token.expires_at)},
        }
        return Answer(body)

    return await call.read(work)
