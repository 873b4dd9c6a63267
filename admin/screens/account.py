"""My account: who I am here, how pages look, and where I am signed in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from admin.asked import text
from admin.door import SESSION_COOKIE
from admin.entering import public_address
from admin.markdown import to_html
from admin.visit import THEMES, Visit
from admin.web import here, redirect, render, say_on
from admin.wordings import worded
from definitions.spec.entity import Field
from models import accounts, providers, standing, terms
from models.errors import InvalidError, NotFoundError, RefusedError
from models.message import Message, say
from models.record import Record
from models.records import Records
from models.tx import Tx
from workflows import commands, leaving, offices, own_email
from workflows.letters import Wording

KINDS: Mapping[str, str] = {"text": "text", "long_text": "text", "phone": "tel", "url": "url", "email": "email"}
"""Which types of field the account asks for, and how their inputs are called."""
ELSEWHERE = frozenset({"email", "name"})
"""What is not asked among them: the e-mail is what one signs in with, the name is made."""
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


def _own(visit: Visit) -> dict[str, Field]:
    """Return the fields that members have of themselves: their names, phones and addresses."""
    access, fields = visit.tenant.published.access, visit.network.entities["member"].fields
    return {
        name: field
        for name, field in fields.items()
        if field.type in KINDS
        and field.compute is None
        and name not in ELSEWHERE
        and access.may_field(visit.actor, "member", name, "read" if field.built_in else "write")
    }


def _writable(visit: Visit) -> tuple[str, ...]:
    access = visit.tenant.published.access
    if not access.may(visit.actor, "update", "member"):
        return ()
    return tuple(name for name in _own(visit) if access.may_field(visit.actor, "member", name, "write"))


async def shown(request: Request) -> Response:
    """Show the account."""
    return await _page(request)


async def _page(
    request: Request, *, status: int = 200, form: FormData | None = None, error: InvalidError | None = None
) -> Response:
    visit = here(request)
    me = await _me(visit)
    own = _own(visit)
    values = {name: text(form, name) if form and name in form else _written(visit, me, name) for name in own}
    return await render(
        request,
        "account/account.html",
        status=status,
        me=me,
        values=values,
        errors={name: visit.words(said) for name, said in error.fields.items()} if error else {},
        labels={name: visit.words(field.label) for name, field in own.items()},
        kinds={name: KINDS[field.type] for name, field in own.items()},
        closed=await offices.is_closed(visit.tenant, visit.actor),
        writable=_writable(visit),
        levels=[visit.words(visit.network.levels[name].label) for name in visit.actor.levels],
        themes=[(name, visit.words(THEME_NAMES[name])) for name in THEMES],
        sessions=await accounts.sessions(visit.tenant, me.id),
        provider=await visit.tenant.store.read(providers.load),
    )


def _written(visit: Visit, me: Record, name: str) -> str:
    """Return a value of one's own as the form shows it."""
    value = str(me.values.get(name) or "")
    return visit.formats.phone(value) if _own(visit)[name].type == "phone" else value


async def save(request: Request) -> Response:
    """Change the own name or phone, as the levels allow; and the language, which is everybody's own."""
    visit, form = here(request), await request.form()
    me = await _me(visit)
    said = {name: text(form, name) for name in _writable(visit) if name in form}
    changes = {name: value or None for name, value in said.items() if value != _written(visit, me, name)}
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
            await accounts.revoke(visit.tenant, visit.actor.id, session.id, ip=visit.actor.ip)
    return say_on(request, redirect(request, visit.url("account")), say("The session is ended."))


async def show_email(request: Request) -> Response:
    """Ask for another e-mail."""
    return await _email_page(request)


async def _email_page(
    request: Request, *, status: int = 200, email: str = "", error: InvalidError | None = None
) -> Response:
    visit = here(request)
    errors = {name: visit.words(said) for name, said in error.fields.items()} if error else {}
    me, sends = await _me(visit), public_address(request) is not None
    return await render(
        request, "account/email.html", status=status, me=me, email=email, errors=errors, sends=sends, token=""
    )


async def ask_email(request: Request) -> Response:
    """Send a link to the new address."""
    visit, form = here(request), await request.form()
    address, password = public_address(request), form.get("password")
    if address is None:
        raise RefusedError(say("This server cannot write links: its public address is not set."))

    def mail(token: str) -> Wording:
        subject = say("Your new e-mail address at {network}", network=visit.words(visit.network.label))
        body = say(
            "Open this page while you are signed in, and your new e-mail address counts: {link}\n\nIf you did not ask "
            "for it, there is nothing to do.",
            link=f"{address}account/email/{token}",
        )
        return worded(visit.network, visit.language, subject, body)

    email = text(form, "email")
    try:
        given = password if isinstance(password, str) else ""
        await own_email.ask(visit.tenant, visit.actor, email, given, mail)
    except InvalidError as error:
        return await _email_page(request, status=422, email=email, error=error)
    return say_on(request, redirect(request, visit.url("account")), say("Look into your new mailbox: a link is there."))


async def show_confirmation(request: Request) -> Response:
    """Ask whether the new address shall count; looking changes nothing."""
    visit, token = here(request), request.path_params["link"]
    try:
        email = await own_email.asked(visit.tenant, visit.actor, token)
    except NotFoundError:
        return await _link_over(request)
    me = await _me(visit)
    return await render(request, "account/email.html", me=me, email=email, errors={}, sends=True, token=token)


async def confirm_email(request: Request) -> Response:
    """Let the new address count."""
    visit, token = here(request), request.path_params["link"]
    subject = say("Your e-mail address at {network} is another one now", network=visit.words(visit.network.label))
    body = say("If you did not change it, write to who runs your network at once.")
    told = worded(visit.network, visit.language, subject, body)
    try:
        await own_email.confirm(visit.tenant, visit.actor, token, told)
    except NotFoundError:
        return await _link_over(request)
    except InvalidError as error:
        return await _email_page(request, status=422, error=error)
    return say_on(request, redirect(request, visit.url("account")), say("Your new e-mail address counts now."))


async def _link_over(request: Request) -> Response:
    """Say that a link is no longer good, and how to come by another: the same for one that never was any."""
    return await render(request, "account/gone.html", status=404)


async def close(request: Request) -> Response:
    """Close the own data to the leader, or open it again."""
    visit, form = here(request), await request.form()
    closed = text(form, "closed") == "true"
    await offices.close(visit.tenant, visit.actor, closed=closed)
    said = say("Your data are closed to the leader.") if closed else say("Your data are open to the leader again.")
    return say_on(request, redirect(request, visit.url("account")), said)


async def show_terms(request: Request) -> Response:
    """Show all terms that were accepted, as they were worded then."""
    visit = here(request)
    if visit.actor.id is None:
        raise NotFoundError
    found = await terms.accepted(visit.tenant, visit.actor.id)
    texts = [(each, "" if each.body is None else to_html(visit.words(each.body))) for each in found]
    return await render(request, "account/terms.html", accepted=texts)


async def show_leaving(request: Request) -> Response:
    """Say what ending the contract means, and ask for the password."""
    return await leaving_page(request)


async def leaving_page(request: Request, *, status: int = 200, error: InvalidError | None = None) -> Response:
    """Return that page, which who refuses terms sees too."""
    visit = here(request)
    errors = {name: visit.words(said) for name, said in error.fields.items()} if error else {}
    refuses = visit.path == visit.url("terms", "refuse")
    days = standing.TAKE_BACK.days
    return await render(
        request, "account/leaving.html", status=status, bare=refuses, errors=errors, days=days, refuses=refuses
    )


async def leave(request: Request) -> Response:
    """End the contract."""
    visit, form = here(request), await request.form()
    password = form.get("password")
    if not text(form, "sure"):
        return await leaving_page(request, status=422, error=InvalidError({"sure": say("This is needed.")}))
    try:
        given = password if isinstance(password, str) else ""
        await leaving.terminate(visit.tenant, visit.actor, given, text(form, "reason"))
    except InvalidError as error:
        return await leaving_page(request, status=422, error=error)
    response = redirect(request, visit.url("sign-in"))
    response.delete_cookie(SESSION_COOKIE, path=visit.url())
    return say_on(request, response, say("Your contract is ended, and you are signed out."))


routes: list[BaseRoute] = [
    Route("/account", shown, methods=["GET"]),
    Route("/account", save, methods=["POST"]),
    Route("/account/sessions", end_session, methods=["POST"]),
    Route("/account/email", show_email, methods=["GET"]),
    Route("/account/email", ask_email, methods=["POST"]),
    Route("/account/email/{link}", show_confirmation, methods=["GET"]),
    Route("/account/email/{link}", confirm_email, methods=["POST"]),
    Route("/account/closed", close, methods=["POST"]),
    Route("/account/terms", show_terms, methods=["GET"]),
    Route("/account/leave", show_leaving, methods=["GET"]),
    Route("/account/leave", leave, methods=["POST"]),
    Route("/terms/refuse", show_leaving, methods=["GET"]),
    Route("/terms/refuse", leave, methods=["POST"]),
]
