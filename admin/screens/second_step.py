"""The second step of a sign-in (code or passkey), setting up what a level needs, and a new password by mail."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from admin.asked import text
from admin.door import STEP_COOKIE
from admin.entering import entry, go_on, in_session, let_in, public_address, site
from admin.parts.codes import pictured
from admin.screens.password_links import PasswordLink
from admin.web import here, redirect, render, say_on
from admin.wordings import worded
from models import passkeys, resets, second_factor, second_step
from models.accounts import Refusal, SignedIn
from models.message import say
from models.resets import Forgetful
from models.tx import Tx
from workflows import letters
from workflows.markdown import escape

_WRONG = {
    "code": say("This code is wrong, or was used already."),
    "too_many": say("Too many tries. Try again in a few minutes."),
}


def _token(request: Request) -> str:
    return request.cookies.get(STEP_COOKIE, "")


async def show_factor(request: Request) -> Response:
    """Ask for the second factor."""
    return await _factor_page(request, request.query_params.get("next", ""))


async def _factor_page(request: Request, wanted: str, refusal: Refusal | None = None) -> Response:
    visit = here(request)
    found = await second_step.whose(visit.tenant, _token(request), "factor")
    if found is None or found.member is None:
        return await _begin_again(request, wanted)
    member = found.member
    factors = await visit.tenant.store.read(lambda tx: second_factor.of_member(tx, member))
    status = 200 if refusal is None else 429 if refusal.reason == "too_many" else 422
    error = "" if refusal is None else visit.words(_WRONG[refusal.reason])
    return await render(
        request, "signin/factor.html", status=status, bare=True, factors=factors, error=error, wanted=wanted
    )


async def _begin_again(request: Request, wanted: str) -> Response:
    response = redirect(request, here(request).url("sign-in", next=wanted))
    response.delete_cookie(STEP_COOKIE, path=here(request).url())
    return say_on(request, response, say("That took too long, or too many tries: begin again."))


async def check_factor(request: Request) -> Response:
    """Let in who says a right code."""
    visit, form = here(request), await request.form()
    outcome = await second_step.answer_code(visit.tenant, _token(request), text(form, "code")[:64])
    return await _checked(request, outcome, text(form, "next"))


async def check_passkey(request: Request) -> Response:
    """Let in who answers with a passkey of the same member."""
    visit, form = here(request), await request.form()
    answer, token = text(form, "answer"), text(form, "token")
    where, now = site(request), visit.tenant.clock.now()

    async def holds(tx: Tx, member: str) -> bool:
        return await passkeys.whose(tx, where, answer, token, now) == member

    outcome = await second_step.answer_with(visit.tenant, _token(request), holds)
    return await _checked(request, outcome, text(form, "next"))


async def _checked(request: Request, outcome: SignedIn | Refusal, wanted: str) -> Response:
    if isinstance(outcome, Refusal):
        return (
            await _begin_again(request, wanted)
            if outcome.reason == "over"
            else await _factor_page(request, wanted, outcome)
        )
    return await go_on(request, outcome, wanted)


async def show_set_up(request: Request) -> Response:
    """Show the key for the app of who needs one and has none."""
    return await _set_up_page(request, request.query_params.get("next", ""))


async def _set_up_page(request: Request, wanted: str, error: str = "") -> Response:
    visit = here(request)
    key = await second_step.proposed(visit.tenant, _token(request))
    found = await second_step.whose(visit.tenant, _token(request), "set_up")
    if key is None or found is None:
        return await _begin_again(request, wanted)
    shown = pictured(key, found.payload["email"], visit.words(visit.network.label))
    status = 422 if error else 200
    return await render(request, "signin/set_up.html", status=status, bare=True, error=error, wanted=wanted, **shown)


async def set_up(request: Request) -> Response:
    """Turn the app on, let the member in and show the recovery codes."""
    visit, form = here(request), await request.form()
    wanted = text(form, "next")
    outcome = await second_step.set_up(visit.tenant, _token(request), text(form, "code")[:64])
    if isinstance(outcome, Refusal):
        if outcome.reason == "over":
            return await _begin_again(request, wanted)
        return await _set_up_page(request, wanted, visit.words(_WRONG["code"]))
    in_session(request, outcome.entered.session)
    response = await render(
        request,
        "signin/codes.html",
        bare=True,
        codes=outcome.recovery,
        wanted=wanted,
        headers={"Cache-Control": "no-store"},
    )
    return await let_in(request, response, outcome.entered)


async def show_forgotten(request: Request) -> Response:
    """Ask for the e-mail of who has forgotten the password."""
    can = public_address(request) is not None
    return await render(request, "signin/forgotten.html", bare=True, can=can, sent=False)


async def ask_reset(request: Request) -> Response:
    """Have a link sent; the answer is the same whether there is somebody or not."""
    visit, form = here(request), await request.form()
    url = public_address(request)
    email = text(form, "email")
    if url is not None and "@" in email:
        name = visit.words(visit.network.label)
        body = say(
            "Somebody asked for a new password for your account at {network}.\n\n[Choose a new password]({link})\n\n"
            "The link holds once and for half an hour. If it was not you, there is nothing to do: your password stays "
            "as it is.",
            network=escape(name),
            link=letters.LINK,
        )
        subject = say("A new password for {network}", network=name)
        wording = worded(visit.network, visit.language, subject, body)
        await letters.ask_for_reset(visit.tenant, entry(request, email).attempt, wording, url)
    return await render(request, "signin/forgotten.html", bare=True, can=url is not None, sent=True)


async def _changed(request: Request, _whose: Forgetful, _password: str) -> Response:
    """Signing in comes next, with the second factor where there is one."""
    to = redirect(request, here(request).url("sign-in"))
    return say_on(request, to, say("Your password is changed: sign in with it."))


async def codes_file(request: Request) -> Response:
    """Return the recovery codes that the page shows as a file to keep: they are stored nowhere but there."""
    form = await request.form()
    codes = [code for code in text(form, "codes")[:1000].split() if code.replace("-", "").isalnum() and code.isascii()]
    name = f"{here(request).tenant.name}-codes.txt"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response("\n".join(codes) + "\n", media_type="text/plain", headers=headers)


routes: list[BaseRoute] = [
    Route("/sign-in/factor", show_factor, methods=["GET"]),
    Route("/sign-in/factor", check_factor, methods=["POST"]),
    Route("/sign-in/factor/passkey", check_passkey, methods=["POST"]),
    Route("/sign-in/set-up", show_set_up, methods=["GET"]),
    Route("/sign-in/set-up", set_up, methods=["POST"]),
    Route("/sign-in/codes", codes_file, methods=["POST"]),
    Route("/sign-in/forgotten", show_forgotten, methods=["GET"]),
    Route("/sign-in/forgotten", ask_reset, methods=["POST"]),
    *PasswordLink("/sign-in/reset/{token}", "signin/reset.html", resets.find, resets.accept, _changed).routes,
]
