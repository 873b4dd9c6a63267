"""Why a guard refuses: what it asks for, part by part, as far as the actor may see what the parts are about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from definitions.expr.expression import Expression, Names
from definitions.expr.nodes import Name, Node, Select
from definitions.expr.parts import conjuncts, selected
from definitions.spec.process import Transition
from definitions.text import Text
from models import lines
from models.changes import see
from models.errors import RefusedError
from models.message import Message, say
from models.record import Record
from models.references import target
from models.rules import Path
from workflows.unit import Unit

UNMET = say("The conditions of this transition are not met.")


@dataclass(frozen=True, slots=True)
class Weighed:
    """One thing that a guard asks for, whether it holds, and the values of the fields that it compares; settings
    are told to who administers the network.

    `asks` is None for a thing about what the actor may not see; of it nothing else is told either.
    """

    asks: Expression | None
    holds: bool | None
    values: Mapping[Select, Any]


HIDDEN = Weighed(None, None, {})


class UnmetError(RefusedError):
    """A guard does not hold. `parts` says what it asks for and what of that holds."""

    def __init__(self, message: Message | Text, transition: Transition, parts: tuple[Weighed, ...]) -> None:
        """Keep the sentence, whose guard it is and its parts."""
        self.transition = transition
        self.parts = parts
        super().__init__(message)


async def unmet(unit: Unit, record: Record, transition: Transition, guard: Expression, names: Names) -> UnmetError:
    """Return what a move is refused with whose guard does not hold of `names`."""
    parts = await weigh(unit, record, guard, names)
    return UnmetError(transition.message or UNMET, transition, parts)


async def weigh(unit: Unit, record: Record, guard: Expression, names: Names) -> tuple[Weighed, ...]:
    """Return what a guard asks for, in its order; `names` are the values that it is about."""
    return tuple([await _weighed(unit, record, part, names) for part in conjuncts(guard)])


async def _weighed(unit: Unit, record: Record, part: Expression, names: Names) -> Weighed:
    for path in part.reads:
        if not await may_see(unit, record, path, unit.actor.member):
            return HIDDEN
    told = {node: evaluate for node, evaluate in selected(part).items() if _may_know(unit, node)}
    values = {node: evaluate(names, unit.context) for node, evaluate in told.items()}
    return Weighed(part, part.evaluate(names, unit.context) is True, values)


def _may_know(unit: Unit, node: Select) -> bool:
    """Whether the actor is told the value of a selection: one of the network's settings if it administers them."""
    of: Node = node
    while isinstance(of, Select):
        of = of.of
    if not isinstance(of, Name) or of.name != "settings":
        return True
    return unit.actor.kind == "system" or unit.published.access.administers(unit.actor)


async def may_see(unit: Unit, record: Record | None, path: Path, actor: Mapping[str, Any] | None) -> bool:
    """Whether who acts in `unit` sees what a path of a condition leads to, all the way; `actor` is a member, the one
    that the condition speaks of as that.
    """
    match path[0]:
        case _ if unit.actor.kind == "system":
            return True
        case "record" | "before":
            return record is not None and await _leads(unit, record, path[1:])
        case "actor":
            return actor is None or await _is_seen(unit, "member", actor, path[1:])
        case "payload" | "webhook":  # what another system sent
            return unit.published.access.administers(unit.actor)
        case _:
            return True  # the form that the actor filled in, the network, settings (see `_may_know`)


async def _leads(unit: Unit, record: Record, path: Path) -> bool:
    """Whether the actor sees what a path leads to from a record that it may read."""
    if not path or path in {("_path",), ("id",)}:
        return True
    name, rest = path[0], path[1:]
    if name in record.hidden:
        return False
    entity = unit.network.entities[record.entity]
    to, reference = target(entity, name), record.full.get(name)
    if to is None and name not in record.full and (found := unit.network.lines(record.entity).get(name)) is not None:
        seen = await lines.below(unit.records, found, record.id)
        if len(seen) < len(await unit.records.loader.load_lines(found.name, record.id)):
            return False
        return all([await _leads(unit, line, rest) for line in seen])
    if to is None or reference is None or rest in {(), ("id",)}:
        return True
    return await _is_seen(unit, to, reference, rest)


async def _is_seen(unit: Unit, entity: str, reference: Mapping[str, Any], path: Path) -> bool:
    """Whether the actor may read a record, and sees what a path leads to from it."""
    full = await unit.records.loader.load(entity, reference["id"])
    if full is None:
        return True
    found = await see(unit.records, unit.records.sight(entity), full)
    return "read" in found.may and await _leads(unit, found, path)
