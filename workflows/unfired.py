"""Why an automation did not begin: what its condition asks for, part by part, as far as the reader may see what the
parts are about.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from definitions.expr.expression import Context, Expression, Names
from definitions.expr.parts import conjuncts
from models.message import Message, say
from models.record import Record
from workflows.guards import HIDDEN, Weighed, may_see
from workflows.unit import Unit

UNMET = say("The conditions of this automation were not met.")
_UNFIRED = "The condition does not hold: {condition}"
_PARTS = "unmet"


@dataclass(frozen=True, slots=True)
class Unfired:
    """A run that was not begun: its automation by its name of today, its cursor, why, and who would have caused it."""

    automation: str
    cursor: Mapping[str, Any]
    why: Message | None
    actor: str | None


def unfired(condition: Expression) -> Message:
    """Return the sentence that is kept with a run that was not begun."""
    return say("The condition does not hold: {condition}", condition=condition.text)


def unmet(condition: Expression, names: Names, context: Context) -> dict[str, Any]:
    """Return what is kept of a condition that does not hold: which of its parts did not, by their places."""
    parts = enumerate(conjuncts(condition))
    return {_PARTS: [place for place, part in parts if part.evaluate(names, context) is not True]}


async def weigh(unit: Unit, record: Record | None, run: Unfired) -> tuple[Weighed, ...]:
    """Return the parts of the condition as they were when the run was not begun, without the values of then.

    None of them are told of a condition that is another one today.
    """
    automation = unit.network.automations.get(run.automation)
    condition = None if automation is None else automation.condition
    if condition is None or run.why is None or run.why.text != _UNFIRED or _PARTS not in run.cursor:
        return ()
    if condition.text != run.why.values.get("condition"):
        return ()
    missing = frozenset(run.cursor[_PARTS])
    actor = None if run.actor is None else {"id": run.actor}
    found = []
    for place, part in enumerate(conjuncts(condition)):
        seen = all([await may_see(unit, record, path, actor) for path in part.reads])
        found.append(Weighed(part, place not in missing, {}) if seen else HIDDEN)
    return tuple(found)
