"""Why a member may do something or not, for who administers the network."""

from __future__ import annotations

from typing import Any

from admin.api.call import Answer, Call
from admin.unmet import conditions
from admin.unmet import told as conditions_told
from models.errors import InvalidError, NotFoundError
from models.message import say
from models.reasons import Piece, Reason
from workflows.reasons import Why, asked, why
from workflows.unit import Unit


async def explanation(call: Call) -> Answer:
    """Answer whether a member may do something, with what each of its levels says."""

    async def work(unit: Unit) -> Answer:
        if not unit.published.access.administers(unit.actor):
            raise NotFoundError
        given = call.given
        missing = {name: say("This is needed.") for name in ("member", "entity") if not given.get(name)}
        if missing:
            raise InvalidError(missing)
        question = asked(given["member"], given["entity"], given.get("record") or None, given.get("ask", "read"))
        return Answer(_told(call, await why(unit, question)))

    return await call.read(work, "member", "entity", "record", "ask")


def _told(call: Call, found: Why) -> dict[str, Any]:
    told, offer = found.explanation, found.offer
    return {
        "allowed": told.allowed,
        "active": told.active,
        "readable": told.readable,
        "hindrance": None if found.hindrance is None else call.words(found.hindrance),
        "conditions": [] if offer is None else conditions_told(conditions(call.reader, offer.transition, offer.parts)),
        "levels": [
            {"level": each.level, "grants": each.grants, "reasons": [_reason(reason) for reason in each.reasons]}
            for each in told.levels
        ],
    }


def _reason(reason: Reason) -> dict[str, Any]:
    return {
        "about": reason.about,
        "text": reason.text,
        "file": reason.place.file,
        "line": reason.place.line,
        "holds": reason.holds,
        "parts": [_part(piece) for piece in reason.pieces],
    }


def _part(piece: Piece) -> dict[str, Any]:
    values = [{"text": text, "value": value} for text, value in piece.values]
    return {"text": piece.text, "holds": piece.holds, "values": values}
