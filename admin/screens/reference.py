"""The API as a page for people: what a member's levels see of it, written from the same description as the JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from admin.api.horizon import horizon_of
from admin.api.openapi.document import described
from admin.entering import origin
from admin.visit import Visit
from admin.web import here, redirect, render, say_on
from models.message import say
from workflows import hooks
from workflows.hooks import Hook
from workflows.unit import Unit, read, write

Schema = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Line:
    """A field or parameter: its name, type, what it is called, and whether it must be there."""

    name: str
    kind: str
    label: str
    needed: bool


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing that can be asked of the API."""

    name: str
    method: str
    path: str
    summary: str
    parameters: tuple[Line, ...]
    body: tuple[Line, ...]
    answers: tuple[tuple[str, str], ...]


async def shown(request: Request) -> Response:
    """Show the operations, grouped as their tags are."""
    visit = here(request)
    horizon = horizon_of(visit.tenant.published, visit.actor)
    document = json.loads(described(horizon, visit.tenant.name, visit.language, visit.words))
    groups: dict[str, list[Operation]] = {}
    for tag, operation in _operations(document):
        groups.setdefault(tag, []).append(operation)
    entities = [
        (visit.words(seen.entity.label), seen.entity.name, _lines(document, document["components"]["schemas"][name]))
        for name, seen in horizon.entities.items()
    ]
    path = document["servers"][0]["url"]
    base = origin(request) + path
    return await render(request, "api/reference.html", groups=groups, entities=entities, base=base, path=path)


def _operations(document: Schema) -> Iterator[tuple[str, Operation]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            schema = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
            parameters = [_resolved(document, each) for each in operation.get("parameters", ())]
            yield (
                operation["tags"][0],
                Operation(
                    name=operation["operationId"],
                    method=method.upper(),
                    path=path,
                    summary=operation["summary"],
                    parameters=tuple(
                        Line(
                            each["name"],
                            _kind(each["schema"]),
                            each.get("description", ""),
                            bool(each.get("required")),
                        )
                        for each in parameters
                    ),
                    body=() if schema is None else _lines(document, schema),
                    answers=tuple(
                        (status, _resolved(document, answer)["description"])
                        for status, answer in sorted(operation["responses"].items())
                    ),
                ),
            )


def _resolved(document: Schema, part: Schema) -> Any:
    found: Any = part
    while "$ref" in found:
        at: Any = document
        for step in found["$ref"].removeprefix("#/").split("/"):
            at = at[step]
        found = at
    return found


def _lines(document: Schema, schema: Schema) -> tuple[Line, ...]:
    found = _resolved(document, schema)
    needed = found.get("required", ())
    return tuple(
        Line(name, _kind(each), each.get("title") or each.get("description", ""), name in needed)
        for name, each in found.get("properties", {}).items()
    )


def _kind(schema: Schema) -> str:
    """Return a type in a few words."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "anyOf" in schema:
        return " | ".join(dict.fromkeys(_kind(each) for each in schema["anyOf"] if each.get("type") != "null"))
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"]))
    kinds = schema.get("type", "json")
    kind = next((each for each in kinds if each != "null"), "") if isinstance(kinds, list) else str(kinds)
    if kind == "array":
        return f"[{_kind(schema.get('items', {}))}]"
    return f"{kind} ({schema['format']})" if "format" in schema else kind


async def calls(request: Request) -> Response:
    """Show who runs the network what was sent to other systems, and the secret that it was signed with."""
    visit = here(request)

    async def work(unit: Unit) -> tuple[list[Hook], str | None, bool]:
        is_kept = await hooks.has_secret(unit.tx)
        return await hooks.latest(unit), await hooks.stored_secret(unit.tx, unit.vault), is_kept

    found, secret, is_kept = await read(visit.tenant, visit.actor, work)
    lines = [(hook, visit.formats.due(hook.sent_at or hook.at), _said(visit, hook)) for hook in found]
    return await render(
        request,
        "api/hooks.html",
        hooks=lines,
        secret=secret,
        closed=is_kept and secret is None,
        colours=COLOURS,
        states=_states(visit),
    )


COLOURS = {"waiting": "amber", "sent": "green", "failed": "red", "cancelled": "grey"}
STATES = {"waiting": say("Waiting"), "sent": say("Sent"), "failed": say("Failed"), "cancelled": say("Cancelled")}


def _states(visit: Visit) -> dict[str, str]:
    return {name: visit.words(label) for name, label in STATES.items()}


def _said(visit: Visit, hook: Hook) -> str:
    return "" if hook.error is None else visit.words(hook.error)


async def retry(request: Request) -> Response:
    """Make a call once more."""
    visit = here(request)
    hook = request.path_params["hook"]
    await write(visit.tenant, visit.actor, lambda unit: hooks.retry(unit, hook))
    return say_on(request, redirect(request, visit.url("api", "hooks")), say("The call will be made again."))


async def renew(request: Request) -> Response:
    """Draw another secret: calls are signed with it from now on."""
    visit = here(request)
    await write(visit.tenant, visit.actor, hooks.renew)
    return say_on(request, redirect(request, visit.url("api", "hooks")), say("There is a new secret."))


routes: list[BaseRoute] = [
    Route("/api", shown),
    Route("/api/hooks", calls),
    Route("/api/hooks/secret", renew, methods=["POST"]),
    Route("/api/hooks/{hook}/retry", retry, methods=["POST"]),
]
