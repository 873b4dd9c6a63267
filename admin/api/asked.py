"""What a request asks for in its address and its headers, read with care."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.requests import Request

from admin.api.horizon import Horizon, Seen
from admin.api.problems import ApiError
from models.errors import ConflictError, InvalidError
from models.message import say
from models.query import LIMIT, Query
from workflows.unit import Unit

DEFAULT_LIMIT = 50
LIST = ("filter", "sort", "q", "limit", "cursor", "fields", "count")
"""The parameters of a list."""


def whole(given: Mapping[str, str], name: str, default: int, most: int) -> int:
    """Return a whole number from 1 to `most`."""
    text = given.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 10 and 1 <= int(text) <= most):
        raise InvalidError({name: say("This is a whole number from 1 to {count}.", count=most)})
    return int(text)


def flag(given: Mapping[str, str], name: str) -> bool:
    """Return whether a parameter says `true`."""
    text = given.get(name, "false")
    if text not in {"true", "false"}:
        raise InvalidError({name: say("This is neither true nor false.")})
    return text == "true"


@dataclass(frozen=True, slots=True)
class Listed:
    """What a list is asked for: the query, the fields to answer with, and whether to count."""

    query: Query
    names: tuple[str, ...]
    counts: bool


def listed(given: Mapping[str, str], horizon: Horizon, seen: Seen) -> Listed:
    """Return what a list is asked for; `InvalidError` by parameter."""
    names = fields(given, seen)
    sort = given.get("sort", "-created_at")
    if sort.removeprefix("-") not in seen.fields:
        raise InvalidError({"sort": say("A list cannot be sorted by this.")})
    text = given.get("filter", "").strip()
    query = Query(
        where=horizon.filter(seen.entity.name, text) if text else None,
        q=given.get("q", ""),
        sort=sort,
        limit=whole(given, "limit", DEFAULT_LIMIT, LIMIT),
        cursor=given.get("cursor"),
        columns=names,
    )
    return Listed(query, names, flag(given, "count"))


def fields(given: Mapping[str, str], seen: Seen, *, lines: bool = False) -> tuple[str, ...]:
    """Return the fields (and where asked for: the lines) that are named: all fields when nothing is said."""
    text = given.get("fields", "")
    if not text:
        return seen.names
    wanted = [name.strip() for name in text.split(",")]
    known = {*seen.fields, *(name for name, line in seen.lines.items() if lines and line.reads)}
    unknown = [name for name in wanted if name not in known]
    if unknown:
        raise InvalidError({"fields": say("There is no field “{name}”.", name=unknown[0][:100])})
    return tuple(dict.fromkeys(wanted))


async def expected(unit: Unit, request: Request, entity: str, record: str, *, needed: bool) -> int | None:
    """Return the version that `If-Match` names, None for any (`*`); 428 when it is needed and not there."""
    header = request.headers.get("if-match")
    if header is None:
        if needed:
            raise ApiError(428)
        return None
    tags = {tag.strip() for tag in header.split(",")}
    if "*" in tags:
        return None
    current = (await unit.records.get(entity, record)).version
    if f'"{current}"' not in tags:
        raise ConflictError(current)
    return current
