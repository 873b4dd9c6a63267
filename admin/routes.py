"""All addresses, in one place."""

from __future__ import annotations

from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from admin import generated
from admin.api import mount as api
from admin.assets import Assets
from admin.faults import outside
from admin.headers import STYLED_CONTENT_POLICY, SecurityHeaders
from admin.i18n import catalogue, languages, preferred
from admin.networks import Networks
from admin.operations.probes import Probes
from admin.piccolo.mount import BackOffice
from admin.screens import (
    account,
    approvals,
    audit,
    definitions,
    federation,
    home,
    inlets,
    jobs,
    joining,
    keeping,
    members,
    notices,
    offices,
    outbox,
    reasons,
    reference,
    runs,
    second_step,
    security,
    service,
    settings,
    signin,
    studio,
    tasks,
    tokens,
    tree,
    unsubscribe,
)
from admin.visit import address
from admin.web import environment
from models.store import StoreError

SHELL: tuple[BaseRoute, ...] = (
    *signin.routes,
    *second_step.routes,
    *security.routes,
    *joining.routes,
    *home.routes,
    *tasks.routes,
    *approvals.routes,
    *outbox.routes,
    *account.routes,
    *audit.routes,
    *studio.routes,
    *keeping.routes,
    *definitions.routes,
    *settings.routes,
    *service.routes,
    *reasons.routes,
    *jobs.routes,
    *runs.routes,
    *tokens.routes,
    *federation.routes,
    *offices.routes,
    *members.routes,
    *tree.routes,
    *inlets.routes,
    *notices.routes,
    *unsubscribe.routes,
    *reference.routes,
)


def routes(networks: Networks, probes: Probes) -> list[BaseRoute]:
    """Return the routes of the application."""
    back_office = Mount(
        "/back-office", app=BackOffice(), middleware=[Middleware(SecurityHeaders, policy=STYLED_CONTENT_POLICY)]
    )

    async def choice(request: Request) -> Response:
        """Lead to the only network, or let people choose."""
        names = await networks.names()
        if len(names) == 1:
            return RedirectResponse(address(names[0]), status_code=307)
        if not names:
            return outside(request, 404)
        language = preferred(request.headers.get("accept-language", ""), languages()) or "en"
        links = [(address(name), await _label(networks, name, language)) for name in names]
        page = environment.get_template("home/choice.html")
        return HTMLResponse(page.render(links=links, language=language, _=catalogue(language).gettext))

    return [
        Route("/", choice),
        *probes.routes,
        Mount("/static", Assets()),
        Mount("/n/{network}", routes=[api.mount(), *SHELL, *generated.ROUTES, back_office]),
    ]


async def _label(networks: Networks, name: str, language: str) -> str:
    try:
        tenant = await networks.get(name)
    except StoreError:
        return name
    if tenant is None:
        return name
    network = tenant.published.network
    return network.label.pick(language, *network.languages)
