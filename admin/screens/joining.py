"""Coming in with an invitation: its link leads here, once, to choose a password."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from admin.entering import browser, go_on
from admin.screens.password_links import PasswordLink
from admin.web import here, redirect
from models import accounts, invitations
from models.accounts import Refusal
from models.invitations import Invited


async def _let_in(request: Request, invited: Invited, password: str) -> Response:
    visit = here(request)
    outcome = await accounts.sign_in(visit.tenant, invited.email, password, **browser(request))
    if isinstance(outcome, Refusal):
        return redirect(request, visit.url("sign-in"))
    return await go_on(request, outcome, visit.url())


routes: list[BaseRoute] = PasswordLink(
    "/join/{token}", "signin/join.html", invitations.find, invitations.accept, _let_in, invitation=True
).routes
