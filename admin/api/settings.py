"""The network's settings, for who administers it."""

from __future__ import annotations

from typing import Any

from admin.api.call import Answer, Call
from admin.api.typed import mistyped
from admin.api.values import moment, texts
from models.errors import InvalidError
from models.message import Message
from workflows import settings
from workflows.settings import Held
from workflows.unit import Unit


async def listing(call: Call) -> Answer:
    """Return every setting with the value that holds."""

    async def work(unit: Unit) -> Answer:
        return Answer(await _all(unit))

    return await call.read(work)


async def change(call: Call) -> Answer:
    """Keep other values, all or none; null lets the definition's hold again."""

    async def work(unit: Unit) -> Answer:
        held = await settings.held(unit)
        sent = call.sent()
        wrong: dict[str, Message] = {}
        for name, value in sent.items():
            problem = mistyped(held[name].field, value) if name in held else None
            if problem is not None:
                wrong[name] = problem
        if wrong:
            raise InvalidError(wrong)
        back = {name: held[name].setting.value for name, value in sent.items() if value is None and name in held}
        values = {**sent, **back}
        await settings.changing(unit, values, {})
        return Answer(await _all(unit))

    return await call.write(work)


async def _all(unit: Unit) -> dict[str, Any]:
    held = await settings.held(unit)
    return {"items": [_one(each, unit.network.languages) for each in held.values()]}


def _one(held: Held, languages: tuple[str, ...]) -> dict[str, Any]:
    return {
        "name": held.setting.name,
        "type": held.setting.type,
        "label": texts(held.setting.label, languages),
        "value": held.value,
        "default": held.setting.value,
        "changed_at": None if held.kept is None else moment(held.kept.changed_at),
    }
