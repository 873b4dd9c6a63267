"""The outbox: every mail that left, waits or failed, with what it says and what can be done about it."""

from __future__ import annotations

from typing import get_args

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from admin.visit import Visit
from admin.web import here, redirect, render, say_on
from models.message import Message, say
from workflows import commands, mails
from workflows.mails import Mail, State

STATES: dict[State, tuple[Message, str]] = {
    "waiting": (say("Waiting"), "amber"),
    "sending": (say("Being sent"), "blue"),
    "sent": (say("Sent"), "green"),
    "failed": (say("Failed"), "red"),
    "unknown": (say("Sent or not: unknown"), "violet"),
    "cancelled": (say("Cancelled"), "grey"),
}
"""What people call the states, and their colours."""


async def listed(request: Request) -> Response:
    """Show the mails, newest first."""
    visit = here(request)
    wanted = request.query_params.get("state", "")
    state = next((name for name in get_args(State) if name == wanted), None)
    before = request.query_params.get("before")
    page = await mails.mails(visit.tenant, visit.actor, state=state, before=before)
    return await render(
        request,
        "outbox/outbox.html",
        page=page,
        state=state,
        states=_words(visit),
        days=[(mail, visit.formats.due(mail.sent_at or mail.at)) for mail in page.mails],
        sends=_sends(request),
        texts=_texts(request),
        total=sum(page.counts.values()),
    )


async def shown(request: Request) -> Response:
    """Show one mail as text."""
    visit = here(request)
    mail = await mails.mail(visit.tenant, visit.actor, request.path_params["mail"])
    record = visit.url("e", mail.entity, mail.record) if mail.entity and mail.record else ""
    return await render(
        request,
        "outbox/mail.html",
        mail=mail,
        states=_words(visit),
        written_from=_template(visit, mail),
        record=record,
        sends=_texts(request) if mail.channel == "sms" else _sends(request),
        held=mail.state == "waiting" and mail.hold_until is not None and mail.hold_until > visit.formats.now,
    )


def _template(visit: Visit, mail: Mail) -> str:
    found = visit.network.templates.get(mail.template)
    return visit.words(found.label) if found else ""


async def retry(request: Request) -> Response:
    """Send a mail once more."""
    visit, mail = here(request), request.path_params["mail"]
    await commands.retry_mail(visit.tenant, visit.actor, mail)
    return say_on(request, redirect(request, visit.url("outbox", mail)), say("The e-mail will be sent again."))


async def cancel(request: Request) -> Response:
    """Keep a mail from being sent."""
    visit, mail = here(request), request.path_params["mail"]
    await commands.cancel_mail(visit.tenant, visit.actor, mail)
    return say_on(request, redirect(request, visit.url("outbox", mail)), say("The e-mail will not be sent."))


def _words(visit: Visit) -> dict[str, tuple[str, str]]:
    return {name: (visit.words(label), colour) for name, (label, colour) in STATES.items()}


def _sends(request: Request) -> bool:
    """Whether this server has a way out for mail."""
    return request.app.state.networks.transport is not None


def _texts(request: Request) -> bool:
    """Whether this server has a way out for text messages."""
    return request.app.state.networks.texts is not None


routes: list[BaseRoute] = [
    Route("/outbox", listed),
    Route("/outbox/{mail}", shown),
    Route("/outbox/{mail}/retry", retry, methods=["POST"]),
    Route("/outbox/{mail}/cancel", cancel, methods=["POST"]),
]
