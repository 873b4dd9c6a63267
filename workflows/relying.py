"""What we ask of an OpenID Connect provider: authorization code with PKCE, state and nonce (RFC 6749, 7636, 9207)."""

from __future__ import annotations

import json
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from ssl import SSLContext
from typing import Any

import httpx
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri  # type: ignore[import-untyped] # it has no types
from authlib.oauth2.rfc7636 import create_s256_code_challenge  # type: ignore[import-untyped] # the same
from authlib.oidc.core import CodeIDToken  # type: ignore[import-untyped] # the same
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet

from models.message import Message, say
from models.providers import Claimed, Provider
from workflows.calling import TIMEOUT, is_public, resolve

SCOPE = "openid email"
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA")
"""Signatures with a key that the provider alone has: none without one, none with the secret that we have too."""
LARGEST = 1_000_000
"""Bytes of an answer that are read."""
LEEWAY = 60
"""Seconds that clocks may differ."""
KEPT = timedelta(hours=1)
"""So long what a provider says of itself is believed; keys that are not known are asked for at once."""
_NEEDED = ("authorization_endpoint", "token_endpoint", "jwks_uri")


class ProviderError(Exception):
    """The provider cannot be asked, or what it says does not hold."""

    def __init__(self, message: Message) -> None:
        """Keep what happened."""
        self.message = message
        super().__init__(str(message))


@dataclass(frozen=True, slots=True)
class Question:
    """What a sign-in at a provider began with: only who has it understands the answer."""

    nonce: str
    verifier: str
    back: str

    @staticmethod
    def drawn(back: str) -> Question:
        """Return a new one; `back` is the address that the provider leads back to."""
        return Question(secrets.token_urlsafe(32), secrets.token_urlsafe(48), back)


class _Short(httpx.AsyncByteStream):
    """An answer, cut off where it gets too long."""

    def __init__(self, stream: httpx.AsyncByteStream) -> None:
        self.stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        async for part in self.stream:
            size += len(part)
            if size > LARGEST:
                raise httpx.ReadError("The answer is too large.")
            yield part

    async def aclose(self) -> None:
        await self.stream.aclose()


@cache
def _trusted() -> SSLContext:
    """Return whom the way out trusts: reading the authorities takes longer than most answers, so it is done once."""
    return httpx.create_ssl_context()


class Guarded(httpx.AsyncBaseTransport):
    """The way out: over HTTPS to public addresses; the address that was checked is the one that is connected to."""

    def __init__(self, *, inside: bool, find: Callable[[str, int], Awaitable[list[str]]] = resolve) -> None:
        """With `inside`, private networks and plain HTTP are for the operator to answer for."""
        self.inside = inside
        self.find = find
        self.out = httpx.AsyncHTTPTransport(retries=0, verify=_trusted())

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request to where its host is."""
        url = request.url
        if url.scheme != "https" and not self.inside:
            raise ProviderError(say("A provider is asked over https alone."))
        addresses = await self.find(url.host, url.port or (443 if url.scheme == "https" else 80))
        if not addresses or not (self.inside or all(map(is_public, addresses))):
            raise ProviderError(say("This is an address inside of a private network: it is not called."))
        request.extensions = {**request.extensions, "sni_hostname": url.host}
        request.url = url.copy_with(host=addresses[0])
        answer = await self.out.handle_async_request(request)
        if isinstance(answer.stream, httpx.AsyncByteStream):
            answer.stream = _Short(answer.stream)
        return answer

    async def aclose(self) -> None:
        """Close what is open."""
        await self.out.aclose()


@dataclass(frozen=True, slots=True)
class _Known:
    said: Mapping[str, Any]
    keys: KeySet
    at: datetime


class Relying:
    """Asks providers; what they say of themselves is remembered for a while."""

    def __init__(self, *, inside: bool = False, find: Callable[[str, int], Awaitable[list[str]]] = resolve) -> None:
        """See `Guarded`."""
        self.inside = inside
        self.find = find
        self._known: dict[str, _Known] = {}

    async def check(self, issuer: str, now: datetime) -> None:
        """Find out whether there is a provider; `ProviderError`."""
        self._known.pop(issuer, None)
        await self._about(issuer, now)

    async def address(self, provider: Provider, question: Question, state: str, now: datetime) -> str:
        """Return where somebody signs in at the provider."""
        known = await self._about(provider.issuer, now)
        address: str = prepare_grant_uri(
            known.said["authorization_endpoint"],
            client_id=provider.client_id,
            response_type="code",
            redirect_uri=question.back,
            scope=SCOPE,
            state=state,
            nonce=question.nonce,
            code_challenge=create_s256_code_challenge(question.verifier),
            code_challenge_method="S256",
        )
        return address

    async def claimed(
        self, provider: Provider, secret: str | None, question: Question, code: str, now: datetime
    ) -> Claimed:
        """Exchange the code for who it is; `ProviderError` for everything that does not hold."""
        known = await self._about(provider.issuer, now)
        given = await self._exchange(known.said, provider, secret, question, code)
        token = given.get("id_token")
        if not isinstance(token, str):
            raise _odd()
        try:
            claims = await self._verified(provider, question, given, now)
        except (JoseError, ValueError, KeyError, TypeError):
            raise ProviderError(say("What the provider says of you is not valid.")) from None
        found = _claimed(provider.issuer, claims)
        access, more = given.get("access_token"), known.said.get("userinfo_endpoint")
        if found.email is None and isinstance(access, str) and isinstance(more, str):
            said = await self._get(more, {"Authorization": f"Bearer {access}"})
            if said.get("sub") == found.subject:
                found = replace(_claimed(provider.issuer, said), methods=found.methods)
        return found

    async def _verified(
        self, provider: Provider, question: Question, given: Mapping[str, Any], now: datetime
    ) -> Mapping[str, Any]:
        known = await self._about(provider.issuer, now)
        try:
            token = jwt.decode(given["id_token"], known.keys, algorithms=ALGORITHMS)
        except InvalidKeyIdError:  # the provider has new keys
            known = await self._renew(provider.issuer, now)
            token = jwt.decode(given["id_token"], known.keys, algorithms=ALGORITHMS)
        options = {
            "iss": {"essential": True, "value": provider.issuer},
            "aud": {"essential": True, "value": provider.client_id},
            "sub": {"essential": True},
        }
        params = {"nonce": question.nonce, "client_id": provider.client_id, "access_token": given.get("access_token")}
        claims = CodeIDToken(token.claims, token.header, options, params)
        claims.validate(now=int(now.timestamp()), leeway=LEEWAY)
        return token.claims

    async def _exchange(
        self, said: Mapping[str, Any], provider: Provider, secret: str | None, question: Question, code: str
    ) -> Mapping[str, Any]:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": question.back,
            "code_verifier": question.verifier,
            "client_id": provider.client_id,
        }
        ways = said.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        auth = None
        if secret is not None and "client_secret_basic" in ways:
            auth = httpx.BasicAuth(provider.client_id, secret)
        elif secret is not None:
            form["client_secret"] = secret
        return await self._ask("POST", str(said["token_endpoint"]), data=form, auth=auth)

    async def _about(self, issuer: str, now: datetime) -> _Known:
        known = self._known.get(issuer)
        return known if known is not None and timedelta(0) <= now - known.at < KEPT else await self._renew(issuer, now)

    async def _renew(self, issuer: str, now: datetime) -> _Known:
        said = await self._get(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
        if said.get("issuer") != issuer or not all(isinstance(said.get(name), str) for name in _NEEDED):
            raise _odd()
        try:
            keys = KeySet.import_key_set(await self._get(said["jwks_uri"]))  # type: ignore[arg-type] # it is checked there
        except (JoseError, ValueError, KeyError, TypeError):
            raise _odd() from None
        known = self._known[issuer] = _Known(said, keys, now)
        return known

    async def _get(self, url: str, headers: Mapping[str, str] | None = None) -> Mapping[str, Any]:
        return await self._ask("GET", url, headers=headers)

    async def _ask(self, method: str, url: str, **more: Any) -> Mapping[str, Any]:
        plain = {"Accept": "application/json", "Accept-Encoding": "identity", **(more.pop("headers", None) or {})}
        transport = Guarded(inside=self.inside, find=self.find)
        try:
            async with httpx.AsyncClient(transport=transport, timeout=TIMEOUT, trust_env=False) as client:
                answer = await client.request(method, url, headers=plain, **more)
                found = json.loads(answer.content) if answer.status_code == 200 else None
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError, UnicodeError):
            raise ProviderError(say("The provider cannot be reached.")) from None
        if not isinstance(found, dict):
            raise _odd()
        return found


def _odd() -> ProviderError:
    return ProviderError(say("The provider does not answer as OpenID Connect has it."))


def _claimed(issuer: str, said: Mapping[str, Any]) -> Claimed:
    email, methods = said.get("email"), said.get("amr")
    return Claimed(
        issuer,
        str(said["sub"]),
        email if isinstance(email, str) and email else None,
        said.get("email_verified") is True,
        tuple(each for each in methods if isinstance(each, str)) if isinstance(methods, list) else (),
    )
