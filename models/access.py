"""Who may do what with which records: the one place that decides.

A member has the union of the rights of its levels, level by level: what one level lets a member read, another one does
not let it write. Rights are conditions (`models.rules`), compiled once for each set of levels; `models.rules_sql` and
`models.rules.holds` apply them, to tables and to records in hand.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from definitions.spec.access import FUNCTIONS, Function, Level, Rule
from definitions.spec.network import Network
from models import clauses
from models.actor import Actor, Narrow
from models.clauses import PUBLIC_LEVEL, Action, Clauses, Deed, Mode
from models.rules import ALWAYS, NEVER, Condition, Path, all_of, any_of, plain
from models.tx import Dialect

if TYPE_CHECKING:
    from models.sight import Sight

__all__ = ["PUBLIC_LEVEL", "Access", "Action", "Deed", "Mode", "Rights"]

MEMBER = "member"
KEPT = 512
"""So many sets of rights are kept compiled: tokens can be narrowed in many ways."""


class Rights:
    """The rights of one set of levels. Conditions are over the record and the actor."""

    def __init__(
        self,
        network: Network,
        levels: tuple[Level, ...],
        *,
        unlimited: bool = False,
        visiting: bool = False,
        narrow: Narrow | None = None,
    ) -> None:
        """Compile nothing yet; `unlimited` is for the system, `visiting` for who acts in somebody else's office.

        `narrow` is what a token leaves of the levels.
        """
        self.network = network
        self.levels = levels
        self.unlimited = unlimited
        self.visiting = visiting
        self.narrow = narrow or Narrow()
        self.leads = any(level.administration for level in levels)
        self._rows: dict[tuple[str, Deed], Condition] = {}
        self._fields: dict[tuple[str, str, Mode], Condition] = {}
        self._new_fields: dict[tuple[str, str, Deed], Condition] = {}
        self._moves: dict[tuple[str, str], Condition] = {}
        self.sights: dict[tuple[str, Dialect, str], Sight] = {}

    def row(self, entity: str, action: Deed) -> Condition:
        """Return for which records of the entity the action is granted."""
        key = (entity, action)
        if key not in self._rows:
            self._rows[key] = self._union(self.row_clauses(entity, action))
        return self._rows[key]

    def field(self, entity: str, field: str, mode: Mode) -> Condition:
        """Return for which records the field may be read (the record's own rule included) or written."""
        key = (entity, field, mode)
        if key not in self._fields:
            self._fields[key] = self._union(self.field_clauses(entity, field, mode))
        return self._fields[key]

    def new_field(self, entity: str, field: str, action: Deed = "create") -> Condition:
        """Return in which new records the field may be given a value (`begin`: in lines of what is new as well)."""
        key = (entity, field, action)
        if key not in self._new_fields:
            levels = self._granting(entity)
            found = (clauses.of_new_field(self.network, level, entity, field, action) for level in levels)
            self._new_fields[key] = self._union(found)
        return self._new_fields[key]

    def transition(self, process: str, transition: str) -> Condition:
        """Return for which records the move is granted (the guard is another matter)."""
        key = (process, transition)
        if key not in self._moves:
            self._moves[key] = self._union(self.move_clauses(process, transition))
        return self._moves[key]

    def row_clauses(self, entity: str, action: Deed) -> list[Clauses]:
        """Return, level by level, what must hold for it to grant the action."""
        levels = self._reading(entity) if action == "read" else self._granting(entity)
        return [clauses.of_row(self.network, level, entity, action) for level in levels]

    def field_clauses(self, entity: str, field: str, mode: Mode) -> list[Clauses]:
        """Return, level by level, what must hold for it to grant the field."""
        levels = self._reading(entity) if mode == "read" else self._granting(entity)
        return [clauses.of_field(self.network, level, entity, field, mode) for level in levels]

    def move_clauses(self, process: str, transition: str) -> list[Clauses]:
        """Return, level by level, what must hold for it to grant the move."""
        levels = self._granting(self.network.processes[process].entity)
        return [clauses.of_move(self.network, level, process, transition) for level in levels]

    @property
    def administers(self) -> bool:
        """Whether a level has the administration; not in somebody else's office, nor with a token that is narrowed."""
        if self.visiting or self.narrow != Narrow():
            return False
        return self.unlimited or any(level.administration or level.everything for level in self.levels)

    @property
    def functions(self) -> frozenset[Function]:
        """The functions that the levels have; who may only read neither imports nor sends messages."""
        if self.unlimited or any(level.everything for level in self.levels):
            found = frozenset(FUNCTIONS)
        else:
            found = frozenset(function for level in self.levels for function in level.functions)
        return found - {"import", "communicate"} if self.narrow.reads_only else found

    def _reading(self, entity: str) -> tuple[Level, ...]:
        """Return the levels whose rights to read records of an entity count."""
        entities = self.narrow.entities
        return self.levels if entities is None or entity in entities else ()

    def _granting(self, entity: str) -> tuple[Level, ...]:
        """Return the levels whose rights to change records of an entity count.

        Who visits an office changes no members: it could give itself the office, its e-mail is the way in.
        """
        if self.narrow.reads_only or (self.visiting and self._topmost(entity) == MEMBER):
            return ()
        return self._reading(entity)

    def _topmost(self, entity: str) -> str:
        """Return what the lines are lines of, however deep."""
        parent = self.network.entities[entity].parent
        return entity if parent is None else self._topmost(parent)

    def _union(self, of_levels: Iterable[Clauses]) -> Condition:
        if self.unlimited:
            return ALWAYS
        return any_of(all_of(each) for each in of_levels)


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
        self._rights: dict[tuple[bool, tuple[str, ...], Narrow | None], Rights] = {}

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
        key = (visiting, names, actor.narrow)
        if key not in self._rights:
            if len(self._rights) >= KEPT:
                self._rights.pop(next(iter(self._rights)))
            levels = tuple(self.network.levels[name] for name in names if name in self.network.levels)
            self._rights[key] = Rights(self.network, levels, visiting=visiting, narrow=actor.narrow)
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
        return self.rights(actor).functions

    def administers(self, actor: Actor) -> bool:
        """Whether one of the actor's levels has the administration of the network; in the own office alone."""
        return self.rights(actor).administers

    def changes(self, actor: Actor) -> bool:
        """Whether the actor may change anything at all: not with a token that only reads."""
        return not self.rights(actor).narrow.reads_only
