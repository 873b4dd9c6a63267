"""Why a member may do something or not: the rights, and for a step also the state and the guard."""

from __future__ import annotations

from dataclasses import dataclass, replace

from definitions.text import Text
from models.errors import NotFoundError
from models.members import load_actor
from models.message import Message, say
from models.reasons import Explanation, Question, explain
from models.records import Records
from workflows.moves import Offer, offers
from workflows.unit import Unit

_ELSEWHERE = say("The record is in a state that this step does not start from.")


@dataclass(frozen=True, slots=True)
class Why:
    """The rights, and what else hinders a step that they grant (None: nothing); `offer` is the step as offered."""

    explanation: Explanation
    hindrance: Message | Text | None = None
    offer: Offer | None = None


def asked(member: str, entity: str, record: str | None, ask: str) -> Question:
    """Return the question that `read`, `write:phone`, `move:recruiting.call`, … asks; `NotFoundError` for none."""
    kind, _, about = ask.partition(":")
    process, _, transition = about.partition(".")
    match kind:
        case "move" if process:
            return Question(member, entity, record=record, process=process, transition=transition)
        case "read" | "write" if about:
            return Question(member, entity, record=record, field=about, mode=kind)
        case "read" | "create" | "update" | "delete" if not about:
            return Question(member, entity, kind, record)
        case _:
            raise NotFoundError


async def why(unit: Unit, question: Question) -> Why:
    """Answer who administers the network; see `models.reasons.explain`."""
    found = await explain(unit.records, question)
    if not question.process or found.record is None or not found.allowed:
        return Why(found)
    actor = await load_actor(unit.published, unit.tx, found.member.id)
    if actor is None:
        return Why(found)
    theirs = Records(unit.published, unit.tx, actor, unit.context, new_id=unit.new_id)
    offered = await offers(
        replace(unit, actor=actor, records=theirs), await theirs.get(question.entity, found.record.id)
    )
    for offer in offered:
        if (offer.process, offer.transition.name) == (question.process, question.transition):
            return Why(found, offer.reason, offer)
    return Why(found, _ELSEWHERE)
