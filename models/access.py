"""Who may do what with which records: the one place that decides.

A member has the union of the rights of its levels, level by level: what one level lets a member read, another one does
not let it write. Rights are conditions (`models.rules`), compiled once for each set of levels; `models.rules_sql` and
`models.rules.holds` apply them, to tables and to records in hand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Literal

from definitions.spec.access import FUNCTIONS, EntityAccess, Function, Level, Rule
from definitions.spec.entity import Entity
from definitions.spec.network import Network
from definitions.spec.process import Transition
from models.actor import Actor
from models.rules import ALWAYS, NEVER, OPEN, Condition, Granted, Holds, Path, Within, all_of, any_of, plain
from models.tx import Dialect

if TYPE_CHECKING:
    from models.sight import Sight

PUBLIC_LEVEL = "public"
MEMBER = "member"
Action = Literal["read", "create", "update", "delete"]
Mode = Literal["read", "write"]


class Rights:
    """The rights of one set of levels. Conditions are over the record and the actor."""

    def __init__(
        self, network: Network, levels: tuple[Level, ...], *, unlimited: bool = False, visiting: bool = False
    ) -> None:
        """Compile nothing yet; `unlimited` is for the system, `visiting` for who acts in somebody else's office."""
        self.network = network
        self.levels = levels
        self.unlimited = unlimited
        self.visiting = visiting
        self.leads = any(level.administration for level in levels)
        self._rows: dict[tuple[str, Action], Condition] = {}
        self._fields: dict[tuple[str, str, Mode], Condition] = {}
        self._new_fields: dict[tuple[str, str], Condition] = {}
        self._moves: dict[tuple[str, str], Condition] = {}
        self.sights: dict[tuple[str, Dialect], Sight] = {}

    def row(self, entity: str, action: Action) -> Condition:
        """Return for which records of the entity the action is granted."""
        key = (entity, action)
        if key not in self._rows:
            self._rows[key] = self._union(lambda level: self._level_row(level, entity, action))
        return self._rows[key]

    def field(self, entity: str, field: str, mode: Mode) -> Condition:
        """Return for which records the field may be read (the record's own rule included) or written.

        A computed field may be read where everything may be that it reads.
        """
        key = (entity, field, mode)
        if key not in self._fields:
            self._fields[key] = self._union(lambda level: self._level_field(level, entity, field, mode, frozenset()))
        return self._fields[key]

    def new_field(self, entity: str, field: str) -> Condition:
        """Return in which new records the field may be given a value."""
        key = (entity, field)
        if key not in self._new_fields:
            self._new_fields[key] = self._union(
                lambda level: all_of(
                    (self._level_row(level, entity, "create"), self._own_field(level, entity, field, "write"))
                )
            )
        return self._new_fields[key]

    def transition(self, process: str, transition: str) -> Condition:
        """Return for which records the move is granted (the guard is another matter)."""
        key = (process, transition)
        if key not in self._moves:
            defined = self.network.processes[process]
            move = defined.transitions[transition]
            if self.visiting and defined.entity == MEMBER:
                return NEVER
            self._moves[key] = self._union(lambda level: self._level_transition(level, process, defined.entity, move))
        return self._moves[key]

    def _union(self, of_level: Callable[[Level], Condition]) -> Condition:
        if self.unlimited:
            return ALWAYS
        return any_of(of_level(level) for level in self.levels)

    def _level_row(self, level: Level, entity: str, action: Action) -> Condition:
        if self.visiting and entity == MEMBER and action != "read":
            return NEVER  # whoever could write members could give itself the office: its e-mail is the way in
        definition = self.network.entities[entity]
        if level.everything:
            return Granted(level.name, level.place, _unclosed(level, definition))
        own = level.entities.get(entity)
        if own is None:
            return NEVER
        return all_of((self._own_row(own, definition, level, action), _unclosed(level, definition)))

    def _own_row(self, own: EntityAccess, entity: Entity, level: Level, action: Action) -> Condition:
        rule: Rule = getattr(own, action)
        granted = Granted(level.name, rule.place, _condition(level, rule, entity))
        if action == "create" and own.read.reach != "none":
            # Who may read some records cannot create others: not for another member, not out of the own reach.
            return all_of((granted, Granted(level.name, own.read.place, _condition(level, own.read, entity))))
        return granted

    def _level_field(self, level: Level, entity: str, field: str, mode: Mode, seen: frozenset[str]) -> Condition:
        row = self._level_row(level, entity, "read" if mode == "read" else "update")
        own = self._own_field(level, entity, field, mode)
        definition = self.network.entities[entity].fields.get(field)
        if mode == "write" or definition is None or definition.compute is None or field in seen:
            return all_of((row, own))
        expression = definition.compute.expression
        read = set() if expression is None else {path[1] for path in expression.reads if path[0] == "record"}
        inherited = (self._level_field(level, entity, name, "read", seen | {field}) for name in sorted(read))
        return all_of((row, own, *inherited))

    def _own_field(self, level: Level, entity: str, field: str, mode: Mode) -> Condition:
        access = level.entities.get(entity)
        declared = None if access is None or level.everything else access.fields.get(field)
        rule = None if declared is None else getattr(declared, mode)
        if rule is None:
            return ALWAYS
        return Granted(level.name, rule.place, _condition(level, rule, self.network.entities[entity]))

    def _level_transition(self, level: Level, process: str, entity: str, move: Transition) -> Condition:
        if level.everything:
            return self._level_row(level, entity, "update")
        access = level.entities.get(entity)
        narrowed = None if access is None else access.transitions
        if narrowed is not None and not {move.name, f"{process}.{move.name}"} & set(narrowed):
            return NEVER
        if move.by is None:
            return self._level_row(level, entity, "update")
        if level.name not in move.by:
            return NEVER
        return self._level_row(level, entity, "read")


def _unclosed(level: Level, entity: Entity) -> Condition:
    """Return for which records the leader's own rights count: not for those of members that closed their data to it.

    Members themselves stay, so that who runs the network can.
    """
    return OPEN if level.administration and entity.owner else ALWAYS


def _condition(level: Level, rule: Rule, entity: Entity) -> Condition:
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
            return Within(rule.reach, "owner") if entity.owner else NEVER
        case _:
            return NEVER


def _rules(level: Level) -> Iterator[Rule]:
    for access in level.entities.values():
        yield from (access.read, access.create, access.update, access.delete)
        for field in access.fields.values():
            yield from (rule for rule in (field.read, field.write) if rule is not None)


class Access:
    """The rights of every set of levels in one network. Compiled when first needed, then kept."""

    def __init__(self, network: Network) -> None:
        """Take the levels of `network`."""
        self.network = network
        self.system = Rights(network, (), unlimited=True)
        self._rights: dict[tuple[bool, tuple[str, ...]], Rights] = {}

    def rights(self, actor: Actor) -> Rights:
        """Return the rights of the actor's levels; a level that is defined no more grants nothing."""
        match actor.kind:
            case "system":
                return self.system
            case "public":
                names: tuple[str, ...] = (PUBLIC_LEVEL,)
            case _:
                names = tuple(sorted(set(actor.levels) - {PUBLIC_LEVEL}))
        visiting = actor.through is not None
        key = (visiting, names)
        if key not in self._rights:
            levels = tuple(self.network.levels[name] for name in names if name in self.network.levels)
            self._rights[key] = Rights(self.network, levels, visiting=visiting)
        return self._rights[key]

    def actor_paths(self, levels: Iterable[str]) -> frozenset[Path]:
        """Return which references of the actor the rules of these levels follow: `("sponsor", "country")`."""
        found = (self.network.levels[name] for name in levels if name in self.network.levels)
        expressions = (rule.expression for level in found for rule in _rules(level) if rule.expression is not None)
        paths = {path[1:] for expression in expressions for path in expression.reads if path[0] == "actor"}
        return frozenset(path for path in paths if len(path) > 1)

    def row_rule(self, actor: Actor, entity: str, action: Action) -> Condition:
        """Return for which records the action is granted to the actor."""
        return self.rights(actor).row(entity, action)

    def field_rule(self, actor: Actor, entity: str, field: str, mode: Mode) -> Condition:
        """Return for which records the actor may read or write the field."""
        return self.rights(actor).field(entity, field, mode)

    def may(self, actor: Actor, action: Action, entity: str) -> bool:
        """Whether the actor may do it with any record at all (for buttons and navigation)."""
        return plain(self.rights(actor).row(entity, action)) != NEVER

    def may_field(self, actor: Actor, entity: str, field: str, mode: Mode) -> bool:
        """Whether the actor may read or write the field of any record at all (for columns and forms)."""
        return plain(self.rights(actor).field(entity, field, mode)) != NEVER

    def may_new_field(self, actor: Actor, entity: str, field: str) -> bool:
        """Whether the actor may give the field a value in a new record."""
        return plain(self.rights(actor).new_field(entity, field)) != NEVER

    def functions(self, actor: Actor) -> frozenset[Function]:
        """Return the functions (`consult`, `communicate`, …) that the actor's levels have."""
        rights = self.rights(actor)
        if rights.unlimited or any(level.everything for level in rights.levels):
            return frozenset(FUNCTIONS)
        return frozenset(function for level in rights.levels for function in level.functions)

    def administers(self, actor: Actor) -> bool:
        """Whether one of the actor's levels has the administration of the network; in the own office alone."""
        if actor.kind == "member" and actor.through is not None:
            return False
        rights = self.rights(actor)
        return rights.unlimited or any(level.administration or level.everything for level in rights.levels)
