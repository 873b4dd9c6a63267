"""Security of the own account: password, second factor, passkeys, recovery codes, and who tried to sign in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from admin.asked import text
from admin.door import SESSION_COOKIE
from admin.entering import in_session, keep, site
from admin.parts.codes import pictured
from admin.web import device, here, redirect, render, say_on
from models import account_keys, accounts, passkeys, pending, second_factor, tries
from models.account_keys import Changed
from models.errors import InvalidError, NotFoundError, RefusedError
from models.house_rules import needs_factor
from models.message import Message, say
from models.passwords import SHORTEST
from models.sessions import Session
from models.tx import Tx

OUTCOMES: Mapping[str, Message] = {
    "failed": say("Wrong password"),
    "limited": say("Refused: too many tries"),
    "halfway": say("Password right, second factor missing"),
    "factor_failed": say("Wrong code"),
    "set_up_failed": say("Wrong code"),
    "signed_in": say("Signed in"),
    "reset_asked": say("New password asked for"),
}
"""What came of a try, in words."""
UNKEPT = {"Cache-Control": "no-store"}


def _session(request: Request) -> Session:
    session = here(request).session
    if session is None:
        raise NotFoundError
    return session


def _email(request: Request) -> str:
    return str((here(request).actor.member or {}).get("email") or "")


async def shown(request: Request) -> Response:
    """Show what opens the account, and who tried to."""
    return await _page(request)


async def _page(request: Request, form: str = "", error: InvalidError | RefusedError | None = None) -> Response:
    """Show the page; `error` is of the form with that name."""
    visit, session = here(request), _session(request)
    member = session.member

    async def look(tx: Tx) -> dict[str, Any]:
        return {
            "factors": await second_factor.of_member(tx, member),
            "passkeys": await passkeys.of_member(tx, member),
            "tries": await tries.of_member(tx, member),
            "needed": await needs_factor(tx, visit.actor),
            "confirmed": await pending.confirmed(tx, session, visit.tenant.clock.now()),
        }

    fields = error.fields if isinstance(error, InvalidError) else {}
    errors = {f"{form}.{name}": visit.words(said) for name, said in fields.items()}
    asked = "old" if form == "password" else "password"
    return await render(
        request,
        "account/security.html",
        status=200 if error is None else 422,
        errors=errors,
        wrong=errors.get(f"{form}.{asked}", ""),
        refused=visit.words(error.message) if isinstance(error, RefusedError) else "",
        outcomes={name: visit.words(said) for name, said in OUTCOMES.items()},
        shortest=SHORTEST,
        email=_email(request),
        here_name=device(request.headers.get("user-agent", "")),
        **await visit.tenant.store.read(look),
    )


async def confirm(request: Request) -> Response:
    """Open the page's forms for a few minutes, to who says the password."""
    visit = here(request)
    try:
        await accounts.confirm_session(visit.tenant, _session(request), await _password(request))
    except InvalidError as error:
        return await _page(request, "confirm", error)
    return redirect(request, visit.url("account", "security"))


async def change_password(request: Request) -> Response:
    """Change the password; other devices are signed out."""
    visit, form = here(request), await request.form()
    old, new = form.get("old"), form.get("password")
    try:
        token = await accounts.change_password(
            visit.tenant, _session(request), old if isinstance(old, str) else "", new if isinstance(new, str) else ""
        )
    except InvalidError as error:
        return await _page(request, "password", error)
    response = redirect(request, visit.url("account", "security"))
    keep(request, response, SESSION_COOKIE, token)
    return say_on(request, response, say("Your password is changed; other devices are signed out."))


async def add_app(request: Request) -> Response:
    """Have a key ready, for who says the password."""
    visit = here(request)
    try:
        await account_keys.propose_app(visit.tenant, _session(request), await _password(request))
    except (InvalidError, RefusedError) as error:
        return await _page(request, "app", error)
    return redirect(request, visit.url("account", "security", "app"))


async def show_app(request: Request) -> Response:
    """Show the key that waits for its first code."""
    return await _app_page(request)


async def _app_page(request: Request, error: str = "") -> Response:
    visit = here(request)
    key = await account_keys.proposed(visit.tenant, _session(request).member)
    drawn = pictured(key, _email(request), visit.words(visit.network.label))
    status = 422 if error else 200
    return await render(request, "account/app.html", status=status, error=error, headers=UNKEPT, **drawn)


async def confirm_app(request: Request) -> Response:
    """Turn the app on."""
    visit, form = here(request), await request.form()
    try:
        changed = await account_keys.confirm_app(visit.tenant, _session(request), text(form, "code")[:64])
    except InvalidError as error:
        return await _app_page(request, visit.words(error.fields["code"]))
    return await _done(request, changed, say("The app is added; other devices are signed out."))


async def remove_app(request: Request) -> Response:
    """Take the app away, for who says the password and a code."""
    visit, form = here(request), await request.form()
    code = text(form, "code")[:64]
    try:
        changed = await account_keys.remove_app(visit.tenant, _session(request), await _password(request), code)
    except (InvalidError, RefusedError) as error:
        return await _page(request, "remove", error)
    return await _done(request, changed, say("The app is removed; other devices are signed out."))


async def renew_recovery(request: Request) -> Response:
    """Make new recovery codes and show them, this once."""
    try:
        changed = await account_keys.renew_recovery(here(request).tenant, _session(request), await _password(request))
    except InvalidError as error:
        return await _page(request, "recovery", error)
    return await _done(request, changed, say("Saved"))


async def ask_passkey(request: Request) -> Response:
    """Return the question for a new passkey, for who says the password."""
    visit = here(request)
    names = _email(request), visit.words(visit.network.label)
    try:
        question = await account_keys.ask_passkey(
            visit.tenant, _session(request), await _password(request), site(request), names
        )
    except InvalidError as error:
        said = " ".join(visit.words(each) for each in error.fields.values())
        return JSONResponse({"error": said}, status_code=422, headers=UNKEPT)
    return JSONResponse({"options": question.options, "token": question.token}, headers=UNKEPT)


async def add_passkey(request: Request) -> Response:
    """Keep the passkey that answered."""
    visit, form = here(request), await request.form()
    name = text(form, "name") or device(request.headers.get("user-agent", ""))
    answer, token = text(form, "answer"), text(form, "token")
    try:
        changed = await account_keys.add_passkey(
            visit.tenant, _session(request), site(request), answer, token=token, name=name
        )
    except InvalidError as error:
        return await _page(request, "passkey", error)
    return await _done(request, changed, say("The passkey is added; other devices are signed out."))


async def remove_passkey(request: Request) -> Response:
    """Take a passkey away, for who says the password."""
    visit, form = here(request), await request.form()
    passkey = text(form, "passkey")
    try:
        changed = await account_keys.remove_passkey(visit.tenant, _session(request), await _password(request), passkey)
    except (InvalidError, RefusedError) as error:
        return await _page(request, "passkey", error)
    return await _done(request, changed, say("The passkey is removed; other devices are signed out."))


async def _password(request: Request) -> str:
    said = (await request.form()).get("password")
    return said if isinstance(said, str) else ""


async def _done(request: Request, changed: Changed, said: Message) -> Response:
    """Give the browser its new token, and show new recovery codes where there are any."""
    visit = here(request)
    if changed.recovery:
        in_session(request, changed.session)
        page = "account/recovery.html"
        response: Response = await render(request, page, codes=changed.recovery, headers=UNKEPT)
    else:
        response = say_on(request, redirect(request, visit.url("account", "security")), said)
    keep(request, response, SESSION_COOKIE, changed.token)
    return response


routes: list[BaseRoute] = [
    Route("/account/security", shown, methods=["GET"]),
    Route("/account/security/confirm", confirm, methods=["POST"]),
    Route("/account/security/password", change_password, methods=["POST"]),
    Route("/account/security/app", show_app, methods=["GET"]),
    Route("/account/security/app", add_app, methods=["POST"]),
    Route("/account/security/app/confirm", confirm_app, methods=["POST"]),
    Route("/account/security/app/remove", remove_app, methods=["POST"]),
    Route("/account/security/recovery", renew_recovery, methods=["POST"]),
    Route("/account/security/passkeys/question", ask_passkey, methods=["POST"]),
    Route("/account/security/passkeys", add_passkey, methods=["POST"]),
    Route("/account/security/passkeys/remove", remove_passkey, methods=["POST"]),
]
