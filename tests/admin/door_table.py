"""Every address of a network with its methods, out of the routes themselves: a new one is tested at once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.routing import BaseRoute, Mount, Route

from admin.api.addresses import within
from admin.csrf import SAFE

NAMES = (
    "entity",
    "id",
    "process",
    "region",
    "transition",
    "state",
    "field",
    "history",
    "mail",
    "task",
    "hook",
    "inlet",
    "notice",
    "version",
    "token",
    "job",
    "view",
    "link",
    "member",
    "run",
    "asked",
)
"""What stands in braces in the addresses. A route with another name needs a value for it here and in the tests."""

CONVERTER = re.compile(r":\w+(?=\})")
"""What Starlette has behind a name that is a number."""


@dataclass(frozen=True, slots=True)
class Address:
    """One method of one route; `path` is below `/n/<network>/`, with names in braces."""

    method: str
    path: str

    def filled(self, **values: str) -> str:
        """Return the address with its names filled in."""
        return self.path.format(**values)

    def __str__(self) -> str:
        """Return how a test names it."""
        return f"{self.method} /{self.path}"


def addresses(app: Starlette) -> tuple[Address, ...]:
    """Return every address of a network, the back office as one (it has rules of its own).

    The API asks who calls in its own way: `tests/admin/api/test_access.py` has its table.
    """
    network = next(route for route in app.routes if isinstance(route, Mount) and route.path == "/n/{network}")
    return tuple(dict.fromkeys(_addresses(network.routes)))


def unsafe(found: Iterable[Address]) -> tuple[Address, ...]:
    """Return those that change something."""
    return tuple(each for each in found if each.method not in SAFE)


def about(found: Iterable[Address], name: str) -> tuple[Address, ...]:
    """Return those whose address has `{name}` in it."""
    return tuple(each for each in found if f"{{{name}}}" in each.path)


def _addresses(routes: Iterable[BaseRoute]) -> Iterator[Address]:
    for route in routes:
        if isinstance(route, Route):
            for method in sorted((route.methods or {"GET"}) - {"HEAD"}):
                yield Address(method, CONVERTER.sub("", route.path.removeprefix("/")))
        elif isinstance(route, Mount) and not within(f"/n/network{route.path}"):
            yield Address("GET", route.path.removeprefix("/") + "/")
            yield Address("POST", route.path.removeprefix("/") + "/api/tables/Lead/")


def examples(**given: str) -> Mapping[str, str]:
    """Return a value for each name: those given, else ones that mean something in the small network."""
    ordinary = {
        "entity": "lead",
        "process": "recruiting",
        "transition": "call",
        "state": "new",
        "field": "city",
        "version": "1",
    }
    return {**dict.fromkeys(NAMES, "none"), **ordinary, **given}
