"""Where a PostgreSQL database is: one address, several servers of which one takes changes, or a pooler before them."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import SplitResult, urlsplit


@dataclass(frozen=True, slots=True)
class Pooled:
    """A database behind a pooler that lends a connection for one transaction (PgBouncer's `pool_mode=transaction`).

    `direct` is the database itself: whoever waits to be told something needs a connection that stays.
    """

    url: str = field(repr=False)
    direct: str = field(repr=False)


Address = str | Pooled
"""An address as `DATABASE_URL` has it; with several hosts (`//one:5432,two:5432/…`) they are a primary and standbys."""


def main_of(address: Address) -> str:
    """Return where transactions go."""
    return address.url if isinstance(address, Pooled) else address


def direct_of(address: Address) -> str:
    """Return where a connection stays one."""
    return address.direct if isinstance(address, Pooled) else address


def servers_of(url: str) -> tuple[str, ...]:
    """Return an address for each host that an address names before its path, in their order."""
    parts = urlsplit(url)
    who, at, hosts = parts.netloc.rpartition("@")
    named = hosts.split(",")
    return (url,) if len(named) == 1 else tuple(_of(parts, f"{who}{at}{host}") for host in named)


def _of(parts: SplitResult, place: str) -> str:
    return parts._replace(netloc=place).geturl()
