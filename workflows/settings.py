"""The settings of a network for who administers it: what holds, what the definition says, and changing them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from definitions.spec.entity import Field
from definitions.spec.network import Setting
from models.actor import Actor
from models.errors import ConflictError, InvalidError, NotFoundError
from models.house_rules import BOUNDS
from models.message import Message, say
from models.settings import Kept, kept_settings, reset_setting, save_setting, setting_field, settings_of
from models.tenant import Tenant
from models.validation import Cleaned, converted
from workflows import auditing
from workflows.stored import moment
from workflows.unit import Unit, read, write


@dataclass(frozen=True, slots=True)
class Held:
    """A setting with the value that holds; `kept` is None while it is the definition's, `author` who kept it.

    `stamp` changes with each change: who changes a setting shows the stamp that was read.
    """

    setting: Setting
    field: Field
    value: Any
    kept: Kept | None
    author: str = ""

    @property
    def stamp(self) -> str:
        """Return what tells this value from those before and after it; "" for the definition's."""
        return "" if self.kept is None else f"{moment(self.kept.changed_at)} {self.kept.value}"


async def settings(tenant: Tenant, actor: Actor) -> dict[str, Held]:
    """Return the settings of the network, in order; `NotFoundError` for who does not administer it."""
    return await read(tenant, actor, held)


async def held(unit: Unit) -> dict[str, Held]:
    """Return the same in a transaction."""
    if not unit.published.access.administers(unit.actor):
        raise NotFoundError
    kept = await kept_settings(unit.tx, unit.network)
    authors = [each.changed_by for each in kept.values() if each.changed_by is not None]
    names = await unit.records.labels("member", authors) if authors else {}
    return {name: _held(setting, kept.get(name), names) for name, setting in settings_of(unit.network).items()}


def _held(setting: Setting, kept: Kept | None, names: Mapping[str, str]) -> Held:
    value = setting.value if kept is None else kept.value
    author = "" if kept is None else names.get(kept.changed_by or "", "")
    return Held(setting, setting_field(setting), value, kept, author)


async def change(
    tenant: Tenant, actor: Actor, values: Mapping[str, Any], stamps: Mapping[str, str] | None = None
) -> None:
    """Keep other values; what is like the definition's is kept no more.

    Values are those of memory or the text of a form. `stamps` are those that were read (`ConflictError` when one of
    them holds no more). All or nothing: `InvalidError` by setting.
    """
    await write(tenant, actor, lambda unit: changing(unit, values, stamps or {}))


async def changing(unit: Unit, values: Mapping[str, Any], stamps: Mapping[str, str]) -> None:
    """Do the same in a transaction."""
    await unit.tx.lock("settings")
    now = await held(unit)
    cleaned = _cleaned(unit, now, values)
    if cleaned.problems:
        raise InvalidError(cleaned.problems)
    if any(now[name].stamp != stamp for name, stamp in stamps.items() if name in values):
        raise ConflictError(unit.published.version)
    for name, value in cleaned.values.items():
        if value == now[name].value:
            continue
        await auditing.note(unit, "setting", f"{name}: {now[name].value} → {value}")
        if value == now[name].setting.value:
            await reset_setting(unit.tx, name)
        else:
            await save_setting(unit.tx, unit.network, name, value, now=unit.now, author=unit.actor.id)


async def reset(tenant: Tenant, actor: Actor, name: str) -> None:
    """Let the definition's value of a setting hold again; `NotFoundError` when there is no such setting."""

    async def work(unit: Unit) -> None:
        now = await held(unit)
        if name not in now:
            raise NotFoundError
        await auditing.note(unit, "setting", f"{name}: {now[name].value} → {now[name].setting.value}")
        await reset_setting(unit.tx, name)

    await write(tenant, actor, work)


def _cleaned(unit: Unit, now: Mapping[str, Held], values: Mapping[str, Any]) -> Cleaned:
    fields = {name: now[name].field for name in values if name in now}
    known = converted(unit.network, fields, {name: value for name, value in values.items() if name in fields})
    problems: dict[str, Message] = {**known.problems}
    problems |= {name: _outside(name) for name, value in known.values.items() if not _within(name, value)}
    problems |= {name[:100]: say("There is no such setting.") for name in values if name not in fields}
    return Cleaned(known.values, problems)


def _within(name: str, value: Any) -> bool:
    least, most = BOUNDS.get(name, (None, None))
    return least is None or most is None or not isinstance(value, int) or least <= value <= most


def _outside(name: str) -> Message:
    least, most = BOUNDS[name]
    return say("This is a number from {least} to {most}.", least=least, most=most)
