"""Why an automation did not begin: what its condition asks for, part by part, as far as the reader may see what the
parts are about.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from definitions.expr.expression import Context, Expression, Names
from definitions.expr.parts import conjuncts
from definitions.spec.automation import Automation, Wait, every_step
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


def condition_of(automation: Automation, text: str) -> Expression | None:
    """Return a condition of an automation as written: its own, or one on which a step is done or a wait called off."""
    steps = tuple(every_step(automation.steps))
    waits = (step.cancel_if for step in steps if isinstance(step, Wait))
    every = filter(None, (automation.condition, *(step.condition for step in steps), *waits))
    return next((each for each in every if each.text == text), None)


async def discreet(
    unit: Unit, record: Record, automation: str, actor: str | None, why: Message | None
) -> Message | None:
    """Return why a run or a step went no further, without a condition that is about what the reader may not see."""
    known, text = unit.network.automations.get(automation), None if why is None else why.values.get("condition")
    asked = None if known is None or text is None else condition_of(known, text)
    if why is None or asked is None or await _is_seen(unit, record, asked, actor):
        return why
    return Message(why.text, {**why.values, "condition": "…"})


async def _is_seen(unit: Unit, record: Record | None, part: Expression, actor: str | None) -> bool:
    who = None if actor is None else {"id": actor}
    return all([await may_see(unit, record, path, who) for path in part.reads])


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
    found = []
    for place, part in enumerate(conjuncts(condition)):
        seen = await _is_seen(unit, record, part, run.actor)
        found.append(Weighed(part, place not in missing, {}) if seen else HIDDEN)
    return tuple(found)
