"""Letting somebody in: what the browser brings along, the cookies that it takes away, and who is told of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TypedDict

from starlette.datastructures import URL
from starlette.requests import Request
from starlette.responses import Response

from admin.asked import inside
from admin.door import DEVICE_COOKIE, SESSION_COOKIE, STEP_COOKIE
from admin.visit import Visit, here
from admin.web import device, redirect, render
from admin.wordings import worded
from models.accounts import Entry, Halfway, SignedIn
from models.message import say
from models.passkeys import Site
from models.sessions import Session
from models.tries import Try
from workflows import letters
from workflows.markdown import escape

YEAR = 365 * 24 * 3600
PLACES: Mapping[str, tuple[str, ...]] = {"factor": ("sign-in", "factor"), "set_up": ("sign-in", "set-up")}
"""Where what is half done goes on."""
LOCAL = frozenset({"localhost", "127.0.0.1", "::1", "testserver"})
"""Hosts that only this machine is reached by: a link to them leads nobody elsewhere."""


class Browser(TypedDict):
    """What a browser brings along, as `accounts.sign_in` takes it."""

    ip: str | None
    agent: str
    previous: str | None
    device: str | None


def browser(request: Request) -> Browser:
    """Return what the browser of a request brings along."""
    return Browser(
        ip=request.client.host if request.client else None,
        agent=request.headers.get("user-agent", "")[:300],
        previous=request.cookies.get(SESSION_COOKIE),
        device=request.cookies.get(DEVICE_COOKIE),
    )


def entry(request: Request, email: str = "") -> Entry:
    """Return the same for a sign-in that begins without a password."""
    brought, tenant = browser(request), here(request).tenant
    attempt = Try(tenant.new_id(), email.strip().casefold()[:320], tenant.clock.now(), brought["ip"], brought["agent"])
    return Entry(attempt, brought["previous"], brought["device"])


def keep(request: Request, response: Response, name: str, value: str, age: int | None = None) -> None:
    """Give the browser a cookie of this network that no script reads; without an `age` (seconds) until it is closed."""
    secure = request.url.scheme == "https"
    response.set_cookie(
        name, value, max_age=age, path=here(request).url(), httponly=True, samesite="lax", secure=secure
    )


async def go_on(request: Request, outcome: SignedIn | Halfway, wanted: str) -> Response:
    """Lead on to the page that was wanted, or to the second step first."""
    visit = here(request)
    if isinstance(outcome, Halfway):
        response = redirect(request, visit.url(*PLACES[outcome.kind], next=wanted))
        keep(request, response, STEP_COOKIE, outcome.token)
        return response
    return await let_in(request, redirect(request, inside(visit, wanted)), outcome)


async def let_in(request: Request, response: Response, entered: SignedIn) -> Response:
    """Give the answer the cookies of the new session, and tell the member when the browser is a new one."""
    visit = here(request)
    if entered.strange:
        await _tell(visit, entered)
    keep(request, response, SESSION_COOKIE, entered.token)
    keep(request, response, DEVICE_COOKIE, entered.device, YEAR)
    if STEP_COOKIE in request.cookies:
        response.delete_cookie(STEP_COOKIE, path=visit.url())
    return response


def in_session(request: Request, session: Session) -> None:
    """Let the page that is made now be one of another session than the request's."""
    visit = here(request)
    request.state.visit = replace(visit, session=session, csrf=session.csrf)


async def _tell(visit: Visit, entered: SignedIn) -> None:
    """Write to a member that a browser signed in that never did before."""
    session, language = entered.session, entered.actor.language
    name = visit.network.label.pick(language, *visit.network.languages)
    body = say(
        "Somebody signed in to {network} as you, with a device that is new here: {device}, {when}, from the internet "
        "address {ip}.\n\nIf it was you, there is nothing to do. If not, change your password at once and sign that "
        "device out: both stand under *My account*.",
        network=escape(name),
        device=escape(device(session.agent)),
        when=replace(visit.formats, language=language).datetime(session.created_at),
        ip=escape(session.ip or "–"),
    )
    subject = say("A new device signed in to {network}", network=name)
    recipient = str((entered.actor.member or {}).get("email") or "")
    await letters.tell(visit.tenant, session.member, recipient, worded(visit.network, language, subject, body))


async def link_over(request: Request, *, invitation: bool = False) -> Response:
    """Say that a link of a mail is no longer good, and how to come by another: the same for one that never was any."""
    resets = public_address(request) is not None
    return await render(request, "signin/gone.html", status=404, bare=True, invitation=invitation, resets=resets)


def site(request: Request) -> Site:
    """Return the host that passkeys are bound to: the installation's public address, else the one that was asked."""
    url = URL(request.app.state.networks.settings.public_url or str(request.url))
    return Site(url.hostname or "", f"{url.scheme}://{url.netloc}")


def origin(request: Request) -> str:
    """Return the installation's public address, else the one that was asked: for who reads the page, not for mails."""
    return request.app.state.networks.settings.public_url or f"{request.url.scheme}://{request.url.netloc}"


def public_address(request: Request) -> str | None:
    """Return the network's address for links in mails; None where nobody has said what it is.

    What a request says about the host is not believed: a link to somebody else's could be made with it.
    """
    public = request.app.state.networks.settings.public_url
    if public is not None:
        return f"{public}{here(request).url()}"
    url = request.url
    return f"{url.scheme}://{url.netloc}{here(request).url()}" if url.hostname in LOCAL else None
