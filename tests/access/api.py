"""Every address of the API, and what compares it with the reference."""

from __future__ import annotations

from collections.abc import Mapping

from tests.access.acting import changes, creations, gifts, moves, removals, words
from tests.access.asking import (
    Check,
    attached,
    caller,
    counts,
    descriptions,
    figures,
    filters,
    lists,
    orders,
    own_notices,
    own_tasks,
    requested,
    ruling,
    searches,
    single,
)

DOORS: Mapping[str, tuple[Check, ...]] = {
    "/entities/{entity}": (lists, orders, filters, searches, creations),
    "/entities/{entity}/bulk": (creations,),
    "/entities/{entity}/bulk/{process}/{transition}": (moves,),
    "/entities/{entity}/{id}": (single, changes, gifts, removals),
    "/entities/{entity}/{id}/transitions": (single,),
    "/entities/{entity}/{id}/transitions/{process}/{transition}": (moves,),
    "/entities/{entity}/{id}/undo/{history}": (words,),
    "/entities/{entity}/{id}/history": (single,),
    "/entities/{entity}/{id}/notes": (words,),
    "/entities/{entity}/{id}/tasks": (single,),
    "/entities/{entity}/{id}/files/{field}": (attached,),
    "/entities/{entity}/{id}/history/{history}/files/{field}": (attached,),
    "/uploads": (attached,),
    "/me": (caller,),
    "/definitions": (ruling,),
    "/definitions/check": (ruling,),
    "/definitions/plan": (ruling,),
    "/definitions/simulate": (ruling,),
    "/definitions/versions": (ruling,),
    "/definitions/versions/{version}": (ruling,),
    "/definitions/versions/{version}/roll-back": (ruling,),
    "/settings": (ruling,),
    "/runs": (ruling,),
    "/runs/{run}": (ruling,),
    "/runs/{run}/retry": (ruling,),
    "/runs/{run}/skip": (ruling,),
    "/runs/{run}/cancel": (ruling,),
    "/reasons": (ruling,),
    "/openapi.json": (descriptions,),
    "/statistics": (figures,),
    "/statistics/{statistic}": (figures,),
    "/tasks": (own_tasks, words),
    "/tasks/{task}/done": (own_tasks,),
    "/tasks/{task}/reopen": (own_tasks,),
    "/approvals": (requested,),
    "/approvals/{asked}/grant": (requested,),
    "/approvals/{asked}/refuse": (requested,),
    "/approvals/{asked}/withdraw": (requested,),
    "/notices": (own_notices,),
    "/notices/read": (own_notices,),
    "/notices/{notice}/read": (own_notices,),
}
CHECKS: tuple[Check, ...] = (*dict.fromkeys(check for checks in DOORS.values() for check in checks), counts)
