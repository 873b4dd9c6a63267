"""The type checker of strict CEL: what an expression gives, found out before it runs."""

from __future__ import annotations

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
    Unary,
)
from definitions.expr.strict import dotted, literal
from definitions.expr.strict_functions import type_of
from definitions.expr.strict_signatures import FUNCTIONS, METHODS, OPERATORS, TYPE_NAMES, Signature
from definitions.expr.strict_types import Declared, Parameters, is_parameter
from definitions.expr.strict_values import StrictError
from definitions.expr.types import BOOL, DYN, INT, NULL, TYPE, ListOf, MapOf, Type


def deduce(node: Node, declared: Declared) -> Type:
    """Return the type of an expression over the variables declared; raises `StrictError` where it has none."""
    checker = _Checker(declared)
    return checker.parameters.resolved(checker.infer(node, {}), final=True)


class _Checker:
    def __init__(self, declared: Declared) -> None:
        self.declared = declared
        self.parameters = Parameters({})

    def infer(self, node: Node, local: Declared) -> Type:
        return self.parameters.resolved(self._infer(node, local))

    def _infer(self, node: Node, local: Declared) -> Type:
        match node:
            case Literal():
                return NULL if node.value is None else TYPE_NAMES[type_of(literal(node)).name]
            case Name() | Select():
                return self.named(node, local)
            case Has(select=select):
                self.selected(self.infer(select.of, local))
                return BOOL
            case Index():
                return self.applied(OPERATORS["[]"], [node.of, node.index], local)
            case Call():
                return self.called(node, local)
            case _:
                return self.compound(node, local)

    def compound(self, node: Unary | Binary | Ternary | ListItems | MapItems | Macro, local: Declared) -> Type:
        match node:
            case Unary(operator=operator, operand=operand):
                return self.applied(OPERATORS[f"{operator}x"], [operand], local)
            case Binary(operator=operator, left=left, right=right):
                return self.applied(OPERATORS[operator], [left, right], local)
            case Ternary():
                return self.applied(OPERATORS["?:"], [node.test, node.yes, node.no], local)
            case ListItems(items=items):
                return ListOf(self.common(items, local))
            case MapItems(entries=entries):
                keys, values = tuple(key for key, _ in entries), tuple(value for _, value in entries)
                return MapOf(self.common(keys, local), self.common(values, local))
            case _:
                return self.macro(node, local)

    def common(self, items: tuple[Node, ...], local: Declared) -> Type:
        kind: Type | None = None
        for item in items:
            own = self.infer(item, local)
            kind = own if kind is None else self.parameters.joined(self.parameters.resolved(kind), own)
        return self.parameters.fresh() if kind is None else kind

    def named(self, node: Name | Select, local: Declared) -> Type:
        """Return the type of a name with dots: a variable of a macro, else the longest name that is declared."""
        name, root = dotted(node)
        if isinstance(node, Name) and not root and node.name in local:
            return local[node.name]
        if name is not None and (root or name.partition(".")[0] not in local):
            if name in self.declared:
                return self.declared[name]
            if name in TYPE_NAMES:
                return TYPE
        if isinstance(node, Name):
            raise StrictError(f"undeclared reference to '{node.name}'")
        return self.selected(self.infer(node.of, local))

    def selected(self, kind: Type) -> Type:
        if isinstance(kind, MapOf):
            return kind.value
        if self.anything(kind):
            return DYN
        raise StrictError(f"{kind} does not support field selection")

    def anything(self, kind: Type) -> bool:
        """Whether a type says nothing, or nothing yet."""
        return kind == DYN or (is_parameter(kind) and self.parameters.assign((kind,), (DYN,)))

    def called(self, node: Call, local: Declared) -> Type:
        name, _ = (None, False) if node.target is None else dotted(node.target)
        qualified = FUNCTIONS.get(f"{name}.{node.name}")
        if qualified is not None:
            return self.applied(qualified, list(node.arguments), local)
        if node.target is None:
            return self.applied(FUNCTIONS.get(node.name, ()), list(node.arguments), local)
        return self.applied(METHODS.get(node.name, ()), [node.target, *node.arguments], local)

    def applied(self, overloads: tuple[Signature, ...], arguments: list[Node], local: Declared) -> Type:
        """Return what a call gives: the result of the overload that fits, anything where several differ."""
        given = [self.infer(argument, local) for argument in arguments]
        results = []
        for signature in overloads:
            wanted, result = signature.instance(self.parameters, len(given))
            if wanted == given:
                return result
            if wanted is not None and self.parameters.assign(given, wanted):
                results.append(self.parameters.resolved(result))
        if not results:
            raise StrictError("found no matching overload")
        return results[0] if all(result == results[0] for result in results) else DYN

    def macro(self, node: Macro, local: Declared) -> Type:
        inside = {**local, **self.variables(self.infer(node.of, local), node.variables)}
        conditions = [node.keep] if node.keep is not None else []
        made = node.name in {"map", "transformList", "transformMap"}
        conditions += [] if made else [node.body]
        for condition in conditions:
            if not self.parameters.assign((self.infer(condition, inside),), (BOOL,)):
                raise StrictError("a condition is no bool")
        if not made:
            return ListOf(inside[node.variables[0]]) if node.name == "filter" else BOOL
        body = self.infer(node.body, inside)
        return MapOf(inside[node.variables[0]], body) if node.name == "transformMap" else ListOf(body)

    def variables(self, of: Type, names: tuple[str, ...]) -> Declared:
        match of:
            case ListOf(of=element):
                kinds: tuple[Type, ...] = (element,) if len(names) == 1 else (INT, element)
            case MapOf(key=key, value=value):
                kinds = (key, value)
            case _:
                if not self.anything(of):
                    raise StrictError(f"{of} can't be run over")
                kinds = (DYN, DYN)
        return dict(zip(names, kinds, strict=False))
