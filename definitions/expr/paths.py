"""The paths that a node leads along, from the names of the scope: those of all ways that it may take."""

from __future__ import annotations

from collections.abc import Mapping

from definitions.expr.nodes import Binary, Index, ListItems, Macro, MapItems, Name, Node, Select, Ternary, children
from definitions.expr.types import MapOf
from definitions.expr.typing import Path, Typing

Paths = frozenset[Path]
NONE: Paths = frozenset()


def paths(node: Node, variables: Mapping[str, Paths], typing: Typing) -> Paths:
    """Return where a node may lead, nothing when it computes something; `variables` are those of the loops around."""
    match node:
        case Name(name=name):
            return variables.get(name, frozenset({(name,)}))
        case Select(of=of, field=field):
            before = paths(of, variables, typing)
            return before if isinstance(typing.of(of), MapOf) else frozenset((*path, field) for path in before)
        case Macro(name="filter", of=of) | Index(of=of):
            return paths(of, variables, typing)
        case Macro(name="map" | "transformList" | "transformMap", body=body):
            return paths(body, inside(node, variables, typing), typing)
        case Ternary(yes=yes, no=no) | Binary(operator="+", left=yes, right=no):
            return paths(yes, variables, typing) | paths(no, variables, typing)
        case ListItems() | MapItems():
            return NONE.union(*(paths(each, variables, typing) for each in children(node)))
        case _:
            return NONE


def inside(loop: Macro, variables: Mapping[str, Paths], typing: Typing) -> dict[str, Paths]:
    """Return where the variables inside of a loop lead: its own where its list does; the first of two counts."""
    own = paths(loop.of, variables, typing)
    found = (own,) if len(loop.variables) == 1 else (NONE, own)
    return {**variables, **dict(zip(loop.variables, found, strict=False))}
