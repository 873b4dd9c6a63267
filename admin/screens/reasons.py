"""Why a member may see or do something or not, for who runs the network: which rule, from where, what fails in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from admin.parts.columns import Column
from admin.parts.inputs import Input, Question, build
from admin.parts.reader import Reader
from admin.parts.subject import offered
from admin.unmet import Condition, conditions
from admin.visit import Visit, here
from admin.web import render
from definitions.spec.entity import Entity
from models.access import Action
from models.errors import NotFoundError
from models.message import Message, say
from models.reasons import Piece, Reason
from workflows.moves import Offer
from workflows.reasons import Why, asked, why
from workflows.unit import Unit, read

ACTIONS: Mapping[Action, Message] = {
    "read": say("See the record"),
    "create": say("Add such a record"),
    "update": say("Change the record"),
    "delete": say("Delete the record"),
}
VERDICTS: Mapping[bool | None, tuple[Message, str]] = {
    True: (say("Yes"), "green"),
    False: (say("No"), "red"),
    None: (say("Depends on the record"), "amber"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """A reason on the page: the rule as the pack has it (`code`) or a sentence, its place, whether it holds."""

    code: str
    sentence: str
    place: str
    verdict: tuple[str, str]
    pieces: tuple[tuple[str, tuple[str, str], str], ...]


async def shown(request: Request) -> Response:
    """Show the form and, once it says enough, the answer."""
    visit = here(request)
    if not visit.leads:
        raise NotFoundError
    given = {name: request.query_params.get(name, "").strip() for name in ("member", "entity", "record", "ask")}
    entities = _entities(visit)
    entity = entities.get(given["entity"]) or next(iter(entities.values()))
    asks = dict(_asks(visit, entity))
    ask = given["ask"] if given["ask"] in asks else "read"

    async def work(unit: Unit) -> tuple[Mapping[str, Input], Why | None]:
        inputs = await _inputs(visit, unit, entity, given)
        if not given["member"]:
            return inputs, None
        return inputs, await why(unit, asked(given["member"], entity.name, given["record"] or None, ask))

    inputs, answer = await read(visit.tenant, visit.actor, work)
    return await render(
        request,
        "reasons/page.html",
        inputs=inputs,
        entities=[(name, visit.words(each.label)) for name, each in entities.items()],
        entity=entity.name,
        asks=list(asks.items()),
        ask=ask,
        why=answer,
        verdict=_verdict(visit, answer.explanation.allowed) if answer else None,
        conditions=_conditions(visit, answer.offer) if answer and answer.offer else (),
        levels=list(_levels(visit, answer)) if answer else [],
    )


def _entities(visit: Visit) -> Mapping[str, Entity]:
    access, found = visit.tenant.published.access, visit.network.entities
    return {name: each for name, each in found.items() if access.may(visit.actor, "read", name)}


def _asks(visit: Visit, entity: Entity) -> Iterator[tuple[str, str]]:
    for action, label in ACTIONS.items():
        yield action, visit.words(label)
    for name in entity.processes:
        for move in visit.network.processes[name].transitions.values():
            yield f"move:{name}.{move.name}", visit.words(say("Step: {label}", label=visit.words(move.label)))
    for field in entity.fields.values():
        called = visit.words(field.label)
        yield f"read:{field.name}", visit.words(say("See: {what}", what=called))
        if field.compute is None:
            yield f"write:{field.name}", visit.words(say("Change: {what}", what=called))


async def _inputs(visit: Visit, unit: Unit, entity: Entity, given: Mapping[str, str]) -> Mapping[str, Input]:
    found: dict[str, Input] = {}
    labels = {"member": say("Member"), "record": say("Record (none: any)")}
    for name, to in (("member", "member"), ("record", entity.name)):
        titles = await offered(unit.records, to)
        titles |= await unit.records.labels(to, [given[name]]) if given[name] else {}
        column = Column(name, visit.words(labels[name]), "reference", to=to)
        question = Question(name, column, required=name == "member")
        raw = (given[name],) if given[name] else ()
        reader = Reader(visit.network, visit.formats)
        found[name] = build(question, raw, reader, {to: titles}, base=visit.url("e"))
    return found


def _verdict(visit: Visit, holds: bool | None) -> tuple[str, str]:  # noqa: FBT001 (what it is about)
    label, colour = VERDICTS[holds]
    return visit.words(label), colour


def _conditions(visit: Visit, offer: Offer) -> tuple[Condition, ...]:
    return conditions(Reader(visit.network, visit.formats), offer.transition, offer.parts)


def _levels(visit: Visit, answer: Why) -> Iterator[tuple[str, tuple[str, str], list[Line]]]:
    for said in answer.explanation.levels:
        label = visit.words(visit.network.levels[said.level].label)
        yield label, _verdict(visit, said.grants), [_line(visit, answer, each) for each in said.reasons]


def _line(visit: Visit, answer: Why, reason: Reason) -> Line:
    place = f"{reason.place.file}:{reason.place.line}" if reason.place.file else ""
    verdict = _verdict(visit, reason.holds)
    pieces = tuple(_piece(visit, piece) for piece in reason.pieces)
    return Line(reason.text, "" if reason.text else _sentence(visit, answer, reason), place, verdict, pieces)


def _sentence(visit: Visit, answer: Why, reason: Reason) -> str:
    match reason.about:
        case "everything":
            return visit.words(say("This level may do everything."))
        case "closed" if reason.holds is False:
            return visit.words(say("Whose record it is has closed the own data to who runs the network."))
        case "closed":
            return visit.words(say("Only where members have not closed their own data to who runs the network."))
        case _:
            entity = visit.words(visit.network.entities[answer.explanation.question.entity].label)
            return visit.words(say("This level says nothing about {entity}, so it grants nothing.", entity=entity))


def _piece(visit: Visit, piece: Piece) -> tuple[str, tuple[str, str], str]:
    if piece.holds is None:
        verdict = visit.words(say("Not told: it asks about what you may not see")), "grey"
    else:
        verdict = _verdict(visit, piece.holds)
    return piece.text, verdict, " · ".join(f"{text} = {_written(visit, value)}" for text, value in piece.values)


def _written(visit: Visit, value: Any) -> str:
    formats = visit.formats
    match value:
        case None:
            return visit.words(say("empty"))
        case bool():
            return formats.boolean(value)
        case datetime():
            return formats.datetime(value)
        case date():
            return formats.date(value)
        case int() | Decimal():
            return formats.number(value)
        case tuple() | list():
            return ", ".join(_written(visit, each) for each in value)
        case _:
            return str(value)


routes: list[BaseRoute] = [Route("/reasons", shown, methods=["GET"])]
