"""What the check found out about a tree."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from definitions.expr.functions import Overload
from definitions.expr.nodes import Call, Literal, Node, Select
from definitions.expr.scope import Member, Scope
from definitions.expr.types import DYN, Choice, Type

Path = tuple[str, ...]


@dataclass(slots=True)
class Typing:
    """The type of every node, the overload of every call, the value of what is computed once, and the paths read.

    `members` are the fields that are selected, `chosen` the choices that texts written out are options of.
    """

    scope: Scope
    types: dict[Node, Type] = field(default_factory=dict)
    overloads: dict[Call, Overload] = field(default_factory=dict)
    constants: dict[Node, Any] = field(default_factory=dict)
    members: dict[Select, Member] = field(default_factory=dict)
    chosen: dict[Literal, Choice] = field(default_factory=dict)
    reads: set[Path] = field(default_factory=set)

    def of(self, node: Node) -> Type:
        """Return the type of a node."""
        return self.types.get(node, DYN)


def longest(paths: set[Path]) -> frozenset[Path]:
    """Return the paths that are not the beginning of another."""
    beginnings = {path[:length] for path in paths for length in range(1, len(path))}
    return frozenset(paths - beginnings)


Variables = Mapping[str, tuple[Type, frozenset[Path]]]
"""The variables of the macros around: their type, and the paths of the lists that they run over."""
