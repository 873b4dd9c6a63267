"""Coming in and going out: sign-in, terms, language and theme, and the network's own small files."""

from __future__ import annotations

from dataclasses import replace

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from admin.asked import inside, text
from admin.door import LANGUAGE_COOKIE, SESSION_COOKIE, THEME_COOKIE
from admin.entering import browser, entry, go_on, public_address, site
from admin.markdown import to_html
from admin.visit import THEMES
from admin.web import here, redirect, render, say_on
from models import accounts, passkeys, providers, terms
from models.accounts import Refusal
from models.message import say

YEAR = 365 * 24 * 3600
UNKEPT = {"Cache-Control": "no-store"}


async def show_sign_in(request: Request) -> Response:
    """Show the form; whoever is signed in already goes on."""
    visit = here(request)
    wanted = request.query_params.get("next", "")
    if visit.session is not None:
        return redirect(request, inside(visit, wanted))
    ended = request.query_params.get("ended") == "1"
    return await render(
        request,
        "signin/sign_in.html",
        wanted=wanted,
        ended=ended,
        email="",
        refusal=None,
        resets=public_address(request) is not None,
        provider=await here(request).tenant.store.read(providers.load),
    )


async def sign_in(request: Request) -> Response:
    """Open a session, or say why not; never whether the e-mail or the password was wrong."""
    visit, form = here(request), await request.form()
    email, wanted = text(form, "email"), text(form, "next")
    password = form.get("password")
    password = password if isinstance(password, str) else ""
    outcome = await accounts.sign_in(visit.tenant, email, password, **browser(request))
    if isinstance(outcome, Refusal):
        return await refused(request, outcome, wanted=wanted, email=email)
    return await go_on(request, outcome, wanted)


async def refused(request: Request, refusal: Refusal, *, wanted: str, email: str = "") -> Response:
    """Show the form again, with why it did not work."""
    status = 429 if refusal.reason == "too_many" else 422
    return await render(
        request,
        "signin/sign_in.html",
        status=status,
        wanted=wanted,
        ended=False,
        email=email,
        refusal=refusal,
        resets=public_address(request) is not None,
        provider=await here(request).tenant.store.read(providers.load),
    )


async def ask_passkey(request: Request) -> Response:
    """Return the question for a passkey, and what goes on with its answer."""
    question = await passkeys.ask(here(request).tenant, site(request))
    return JSONResponse({"options": question.options, "token": question.token}, headers=UNKEPT)


async def sign_in_with_passkey(request: Request) -> Response:
    """Let in who answered with a passkey."""
    visit, form = here(request), await request.form()
    wanted = text(form, "next")
    answer, token = text(form, "answer"), text(form, "token")
    outcome = await passkeys.sign_in(visit.tenant, site(request), answer, token, entry(request))
    if isinstance(outcome, Refusal):
        shown = replace(outcome, reason="code") if outcome.reason == "credentials" else outcome
        return await refused(request, shown, wanted=wanted)
    return await go_on(request, outcome, wanted)


async def sign_out(request: Request) -> Response:
    """End the session."""
    visit = here(request)
    await accounts.sign_out(visit.tenant, request.cookies[SESSION_COOKIE], ip=visit.actor.ip)
    response = redirect(request, visit.url("sign-in"))
    response.delete_cookie(SESSION_COOKIE, path=visit.url())
    response.headers["Clear-Site-Data"] = '"storage"'  # cookies are those of all networks: each goes alone
    return say_on(request, response, say("You are signed out."))


async def show_terms(request: Request) -> Response:
    """Show the terms that are still to be accepted, one after the other."""
    visit = here(request)
    wanted = inside(visit, request.query_params.get("next", ""))
    todo = await terms.open_terms(visit.tenant, visit.actor)
    if not todo:
        return redirect(request, wanted)
    first = todo[0]
    body = to_html(visit.words(first.body))
    return await render(request, "signin/terms.html", bare=True, terms=first, body=body, left=len(todo), wanted=wanted)


async def accept_terms(request: Request) -> Response:
    """Keep the proof of what was shown and accepted, in that version and no other."""
    visit, form = here(request), await request.form()
    name, version = text(form, "terms"), text(form, "version")
    todo = await terms.open_terms(visit.tenant, visit.actor)
    shown = next((one for one in todo if (one.name, one.version) == (name, version)), None)
    if shown is not None and text(form, "accepted"):
        await terms.accept(visit.tenant, visit.actor, shown.name, shown.version)
    return redirect(request, visit.url("terms", next=inside(visit, text(form, "next"))))


async def choose_language(request: Request) -> Response:
    """Keep the language of who is not signed in (a member's is in the account)."""
    visit, form = here(request), await request.form()
    response = redirect(request, inside(visit, text(form, "back")))
    if (language := text(form, "language")) in visit.network.languages:
        _remember(request, response, LANGUAGE_COOKIE, language)
    return response


async def choose_theme(request: Request) -> Response:
    """Keep light, dark or what the system says."""
    visit, form = here(request), await request.form()
    response = redirect(request, inside(visit, text(form, "back")))
    if (theme := text(form, "theme")) in THEMES:
        _remember(request, response, THEME_COOKIE, theme)
    return response


def _remember(request: Request, response: Response, cookie: str, choice: str) -> None:
    """Keep a choice in the browser for a year."""
    path, secure = here(request).url(), request.url.scheme == "https"
    response.set_cookie(cookie, choice, max_age=YEAR, path=path, samesite="lax", httponly=True, secure=secure)


async def theme(request: Request) -> Response:
    """Return the network's colour as a style sheet."""
    hue = here(request).network.hue
    return _kept(f":root {{ --hue: {hue}; }}\n", "text/css")


async def picture(request: Request) -> Response:
    """Return the network's initial on its colour, for the browser's tab."""
    visit = here(request)
    letter = visit.words(visit.network.label)[:1].upper()
    shown = letter if letter.isalnum() else "·"
    return _kept(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">'
        f'<rect width="32" height="32" rx="8" fill="oklch(0.455 0.088 {visit.network.hue})"/>'
        '<text x="16" y="22.5" text-anchor="middle" font-family="system-ui, sans-serif" font-size="18" '
        f'font-weight="700" fill="white">{shown}</text></svg>',
        "image/svg+xml",
    )


def _kept(content: str, media_type: str) -> Response:
    """Return a small file that browsers keep for a day; its address changes with the hue."""
    return Response(content, media_type=media_type, headers={"Cache-Control": "public, max-age=86400"})


routes: list[BaseRoute] = [
    Route("/sign-in", show_sign_in, methods=["GET"]),
    Route("/sign-in", sign_in, methods=["POST"]),
    Route("/sign-in/passkey/question", ask_passkey, methods=["POST"]),
    Route("/sign-in/passkey", sign_in_with_passkey, methods=["POST"]),
    Route("/sign-out", sign_out, methods=["POST"]),
    Route("/terms", show_terms, methods=["GET"]),
    Route("/terms", accept_terms, methods=["POST"]),
    Route("/language", choose_language, methods=["POST"]),
    Route("/theme", choose_theme, methods=["POST"]),
    Route("/theme.css", theme),
    Route("/icon.svg", picture),
]
