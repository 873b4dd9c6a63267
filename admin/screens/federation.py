"""Signing in at the network's provider, linking one's account with it, and setting it up for who administers."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import asdict

import structlog
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from admin.asked import text
from admin.entering import entry, go_on, keep, public_address
from admin.screens.signin import refused
from admin.web import here, redirect, render, say_on
from models import accounts, federation, pending, providers
from models.accounts import Refusal
from models.errors import InvalidError, NotFoundError
from models.message import say
from models.pending import Pending
from models.providers import Claimed, Provider
from models.tx import Tx
from workflows.relying import ProviderError, Question, Relying

PROVIDER_COOKIE = "maille_provider"
"""What binds the way to the provider and back to one browser."""
MINUTES = 15 * 60
LONGEST = 300

log = structlog.get_logger(__name__)


def _relying(request: Request) -> Relying:
    found: Relying = request.app.state.relying
    return found


def _back(request: Request) -> str:
    """Return the address that a provider leads back to; `NotFoundError` where nobody has said what ours is."""
    own = public_address(request)
    if own is None:
        raise NotFoundError
    return f"{own}sign-in/provider/back"


async def _provider(request: Request) -> Provider:
    found = await here(request).tenant.store.read(providers.load)
    if found is None:
        raise NotFoundError
    return found


async def _begun(request: Request, provider: Provider, member: str | None) -> tuple[str, str]:
    """Return where the provider asks who it is, and what binds the answer to this browser."""
    visit = here(request)
    now = visit.tenant.clock.now()
    question = Question.drawn(_back(request))
    payload = {"question": asdict(question), "issuer": provider.issuer, "next": request.query_params.get("next", "")}
    state = await visit.tenant.store.write(lambda tx: pending.begin(tx, "provider", member, payload, now))
    return await _relying(request).address(provider, question, state, now), state


async def begin(request: Request) -> Response:
    """Lead to the provider."""
    provider = await _provider(request)
    try:
        address, state = await _begun(request, provider, None)
    except ProviderError as error:
        return await _failed(request, error)
    response = redirect(request, address)
    keep(request, response, PROVIDER_COOKIE, state, MINUTES)
    return response


async def back(request: Request) -> Response:
    """Take what the provider says of who comes back: let in, or link with the account that asked for it."""
    visit, given = here(request), request.query_params
    provider, now = await _provider(request), visit.tenant.clock.now()
    state, kept = given.get("state", ""), request.cookies.get(PROVIDER_COOKIE, "")
    found = None
    if state and hmac.compare_digest(state.encode(), kept.encode()):
        found = await visit.tenant.store.write(lambda tx: pending.take(tx, state, "provider", now))
    if found is None or found.payload["issuer"] != provider.issuer:
        return await _over(request)
    wanted = str(found.payload["next"])
    try:
        claimed = await _claimed(request, provider, found)
    except ProviderError as error:
        return await _failed(request, error)
    if found.member is not None:
        response = await _link(request, found.member, claimed)
    else:
        outcome = await federation.sign_in(visit.tenant, claimed, entry(request))
        if isinstance(outcome, Refusal):
            return await refused(request, outcome, wanted=wanted)
        response = await go_on(request, outcome, wanted)
    response.delete_cookie(PROVIDER_COOKIE, path=visit.url())
    return response


async def _claimed(request: Request, provider: Provider, found: Pending) -> Claimed:
    visit, given = here(request), request.query_params
    if given.get("iss", provider.issuer) != provider.issuer or "code" not in given:
        raise ProviderError(say("The provider did not say who you are."))
    secret = await visit.tenant.store.read(lambda tx: providers.secret(tx, visit.tenant.vault))
    question = Question(**found.payload["question"])
    return await _relying(request).claimed(provider, secret, question, given["code"], visit.tenant.clock.now())


async def _link(request: Request, member: str, claimed: Claimed) -> Response:
    visit = here(request)
    if visit.session is None or visit.session.member != member or visit.session.acting is not None:
        return await _over(request)
    now, identifier = visit.tenant.clock.now(), visit.tenant.new_id()
    linked = await visit.tenant.store.write(lambda tx: providers.link(tx, identifier, member, claimed, now))
    done, taken = say("Your account is linked."), say("This identity is another account’s, or yours has another one.")
    return say_on(request, redirect(request, visit.url("account", "provider")), done if linked else taken)


async def _over(request: Request) -> Response:
    visit = here(request)
    if visit.session is None:
        return await refused(request, Refusal("over"), wanted="")
    said = say("This took too long, or began in another browser. Begin again.")
    return say_on(request, redirect(request, visit.url()), said)


async def _failed(request: Request, error: ProviderError) -> Response:
    log.warning("a provider failed", network=here(request).tenant.name, reason=str(error))
    visit = here(request)
    if visit.session is not None:
        return say_on(request, redirect(request, visit.url("account", "provider")), error.message)
    return await refused(request, Refusal("provider"), wanted="")


async def account(request: Request) -> Response:
    """Show whether the own account is linked with the provider."""
    visit, provider = here(request), await _provider(request)
    member = visit.actor.id or ""
    since = await visit.tenant.store.read(lambda tx: providers.linked_since(tx, member, provider.issuer))
    return await render(request, "account/provider.html", provider=provider, since=since, address="")


async def link(request: Request) -> Response:
    """Begin to link the own account: the page leads on to the provider."""
    visit, provider = here(request), await _provider(request)
    try:
        address, state = await _begun(request, provider, visit.actor.id)
    except ProviderError as error:
        return await _failed(request, error)
    response = await render(request, "account/provider.html", provider=provider, since=None, address=address)
    keep(request, response, PROVIDER_COOKIE, state, MINUTES)
    return response


async def unlink(request: Request) -> Response:
    """Forget who the member is at the provider."""
    visit = here(request)
    member = visit.actor.id or ""
    if not await visit.tenant.store.write(lambda tx: providers.unlink(tx, member)):
        raise NotFoundError
    return say_on(request, redirect(request, visit.url("account", "provider")), say("Your account is not linked now."))


def _administers(request: Request) -> None:
    if not here(request).leads:
        raise NotFoundError


async def shown(request: Request) -> Response:
    """Show the network's provider to who administers."""
    _administers(request)
    return await _page(request)


async def _page(request: Request, form: FormData | None = None, error: InvalidError | None = None) -> Response:
    visit = here(request)
    held = await visit.tenant.store.read(providers.load)
    values: Mapping[str, object] = asdict(held) if held else {"local": True}
    if form is not None:
        values = {name: text(form, name) for name in ("label", "issuer", "client_id")}
        values["local"] = text(form, "local") == "true"
    return await render(
        request,
        "settings/provider.html",
        status=422 if error else 200,
        held=held,
        values=values,
        back=None if public_address(request) is None else _back(request),
        errors={name: visit.words(said) for name, said in error.fields.items()} if error else {},
    )


async def save(request: Request) -> Response:
    """Keep another provider, once it has answered and the password was right."""
    _administers(request)
    visit, form = here(request), await request.form()
    label, issuer, client_id = (text(form, name)[:LONGEST] for name in ("label", "issuer", "client_id"))
    provider = Provider(label, issuer, client_id, local=text(form, "local") == "true")
    secret = text(form, "secret")
    try:
        await _check(request, provider, form)
    except InvalidError as error:
        return await _page(request, form, error)
    sealed = providers.seal(visit.tenant.vault, secret) if secret else None
    now, author = visit.tenant.clock.now(), visit.actor.id
    await visit.tenant.store.write(lambda tx: providers.save(tx, provider, sealed, now, author))
    return say_on(request, redirect(request, visit.url("provider")), say("Saved"))


async def _check(request: Request, provider: Provider, form: FormData) -> None:
    visit = here(request)
    needed = say("This is needed.")
    missing = {name: needed for name in ("label", "issuer", "client_id") if not getattr(provider, name)}
    if missing:
        raise InvalidError(missing)
    await _confirm(request, form)
    try:
        await _relying(request).check(provider.issuer, visit.tenant.clock.now())
    except ProviderError as error:
        raise InvalidError({"issuer": error.message}) from None


async def _confirm(request: Request, form: FormData) -> None:
    visit, password = here(request), form.get("password")
    await accounts.confirm(visit.tenant, visit.actor.id or "", password if isinstance(password, str) else "")


async def remove(request: Request) -> Response:
    """Forget the provider and every link with it."""
    _administers(request)
    visit, form = here(request), await request.form()
    try:
        await _confirm(request, form)
    except InvalidError as error:
        return await _page(request, None, InvalidError({"remove": error.fields["password"]}))

    async def work(tx: Tx) -> None:
        await providers.remove(tx)

    await visit.tenant.store.write(work)
    return say_on(request, redirect(request, visit.url("provider")), say("The provider is removed."))


routes: list[BaseRoute] = [
    Route("/sign-in/provider", begin, methods=["GET"]),
    Route("/sign-in/provider/back", back, methods=["GET"]),
    Route("/account/provider", account, methods=["GET"]),
    Route("/account/provider", link, methods=["POST"]),
    Route("/account/provider/unlink", unlink, methods=["POST"]),
    Route("/provider", shown, methods=["GET"]),
    Route("/provider", save, methods=["POST"]),
    Route("/provider/remove", remove, methods=["POST"]),
]
