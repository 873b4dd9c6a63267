"""What the levels of a pack say, evaluated naively over plain dicts: nothing of the product decides here.

Each question goes through the levels of the person one by one and reads their rules as the language has them; sponsor
lines are walked upwards, references are followed by hand. Only expressions are the product's own closures.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from definitions.expr import Context
from definitions.spec.access import EntityAccess, Level, Rule
from definitions.spec.network import Network
from definitions.spec.process import Process, Transition

Row = Mapping[str, Any]
DEEP = 3
"""So many references in a row are followed for an expression."""


@dataclass(frozen=True)
class Person:
    """Who asks: a member with some levels, or who is in its office with those of them that were lent."""

    id: str
    levels: tuple[str, ...]
    visiting: bool = False


@dataclass(frozen=True)
class Reference:
    """All records of a network, by entity and id, and what its levels say of them."""

    network: Network
    rows: Mapping[str, Mapping[str, Row]]
    context: Context
    settings: Mapping[str, Any]
    closed: frozenset[str] = field(default_factory=frozenset)
    """Members who closed their own data to the leader."""
    _found: dict[str, list[tuple[str, str]]] = field(default_factory=dict, repr=False, compare=False)

    # Records -------------------------------------------------------------------------------------------------------

    def readable(self, person: Person, entity: str, row: Row) -> bool:
        """Whether one of the person's levels lets it read the record."""
        return any(self._row(level, person, entity, row, "read") for level in self._levels(person))

    def may(self, person: Person, entity: str, row: Row, action: str) -> bool:
        """Whether the person may change or delete a record, which it must be able to read."""
        granted = any(self._row(level, person, entity, row, action) for level in self._levels(person))
        return granted and self.readable(person, entity, row)

    def may_create(self, person: Person, entity: str, row: Row) -> bool:
        """Whether the person may create such a record: nobody creates what is out of the reach of the same level."""
        return any(self._creates(level, person, entity, row) for level in self._levels(person))

    def may_update_to(self, person: Person, entity: str, row: Row) -> bool:
        """Whether a record may become this one: the rule that let it be changed holds after the change too."""
        return any(self._row(level, person, entity, row, "update") for level in self._levels(person))

    def ever(self, person: Person, entity: str, action: str) -> bool:
        """Whether there could be a record with which the person may do this."""
        for level in self._levels(person):
            if person.visiting and entity == "member" and action != "read":
                continue
            access = level.entities.get(entity)
            said = access is not None and getattr(access, action).reach != "none"
            if level.everything or (said and (action != "read" or "consult" in level.functions)):
                return True
        return False

    # Fields --------------------------------------------------------------------------------------------------------

    def visible(self, person: Person, entity: str, row: Row, name: str) -> bool:
        """Whether the person may read the field of a record."""
        return any(self._shows(level, person, entity, row, name, frozenset()) for level in self._levels(person))

    def writable(self, person: Person, entity: str, row: Row, name: str) -> bool:
        """Whether the person may change the field of a record."""
        declared = self.network.entities[entity].fields.get(name)
        if declared is not None and declared.compute is not None:
            return False
        granted = any(
            self._row(level, person, entity, row, "update") and self._own(level, person, entity, row, name, "write")
            for level in self._levels(person)
        )
        return granted and self.readable(person, entity, row)

    def fillable(self, person: Person, entity: str, row: Row, name: str) -> bool:
        """Whether the person may give the field a value in a new record."""
        return any(
            self._creates(level, person, entity, row) and self._own(level, person, entity, row, name, "write")
            for level in self._levels(person)
        )

    def never(self, person: Person, entity: str, name: str) -> bool:
        """Whether every level of the person that knows the entity neither reads nor writes the field, in any record."""
        levels = list(self._levels(person))
        known = [level.entities[entity].fields.get(name) for level in levels if entity in level.entities]
        shut = all(r and r.read and r.write and r.read.reach == r.write.reach == "none" for r in known)
        return bool(known) and shut and not any(level.everything for level in levels)

    def value(self, person: Person, entity: str, row: Row, name: str) -> Any:
        """Return what the person sees in the field."""
        return row.get(name) if self.visible(person, entity, row, name) else None

    # Steps, functions ----------------------------------------------------------------------------------------------

    def granted(self, person: Person, process: Process, move: Transition, row: Row) -> bool:
        """Whether the person's levels have the transition for a record, whatever its guard says."""
        entity = process.entity
        return self.readable(person, entity, row) and any(
            self._moves(level, person, process, move, row) for level in self._levels(person)
        )

    def guarded(self, person: Person, entity: str, row: Row, move: Transition, form: Row) -> bool:
        """Whether the guard of a transition holds; no rule applies to what definitions read."""
        if move.guard is None:
            return True
        names = {**self._names(person, entity, row), "form": form, "before": self._deep(entity, row)}
        return move.guard.evaluate(names, self.context) is True

    def functions(self, person: Person) -> set[str]:
        """Return what the person's levels can do beside records."""
        every = {"consult", "communicate", "import", "export", "analyse"}
        found = (every if level.everything else set(level.functions) for level in self._levels(person))
        return set().union(*found)

    def administers(self, person: Person) -> bool:
        """Whether the person runs the network; nobody does in somebody else's office."""
        return not person.visiting and any(level.administration or level.everything for level in self._levels(person))

    # Level by level ------------------------------------------------------------------------------------------------

    def _levels(self, person: Person) -> Iterator[Level]:
        return (self.network.levels[n] for n in person.levels if n in self.network.levels and n != "public")

    def _row(self, level: Level, person: Person, entity: str, row: Row, action: str) -> bool:
        if person.visiting and entity == "member" and action != "read":
            return False
        if self._shut(level, person, entity, row):
            return False
        if level.everything:
            return True
        if action == "read" and "consult" not in level.functions:
            return False
        access = level.entities.get(entity)
        return access is not None and self._holds(getattr(access, action), person, entity, row)

    def _shut(self, level: Level, person: Person, entity: str, row: Row) -> bool:
        """Whether the record belongs to a member who closed the own data to the leader."""
        owner = _id(row.get("owner")) if self.network.entities[entity].owner else None
        return level.name == "leader" and owner in self.closed and owner != person.id

    def _creates(self, level: Level, person: Person, entity: str, row: Row) -> bool:
        if not self._row(level, person, entity, row, "create"):
            return False
        access = level.entities.get(entity)
        if level.everything or access is None or access.read.reach == "none":
            return True
        return self._holds(access.read, person, entity, row)

    def _shows(self, level: Level, person: Person, entity: str, row: Row, name: str, seen: frozenset[str]) -> bool:
        if not self._row(level, person, entity, row, "read"):
            return False
        if not self._own(level, person, entity, row, name, "read"):
            return False
        declared = self.network.entities[entity].fields.get(name)
        compute = None if declared is None or declared.compute is None else declared.compute.expression
        if compute is None or name in seen:
            return True
        read = {path[1] for path in compute.reads if path[0] == "record" and len(path) > 1}
        return all(self._shows(level, person, entity, row, each, seen | {name}) for each in read)

    def _own(self, level: Level, person: Person, entity: str, row: Row, name: str, mode: str) -> bool:
        access: EntityAccess | None = level.entities.get(entity)
        if level.everything or access is None or name not in access.fields:
            return True
        rule: Rule | None = getattr(access.fields[name], mode)
        return rule is None or self._holds(rule, person, entity, row)

    def _moves(self, level: Level, person: Person, process: Process, move: Transition, row: Row) -> bool:
        entity = process.entity
        if level.everything:
            return self._row(level, person, entity, row, "read")
        access = level.entities.get(entity)
        names = {move.name, f"{process.name}.{move.name}"}
        if access is None or (access.transitions is not None and names.isdisjoint(access.transitions)):
            return False
        if move.by is None:
            return self._row(level, person, entity, row, "update")
        return level.name in move.by and self._row(level, person, entity, row, "read")

    def _holds(self, rule: Rule, person: Person, entity: str, row: Row) -> bool:
        if rule.expression is not None:
            return rule.expression.evaluate(self._names(person, entity, row), self.context) is True
        member = row["id"] if entity == "member" else _id(row.get("owner"))
        match rule.reach:
            case "all":
                return True
            case "mine":
                return member == person.id
            case "downline":
                return member is not None and person.id in self.line(member)
            case _:
                return False

    def line(self, member: str) -> list[str]:
        """Return a member and everybody above it."""
        found = []
        above: str | None = member
        while above is not None:
            found.append(above)
            row = self.rows["member"].get(above)
            above = None if row is None else _id(row.get("sponsor"))
        return found

    # What expressions see ------------------------------------------------------------------------------------------

    def _names(self, person: Person, entity: str, row: Row) -> dict[str, Any]:
        actor = self._deep("member", self.rows["member"][person.id])
        return {"record": self._deep(entity, row), "actor": actor, "settings": self.settings}

    def _deep(self, entity: str, row: Row, depth: int = DEEP) -> dict[str, Any]:
        found = dict(row)
        if not depth:
            return found
        for name, to in self._references(entity):
            value = row.get(name)
            if value is not None:
                target = self.rows[to].get(value["id"])
                found[name] = value if target is None else self._deep(to, target, depth - 1)
        return found

    def _references(self, entity: str) -> list[tuple[str, str]]:
        """Return the references of an entity's records, and to what; found once."""
        if entity not in self._found:
            fields = self.network.entities[entity].fields
            targets = ((name, self.target(entity, name)) for name in ("owner", "created_by", *fields))
            self._found[entity] = [(name, to) for name, to in targets if to is not None]
        return self._found[entity]

    def target(self, entity: str, name: str) -> str | None:
        """Return what a field refers to."""
        if name in {"owner", "created_by"}:
            return "member"
        declared = self.network.entities[entity].fields.get(name)
        return None if declared is None else declared.to


def _id(reference: Any) -> str | None:
    return None if reference is None else str(reference["id"])
