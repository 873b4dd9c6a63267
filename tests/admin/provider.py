"""An OpenID Connect provider on this machine: a real HTTP server, which can be told to do evil."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import parse_qs, urlsplit

from authlib.oauth2.rfc7636 import create_s256_code_challenge  # type: ignore[import-untyped] # it has no types
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

from models.clock import Clock

CLIENT, SECRET = "maille", "a secret of the provider"
Claims = dict[str, Any]


@cache
def key_of(kid: str, whose: str) -> RSAKey:
    """Return somebody's key of that name; it takes long to make one."""
    return RSAKey.generate_key(2048, {"kid": kid})


@dataclass
class Code:
    """What a code was given for."""

    nonce: str
    challenge: str
    back: str


@dataclass
class Idp:
    """The provider: who comes (`person`), and what it gets wrong on purpose (`twist` changes claims, `sign` signs)."""

    clock: Clock
    port: int = 0
    person: Claims = field(default_factory=dict)
    twist: Callable[[Claims], None] = lambda _: None
    key: RSAKey = field(default_factory=lambda: key_of("first", "ours"))
    sign: Callable[[Idp, Claims], str] | None = None
    about: Claims = field(default_factory=dict)
    userinfo: Claims = field(default_factory=dict)
    codes: dict[str, Code] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    remembers: bool = False

    @property
    def issuer(self) -> str:
        """Return its address."""
        return f"http://127.0.0.1:{self.port}"

    def authorize(self, address: str) -> Mapping[str, str]:
        """Do what a person does there: sign in; return what the browser brings back."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        assert asked["response_type"] == "code"
        assert asked["client_id"] == CLIENT
        assert asked["code_challenge_method"] == "S256"
        assert "openid" in asked["scope"].split()
        code = f"code{len(self.asked)}-{len(self.codes)}"
        self.codes[code] = Code(asked["nonce"], asked["code_challenge"], asked["redirect_uri"])
        return {"code": code, "state": asked["state"], "iss": self.issuer}

    def signed(self, claims: Claims, key: RSAKey | None = None) -> str:
        """Return a token with these claims."""
        used = key or self.key
        return jwt.encode({"alg": "RS256", "kid": used.kid or ""}, claims, used)

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("ascii").split("\r\n")
        headers = {name.lower(): text for name, text in (line.split(": ", 1) for line in head[1:] if line)}
        body = (await reader.readexactly(int(headers.get("content-length", "0")))).decode()
        path = head[0].split(" ")[1]
        self.asked.append(path)
        status, said = self._answer(path, headers, body)
        content = json.dumps(said).encode()
        writer.write(
            f"HTTP/1.1 {status} -\r\ncontent-type: application/json\r\ncontent-length: {len(content)}\r\n"
            "connection: close\r\n\r\n".encode("ascii")
            + content
        )
        await writer.drain()
        writer.close()

    def _answer(self, path: str, headers: Mapping[str, str], body: str) -> tuple[int, Any]:
        match path:
            case "/.well-known/openid-configuration":
                ends = {"authorization": "authorize", "token": "token", "userinfo": "userinfo"}
                found = {f"{name}_endpoint": f"{self.issuer}/{end}" for name, end in ends.items()}
                return 200, {"issuer": self.issuer, **found, "jwks_uri": f"{self.issuer}/keys", **self.about}
            case "/keys":
                return 200, KeySet([self.key]).as_dict(private=False)
            case "/userinfo":
                right = headers.get("authorization") == "Bearer access"
                return (200, self.userinfo) if right else (401, {})
            case "/token":
                return self._token(headers, {name: values[0] for name, values in parse_qs(body).items()})
            case _:
                return 404, {}

    def _token(self, headers: Mapping[str, str], form: Mapping[str, str]) -> tuple[int, Any]:
        basic = base64.b64decode(headers.get("authorization", "").removeprefix("Basic ")).decode()
        code = self.codes.get(form["code"]) if self.remembers else self.codes.pop(form["code"], None)
        right = (
            code is not None
            and form["grant_type"] == "authorization_code"
            and basic == f"{CLIENT}:{SECRET}"
            and form["redirect_uri"] == code.back
            and create_s256_code_challenge(form["code_verifier"]) == code.challenge
        )
        if code is None or not right:
            return 400, {"error": "invalid_grant"}
        now = int(self.clock.now().timestamp())
        claims = {"iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": code.nonce, **self.person}
        self.twist(claims)
        token = self.signed(claims) if self.sign is None else self.sign(self, claims)
        return 200, {"access_token": "access", "token_type": "Bearer", "id_token": token}


@asynccontextmanager
async def provider(clock: Clock) -> AsyncIterator[Idp]:
    """Run a provider."""
    idp = Idp(clock)
    server = await asyncio.start_server(idp.take, "127.0.0.1", 0)
    idp.port = server.sockets[0].getsockname()[1]
    async with server:
        yield idp
