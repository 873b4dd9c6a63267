"""To whom messages go: members and addresses, each once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import phonenumbers

from definitions.expr.expression import Names
from definitions.spec.network import Network
from definitions.spec.value import Value
from models.actor import Actor
from models.members import load_actor, members_of_level
from workflows.scene import Scene


@dataclass(frozen=True, slots=True)
class Recipient:
    """Somebody to write to; `actor` is set for a member, whose id is the address of what stays in the house."""

    address: str
    actor: Actor | None = None

    @property
    def member(self) -> str | None:
        """The member's id."""
        return None if self.actor is None else self.actor.id


NOBODY = Recipient("")
"""Who reads a document: whoever may read its field."""

Address = Callable[[str | None], str | None]
"""What is written to for what was given or for what a member has; None where that is nothing to write to."""


async def wanted(scene: Scene, values: tuple[Value, ...], level: str | None, names: Names) -> list[Any]:
    """Return addresses and members (anything with their id): those of the values, then those of the level."""
    found = _flat([value.compute(names, scene.unit.context) for value in values])
    if level is not None:
        found += [{"id": member} for member in await members_of_level(scene.unit.tx, level)]
    return found


def _flat(value: Any) -> list[Any]:
    """Return addresses and members, one by one; nothing for null."""
    if value is None or value == "":
        return []
    if isinstance(value, list | tuple):
        return [single for item in value for single in _flat(item)]
    return [value]


async def recipients(scene: Scene, found: list[Any], field: str, address: Address) -> list[Recipient]:
    """Return whom to write to, each once: members must be active and have a `field` that can be written to."""
    known: dict[str, Recipient] = {}
    for item in found:
        recipient = await _recipient(scene, item, field, address)
        if recipient is not None:
            known.setdefault(recipient.address.lower(), recipient)
    return list(known.values())


async def _recipient(scene: Scene, item: Any, field: str, address: Address) -> Recipient | None:
    if not isinstance(item, Mapping):
        given = address(str(item))
        return None if given is None else Recipient(given)
    actor = await load_actor(scene.unit.published, scene.unit.tx, item["id"])
    if actor is None or actor.member is None:
        return None
    own = address(actor.member.get(field))
    return None if own is None else Recipient(own, actor)


def as_written(given: str | None) -> str | None:
    """Return an e-mail address as it is given."""
    return given or None


def region_of(network: Network) -> str | None:
    """Return the country whose telephone numbers need no prefix."""
    return network.countries[0] if network.countries else network.calendar.holidays


def telephone(region: str | None) -> Address:
    """Return what reads telephone numbers, those without a prefix as of a region, and writes them as E.164 has it."""

    def read(given: str | None) -> str | None:
        try:
            number = phonenumbers.parse(given or "", region)
        except phonenumbers.NumberParseException:
            return None
        if not phonenumbers.is_possible_number(number):
            return None
        return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)

    return read
