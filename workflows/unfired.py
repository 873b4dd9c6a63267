"""Why an automation did not begin: what its condition asks for, part by part, as far as the reader may see what the
parts are about.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from definitions.expr.expression import Context, Expression, Names
from definitions.expr.parts import conjuncts
from definitions.spec.automation import Automation, Wait, every_step
from definitions.spec.network import Network
from models.members import MEMBER
from models.message import Message, say
from models.record import Record
from models.references import target
from models.renames import reverse, since
from models.rules import Path
from workflows.discretion import openly
from workflows.earlier import Earlier
from workflows.guards import HIDDEN, Weighed, may_see
from workflows.unit import Unit

UNMET = say("The conditions of this automation were not met.")
CHANGED = say("… (the definition changed since)")
_UNFIRED = "The condition does not hold: {condition}"
_CONDITION = "condition"
_PARTS = "unmet"
_EVERYWHERE = frozenset({"record", "before", "actor", "settings", "network", "webhook", "payload"})
"""What `may_see` decides about; other names are of records and values that steps of the run made or go through."""


@dataclass(frozen=True, slots=True)
class Begun:
    """What is known of a run: its automation by its name of today, the version that it follows, who caused it."""

    automation: str
    definition: int
    actor: str | None


class Judged(str):
    """A condition as it was written, with what it was made into and the network in whose words it is told."""

    __slots__ = ("asks", "network")
    asks: Expression
    network: Network

    def __new__(cls, asks: Expression, network: Network) -> Judged:
        """Keep both beside the text."""
        made = super().__new__(cls, asks.text)
        made.asks, made.network = asks, network
        return made


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


async def told(unit: Unit, record: Record | None, run: Begun, why: Message | None) -> Message | None:
    """Return why a run or a step of it went no further, as the reader may know it: a condition in it is `Judged`, left
    out where it is about what the reader may not see, and said to be another one where nobody knows it any more.

    `record` is the run's as the reader sees it, None where there is none to see.
    """
    if why is None or _CONDITION not in why.values:
        return why
    asked = await _judged(unit, record, run, why.values[_CONDITION])
    if asked is None:
        return Message(why.text, {**why.values, _CONDITION: CHANGED})
    condition, reads = asked
    seen = reads is not None and await _is_seen(unit, record, reads, run.actor)
    return Message(why.text, {**why.values, _CONDITION: condition if seen else "…"})


async def _judged(
    unit: Unit, record: Record | None, run: Begun, text: str
) -> tuple[Judged, Collection[Path] | None] | None:
    """Return a condition that a run was judged by, with what it reads by the names of today: None where it reads what
    there is no longer.

    It is the one of today's definitions where they have it, else the one of the version that the run follows.
    """
    automation = unit.network.automations.get(run.automation)
    asked = None if automation is None else condition_of(automation, text)
    if asked is not None:
        return Judged(asked, unit.network), asked.reads
    network = unit.before(run.definition) if run.definition < unit.published.version else None
    if network is None:
        return None
    earlier = Earlier(network, await since(unit.tx, run.definition, unit.published.version))
    name = reverse(earlier.renames.automations).get(run.automation, run.automation)
    asked = condition_of(network.automations[name], text) if name in network.automations else None
    return None if asked is None else (Judged(asked, network), _today(unit, record, earlier, asked.reads))


def _today(unit: Unit, record: Record | None, earlier: Earlier, reads: Iterable[Path]) -> Collection[Path] | None:
    """Return what a condition of an earlier version reads as it is called now, None where some of it is gone."""
    entities = {"actor": MEMBER, **({} if record is None else dict.fromkeys(("record", "before"), record.entity))}
    found: set[Path] = set()
    for root, *rest in reads:
        entity = entities.get(root)
        paths = {tuple(rest)} if entity is None else earlier.paths(entity, [tuple(rest)])
        if entity is not None and not all(_leads(unit, entity, path) for path in paths):
            return None
        found |= {(root, *path) for path in paths}
    return found


def _leads(unit: Unit, entity: str, path: Path) -> bool:
    """Whether a path leads to something from the records of an entity."""
    if not path or path == ("_path",):
        return True
    name, rest = path[0], path[1:]
    if name in unit.network.lines(entity):
        return _leads(unit, unit.network.lines(entity)[name].name, rest)
    to = target(unit.network.entities[entity], name)
    return name in unit.records.sight(entity).names and (to is None or _leads(unit, to, rest))


async def _is_seen(unit: Unit, record: Record | None, reads: Iterable[Path], actor: str | None) -> bool:
    """Whether the reader sees all that a condition reads; what a run made or goes through is seen with its traces."""
    who = None if actor is None else {"id": actor}
    for path in reads:
        if path[0] not in _EVERYWHERE and not openly(unit):
            return False
        if not await may_see(unit, record, path, who):
            return False
    return True


async def weigh(
    unit: Unit, record: Record | None, run: Begun, cursor: Mapping[str, Any], why: Message | None
) -> tuple[Weighed, ...]:
    """Return the parts of the condition as they were when the run was not begun, without the values of then.

    None of them are told of a condition that is another one today.
    """
    automation = unit.network.automations.get(run.automation)
    condition = None if automation is None else automation.condition
    if condition is None or why is None or why.text != _UNFIRED or _PARTS not in cursor:
        return ()
    if condition.text != why.values.get(_CONDITION):
        return ()
    missing = frozenset(cursor[_PARTS])
    found = []
    for place, part in enumerate(conjuncts(condition)):
        seen = await _is_seen(unit, record, part.reads, run.actor)
        found.append(Weighed(part, place not in missing, {}) if seen else HIDDEN)
    return tuple(found)
