"""What may be written at the mark in an expression, or in a template: asked of the same parser and checker."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from admin.editor.spot import MARK
from definitions.expr import ListOf, Member, RecordOf, Scope, Type
from definitions.expr.check import check
from definitions.expr.functions import FUNCTIONS, METHODS, SPECIAL, Function
from definitions.expr.nodes import Literal, Macro, Name, Node, Select, children
from definitions.expr.parse import MACROS, parse
from definitions.problems import NOWHERE, DefinitionError

_CHAIN = re.compile(r"[a-z_]\w*(?:\.\w+)*\.?\w*$")
_LOOP = re.compile(r"\{%-?\s*for\s+(\w+)\s+in\s+([\w.]+)")
_OPENS = {"(": ")", "[": "]", "{": "}"}


@dataclass(frozen=True, slots=True)
class Part:
    """Something that may stand in an expression: `kind` is field, name, function, method, macro, option or filter."""

    text: str
    kind: str
    detail: str = ""
    member: Member | None = None


def parts_of_expression(text: str, scope: Scope) -> list[Part]:
    """Return what may take the place of the mark in an expression."""
    for candidate in _readable(text):
        try:
            tree = parse(candidate, NOWHERE)
        except DefinitionError:
            continue
        typing, _ = check(candidate, NOWHERE, tree, scope, ())
        for node, variables in _below(tree, ()):
            if isinstance(node, Select) and MARK in node.field:
                return list(_members(typing.of(node.of), scope))
            if isinstance(node, Name) and MARK in node.name:
                return list(_everything(scope, variables))
            if isinstance(node, Literal) and MARK in str(node.value) and node in typing.chosen:
                choice = typing.chosen[node]
                return [Part(option, "option", choice.name) for option in (*choice.options, *choice.groups)]
    return []


def _readable(text: str) -> Iterator[str]:
    """Yield the text, then what stands before the mark with what is open closed, then the last words before it."""
    yield text
    before = text[: text.index(MARK) + len(MARK)]
    yield before + _closers(before)
    chain = _CHAIN.search(before)
    if chain:
        yield chain[0]


def _closers(text: str) -> str:
    opened: list[str] = []
    quote = ""
    for character in text:
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'":
            quote = character
        elif character in _OPENS:
            opened.append(_OPENS[character])
        elif opened and character == opened[-1]:
            opened.pop()
    return quote + "".join(reversed(opened))


def _below(node: Node, variables: tuple[str, ...]) -> Iterator[tuple[Node, tuple[str, ...]]]:
    """Yield a tree's nodes, each with the variables of the macros around it."""
    yield node, variables
    inner = (*variables, *node.variables) if isinstance(node, Macro) else variables
    for child in children(node):
        yield from _below(child, inner if isinstance(node, Macro) and child is not node.of else variables)


def _members(kind: Type, scope: Scope) -> Iterator[Part]:
    if isinstance(kind, RecordOf):
        for name, member in scope.records.get(kind.entity, {}).items():
            yield Part(name, "field", str(member.type), member)
    for name, method in METHODS.items():
        if any(_takes(overload.parameters[0], kind) for overload in method.overloads):
            yield Part(name, "method", _signature(method))
    if isinstance(kind, ListOf):
        yield from (Part(name, "macro") for name in MACROS)


def _takes(parameter: Type, kind: Type) -> bool:
    return type(parameter) is type(kind) and (parameter == kind or isinstance(kind, ListOf))


def _everything(scope: Scope, variables: tuple[str, ...]) -> Iterator[Part]:
    yield from (Part(name, "name") for name in variables)
    yield from (Part(name, "name", str(kind)) for name, kind in scope.names.items())
    yield from (Part(name, "function", _signature(function)) for name, function in FUNCTIONS.items())
    yield from (Part(name, "function") for name in (*SPECIAL, "has", "sum"))


def _signature(function: Function) -> str:
    first = function.overloads[0]
    given = first.parameters[1:] if function.method else first.parameters
    return f"({', '.join(map(str, given))}) → {first.result}"


def signature_of(name: str) -> str:
    """Return how a function is called and what it gives, "" for what is none."""
    found = FUNCTIONS.get(name) or METHODS.get(name)
    return f"{name}{_signature(found)}" if found is not None else ""


def parts_of_template(text: str, scope: Scope, filters: frozenset[str]) -> list[Part]:
    """Return what may take the place of the mark in a template: names between braces, filters behind a bar."""
    before = text[: text.index(MARK)]
    begun = max(before.rfind("{{"), before.rfind("{%"))
    inside = before[begun + 2 :]
    if begun < 0 or "}}" in inside or "%}" in inside:
        return []
    if re.search(r"\|\s*\w*$", inside):
        return [Part(name, "filter") for name in sorted(filters)]
    names = _with_loops(before, scope)
    chain = _CHAIN.search(inside)
    way = chain[0].split(".")[:-1] if chain else []
    if not way:
        return [Part(name, "name", str(kind)) for name, kind in names.items()]
    kind = _walk(way, names, scope)
    members = scope.records.get(kind.entity, {}) if isinstance(kind, RecordOf) else {}
    return [Part(name, "field", str(member.type), member) for name, member in members.items()]


def _with_loops(before: str, scope: Scope) -> Mapping[str, Type]:
    names = dict(scope.names)
    for variable, over in _LOOP.findall(before):
        kind = _walk(over.split("."), names, scope)
        if isinstance(kind, ListOf):
            names[variable] = kind.of
    return names


def _walk(way: list[str], names: Mapping[str, Type], scope: Scope) -> Type | None:
    kind = names.get(way[0])
    for step in way[1:]:
        member = scope.records.get(kind.entity, {}).get(step) if isinstance(kind, RecordOf) else None
        kind = None if member is None else member.type
    return kind
