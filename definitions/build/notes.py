"""What a check notes on its way for those who edit: what names stand for, and what could be named where."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from definitions.expr import Scope, Target
from definitions.expr.typing import Typing
from definitions.problems import Place
from definitions.source import Node, Scalar, Sequence


class Use(NamedTuple):
    """A name in a file: `length` characters of a scalar's text from `offset` on, and the definition it stands for."""

    node: Scalar
    offset: int
    length: int
    target: Target

    @property
    def place(self) -> Place:
        """Where the name begins."""
        return self.node.at(self.offset)


class Asked(NamedTuple):
    """An expression (a template where `filters` is not None) in a scalar's text from `offset` on, with its scope."""

    node: Scalar
    offset: int
    scope: Scope
    filters: frozenset[str] | None = None


@dataclass(slots=True)
class Notes:
    """The names that were found, each with its definition, and what was in scope where."""

    uses: list[Use] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)

    def name(self, target: Target, node: Scalar, offset: int = 0) -> None:
        """Note that a scalar's text from `offset` on names a definition."""
        self.uses.append(Use(node, offset, len(node.text) - offset, target))

    def option(self, home: Target, node: Node) -> None:
        """Note the options of a choice that stand here as they are: one, or a list of them."""
        for item in node.items if isinstance(node, Sequence) else (node,):
            if home and isinstance(item, Scalar):
                self.name((*home, item.text), item)

    def read(self, node: Scalar, offset: int, typing: Typing) -> None:
        """Note what an expression names: fields, settings, questions, and the options and states it compares with."""
        for select, member in typing.members.items():
            if member.target:
                self.uses.append(Use(node, offset + select.at, len(select.field), member.target))
        for literal, choice in typing.chosen.items():
            if choice.home:
                text = str(literal.value)
                self.uses.append(Use(node, offset + literal.start + 1, len(text), (*choice.home, text)))
