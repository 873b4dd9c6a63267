"""Taking a transition: its form as a page or a dialog, the menu of a card, and taking it back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from admin.parts.asking import Raw, begun, choices, inputs, move_questions, version_of, way_back
from admin.parts.inputs import Question, answers, raw_from
from admin.parts.shown import Titles
from admin.parts.subject import Subject, reading, subject
from admin.parts.uploading import received
from admin.unmet import Condition, conditions
from admin.web import redirect, render, say_on
from definitions.charts.process import leaves_of
from definitions.spec.process import Process, Transition
from definitions.text import Text
from models.errors import ConflictError, InvalidError, NotFoundError, RefusedError
from models.message import Message, say
from models.record import Record
from models.records import Records
from workflows import approvals, commands
from workflows.guards import UnmetError
from workflows.undo import what_left


@dataclass(frozen=True, slots=True)
class Wanted:
    """The move that an address names, of a record that the visitor may read."""

    about: Subject
    record: Record
    process: Process
    transition: Transition
    asked: tuple[Question, ...]

    @property
    def here(self) -> str:
        """The address of the move."""
        return self.about.url(self.record.id, "move", self.process.name, self.transition.name)


@dataclass(frozen=True, slots=True)
class Sheet:
    """The form as it is to be shown: what stands in it, the version it goes with, and what is wrong.

    `conditions` are what the guard asks for where that refused.
    """

    raw: Raw
    version: int | None
    wrong: Mapping[str, Message | Text] = field(default_factory=dict)
    notice: Message | Text | None = None
    status: int = 200
    conditions: tuple[Condition, ...] = ()


async def ask(request: Request) -> Response:
    """Answer with the form of a move, or with a question where it has none."""
    wanted = await _wanted(request)
    offer = await _offer(wanted)
    if offer is None:
        raise RefusedError(say("This step can't be taken from where the record is now."))
    if offer.asked is not None and not _for_board(request):
        back = f"{wanted.about.url(wanted.record.id)}#asked"
        return say_on(request, redirect(request, back), offer.reason or approvals.ALREADY)
    if not offer.allowed:
        raise _unmet(offer) or RefusedError(offer.reason or say("You may not take this step."))
    raw = await reading(wanted.about.visit, partial(begun, wanted.about, wanted.asked, wanted.record))
    return await _form(request, wanted, Sheet(raw, wanted.record.version))


async def take(request: Request) -> Response:
    """Take the move; what is wrong comes back with the form."""
    wanted = await _wanted(request)
    form, refused = await received(request, wanted.asked)
    raw = raw_from(form, wanted.asked)
    version = version_of(form)
    values, unreadable = answers(raw, wanted.asked, wanted.about.reader.formats.timezone)
    unreadable |= refused
    if unreadable:
        return await _form(request, wanted, Sheet(raw, version, unreadable, status=422))
    try:
        moved = await _move(wanted, values, version)
    except InvalidError as error:
        return await _form(request, wanted, Sheet(raw, version, error.fields, status=422))
    except (RefusedError, ConflictError) as error:
        if _for_board(request) or not wanted.asked:
            raise
        status = 409 if isinstance(error, ConflictError) else 403
        asks = conditions(wanted.about.reader, error.transition, error.parts) if isinstance(error, UnmetError) else ()
        sheet = Sheet(raw, wanted.record.version, notice=error.message, status=status, conditions=asks)
        return await _form(request, wanted, sheet)
    return _moved(request, wanted, moved, way_back(wanted.about, form, wanted.about.url(wanted.record.id)))


async def undo(request: Request) -> Response:
    """Take a move back."""
    about = subject(request)
    record_id, history = request.path_params["id"], request.path_params["history"]
    await reading(about.visit, lambda records: records.get(about.entity.name, record_id))
    undone = await commands.undo(about.visit.tenant, about.visit.actor, history, about=(about.entity.name, record_id))
    text = about.reader.words(say("The step was taken back."))
    if (gone := what_left(undone.left)) is not None:
        text = f"{text} {about.reader.words(gone)}"
    if _for_board(request):
        return JSONResponse({"toast": text})
    form = await request.form()
    return say_on(request, redirect(request, way_back(about, form, about.url(record_id))), text)


async def menu(request: Request) -> Response:
    """Answer with what can be done with a record: its moves, the refused ones with the reason."""
    about = subject(request)
    record_id = request.path_params["id"]
    record = await reading(about.visit, lambda records: records.get(about.entity.name, record_id))
    offers = await commands.offers(about.visit.tenant, about.visit.actor, about.entity.name, record_id)
    steps = [(each, conditions(about.reader, each.transition, each.parts)) for each in offers]
    return await render(request, "board/menu.html", block="menu", about=about, record=record, steps=steps)


async def _wanted(request: Request) -> Wanted:
    about = subject(request)
    record_id = request.path_params["id"]
    record = await reading(about.visit, lambda records: records.get(about.entity.name, record_id))
    name = request.path_params["process"]
    process = about.visit.network.processes[name] if name in about.entity.processes else None
    transition = process.transitions.get(request.path_params["transition"]) if process else None
    if process is None or transition is None or transition.auto:
        raise NotFoundError
    return Wanted(about, record, process, transition, move_questions(about, transition))


async def _offer(wanted: Wanted) -> commands.Offer | None:
    visit = wanted.about.visit
    offers = await commands.offers(visit.tenant, visit.actor, wanted.about.entity.name, wanted.record.id)
    named = (offer for offer in offers if offer.process == wanted.process.name)
    return next((offer for offer in named if offer.transition.name == wanted.transition.name), None)


def _unmet(offer: commands.Offer) -> UnmetError | None:
    """Return what the guard of a step refuses it with, None where it is not the guard."""
    found = offer.parts and offer.reason
    return UnmetError(found, offer.transition, offer.parts) if found else None


async def _move(wanted: Wanted, values: dict[str, Any], version: int | None) -> commands.Moved:
    visit = wanted.about.visit
    return await commands.move(
        visit.tenant,
        visit.actor,
        wanted.about.entity.name,
        wanted.record.id,
        wanted.transition.name,
        process=wanted.process.name,
        form=values,
        version=version,
    )


async def _form(request: Request, wanted: Wanted, sheet: Sheet) -> Response:
    async def work(records: Records) -> Titles:
        return await choices(wanted.asked, sheet.raw, records)

    reader = wanted.about.reader
    made = inputs(wanted.about, wanted.asked, sheet.raw, await reading(wanted.about.visit, work), sheet.wrong)
    said = [text for name, text in sheet.wrong.items() if name not in made]
    part = wanted.about.visit.htmx or _for_board(request)
    return await render(
        request,
        "forms/move.html",
        block="sheet" if part else None,
        status=sheet.status,
        about=wanted.about,
        wanted=wanted,
        inputs=tuple(made.values()),
        version=sheet.version if sheet.version is not None else wanted.record.version,
        conditions=sheet.conditions,
        notices=[reader.words(text) for text in ([sheet.notice] if sheet.notice else []) + said],
    )


def _moved(request: Request, wanted: Wanted, moved: commands.Moved, back: str) -> Response:
    about, target = wanted.about, wanted.process.states[wanted.transition.target]
    text = f"{wanted.record.title} → {_where(wanted, moved)}"
    if moved.asked:
        text = about.reader.words(say("The step is asked for: others must agree to it."))
    undo_at = about.url(wanted.record.id, "undo", moved.history) if moved.undo_until else None
    if _for_board(request):
        return JSONResponse(
            {
                "toast": text,
                "undo": undo_at,
                "state": None if moved.asked else target.name,
                "gone": moved.record is None,
            }
        )
    if moved.record is None:
        back = about.url("")
    return say_on(request, redirect(request, back), text, undo=undo_at)


def _where(wanted: Wanted, moved: commands.Moved) -> str:
    """Return where a move led: to its target, or further by what followed by itself."""
    process, target = wanted.process, wanted.transition.target
    held = moved.record.values.get(process.name) if moved.record else None
    further = held is not None and target not in process.active(held)
    names = leaves_of(held) if further else (target,)
    return ", ".join(wanted.about.reader.words(process.states[name].label) for name in names)


def _for_board(request: Request) -> bool:
    return "application/json" in request.headers.get("accept", "")


routes = [
    Route("/e/{entity}/{id}/move/{process}/{transition}", ask, methods=["GET"], name="move"),
    Route("/e/{entity}/{id}/move/{process}/{transition}", take, methods=["POST"]),
    Route("/e/{entity}/{id}/undo/{history}", undo, methods=["POST"]),
    Route("/e/{entity}/{id}/menu", menu, name="menu"),
]
