"""Which rights of which level a new version of the definitions gives and takes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from definitions.spec.access import EntityAccess, Level, Rule
from definitions.spec.network import Network
from models.access import Access, Action
from models.actor import Actor
from models.message import Message, say
from models.plan import Plan
from models.rules import NEVER, plain

ACTIONS: tuple[Action, ...] = get_args(Action)
REACHES = ("none", "mine", "downline", "all")
"""From nothing to everything; conditions stand nowhere in this order."""

_DOES: Mapping[str, Message] = {
    "read": say("read {about}"),
    "create": say("create {about}"),
    "update": say("change {about}"),
    "delete": say("delete {about}"),
    "write": say("fill {about}"),
    "take": say("take {about}"),
    "use": say("use the function {about}"),
    "do": say("do {about}"),
}
_REACHES: Mapping[str, Message] = {
    "all": say("all"),
    "mine": say("the own ones"),
    "downline": say("those of the own downline"),
    "none": say("none"),
}


def _said(right: Right, before: str, after: str) -> Message:
    level, about, action = right
    what = say(_DOES[action].text, about=about)
    if after == "none":
        return say("{level} may no longer {what}.", level=level, what=what)
    if after == "all" and before == "none":
        return say("{level} may {what}.", level=level, what=what)
    if before == "none":
        return say("{level} may {what}: {after}.", level=level, what=what, after=_reach(after))
    now, was = _reach(after), _reach(before)
    return say("{level} may {what}: {after}; before: {before}.", level=level, what=what, after=now, before=was)


def _reach(text: str) -> Message:
    """Return a reach in words; a condition as it is written."""
    return _REACHES.get(text) or say("where {condition}", condition=text)


Right = tuple[str, str, str]
"""Level, what it is about (`repair`, `repair.email`, `repairing.finish`, a function), action."""


@dataclass(frozen=True, slots=True)
class RightChange:
    """A right of a level that is another one: `before` and `after` are a reach, or a condition's text."""

    level: str
    about: str
    action: str
    before: str
    after: str
    change: Literal["gained", "lost", "changed"]
    says: Message = field(compare=False)
    """What it means, as a sentence."""


def rights_changed(plan: Plan) -> tuple[RightChange, ...]:
    """Return what a plan changes in the rights, level by level; what is only called differently is left out."""
    before = {} if plan.old is None else dict(_renamed(plan, plan.old))
    after = dict(_rights(plan.new))
    rights = dict.fromkeys((*after, *before))
    pairs = ((right, before.get(right, "none"), after.get(right, "none")) for right in rights)
    return tuple(
        RightChange(*right, was, now, _direction(was, now), _said(right, was, now))
        for right, was, now in pairs
        if was != now
    )


def _direction(before: str, after: str) -> Literal["gained", "lost", "changed"]:
    if before in REACHES and after in REACHES:
        return "gained" if REACHES.index(after) > REACHES.index(before) else "lost"
    if before == "none":
        return "gained"
    return "lost" if after == "none" else "changed"


def _rights(network: Network) -> Iterator[tuple[Right, str]]:
    access = Access(network)
    for level in network.levels.values():
        if level.everything:
            yield (level.name, "everything", "do"), "all"
            continue
        for function in sorted(level.functions):
            yield (level.name, function, "use"), "all"
        for own in level.entities.values():
            yield from _entity(level, own)
        yield from _moves(network, access, level)


def _entity(level: Level, own: EntityAccess) -> Iterator[tuple[Right, str]]:
    for action in ACTIONS:
        yield (level.name, own.entity, action), _text(getattr(own, action))
    for name, rule in own.fields.items():
        if rule.read is not None:
            yield (level.name, f"{own.entity}.{name}", "read"), _text(rule.read)
        if rule.write is not None:
            yield (level.name, f"{own.entity}.{name}", "write"), _text(rule.write)


def _text(rule: Rule) -> str:
    return rule.reach or (rule.expression.text if rule.expression else "none")


def _moves(network: Network, access: Access, level: Level) -> Iterator[tuple[Right, str]]:
    rights = access.rights(Actor("public" if level.name == "public" else "member", levels=(level.name,)))
    for process in network.processes.values():
        for name in process.transitions:
            if plain(rights.transition(process.name, name)) != NEVER:
                yield (level.name, f"{process.name}.{name}", "take"), "all"


def _renamed(plan: Plan, old: Network) -> Iterator[tuple[Right, str]]:
    """Yield the old rights under the names that things have in the new version."""
    below = _below(plan.new)
    for (level, about, action), text in _rights(old):
        whole, _, part = about.partition(".")
        whole = plan.entities.get(whole, plan.processes.get(whole, whole))
        part = below.get((whole, part), part)
        yield (level, f"{whole}.{part}" if part else whole, action), text


def _below(network: Network) -> Mapping[tuple[str, str], str]:
    """Return the names of fields and transitions by those that they had: (`repair`, `mail`) → `email`."""
    holders = [(entity.name, entity.fields) for entity in network.entities.values()]
    found = {(holder, part.was): name for holder, parts in holders for name, part in parts.items() if part.was}
    for process in network.processes.values():
        found |= {(process.name, move.was): name for name, move in process.transitions.items() if move.was}
    return found
