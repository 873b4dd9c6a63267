"""What a check notes on its way for those who edit: what names stand for, and what could be named where."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from definitions.expr import Member, Scope, Target
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
    """An expression (a template where `filters` is not None) in a scalar's text from `offset` on.

    `scope` has the records that are its own (of a form); those of the pack are in `Notes.scope`.
    """

    node: Scalar
    offset: int
    scope: Scope
    filters: frozenset[str] | None = None


@dataclass(slots=True)
class Notes:
    """The names that were found, each with its definition, what was in scope where, and all records of the pack."""

    uses: list[Use] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    records: Mapping[str, Mapping[str, Member]] = field(default_factory=dict)

    def scope(self, asked: Asked) -> Scope:
        """Return all that is in scope somewhere, records of the pack included."""
        return replace(asked.scope, records={**self.records, **asked.scope.records})

    def add(self, other: Notes) -> None:
        """Note what others have noted."""
        self.uses += other.uses
        self.asked += other.asked

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
