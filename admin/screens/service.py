"""How well this installation serves, for who administers a network: what is measured beside the published targets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from admin.web import here, render
from models.errors import NotFoundError
from models.hours import TARGETS, Service, service
from models.message import Message, say

SHARES: Mapping[str, Message] = {
    "half": say("Calls of the API answered within 0.5 s"),
    "second": say("Calls of the API answered within 1 s"),
    "available": say("Minutes in which it served"),
}
"""What the targets are about."""


@dataclass(frozen=True, slots=True)
class Line:
    """A share and its target, in words; `met` is None before anything is measured."""

    label: str
    share: str
    target: str
    met: bool | None


async def shown(request: Request) -> Response:
    """Show what is measured of the last 30 days."""
    visit = here(request)
    if not visit.leads:
        raise NotFoundError
    hours, now = request.app.state.hours, visit.tenant.clock.now()
    found = Service(now) if hours is None else await service(hours, now)
    lines = []
    for name, target in TARGETS.items():
        share = found.shares[name]
        met = None if share is None else share >= target
        label = visit.words(SHARES[name])
        lines.append(Line(label, visit.formats.percent(share), visit.formats.percent(target), met))
    return await render(request, "settings/service.html", found=found, lines=lines, api=found.kinds.get("api"))


routes: list[BaseRoute] = [Route("/service", shown, methods=["GET"])]
