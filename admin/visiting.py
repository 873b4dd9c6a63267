"""In somebody else's office: which pages there are, and what happens when one may not be there any more."""

from __future__ import annotations

from dataclasses import replace

from starlette.requests import Request
from starlette.responses import Response

from admin import faults
from admin.visit import Visit
from admin.web import redirect, say_on
from models import terms
from models.message import say
from models.tenant import Tenant
from workflows import offices

PAGES = frozenset({"", "e", "tasks", "approvals", "outbox", "jobs", "search", "menu", "tree"})
"""What an office has for who acts in it: the member's work. Account, terms and administration are not among it."""
ALWAYS = frozenset({"office", "sign-out", "theme", "theme.css", "icon.svg", "language", "hooks", "unsubscribe"})
"""What every session has."""


async def entered(visit: Visit, request: Request) -> Visit:
    """Return the visit as it is in the office that its session is in, with the rights of this moment."""
    if visit.session is None or visit.session.acting is None:
        return visit
    ip = request.client.host if request.client else None
    office = await offices.of_session(visit.tenant, visit.session, ip)
    return visit if office is None else replace(visit, office=office, actor=office.actor)


async def stopped(visit: Visit, request: Request, page: str) -> Response | None:
    """Return what is said instead of a page: that the office is not open any more, or that it has no such page."""
    if visit.session is None or visit.session.acting is None or page in ALWAYS:
        return None
    if visit.office is None:
        await offices.leave(visit.tenant, visit.session)
        said = say("You are back in your own office: the other is closed.")
        return say_on(request, redirect(request, visit.url()), said)
    if page not in PAGES:
        said = say("This is for the member alone. Leave this office first.")
        return await faults.page(request, 403, visit.words(said))
    if await _owes_terms(visit.tenant, visit):
        await offices.leave(visit.tenant, visit.session)
        said = say("You are back in your own office: terms have to be accepted first.")
        return say_on(request, redirect(request, visit.url()), said)
    return None


async def _owes_terms(tenant: Tenant, visit: Visit) -> bool:
    """Whether the office's member, or who acts there, has terms to accept: nobody accepts them for somebody else."""
    office = visit.office
    return office is not None and any([await terms.open_terms(tenant, one) for one in (office.actor, office.real)])
