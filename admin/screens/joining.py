"""Coming in with an invitation: its link leads here, once, to choose a password."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from admin.entering import browser, go_on, link_over
from admin.web import here, redirect, render
from models import accounts, invitations
from models.accounts import Refusal
from models.errors import InvalidError, NotFoundError
from models.passwords import SHORTEST


async def shown(request: Request) -> Response:
    """Ask for a password; looking at the page does not use the invitation up."""
    return await _page(request)


async def _page(request: Request, error: str = "") -> Response:
    visit, token = here(request), request.path_params["token"]
    now = visit.tenant.clock.now()
    try:
        invited = await visit.tenant.store.read(lambda tx: invitations.find(tx, token, now))
    except NotFoundError:
        return await link_over(request, invitation=True)
    status = 422 if error else 200
    return await render(
        request, "signin/join.html", status=status, bare=True, invited=invited, error=error, shortest=SHORTEST
    )


async def join(request: Request) -> Response:
    """Keep the password and let the member in."""
    visit, form = here(request), await request.form()
    password = form.get("password")
    password = password if isinstance(password, str) else ""
    try:
        invited = await invitations.accept(visit.tenant, request.path_params["token"], password)
    except NotFoundError:
        return await link_over(request, invitation=True)
    except InvalidError as error:
        return await _page(request, visit.words(error.fields["password"]))
    outcome = await accounts.sign_in(visit.tenant, invited.email, password, **browser(request))
    if isinstance(outcome, Refusal):
        return redirect(request, visit.url("sign-in"))
    return await go_on(request, outcome, visit.url())


routes: list[BaseRoute] = [
    Route("/join/{token}", shown, methods=["GET"]),
    Route("/join/{token}", join, methods=["POST"]),
]
