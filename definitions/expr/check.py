"""The types of an expression: every problem at once, each with its place and a way out."""

from __future__ import annotations

from collections.abc import Iterable

from definitions.expr import calls, operators
from definitions.expr.hints import article, listed, suggestion
from definitions.expr.nodes import (
    Binary,
    Call,
    Has,
    Index,
    ListItems,
    Literal,
    Macro,
    MapItems,
    Name,
    Node,
    Select,
    Ternary,
    UInt,
    Unary,
    place_at,
)
from definitions.expr.numbers import MAX_INT, MIN_INT, to_decimal
from definitions.expr.paths import Paths, inside, paths
from definitions.expr.scope import Scope
from definitions.expr.types import (
    BOOL,
    DECIMAL,
    DURATION,
    DYN,
    INT,
    NULL,
    NUMBERS,
    STRING,
    Choice,
    ListOf,
    MapOf,
    RecordOf,
    Type,
    fits,
    is_text,
    join,
)
from definitions.expr.typing import Typing, Variables
from definitions.message import either, say
from definitions.problems import Place, Problem


def check(text: str, place: Place, tree: Node, scope: Scope, expect: tuple[Type, ...]) -> tuple[Typing, list[Problem]]:
    """Return the types of a tree and what is wrong with it; `expect`: the types that fit its place (none: any)."""
    checker = Checker(text, place, scope)
    actual = checker.infer(tree, {})
    if expect:
        checker.expect_one(tree, actual, expect)
    return checker.typing, checker.problems


def _leading(variables: Variables) -> dict[str, Paths]:
    return {name: paths for name, (_, paths) in variables.items()}


class Checker:
    """Walks over a tree once; a node whose problem was said is of type DYN, so that it is said once."""

    def __init__(self, text: str, place: Place, scope: Scope) -> None:
        """Begin with no problems."""
        self.text = text
        self.place = place
        self.scope = scope
        self.typing = Typing(scope)
        self.problems: list[Problem] = []

    def infer(self, node: Node, variables: Variables) -> Type:
        """Return (and keep) the type of a node."""
        found = self._infer(node, variables)
        self.typing.types[node] = found
        return found

    def report(self, code: str, at: int, message: str, hint: str = "") -> Type:
        """Keep a problem of the character `at`; return DYN."""
        self.problems.append(Problem(f"expression.{code}", place_at(self.text, self.place, at), message, hint))
        return DYN

    def mistyped(self, node: Node, message: str, hint: str = "") -> Type:
        """Keep a problem of types."""
        return self.report("type", node.start, message, hint)

    def _infer(self, node: Node, variables: Variables) -> Type:
        match node:
            case Literal():
                return self._literal(node)
            case Name():
                return self._name(node, variables)
            case Select():
                return self._select(node, variables)
            case Has():
                self.infer(node.select, variables)
                return BOOL
            case Call():
                return calls.infer(self, node, variables)
            case _:
                return self._compound(node, variables)

    def _compound(
        self, node: Index | Unary | Binary | Ternary | ListItems | MapItems | Macro, variables: Variables
    ) -> Type:
        match node:
            case Index():
                return self._index(node, variables)
            case Unary():
                return self._unary(node, variables)
            case Binary():
                return operators.infer(self, node, variables)
            case Ternary():
                return self._ternary(node, variables)
            case ListItems():
                return self._list(node, variables)
            case MapItems():
                return self._map(node, variables)
            case _:
                return self._macro(node, variables)

    def _literal(self, node: Literal) -> Type:
        value = node.value
        if value is None:
            return NULL
        if isinstance(value, bool):
            return BOOL
        if isinstance(value, int):
            return (
                INT
                if MIN_INT <= value <= MAX_INT
                else self.report("value", node.start, say("{value} is too large.", value=value))
            )
        if isinstance(value, str):
            return STRING
        if isinstance(value, UInt | bytes):
            return self.mistyped(
                node, say("This kind of literal is not used in definitions."), say("write a plain number or text")
            )
        return (
            DECIMAL
            if to_decimal(value) is not None
            else self.report("value", node.start, say("The number is too large."))
        )

    # names

    def paths(self, node: Node, variables: Variables) -> Paths:
        """Return the paths that a node may lead along, nothing when it computes something."""
        return paths(node, _leading(variables), self.typing)

    def _name(self, node: Name, variables: Variables) -> Type:
        if node.name in variables:
            return variables[node.name][0]
        found = self.scope.names.get(node.name)
        if found is None:
            known = [*variables, *self.scope.names]
            hint = self.scope.hints.get(node.name) or self._forgotten(node.name) or suggestion(node.name, known)
            return self.report(
                "unknown_name", node.start, say("'{name}' is not known here.", name=node.name), hint or listed(known)
            )
        self.typing.reads.add((node.name,))
        return found

    def _forgotten(self, name: str) -> str:
        """Say where a field stands whose record was left out, or that a text needs its marks."""
        row = self.scope.names.get(self.scope.row)
        if isinstance(row, RecordOf) and name in self.scope.records.get(row.entity, {}):
            return say("did you mean '{row}.{name}'?", row=self.scope.row, name=name)
        return ""

    def _select(self, node: Select, variables: Variables) -> Type:
        of = self.infer(node.of, variables)
        if isinstance(of, RecordOf):
            return self._field(node, of, variables)
        if isinstance(of, MapOf):
            return (
                of.value
                if fits(STRING, of.key)
                else self.mistyped(node, say("The keys are {key}, not text.", key=of.key))
            )
        if of in (DYN, NULL):
            return DYN
        hint = ""
        if isinstance(of, ListOf):
            hint = say("it is a list: use exists(x, x.{field} …), all(…), map(…) or sum(…)", field=node.field)
        return self.report(
            "type", node.at, say("A {of} has no fields, so no '{field}'.", of=of, field=node.field), hint
        )

    def _field(self, node: Select, of: RecordOf, variables: Variables) -> Type:
        members = self.scope.records.get(of.entity, {})
        member = members.get(node.field)
        if member is None:
            hint = suggestion(node.field, members) or listed(members)
            return self.report(
                "unknown_field",
                node.at,
                say("{entity} has no field '{field}'.", entity=of.entity, field=node.field),
                hint,
            )
        self.typing.members[node] = member
        self.typing.reads |= self.paths(node, variables)
        return member.type

    # parts

    def _index(self, node: Index, variables: Variables) -> Type:
        of, index = self.infer(node.of, variables), self.infer(node.index, variables)
        match of:
            case ListOf():
                if not fits(index, INT):
                    return self.mistyped(
                        node.index, say("A list is counted with an integer, not with {index}.", index=index)
                    )
                return of.of
            case MapOf():
                if not fits(index, of.key):
                    return self.mistyped(node.index, say("The keys are {key}, not {index}.", key=of.key, index=index))
                return of.value
            case _:
                return DYN if of in (DYN, NULL) else self.mistyped(node, say("A {of} has no elements.", of=of))

    def _unary(self, node: Unary, variables: Variables) -> Type:
        operand = self.infer(node.operand, variables)
        if node.operator == "!":
            self.expect(node.operand, operand, BOOL)
            return BOOL
        if operand in NUMBERS or operand in (DURATION, DYN, NULL):
            return operand
        return self.mistyped(node, say("A {operand} has no negative.", operand=operand))

    def _ternary(self, node: Ternary, variables: Variables) -> Type:
        self.expect(node.test, self.infer(node.test, variables), BOOL)
        yes, no = self.infer(node.yes, variables), self.infer(node.no, variables)
        both = join(yes, no)
        return (
            both if both is not None else self.mistyped(node, say("One side is {yes}, the other {no}.", yes=yes, no=no))
        )

    def _list(self, node: ListItems, variables: Variables) -> Type:
        kinds = [self.infer(item, variables) for item in node.items]
        return ListOf(self._common(node, kinds))

    def _map(self, node: MapItems, variables: Variables) -> Type:
        keys = [self.infer(key, variables) for key, _ in node.entries]
        values = [self.infer(value, variables) for _, value in node.entries]
        return MapOf(self._common(node, keys), self._common(node, values))

    def _common(self, node: Node, kinds: list[Type]) -> Type:
        if not kinds:
            return DYN
        common = kinds[0]
        for kind in kinds[1:]:
            both = join(common, kind)
            if both is None:
                return self.mistyped(
                    node, say("The elements are of different types: {common} and {kind}.", common=common, kind=kind)
                )
            common = both
        return common

    def _macro(self, node: Macro, variables: Variables) -> Type:
        of = self.infer(node.of, variables)
        match of:
            case ListOf():
                kinds: tuple[Type, ...] = (of.of,) if len(node.variables) == 1 else (INT, of.of)
            case MapOf():
                kinds = (of.key,) if len(node.variables) == 1 else (of.key, of.value)
            case _:
                kinds = (DYN, DYN)
                if of not in (DYN, NULL):
                    self.mistyped(node.of, say("{name}(…) goes through a list, not a {of}.", name=node.name, of=of))
        leading = inside(node, _leading(variables), self.typing)
        own = {name: (kind, leading[name]) for name, kind in zip(node.variables, kinds, strict=False)}
        inner = {**variables, **own}
        if node.keep is not None:
            self.expect(node.keep, self.infer(node.keep, inner), BOOL)
        return self._looped(node, of, self.infer(node.body, inner))

    def _looped(self, node: Macro, of: Type, body: Type) -> Type:
        match node.name:
            case "map":
                return ListOf(body)
            case "sum":
                if body in NUMBERS or body in (DURATION, DYN, NULL):
                    return body
                return self.mistyped(node.body, say("sum(…) adds numbers or durations, not {body}.", body=body))
            case "filter":
                self.expect(node.body, body, BOOL)
                return ListOf(of.key) if isinstance(of, MapOf) else of
            case _:
                self.expect(node.body, body, BOOL)
                return BOOL

    # what a place asks for

    def expect(self, node: Node, actual: Type, wanted: Type) -> None:
        """Report a node that is not of the type its place asks for."""
        self.expect_one(node, actual, (wanted,))

    def expect_one(self, node: Node, actual: Type, wanted: Iterable[Type]) -> None:
        """Report a node that is of none of the types that its place asks for."""
        for each in wanted:
            if isinstance(each, Choice | ListOf) and self._chooses(node, actual, each):
                return
            if fits(actual, each):
                return
        names = either(dict.fromkeys(str(each) for each in wanted))
        hint = say("compare it with something") if names == str(BOOL) else ""
        self.mistyped(
            node, say("This is {actual}, but {names} is asked for.", actual=article(actual), names=names), hint
        )

    def _chooses(self, node: Node, actual: Type, wanted: Choice | ListOf) -> bool:
        """Whether texts written out stand where options are asked for; their names are checked."""
        if isinstance(wanted, ListOf):
            inner = wanted.of
            return isinstance(inner, Choice) and isinstance(node, ListItems) and self.options(inner, node)
        return is_text(actual) and actual != wanted and self.options(wanted, node)

    def options(self, choice: Choice, node: Node, *, groups: bool = False) -> bool:
        """Check the texts written out in a node against the options; False when it computes another text."""
        match node:
            case Literal(value=None):
                return True
            case Literal(value=str() as text):
                self._option(choice, node, text, groups=groups)
                return True
            case Ternary(yes=yes, no=no):
                return self.options(choice, yes, groups=groups) & self.options(choice, no, groups=groups)
            case ListItems(items=items):
                checked = [self.options(choice, item, groups=groups) for item in items]  # every item: all() would stop
                return all(checked)
            case _:
                return self.typing.of(node) in (choice, DYN)

    def _option(self, choice: Choice, node: Literal, text: str, *, groups: bool) -> None:
        self.typing.chosen[node] = choice
        if text in choice.options or (groups and text in choice.groups):
            return
        known = [*choice.options, *(choice.groups if groups else ())]
        hint = suggestion(text, known) or listed(known)
        if text in choice.groups:
            hint = say('it has states inside: write is_in(…, "{text}")', text=text)
        self.report("unknown_option", node.start, say("{name} has no '{text}'.", name=choice.name, text=text), hint)
