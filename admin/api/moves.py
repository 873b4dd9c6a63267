"""Transitions through the API: what can be done with a record, doing it, and taking it back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from admin.api.asked import expected
from admin.api.call import Answer, Call
from admin.api.entities import one, readable, seen_of, tag
from admin.api.horizon import Seen
from admin.api.typed import mistyped
from admin.api.values import moment, texts
from admin.unmet import conditions, told
from definitions.spec.process import FormField, Transition
from models.errors import InvalidError, NotFoundError
from models.message import Message, say
from workflows import moves, undo
from workflows.approvals import Pending
from workflows.moves import Moved, Offer
from workflows.moves import Request as Move
from workflows.unit import Unit


async def offers(call: Call) -> Answer:
    """List the ways out of the record's states: those that are allowed with their forms, the others with the reason."""

    async def work(unit: Unit) -> Answer:
        seen, record = await readable(call, unit)
        known = {(process.name, transition.name) for process, transition in seen.moves}
        found = await moves.offers(unit, record)
        items = [_offer(call, unit, each) for each in found if (each.process, each.transition.name) in known]
        return Answer({"items": items, "version": record.version}, headers=tag(record.version))

    return await call.read(work)


def _offer(call: Call, unit: Unit, offer: Offer) -> dict[str, Any]:
    languages = unit.network.languages
    transition = offer.transition
    return {
        "process": offer.process,
        "transition": transition.name,
        "label": texts(transition.label, languages),
        "to": transition.target,
        "allowed": offer.allowed,
        "reason": None if offer.reason is None else call.words(offer.reason),
        "conditions": told(conditions(call.reader, transition, offer.parts)),
        "confirm": transition.confirm,
        "form": [_question(unit, each) for each in offer.form],
        "asked": None if offer.asked is None else _asked(offer.asked),
    }


def _asked(pending: Pending) -> dict[str, Any]:
    return {
        "id": pending.id,
        "at": moment(pending.at),
        "by": pending.asker,
        "granted": len(pending.agreed),
        "granted_by": list(pending.agreed),
        "quorum": pending.quorum,
        "mine": pending.mine,
    }


def _question(unit: Unit, question: FormField) -> dict[str, Any]:
    languages = unit.network.languages
    found = {
        "name": question.name,
        "type": question.field.type,
        "label": texts(question.field.label, languages),
        "required": question.required,
        "field": question.edits,
    }
    if question.field.options:
        found["options"] = {name: texts(each.label, languages) for name, each in question.field.options.items()}
    if question.field.to is not None:
        found["to"] = question.field.to
    return found


async def take(call: Call) -> Answer:
    """Take a transition; the body holds the answers to its form."""
    path = call.request.path_params

    async def work(unit: Unit) -> Answer:
        seen = seen_of(call, unit)
        _, transition = seen.move(path["process"], path["transition"])
        answers = typed_form(transition, call.sent(optional=True))
        version = await expected(unit, call.request, seen.entity.name, path["id"], needed=False)
        done = await moves.move(unit, request_of(path, path["id"], answers, version))
        return await moved(unit, seen, done)

    return await call.write(work)


def request_of(path: Mapping[str, str], record: str, form: Mapping[str, Any], version: int | None) -> Move:
    """Return the move that an address names."""
    return Move(path["entity"], record, path["transition"], path["process"], form, version)


def typed_form(transition: Transition, form: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the answers to a form as they were sent; `InvalidError` for what the questions' types do not allow."""
    wrong: dict[str, Message] = {}
    for name, value in form.items():
        question = transition.form.get(name)
        if question is None:
            wrong[name[:100]] = say("The form has no such question.")
        elif (problem := mistyped(question.field, value)) is not None:
            wrong[name] = problem
    if wrong:
        raise InvalidError(wrong)
    return form


async def moved(unit: Unit, seen: Seen, found: Moved) -> Answer:
    """Return what a move did; `record` is null when it took the record out of the caller's sight."""
    record = found.record
    body = {
        "record": None if record is None else await one(unit, seen, record),
        "history": found.history,
        "undo_until": None if found.undo_until is None else moment(found.undo_until),
        "asked": found.asked,
        "left": found.left,
    }
    return Answer(body, headers={} if record is None else tag(record.version))


async def take_back(call: Call) -> Answer:
    """Take a move of the record back."""
    history = call.request.path_params["history"]

    async def work(unit: Unit) -> Answer:
        seen, record = await readable(call, unit)
        move = await undo.load(unit, history)
        if (move.entity, move.record) != (record.entity, record.id):
            raise NotFoundError
        await expected(unit, call.request, record.entity, record.id, needed=False)
        return await moved(unit, seen, await undo.undo(unit, history))

    return await call.write(work)
