"""What a level's definition says about a right, clause by clause: all of them must hold for the level to grant it.

`models.access` joins them into the conditions that decide; `models.reasons` tells them one by one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from definitions.problems import NOWHERE, Place
from definitions.spec.access import Level, Rule
from definitions.spec.entity import Entity
from definitions.spec.network import Network
from definitions.spec.process import Transition
from models.rules import ALWAYS, NEVER, OPEN, Condition, Granted, Holds, Within, above

PUBLIC_LEVEL = "public"
Action = Literal["read", "create", "update", "delete"]
Deed = Literal[Action, "begin"]
"""What is done with a record; `begin` is to create a line together with the record that it is a line of."""
Mode = Literal["read", "write"]
Clauses = tuple[Granted, ...]


def of_row(network: Network, level: Level, name: str, action: Deed) -> Clauses:
    """Return what must hold for the level to do something with a record."""
    entity = network.entities[name]
    if entity.parent is not None:
        return _of_line(network, level, entity, action)
    if action == "begin":
        return of_row(network, level, name, "create")
    closed = _closed(level, entity)
    if level.everything:
        return (Granted(level.name, level.place, ALWAYS, "everything"), *closed)
    own = level.entities.get(name)
    if own is None:
        return (Granted(level.name, level.place, NEVER, "unsaid"),)
    found = [_of_rule(network, level, getattr(own, action), entity, action)]
    if action == "read" and "consult" not in level.functions:
        found.append(Granted(level.name, level.place, NEVER, "functions"))
    if action == "create" and own.read.reach != "none":
        # Who may read some records cannot create others: not for another member, not out of the own reach.
        found.append(_of_rule(network, level, own.read, entity, "read"))
    return (*found, *closed)


_OF_PARENT: Mapping[Deed, tuple[Deed, ...]] = {
    "read": ("read",),
    "create": ("read", "update"),
    "update": ("update",),
    "delete": ("update",),
    "begin": ("begin",),
}
"""What one must be allowed to do with a record to do something with a line of it."""


def _of_line(network: Network, level: Level, entity: Entity, action: Deed) -> Clauses:
    """Return what must hold for a line: the rules of its parent, and its own, which can only narrow them."""
    found: list[Granted] = []
    own = None if level.everything else level.entities.get(entity.name)
    if own is not None:
        creates = action in {"create", "begin"}
        found.append(_of_rule(network, level, own.create if creates else getattr(own, action), entity, action))
        if creates and own.read.reach != "none":
            found.append(_of_rule(network, level, own.read, entity, "read"))
    parent = entity.parent or ""
    inherited = (clause for each in _OF_PARENT[action] for clause in of_row(network, level, parent, each))
    found += [
        Granted(clause.level, clause.place, above(parent, clause.condition), clause.about) for clause in inherited
    ]
    return tuple(dict.fromkeys(found))


def of_field(
    network: Network, level: Level, name: str, field: str, mode: Mode, seen: frozenset[str] = frozenset()
) -> Clauses:
    """Return what must hold for the level to read or write a field, the record's own rule included.

    A computed field may be read where everything may be that it reads.
    """
    found = (
        *of_row(network, level, name, "read" if mode == "read" else "update"),
        *_own_field(network, level, name, field, mode),
    )
    definition = network.entities[name].fields.get(field)
    if mode == "write" or definition is None or definition.compute is None or field in seen:
        return found
    expression = definition.compute.expression
    read = set() if expression is None else {path[1] for path in expression.reads if path[0] == "record"}
    inherited = (of_field(network, level, name, each, "read", seen | {field}) for each in sorted(read))
    return tuple(dict.fromkeys((*found, *(clause for clauses in inherited for clause in clauses))))


def of_new_field(network: Network, level: Level, name: str, field: str, action: Deed = "create") -> Clauses:
    """Return what must hold for the level to give a field of a new record a value."""
    return (*of_row(network, level, name, action), *_own_field(network, level, name, field, "write"))


def of_move(network: Network, level: Level, process: str, transition: str) -> Clauses:
    """Return what must hold for the level to take a transition (the guard is another matter)."""
    defined = network.processes[process]
    move = defined.transitions[transition]
    if level.everything:
        return of_row(network, level, defined.entity, "update")
    return (
        *_narrowed(level, process, defined.entity, move),
        *(() if move.by is None else (_granted(level, move.place, "by", given=level.name in move.by),)),
        *of_row(network, level, defined.entity, "update" if move.by is None else "read"),
    )


def _narrowed(level: Level, process: str, entity: str, move: Transition) -> Clauses:
    access = level.entities.get(entity)
    if access is None or access.transitions is None:
        return ()
    given = bool({move.name, f"{process}.{move.name}"} & set(access.transitions))
    return (_granted(level, access.place, "transitions", given=given),)


def _granted(level: Level, place: Place, about: str, *, given: bool) -> Granted:
    return Granted(level.name, place, ALWAYS if given else NEVER, about)


def _own_field(network: Network, level: Level, name: str, field: str, mode: Mode) -> Clauses:
    access = level.entities.get(name)
    declared = None if access is None or level.everything else access.fields.get(field)
    rule = None if declared is None else getattr(declared, mode)
    return () if rule is None else (_of_rule(network, level, rule, network.entities[name], f"{mode} {field}"),)


def _of_rule(network: Network, level: Level, rule: Rule, entity: Entity, about: str) -> Granted:
    return Granted(level.name, rule.place, _condition(network, level, rule, entity), about)


def _closed(level: Level, entity: Entity) -> Clauses:
    """Return that the leader's own rights do not count for records of members that closed their data to it.

    Members themselves stay, so that who runs the network can.
    """
    return (Granted(level.name, NOWHERE, OPEN, "closed"),) if level.administration and entity.owner else ()


def _condition(network: Network, level: Level, rule: Rule, entity: Entity) -> Condition:
    if rule.expression is not None:
        # Who is not signed in is nobody: `record.owner == actor` would find the records that nobody owns.
        asks_who = any(path[0] == "actor" for path in rule.expression.reads)
        return NEVER if asks_who and level.name == PUBLIC_LEVEL else Holds(rule.expression)
    match rule.reach:
        case "all":
            return ALWAYS
        case "mine" | "downline":
            if entity.name == "member":
                return Within(rule.reach, "id")
            if entity.parent is not None and not entity.owner:  # lines belong to whom their parent belongs to
                return above(entity.parent, _condition(network, level, rule, network.entities[entity.parent]))
            return Within(rule.reach, "owner") if entity.owner else NEVER
        case _:
            return NEVER
