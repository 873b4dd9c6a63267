"""What a set of levels may see and do of a network through the API: made once a version, used for each request."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property, lru_cache

from definitions.build.values import PLAIN_TYPES
from definitions.expr import (
    BOOL,
    STRING,
    Choice,
    Expression,
    ListOf,
    Member,
    RecordOf,
    Scope,
    Type,
    compile_expression,
)
from definitions.expr.scope import MemberKind
from definitions.problems import NOWHERE, DefinitionError
from definitions.spec.entity import Entity, Field
from definitions.spec.network import Network
from definitions.spec.process import Process, Transition
from definitions.spec.screen import Statistic
from models.access import Access, Rights
from models.actor import Actor
from models.errors import InvalidError, NotFoundError
from models.filters import system_fields
from models.message import say
from models.published import Published
from models.rules import NEVER, Condition, plain
from models.validation import all_fields

LONGEST_FILTER = 2000
_ACTOR = frozenset({(), ("id",), ("_path",)})
"""What a filter may read of who asks: who that is, and (as `is_upline_of` does) where in the tree."""
_ALWAYS_FILLED = frozenset({"id", "created_at", "updated_at", "version"})


class Seen:
    """An entity as some levels see it: `fields` are those that may be read in some record, in order."""

    def __init__(self, network: Network, rights: Rights, entity: Entity) -> None:
        """Find out what the rights allow with any record at all."""
        name = entity.name
        self.entity = entity
        self.declared = all_fields(entity)
        known = {**system_fields(network, entity), **self.declared}
        self.reads = _ever(rights.row(name, "read"))
        self.creates = _ever(rights.row(name, "create"))
        self.updates = _ever(rights.row(name, "update"))
        self.deletes = _ever(rights.row(name, "delete"))
        self.fields = {
            each: field for each, field in known.items() if self.reads and _ever(rights.field(name, each, "read"))
        }
        self.lines: Mapping[str, Seen] = {}
        """What the levels see of its lines, by what it calls them."""
        given = {each: field for each, field in self.declared.items() if field.compute is None}
        self.begun = {
            e: f
            for e, f in given.items()
            if entity.parent is not None
            and e != "parent"
            and _ever(rights.row(name, "begin"))
            and _ever(rights.new_field(name, e, "begin"))
        }
        """What lines may be given that are created along with what they are lines of."""
        self.new = {e: f for e, f in given.items() if self.creates and _ever(rights.new_field(name, e))}
        self.writes = {
            e: f
            for e, f in given.items()
            if self.updates and _ever(rights.field(name, e, "write")) and (e != "parent" or entity.parent is None)
        }
        self.names = tuple(self.fields)
        self.references = {name: field.to for name, field in self.fields.items() if field.to is not None}
        self.moves = tuple(
            (process, transition)
            for process in (network.processes[each] for each in entity.processes)
            for transition in process.transitions.values()
            if self.reads and not transition.auto and _ever(rights.transition(process.name, transition.name))
        )

    def move(self, process: str, transition: str) -> tuple[Process, Transition]:
        """Return the transition; `NotFoundError` when no record offers it to these levels."""
        for found in self.moves:
            if (found[0].name, found[1].name) == (process, transition):
                return found
        raise NotFoundError


def _ever(rule: Condition) -> bool:
    return plain(rule) != NEVER


class Horizon:
    """What one set of levels may see of one version of a network."""

    def __init__(self, published: Published, rights: Rights) -> None:
        """Look at every entity once."""
        self.published = published
        self.network = published.network
        self.administers = rights.administers
        self.changes = not rights.narrow.reads_only
        self.imports = "import" in rights.functions
        self.analyses = "analyse" in rights.functions
        every = (Seen(self.network, rights, entity) for entity in self.network.entities.values())
        self.entities = {seen.entity.name: seen for seen in every if seen.reads or seen.creates}
        for name, seen in self.entities.items():
            lines = {each: line.name for each, line in self.network.lines(name).items() if line.name in self.entities}
            seen.lines = {each: self.entities[line] for each, line in lines.items()}
        self.documents: dict[str, str] = {}
        """The API's description by language, once made."""
        self._filters: dict[tuple[str, str], Expression] = {}

    def entity(self, name: str) -> Seen:
        """Return an entity that may be read or created; `NotFoundError` for one that is not there to these levels."""
        found = self.entities.get(name)
        if found is None:
            raise NotFoundError
        return found

    @cached_property
    def statistics(self) -> Mapping[str, Statistic]:
        """The statistics over records that may be read, for who analyses."""
        found = self.network.statistics.items() if self.analyses else ()
        return {name: each for name, each in found if each.entity in self.entities and self.entities[each.entity].reads}

    @cached_property
    def _records(self) -> Mapping[str, Mapping[str, Member]]:
        found: dict[str, Mapping[str, Member]] = {
            name: {"id": Member(STRING, nullable=False, kind="system")} for name in self.network.entities
        }
        for name, seen in self.entities.items():
            if seen.reads:
                own = {each: self._member(seen, each, field) for each, field in seen.fields.items()}
                lines = {each: line for each, line in seen.lines.items() if line.reads}
                found[name] = own | {
                    each: Member(ListOf(RecordOf(line.entity.name)), nullable=False, stored=False, kind="lines")
                    for each, line in lines.items()
                }
        return found

    def _member(self, seen: Seen, name: str, field: Field) -> Member:
        if name in seen.entity.processes:
            process = self.network.processes[name]
            one = Choice(name, process.innermost, process.below)
            return Member(ListOf(one) if process.parallel else one, nullable=False, kind="state")
        kind: MemberKind = "field" if name in seen.entity.fields else "system"
        scale = field.scale if field.type in {"decimal", "money"} else None
        nullable = name not in _ALWAYS_FILLED and not field.required
        return Member(_type(field), nullable=nullable, filterable=not field.encrypted, scale=scale, kind=kind)

    def filter(self, entity: str, text: str) -> Expression:
        """Return a user's condition over `record` (and who asks, as `actor`); `InvalidError` says what is wrong."""
        key = (entity, text)
        found = self._filters.get(key)
        if found is None:
            found = self._compiled(entity, text)
            if len(self._filters) < 256:  # programs ask the same; what people make up has no end
                self._filters[key] = found
        return found

    def _compiled(self, entity: str, text: str) -> Expression:
        if len(text) > LONGEST_FILTER:
            raise InvalidError({"filter": say("At most {count} characters.", count=LONGEST_FILTER)})
        scope = Scope({"record": RecordOf(entity), "actor": RecordOf("member")}, self._records)
        try:
            found = compile_expression(text, NOWHERE, scope, expect=BOOL, query=True)
        except DefinitionError as error:
            first = error.problems[0]
            where = f"{first.place.line}:{first.place.column}:"
            said = say("{sentence} {hint}", sentence=first.message, hint=first.hint) if first.hint else first.message
            raise InvalidError({"filter": say("{place} {sentence}", place=where, sentence=said)}) from None
        if any(path[0] == "actor" and path[1:] not in _ACTOR for path in found.reads):
            # What a definition reads of the actor is its author's choice; a caller could ask it for hidden fields.
            raise InvalidError({"filter": say("A filter asks who acts only as `actor` or `actor.id`.")})
        return found


def _type(field: Field) -> Type:
    match field.type:
        case "choice":
            return Choice(field.name, tuple(field.options))
        case "choices":
            return ListOf(Choice(field.name, tuple(field.options)))
        case "reference":
            return RecordOf(field.to or "")
        case _:
            return PLAIN_TYPES.get(field.type, STRING)


@lru_cache(maxsize=256)
def _horizon(published: Published, rights: Rights) -> Horizon:
    return Horizon(published, rights)


def horizon_of(published: Published, actor: Actor) -> Horizon:
    """Return what the actor's levels see of a version."""
    access: Access = published.access
    return _horizon(published, access.rights(actor))
