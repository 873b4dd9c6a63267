"""My account: who I am here, how pages look, and where I am signed in."""

from __future__ import annotations

from dataclasses import replace

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from admin.asked import text
from admin.visit import THEMES, Visit
from admin.web import here, redirect, render, say_on
from models import accounts
from models.errors import InvalidError, NotFoundError
from models.message import Message, say
from models.record import Record
from models.records import Records
from models.tx import Tx
from workflows import commands

OWN = ("first_name", "last_name", "phone")
"""What members may change about themselves where their levels let them (the e-mail is the name to sign in with)."""
THEME_NAMES: dict[str, Message] = {"auto": say("Like the system"), "light": say("Light"), "dark": say("Dark")}


async def _me(visit: Visit) -> Record:
    member = visit.actor.id
    if member is None:
        raise NotFoundError
    tenant = visit.tenant
    itself = replace(visit.actor, kind="system")

    async def work(tx: Tx) -> Record:
        records = Records(tenant.published, tx, itself, tenant.context(), new_id=tenant.new_id)
        return await records.get("member", member)

    return await tenant.store.read(work)


def _writable(visit: Visit) -> tuple[str, ...]:
    access = visit.tenant.published.access
    if not access.may(visit.actor, "update", "member"):
        return ()
    return tuple(name for name in OWN if access.may_field(visit.actor, "member", name, "write"))


async def shown(request: Request) -> Response:
    """Show the account."""
    return await _page(request)


async def _page(
    request: Request, *, status: int = 200, form: FormData | None = None, error: InvalidError | None = None
) -> Response:
    visit = here(request)
    me = await _me(visit)
    values = {name: text(form, name) if form and name in form else me.values.get(name) or "" for name in OWN}
    member = visit.network.entities["member"]
    return await render(
        request,
        "account/account.html",
        status=status,
        me=me,
        values=values,
        errors={name: visit.words(said) for name, said in error.fields.items()} if error else {},
        labels={name: visit.words(member.fields[name].label) for name in OWN if name in member.fields},
        writable=_writable(visit),
        levels=[visit.words(visit.network.levels[name].label) for name in visit.actor.levels],
        themes=[(name, visit.words(THEME_NAMES[name])) for name in THEMES],
        sessions=await accounts.sessions(visit.tenant, me.id),
    )


async def save(request: Request) -> Response:
    """Change the own name or phone, as the levels allow; and the language, which is everybody's own."""
    visit, form = here(request), await request.form()
    me = await _me(visit)
    said = {name: text(form, name) for name in _writable(visit) if name in form}
    changes = {name: value or None for name, value in said.items() if value != (me.values.get(name) or "")}
    language = text(form, "language")
    try:
        if changes:
            change = await commands.update(visit.tenant, visit.actor, "member", me.id, me.version, changes)
            me = change.after
        if language in visit.network.languages and language != me.values.get("language"):
            itself = replace(visit.actor, kind="system")
            await commands.update(visit.tenant, itself, "member", me.id, me.version, {"language": language})
    except InvalidError as error:
        return await _page(request, status=422, form=form, error=error)
    return say_on(request, redirect(request, visit.url("account")), say("Your account is saved."))


async def end_session(request: Request) -> Response:
    """Sign another device out (or all others)."""
    visit, form = here(request), await request.form()
    if visit.actor.id is None or visit.session is None:
        raise NotFoundError
    wanted = text(form, "session")
    for session in await accounts.sessions(visit.tenant, visit.actor.id):
        if session.id == wanted or (wanted == "others" and session.id != visit.session.id):
            await accounts.revoke(visit.tenant, visit.actor.id, session.id)
    return say_on(request, redirect(request, visit.url("account")), say("The session is ended."))


routes: list[BaseRoute] = [
    Route("/account", shown, methods=["GET"]),
    Route("/account", save, methods=["POST"]),
    Route("/account/sessions", end_session, methods=["POST"]),
]
