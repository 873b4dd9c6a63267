"""The way out to other systems: one POST to a public address, no redirects, no second look at the name."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol
from urllib.parse import quote, urlsplit

from models.message import Message, say

LONGEST_URL = 2000
TIMEOUT = 10.0
"""Seconds for all of a call: finding the address, connecting, sending, and the first line of the answer."""
_EMBEDDED = tuple(map(ipaddress.IPv6Network, ("2002::/16", "2001::/32", "64:ff9b::/96", "64:ff9b:1::/48")))
"""Ranges of IPv6 whose addresses stand for one of IPv4 (6to4, Teredo, NAT64): no way around the check."""


class CallError(Exception):
    """A call that was not taken. `permanent`: another try would be refused as well; `status` is the answer's.

    `uncertain`: all was said and no answer came, so that it may have been taken or not.
    """

    def __init__(
        self, message: Message, *, permanent: bool = False, status: int | None = None, uncertain: bool = False
    ) -> None:
        """Keep what happened."""
        self.uncertain = uncertain
        self.message = message
        self.permanent = permanent
        self.status = status
        super().__init__(str(message))


class Caller(Protocol):
    """Calls other systems."""

    async def call(self, url: str, headers: Mapping[str, str], body: bytes) -> int:
        """Send `body` as JSON and return the answer's status (2xx); `CallError` for everything else."""
        ...


@dataclass(frozen=True, slots=True)
class Target:
    """An address taken apart."""

    secure: bool
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """What the `Host` header says."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.secure else 80) else f"{host}:{self.port}"


def target_of(url: str) -> Target:
    """Return where an address leads; `CallError` for what is none, or has a password in it."""
    refused = CallError(say("This address cannot be called: {url}", url=url[:200]), permanent=True)
    try:
        parts = urlsplit(url.strip())
        host, port = parts.hostname, parts.port
    except ValueError:
        raise refused from None
    if parts.scheme not in {"http", "https"} or not host or "@" in parts.netloc or len(url) > LONGEST_URL:
        raise refused
    try:
        name = host if ":" in host else host.encode("idna").decode("ascii")
    except UnicodeError:
        raise refused from None
    path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._")
    query = quote(parts.query, safe="/%:@!$&'()*+,;=~-._?")
    secure = parts.scheme == "https"
    return Target(secure, name, port or (443 if secure else 80), f"{path}?{query}" if query else path)


def is_public(address: str) -> bool:
    """Whether an address is one of the public internet: not this machine, its networks or a cloud's own services."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            return is_public(str(ip.ipv4_mapped))
        if any(ip in network for network in _EMBEDDED):
            return False
    return ip.is_global and not ip.is_multicast


async def resolve(host: str, port: int) -> list[str]:
    """Return the addresses of a name."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]


class HttpCaller:
    """Calls over HTTP and HTTPS. The address that was checked is the one that is connected to."""

    def __init__(
        self,
        *,
        permitted: Callable[[str], bool] = is_public,
        find: Callable[[str, int], Awaitable[list[str]]] = resolve,
        timeout: float = TIMEOUT,
    ) -> None:
        """Call only addresses that are `permitted`; `find` looks names up."""
        self.permitted = permitted
        self.find = find
        self.timeout = timeout

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        return ssl.create_default_context()

    async def call(self, url: str, headers: Mapping[str, str], body: bytes) -> int:
        """Send `body` and return the status of the answer; redirects are answers like others, and not taken."""
        target = target_of(url)
        said = asyncio.Event()
        try:
            async with asyncio.timeout(self.timeout):
                status = await self._exchange(target, await self._address(target), headers, body, said)
        except TimeoutError:
            raise CallError(say("There was no answer in time."), uncertain=said.is_set()) from None
        except (OSError, ValueError, asyncio.LimitOverrunError) as error:
            raise CallError(say("It cannot be reached: {reason}", reason=error), uncertain=said.is_set()) from None
        if not 200 <= status < 300:
            raise CallError(say("It answered with {status}.", status=status), permanent=status == 410, status=status)
        return status

    async def _address(self, target: Target) -> str:
        addresses = await self.find(target.host, target.port)
        if not addresses or not all(map(self.permitted, addresses)):
            raise CallError(say("This is an address inside of a private network: it is not called."), permanent=True)
        return addresses[0]

    async def _exchange(
        self, target: Target, address: str, headers: Mapping[str, str], body: bytes, said: asyncio.Event
    ) -> int:
        """Say it all and return the answer's status; `said` is set once the receiver may have all of it."""
        tls = {"ssl": self._tls, "server_hostname": target.host} if target.secure else {}
        reader, writer = await asyncio.open_connection(address, target.port, **tls)  # type: ignore[arg-type] # two ways
        try:
            sent = {
                "Host": target.authority,
                "Content-Type": "application/json",
                "Content-Length": str(len(body)),
                "User-Agent": "Maille",
                "Connection": "close",
                **headers,
            }
            head = "".join(f"{name}: {text}\r\n" for name, text in sent.items())
            said.set()
            writer.write(f"POST {target.path} HTTP/1.1\r\n{head}\r\n".encode("ascii") + body)
            await writer.drain()
            return await _status(reader)
        finally:
            writer.close()
            with suppress(OSError, TimeoutError):
                await writer.wait_closed()


async def _status(reader: asyncio.StreamReader) -> int:
    """Return the status of the answer, behind any that only say that it is under way."""
    while True:
        line = (await reader.readline()).decode("latin-1").split()
        if len(line) < 2 or not line[0].startswith("HTTP/1.") or not (len(line[1]) == 3 and line[1].isdigit()):
            raise ValueError("This is no answer of HTTP.")
        status = int(line[1])
        if status >= 200:
            return status
        while (await reader.readline()).strip():
            pass
