"""The members, for who runs the network: found, invited, given levels, suspended, assisted."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from admin.asked import text
from admin.entering import public_address
from admin.visit import Visit
from admin.web import here, redirect, render, say_on
from admin.wordings import worded
from definitions.text import Text
from models import delegations, invitations, pending, second_factor
from models.errors import InvalidError, NotFoundError, RefusedError
from models.message import Message, say
from models.tx import Tx
from workflows import leaving, offices, roster
from workflows.letters import Wording
from workflows.markdown import escape
from workflows.roster import Newcomer, Worded

STATES: dict[str, tuple[Message, str]] = {
    "active": (say("Active"), "green"),
    "invited": (say("Invited"), "blue"),
    "uninvited": (say("Without a password"), "grey"),
    "suspended": (say("Suspended"), "red"),
    "terminated": (say("Contract ended"), "red"),
    "inactive": (say("Inactive"), "grey"),
}
ASKED = ("first_name", "last_name", "email", "country", "language")
"""What is asked of who is invited, beside levels and sponsor."""
LONGEST = 2000
"""Letters of a search or of the place where a page begins."""


def _levels(visit: Visit) -> dict[str, str]:
    return {name: visit.words(level.label) for name, level in visit.network.levels.items() if name != "public"}


def _states(visit: Visit) -> dict[str, tuple[str, str]]:
    return {name: (visit.words(said), colour) for name, (said, colour) in STATES.items()}


async def shown(request: Request) -> Response:
    """List the members."""
    visit = here(request)
    q = request.query_params.get("q", "")[:LONGEST]
    after = request.query_params.get("after", "")[:LONGEST]
    found = await roster.page(visit.tenant, visit.actor, q, after or None)
    following = visit.url("members", q=q, after=found.next) if found.next else ""
    return await render(
        request,
        "members/list.html",
        found=found,
        q=q,
        following=following,
        levels=_levels(visit),
        states=_states(visit),
    )


async def show_invitation(request: Request) -> Response:
    """Ask whom to invite."""
    return await _invitation(request)


async def _invitation(
    request: Request, *, status: int = 200, form: FormData | None = None, error: InvalidError | None = None
) -> Response:
    visit = here(request)
    _require_leader(visit)
    fields = visit.network.entities["member"].fields
    asked = (*ASKED, "sponsor")
    given = {name: text(form, name) for name in asked} if form else dict.fromkeys(asked, "")
    given["language"] = given["language"] or visit.network.languages[0]
    return await render(
        request,
        "members/invite.html",
        status=status,
        given=given,
        chosen=_chosen(form) if form else (),
        levels=_levels(visit),
        labels={name: visit.words(fields[name].label) for name in ASKED},
        countries=[(code, visit.formats.country(code)) for code in visit.network.countries],
        errors={name: visit.words(said) for name, said in error.fields.items()} if error else {},
        sends=public_address(request) is not None,
        days=invitations.VALID.days,
    )


async def invite(request: Request) -> Response:
    """Take the member in and write to it."""
    visit, form = here(request), await request.form()
    values: dict[str, Any] = {name: said for name in ASKED if (said := text(form, name))}
    values["levels"] = _chosen(form)
    try:
        who = Newcomer(values, text(form, "sponsor"))
        member, _ = await roster.take_in(visit.tenant, visit.actor, who, _invited(request))
    except InvalidError as error:
        return await _invitation(request, status=422, form=form, error=error)
    said = say("{email} is invited.", email=values.get("email", ""))
    return say_on(request, redirect(request, visit.url("members", member)), said)


def _address(request: Request) -> str:
    """Return where links of mails lead; `RefusedError` where nobody has said what the server's address is."""
    address = public_address(request)
    if address is None:
        raise RefusedError(say("This server cannot write links: its public address is not set."))
    return address


def _told(visit: Visit, language: str, subject: Message, body: Message, **values: str) -> Wording:
    """Return a mail about the network: the places of its sentences are filled with its name and with the values."""
    name = visit.network.label
    named = Message(subject.text, {"network": str(name)})
    filled = Message(body.text, {"network": escape(visit.words(name)), **values})
    return worded(visit.network, language, named, filled)


def _invited(request: Request) -> Worded:
    """Return what makes the mail of an invitation."""
    visit, address, days = here(request), _address(request), str(invitations.VALID.days)
    subject = say("Your invitation to {network}")
    body = say(
        "You are invited to {network}. Choose a password here, and you are in: {link}\n\nThe link is good once, "
        "for {count} days."
    )
    return lambda token, language: _told(visit, language, subject, body, link=f"{address}join/{token}", count=days)


def _reset(request: Request) -> Worded:
    """Return what makes the mail with a link to a new password."""
    visit, address, minutes = here(request), _address(request), str(int(pending.VALID["reset"].total_seconds() // 60))
    subject = say("A new password for {network}")
    body = say(
        "Who runs {network} sends you this link, with which you choose a new password: {link}\n\nIt is good once, "
        "for {count} minutes."
    )
    to = f"{address}sign-in/reset/"
    return lambda token, language: _told(visit, language, subject, body, link=f"{to}{token}", count=minutes)


def _forgotten(request: Request) -> Callable[[str], Wording]:
    """Return what makes the mail that tells a member that its second factors hold no more."""
    visit = here(request)
    subject = say("Your second factors for {network} hold no more")
    body = say(
        "Who runs {network} has removed your authenticator app, passkeys and recovery codes: your password alone "
        "lets you in again, and all your devices are signed out.\n\nSet up a second factor again under *My "
        "account*, *Security*. If you did not ask for this, choose another password and write to who runs the "
        "network."
    )
    return lambda language: _told(visit, language, subject, body)


async def _forget_factors(request: Request, form: FormData, member: str) -> None:
    visit, password = here(request), form.get("password")
    said = password if isinstance(password, str) else ""
    await roster.forget_factors(visit.tenant, visit.actor, member, said, _forgotten(request))


def _require_leader(visit: Visit) -> None:
    if not visit.leads:
        raise NotFoundError


async def look(request: Request) -> Response:
    """Show one member and what can be done."""
    return await _member(request)


async def _member(
    request: Request, *, status: int = 200, errors: Mapping[str, Message | Text] | None = None, reason: str = ""
) -> Response:
    visit, member = here(request), request.path_params["member"]
    found = await roster.entry(visit.tenant, visit.actor, member)
    closed, factors = await visit.tenant.store.read(lambda tx: _marks(tx, member))
    return await render(
        request,
        "members/member.html",
        status=status,
        one=found,
        closed=closed,
        factors=factors,
        myself=member == visit.actor.id,
        levels=_levels(visit),
        states=_states(visit),
        recallable=found.standing is None or found.standing.recallable(visit.formats.now),
        errors={name: visit.words(said) for name, said in (errors or {}).items()},
        reason=reason,
    )


async def _marks(tx: Tx, member: str) -> tuple[bool, bool]:
    """Return whether the member closed its data to the leader, and whether it has a second factor."""
    return await delegations.is_closed(tx, member), await second_factor.has_any(tx, member)


@dataclass(frozen=True, slots=True)
class Deed:
    """What a button does to a member, and what is said then."""

    do: Callable[[Request, FormData, str], Awaitable[object]]
    said: Message


def _deed(work: Callable[[Visit, str], Awaitable[object]], said: Message) -> Deed:
    return Deed(lambda request, _, member: work(here(request), member), said)


DEEDS: Mapping[str, Deed] = {
    "levels": Deed(
        lambda request, form, member: roster.change_levels(
            here(request).tenant, here(request).actor, member, _chosen(form)
        ),
        say("The levels are changed."),
    ),
    "suspend": Deed(
        lambda request, form, member: leaving.suspend(
            here(request).tenant, here(request).actor, member, text(form, "reason")
        ),
        say("This member is suspended and signed out."),
    ),
    "resume": _deed(
        lambda visit, member: leaving.resume(visit.tenant, visit.actor, member), say("This member can sign in again.")
    ),
    "invite": Deed(
        lambda request, _, member: roster.invite_again(
            here(request).tenant, here(request).actor, member, _invited(request)
        ),
        say("The invitation is sent; earlier links hold no longer."),
    ),
    "withdraw": _deed(
        lambda visit, member: roster.withdraw(visit.tenant, visit.actor, member), say("The invitation is withdrawn.")
    ),
    "reset": Deed(
        lambda request, _, member: roster.send_reset(
            here(request).tenant, here(request).actor, member, _reset(request)
        ),
        say("A link to a new password is sent."),
    ),
    "forget-factors": Deed(_forget_factors, say("The second factors are forgotten, and the member is told.")),
    "sign-out": _deed(
        lambda visit, member: roster.sign_out(visit.tenant, visit.actor, member),
        say("This member is signed out everywhere."),
    ),
}


async def do(request: Request) -> Response:
    """Do one thing to a member; the button says which."""
    visit, form = here(request), await request.form()
    _require_leader(visit)
    deed, member = DEEDS.get(text(form, "do")), request.path_params["member"]
    if deed is None:
        raise NotFoundError
    try:
        await deed.do(request, form, member)
    except InvalidError as error:
        return await _member(request, status=422, errors=error.fields, reason=text(form, "reason"))
    return say_on(request, redirect(request, visit.url("members", member)), deed.said)


def _chosen(form: FormData) -> tuple[str, ...]:
    return tuple(level for level in form.getlist("levels") if isinstance(level, str))


async def assist(request: Request) -> Response:
    """Come into a member's office, to assist."""
    visit = here(request)
    if visit.session is None:
        raise NotFoundError
    await offices.assist(visit.tenant, visit.actor, visit.session, request.path_params["member"])
    return redirect(request, visit.url())


routes: list[BaseRoute] = [
    Route("/members", shown, methods=["GET"]),
    Route("/members/invite", show_invitation, methods=["GET"]),
    Route("/members/invite", invite, methods=["POST"]),
    Route("/members/{member}", look, methods=["GET"]),
    Route("/members/{member}", do, methods=["POST"]),
    Route("/members/{member}/office", assist, methods=["POST"]),
]
