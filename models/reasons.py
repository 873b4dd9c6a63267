"""Why a member may do something or not: what each level says of it, whether that holds, and which part does not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from definitions.expr.expression import Names
from definitions.expr.parts import Part, Value, parts
from definitions.problems import Place
from definitions.spec.network import Network
from models.access import Action, Mode
from models.clauses import Clauses
from models.errors import NotFoundError
from models.members import load_actor
from models.record import Record
from models.records import Records
from models.references import target
from models.rules import ALWAYS, NEVER, Above, Condition, Granted, Holds, Path, Within, bare, holds, plain, reads


@dataclass(frozen=True, slots=True)
class Question:
    """May `member` do `action` with a record (of any: `record` None)? With a field of it, or take a transition?

    `mode` is for a field; `process` and `transition` stand for a step, whatever `action` says.
    """

    member: str
    entity: str
    action: Action = "read"
    record: str | None = None
    field: str = ""
    mode: Mode = "read"
    process: str = ""
    transition: str = ""


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a condition as written, whether it holds (None: not told), and the values that it asks about."""

    text: str
    holds: bool | None
    values: tuple[tuple[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Reason:
    """One clause: what it is about, its text and place in the pack, whether it holds (None: not for every record)."""

    about: str
    text: str
    place: Place
    holds: bool | None
    pieces: tuple[Piece, ...] = ()


@dataclass(frozen=True, slots=True)
class Said:
    """What one level says: it grants where all of its reasons hold (None: that depends on the record)."""

    level: str
    grants: bool | None
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """The answer: whether it is allowed, and what each level of the member says.

    Who is not `active` has no levels; what is not `readable` cannot be changed either, whatever the levels say of that.
    """

    question: Question
    allowed: bool | None
    active: bool
    readable: bool | None
    levels: tuple[Said, ...]
    member: Record
    record: Record | None


async def explain(asker: Records, question: Question) -> Explanation:
    """Answer a question of somebody who administers the network about a member.

    `NotFoundError` for anybody else, for a member or a record that the asker may not read, and for names that are none.
    Values that the asker may not see are not told, nor whether a part holds that asks about them.
    """
    _check(asker, question)
    member = await asker.get("member", question.member)
    record = None if question.record is None else await asker.get(question.entity, question.record)
    actor = await load_actor(asker.published, asker.tx, member.id)
    if actor is None:
        return Explanation(question, False, False, False, (), member, record)  # noqa: FBT003 (a frozen answer)
    them = Records(asker.published, asker.tx, actor, asker.context, new_id=asker.new_id)
    teller = _Teller(asker, them, question, member, record)
    levels = await teller.levels(_clauses(them, question))
    allowed = _either(each.grants for each in levels)
    if question.action == "create" and not question.field and not question.process:
        return Explanation(question, allowed, True, True, levels, member, record)  # noqa: FBT003 (the same)
    readable = _either(each.grants for each in await teller.levels(them.rights.row_clauses(question.entity, "read")))
    return Explanation(question, _all((readable, allowed)), True, readable, levels, member, record)  # noqa: FBT003 (the same)


def _check(asker: Records, question: Question) -> None:
    network = asker.network
    entity = network.entities.get(question.entity)
    if entity is None or not asker.access.administers(asker.actor):
        raise NotFoundError
    process = network.processes.get(question.process)
    if question.process and (process is None or question.transition not in process.transitions):
        raise NotFoundError
    if process is not None and process.entity != entity.name:
        raise NotFoundError
    if question.field and question.field not in {*entity.fields, *entity.processes, "owner"}:
        raise NotFoundError


def _clauses(them: Records, question: Question) -> Sequence[Clauses]:
    if question.process:
        return them.rights.move_clauses(question.process, question.transition)
    if question.field:
        return them.rights.field_clauses(question.entity, question.field, question.mode)
    return them.rights.row_clauses(question.entity, question.action)


@dataclass(frozen=True, slots=True)
class _Teller:
    """Tells clauses of a member's levels to who asks."""

    asker: Records
    them: Records
    question: Question
    member: Record
    record: Record | None

    async def levels(self, given: Sequence[Clauses]) -> tuple[Said, ...]:
        return tuple([await self._said(clauses) for clauses in given])

    async def _said(self, clauses: Clauses) -> Said:
        reasons = tuple([await self._reason(clause) for clause in clauses])
        return Said(clauses[0].level, _all(each.holds for each in reasons), reasons)

    async def _reason(self, clause: Granted) -> Reason:
        text = _text(self.asker.network, clause, self.question)
        condition = bare(clause)
        if self.record is None:
            sure = True if condition == ALWAYS else False if condition == NEVER else None
            return Reason(clause.about, text, clause.place, sure)
        names = await self.them.names_of(self.question.entity, condition, self.record.full)
        found = holds(condition, names, self.them.context)
        pieces = await self._pieces(condition, names, self.record)
        return Reason(clause.about, text, clause.place, found, pieces)

    async def _pieces(self, condition: Condition, names: Names, record: Record) -> tuple[Piece, ...]:
        if not isinstance(condition, Holds):
            return ()
        paths = set(reads(condition))
        seen = {
            **names,
            "record": await self._seen(record, {path[1:] for path in paths if path[0] == "record"}),
            "actor": await self._seen(self.member, {path[1:] for path in paths if path[0] == "actor"}),
        }
        return tuple([await self._piece(part, names, seen) for part in parts(condition.expression)])

    async def _piece(self, part: Part, names: Names, seen: Names) -> Piece:
        context = self.them.context
        pairs = [(value, value.evaluate(seen, context)) for value in part.values]
        known = all(_same(visible, value.evaluate(names, context)) for value, visible in pairs)
        verdict = part.evaluate(names, context) is True if known else None
        return Piece(
            part.text, verdict, tuple([(each.text, await self._told(each, visible)) for each, visible in pairs])
        )

    async def _told(self, value: Value, visible: Any) -> Any:
        """Return a value as it can be written: a record by its title, None for one that the asker may not read."""
        if not isinstance(visible, Mapping) or value.entity is None or value.entity not in self.asker.network.entities:
            return visible
        return (await self.asker.labels(value.entity, [visible["id"]])).get(visible["id"])

    async def _seen(self, record: Record, paths: Iterable[Path]) -> Mapping[str, Any]:
        """Return what the asker sees of a record, with what it sees of those that the paths lead to."""
        found = dict(record.values)
        deeper: dict[str, set[Path]] = {}
        for path in paths:
            if path[1:]:
                deeper.setdefault(path[0], set()).add(path[1:])
        for name, rests in deeper.items():
            to = target(self.asker.network.entities[record.entity], name)
            reference = record.values.get(name)
            if to is None or not isinstance(reference, Mapping) or rests == {("id",)}:
                continue
            try:
                found[name] = await self._seen(await self.asker.get(to, reference["id"]), rests)
            except NotFoundError:
                found[name] = None
        return found


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.get("id") == other.get("id")
    return bool(one == other)


def _text(network: Network, clause: Granted, question: Question) -> str:
    """Return the clause as the pack has it; "" for what the pack does not say."""
    match clause.about.split():
        case ["by"]:
            return f"by: [{', '.join(network.processes[question.process].transitions[question.transition].by or ())}]"
        case ["functions"]:
            return f"functions: [{', '.join(sorted(network.levels[clause.level].functions))}]"
        case ["transitions"]:
            return (
                f"transitions: [{', '.join(network.levels[clause.level].entities[question.entity].transitions or ())}]"
            )
        case [mode, field]:
            return f"{field}: {{{mode}: {_rule(clause)}}}"
        case ["read" | "create" | "update" | "delete" as action]:
            return f"{action}: {_rule(clause)}"
        case _:
            return ""


def _rule(clause: Granted) -> str:
    rule = plain(clause)
    while isinstance(rule, Above):
        rule = rule.condition
    match rule:
        case Holds(expression=expression):
            return expression.text
        case Within(reach=reach):
            return reach
        case condition:
            return "all" if condition == ALWAYS else "none"


def _all(verdicts: Iterable[bool | None]) -> bool | None:
    """Return whether all hold: false when one does not, unknown when one is."""
    given = set(verdicts)
    return False if False in given else None if None in given else True


def _either(verdicts: Iterable[bool | None]) -> bool | None:
    given = set(verdicts)
    return True if True in given else None if None in given else False
