"""One request to the API: who calls, what was sent, and the one transaction in which it is answered."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, NoReturn
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import Response

from admin import csrf, limits
from admin.api.horizon import Horizon, Seen, horizon_of
from admin.api.problems import ApiError, unauthorized
from admin.api.values import dump
from admin.formats import Formats
from admin.i18n import Catalogue, catalogue, preferred
from admin.parts.reader import Reader
from admin.under_way import streamed
from definitions.text import Text
from models import accounts, terms, tokens
from models.actor import Actor
from models.archive import Progress
from models.attachment import Attachment
from models.errors import InvalidError, NotFoundError, RefusedError
from models.limits import Verdict
from models.message import Message, say
from models.sessions import Session
from models.tenant import Tenant
from models.tokens import Token
from models.tx import Tx
from workflows import replays
from workflows.replays import Kept
from workflows.unit import Past, Unit, open_unit, with_past

SESSION_COOKIE = "maille"
BODY_LIMIT = 10 * 1024 * 1024
LONGEST_KEY = 255


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request is answered with: `body`, JSON `text` that is written out already, a `file`, or a `stream` of what
    is told while it is worked; else nothing.
    """

    body: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    text: str | None = None
    file: Attachment | None = None
    stream: Callable[[Progress], Awaitable[Mapping[str, Any]]] | None = None


Work = Callable[[Unit], Awaitable[Answer]]
Granted = Callable[[Seen], Mapping[str, bool]]
"""Which methods of a resource a caller's levels may use at all."""


@dataclass
class Call:
    """A request with its network and the credentials that came with it.

    `actor` and `given` (the parameters of the query) are known inside its transaction.
    """

    request: Request
    tenant: Tenant
    bearer: str | None = None
    session: tuple[Session, Actor] | None = None
    actor: Actor | None = None
    token: Token | None = None
    given: Mapping[str, str] = field(default_factory=dict)
    rights: Granted | None = None
    verdict: Verdict | None = None
    _body: bytes = b""

    @cached_property
    def ip(self) -> str | None:
        """Where the request comes from."""
        return self.request.client.host if self.request.client else None

    @property
    def catalogue(self) -> Catalogue:
        """The product's sentences in the language that was asked for, else in the caller's own."""
        offered = self.tenant.published.network.languages
        asked = preferred(self.request.headers.get("accept-language", ""), offered)
        own = self.actor.language if self.actor is not None else offered[0]
        return catalogue(asked or (own if own in offered else offered[0]))

    def words(self, message: Message | Text | str) -> str:
        """Return a sentence of the product or a text of the pack."""
        return self.catalogue.words(message, *self.tenant.published.network.languages)

    @property
    def reader(self) -> Reader:
        """Who reads the answer."""
        network, language = self.tenant.published.network, self.catalogue.language
        return Reader(network, Formats(language, ZoneInfo(network.timezone), network.currency, self.tenant.clock.now()))

    async def read(self, work: Work, *known: str) -> Answer:
        """Answer on one snapshot of the data; the caller is found out in it. `known` are the query's parameters."""

        async def within(tx: Tx, past: Past) -> Answer:
            return await work(await self._enter(tx, past, known))

        found = await with_past(self.tenant, lambda past: self.tenant.store.read(lambda tx: within(tx, past)))
        token, now = self.token, self.tenant.clock.now()
        if token is not None and token.stale(now):
            await self.tenant.store.write(lambda tx: tokens.touch(tx, token, now, self.ip))
        return found

    async def enter(self, check: Callable[[Unit], None], *known: str) -> Actor:
        """Return who calls once `check` has had its say, for work that has transactions of its own."""
        await self._receive()

        async def work(unit: Unit) -> Answer:
            check(unit)
            return Answer()

        await self.read(work, *known)
        if self.actor is None:
            raise unauthorized()
        return self.actor

    async def write(self, work: Work) -> Answer:
        """Do the work in one transaction, once for an `Idempotency-Key`, and answer once it is durable."""
        given = self.request.headers.get("idempotency-key")
        if given is not None and not (0 < len(given) <= LONGEST_KEY and given.isprintable()):
            raise ApiError(400, say("An Idempotency-Key has 1 to {count} characters.", count=LONGEST_KEY))
        body = await self._receive()
        fingerprint = None if given is None else self._fingerprint(body)

        async def within(tx: Tx, past: Past) -> Answer:
            unit = await self._enter(tx, past)
            if self.token is not None and self.token.stale(unit.now):
                await tokens.touch(tx, self.token, unit.now, self.ip)
            if given is None or fingerprint is None:
                return await work(unit)
            return await _once(unit, _digest(str(unit.actor.id), given), fingerprint, work)

        return await with_past(self.tenant, lambda past: self.tenant.store.write(lambda tx: within(tx, past)))

    def _fingerprint(self, body: bytes) -> str:
        url = self.request.url
        sent = (self.request.method, url.path, url.query, self.request.headers.get("if-match", ""))
        return _digest(*sent, body.decode("utf-8", "replace"))

    async def _enter(self, tx: Tx, past: Past, known: Collection[str] = ()) -> Unit:
        """Find out who calls, and open the work in the caller's name."""
        published = self.tenant.published
        if self.bearer is not None:
            now = self.tenant.clock.now()
            found = await tokens.resume(published, tx, self.bearer, now=now, ip=self.ip)
            if found is None:
                raise unauthorized(invalid=True)
            self.token, self.actor = found[0], replace(found[1], entry=f"token:{found[0].id}")
            limits.learn(self.request.app.state.limiter, self.tenant.name, self.bearer, self.actor)
        elif self.session is not None:
            self.actor = self.session[1]
        else:
            raise unauthorized()
        if await terms.still_open(tx, published.network, self.actor):
            raise RefusedError(say("New terms wait for you: sign in on the site and accept them first."))
        if self.request.method not in csrf.SAFE and not published.access.changes(self.actor):
            raise RefusedError(say("This token may only read."))
        unit = open_unit(self.tenant, tx, self.actor, past=past)
        if self.rights is not None:
            self._refuse_ungranted(self.rights(self.horizon(unit).entity(self.request.path_params["entity"])))
        self.given = _parameters(self.request, known)
        return unit

    def _refuse_ungranted(self, methods: Mapping[str, bool]) -> None:
        if not any(methods.values()):
            raise NotFoundError
        if not methods["GET" if self.request.method == "HEAD" else self.request.method]:
            raise ApiError(405, headers={"Allow": ", ".join(name for name, granted in methods.items() if granted)})

    def horizon(self, unit: Unit) -> Horizon:
        """Return what the caller's levels see."""
        return horizon_of(unit.published, unit.actor)

    async def _receive(self) -> bytes:
        """Keep what is sent, at most `BODY_LIMIT` bytes; it is read as JSON once it is known who sends it."""
        parts, size = [], 0
        async for part in self.request.stream():
            parts.append(part)
            size += len(part)
            if size > BODY_LIMIT:
                raise ApiError(413)
        self._body = b"".join(parts)
        return self._body

    def sent(self, *, optional: bool = False) -> dict[str, Any]:
        """Return the JSON object that was sent; an empty one where nothing was and that is fine."""
        if optional and not self._body:
            return {}
        kind = self.request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind not in {"application/json", "application/merge-patch+json"}:
            raise ApiError(415)
        found = parse(self._body)
        if not isinstance(found, dict):
            raise ApiError(400, say("The body is a JSON object."))
        return found


async def _once(unit: Unit, key: str, fingerprint: str, work: Work) -> Answer:
    kept = await replays.begin(unit, key, fingerprint)
    if kept is not None:
        return Answer(None, kept.status, {**kept.headers, "Idempotent-Replayed": "true"}, kept.body)
    answer = await work(unit)
    text = None if answer.body is None else dump(answer.body)
    await replays.keep(unit, key, Kept(answer.status, answer.headers, text))
    return Answer(None, answer.status, answer.headers, text)


def _digest(*parts: str) -> str:
    return hashlib.sha256("\x1f".join(parts).encode("utf-8", "replace")).hexdigest()


def parse(raw: bytes) -> Any:
    """Return the value of JSON text; texts that no database keeps and numbers that are none are refused."""
    try:
        text = raw.decode("utf-8")
        found = json.loads(text, parse_constant=_no_number)
        if "\\u" in text and not _keepable(found):
            raise ValueError("a NUL, or half of a character")  # noqa: TRY301 - one way out for all that is unreadable
    except (ValueError, RecursionError):
        raise ApiError(400, say("The body is not JSON that can be kept.")) from None
    return found


def _keepable(value: Any) -> bool:
    if isinstance(value, str):
        return "\x00" not in value and _storable(value)
    if isinstance(value, dict):
        return all(_keepable(part) for pair in value.items() for part in pair)
    return not isinstance(value, list) or all(map(_keepable, value))


def _no_number(_: str) -> NoReturn:
    raise ValueError("no number")


async def open_call(request: Request, rights: Granted | None = None) -> Call:
    """Return the call of a request: its network, and what it shows to say who calls."""
    tenant = await request.app.state.networks.get(request.path_params["network"])
    if tenant is None:
        raise ApiError(404)
    call = request.state.call = Call(request, tenant, rights=rights)
    _check_readable(request)
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    if scheme:
        if scheme.lower() != "bearer" or not secret.strip():
            raise unauthorized()
        call.bearer = secret.strip()
    elif (cookie := request.cookies.get(SESSION_COOKIE)) is not None:
        call.session = await accounts.resume(tenant, cookie, ip=call.ip)
        _check_ours(call)
    _count(call)
    if call.bearer is None and call.session is None:
        raise unauthorized()
    return call


def _count(call: Call) -> None:
    """Count the request, and refuse it where there were too many."""
    request, limiter, name = call.request, call.request.app.state.limiter, call.tenant.name
    if call.bearer is not None:
        wants = limits.wants_of_token(request, name, call.bearer, limiter)
    else:
        wants = limits.wants(request, name, None if call.session is None else call.session[1])
    call.verdict = limiter.take(wants)
    if call.verdict is not None and not call.verdict.allowed:
        raise ApiError(429)


def _check_ours(call: Call) -> None:
    """Refuse a change that a browser sends without proof that one of our pages asked for it."""
    if call.session is None:
        return
    if call.session[0].acting is not None:
        raise ApiError(403, say("The API is not for offices of others: leave this office first."))
    if call.request.method in csrf.SAFE:
        return
    sent = next((call.request.headers[name] for name in csrf.HEADERS if name in call.request.headers), "")
    if not csrf.same_origin(call.request) or not hmac.compare_digest(sent.encode(), call.session[0].csrf.encode()):
        raise ApiError(403, say("A browser's session needs its X-CSRF-Token."))


def _check_readable(request: Request) -> None:
    """Refuse what can't be answered in JSON, and addresses with characters that no database keeps."""
    accepted = request.headers.get("accept", "*/*").lower()
    kinds = {part.partition(";")[0].strip() for part in accepted.split(",")}
    if not kinds & {"", "*/*", "application/*", "application/json", "application/problem+json"}:
        raise ApiError(406)
    given = [*request.path_params.values(), *(text for pair in request.query_params.multi_items() for text in pair)]
    if any("\x00" in text or not _storable(text) for text in given):
        raise ApiError(400)


def _storable(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _parameters(request: Request, known: Collection[str]) -> Mapping[str, str]:
    """Return the query's parameters, each once; what is not known is refused, not ignored."""
    found = request.query_params
    wrong = {name[:100]: say("There is no such parameter.") for name in found if name not in known}
    wrong |= {name: say("This is said twice.") for name in found if len(found.getlist(name)) > 1}
    if wrong:
        raise InvalidError(wrong)
    return dict(found)


def respond(answer: Answer) -> Response:
    """Return the HTTP response of an answer."""
    if answer.stream is not None:
        return streamed(answer.stream)
    headers = {"Vary": "Authorization, Cookie, Accept-Language", **answer.headers}
    text = answer.text if answer.body is None else dump(answer.body)
    return Response(text, answer.status, headers, None if text is None else "application/json")
