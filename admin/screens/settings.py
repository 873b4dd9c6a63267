"""The network's settings, for who administers it: each value with its input, and the way back to the definition's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from admin.asked import text
from admin.parts.columns import field_column
from admin.parts.inputs import Input, Question, answers, build, raw_from, raw_of
from admin.parts.reader import Reader
from admin.parts.shown import write
from admin.visit import Visit, here
from admin.web import redirect, render, say_on
from definitions.text import Text
from models.errors import ConflictError, InvalidError
from models.message import Message, say
from workflows import settings
from workflows.settings import Held

STAMP = "stamp."
"""What stands before a setting's name in the form: with the value it was that was read."""


@dataclass(frozen=True, slots=True)
class Line:
    """A setting on the page: its input, the definition's value in words, and who changed it when ("" for nobody)."""

    name: str
    input: Input
    default: str
    changed: bool
    author: str
    when: str
    stamp: str


async def shown(request: Request) -> Response:
    """Show the settings."""
    return await _page(request)


async def save(request: Request) -> Response:
    """Keep what was changed; what is wrong, or was changed by somebody else meanwhile, comes back with the form."""
    visit, form = here(request), await request.form()
    held = await settings.settings(visit.tenant, visit.actor)
    held = {name: each for name, each in held.items() if name in form or STAMP + name in form}
    asked = _questions(visit, held)
    raw = raw_from(form, asked)
    stamps = {name: text(form, STAMP + name) for name in held}
    changed = [question for question in asked if raw[question.name] != _raw(visit, held[question.name], question)]
    values, unreadable = answers(raw, changed, visit.formats.timezone)
    if unreadable:
        return await _page(request, raw=raw, wrong=unreadable)
    try:
        await settings.change(visit.tenant, visit.actor, values, stamps)
    except InvalidError as error:
        return await _page(request, raw=raw, wrong=error.fields)
    except ConflictError:
        now = await settings.settings(visit.tenant, visit.actor)
        lost = [visit.words(now[name].setting.label) for name in values if now[name].stamp != stamps[name]]
        return await _page(request, lost=lost)
    return say_on(request, redirect(request, visit.url("settings")), say("Saved"))


async def reset(request: Request) -> Response:
    """Let the definition's value hold again."""
    visit, form = here(request), await request.form()
    await settings.reset(visit.tenant, visit.actor, text(form, "name"))
    return say_on(request, redirect(request, visit.url("settings")), say("Saved"))


def _questions(visit: Visit, held: Mapping[str, Held]) -> tuple[Question, ...]:
    reader = Reader(visit.network, visit.formats)
    return tuple(Question(name, field_column(reader, each.field), each.field.required) for name, each in held.items())


def _raw(visit: Visit, held: Held, question: Question) -> tuple[str, ...]:
    return raw_of(question.column, held.value, visit.formats)


async def _page(
    request: Request,
    *,
    raw: Mapping[str, tuple[str, ...]] | None = None,
    wrong: Mapping[str, Message | Text] | None = None,
    lost: list[str] | None = None,
) -> Response:
    visit = here(request)
    held = await settings.settings(visit.tenant, visit.actor)
    lines = []
    for question in _questions(visit, held):
        typed = (raw or {}).get(question.name, _raw(visit, held[question.name], question))
        error = visit.words(wrong[question.name]) if wrong and question.name in wrong else ""
        lines.append(_line(visit, held[question.name], question, typed, error))
    status = 422 if wrong else 409 if lost else 200
    return await render(request, "settings/page.html", status=status, lines=lines, lost=lost or [])


def _line(visit: Visit, held: Held, question: Question, raw: tuple[str, ...], error: str) -> Line:
    reader = Reader(visit.network, visit.formats)
    return Line(
        question.name,
        replace(build(question, raw, reader, {}), error=error),
        write(question.column, held.setting.value, reader, {}),
        held.kept is not None,
        held.author,
        visit.formats.ago(held.kept.changed_at) if held.kept else "",
        held.stamp,
    )


routes: list[BaseRoute] = [
    Route("/settings", shown, methods=["GET"]),
    Route("/settings", save, methods=["POST"]),
    Route("/settings/reset", reset, methods=["POST"]),
]
