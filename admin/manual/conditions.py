"""Expressions in words: `has(record.phone)` is told as *Phone is filled in*.

What has no words stands there as it is written, each part for itself; nothing is told that is not so.
"""

from __future__ import annotations

from collections.abc import Mapping

from markupsafe import Markup

from admin.manual.functions import IN_STATE, counted, functions
from admin.manual.telling import OWNER, Telling
from admin.parts.columns import Column
from definitions.expr.expression import Expression
from definitions.expr.nodes import (
    Binary,
    BinaryOperator,
    Call,
    Has,
    ListItems,
    Literal,
    Macro,
    Name,
    Node,
    Select,
    Ternary,
    Unary,
)
from definitions.expr.types import BOOL, DATE, DATETIME, ListOf, RecordOf
from definitions.spec.value import Value
from models.message import Message, say

PLAIN: Mapping[str, Message] = {
    "==": say("{left} is {right}"),
    "!=": say("{left} is not {right}"),
    "<": say("{left} is less than {right}"),
    "<=": say("{left} is at most {right}"),
    ">": say("{left} is more than {right}"),
    ">=": say("{left} is at least {right}"),
    "in": say("{left} is one of {right}"),
}
TIMES: Mapping[str, Message] = {
    "<": say("{left} is before {right}"),
    "<=": say("{left} is not after {right}"),
    ">": say("{left} is after {right}"),
    ">=": say("{left} is not before {right}"),
}
AGES: Mapping[str, Message] = {
    "<": say("{left} is less than {right} ago"),
    "<=": say("{left} is at most {right} ago"),
    ">": say("{left} is more than {right} ago"),
    ">=": say("{left} is at least {right} ago"),
}
TURNED: Mapping[BinaryOperator, BinaryOperator] = {"==": "!=", "!=": "=="}
"""What holds of two values exactly when the other does not."""
FLIPPED: Mapping[BinaryOperator, BinaryOperator] = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
"""The same comparison with its sides exchanged."""
FILLED, EMPTY = say("{what} is filled in"), say("{what} is empty")
COME, TO_COME = say("{what} has come"), say("{what} is still to come")
YES, NO = say("{what} is “yes”"), say("{what} is not “yes”")
NONE_OF, CONTAINS, LACKS = (
    say("{left} is none of {right}"),
    say("{right} contains {left}"),
    say("{right} does not contain {left}"),
)
FROM_NOW = say("{span} from now")
NOT_IN_STATE = say("{what} is not in {state}")
OF = say("{field} of {record}")
ROOTS: Mapping[str, Message] = {
    "before": say("{what} before"),
    "form": say("{what} as answered"),
    "settings": say("the setting {what}"),
}
SIGNS: Mapping[str, str] = {"+": "+", "-": "−", "*": "×", "/": "÷", "%": "%"}


def condition(tell: Telling, expression: Expression) -> Markup:
    """Return a condition in words."""
    return Words(tell, expression).condition(expression.tree)


def told(tell: Telling, expression: Expression) -> Markup:
    """Return an expression in words."""
    return Words(tell, expression).say(expression.tree)


def value(tell: Telling, given: Value | None, about: Column | None = None) -> Markup:
    """Return a value of a definition in words: as it is written out, or how it is computed."""
    if given is None:
        return Markup("")
    return told(tell, given.expression) if given.expression is not None else tell.value(about, given.literal)


class Words:
    """The words of one expression."""

    def __init__(self, tell: Telling, expression: Expression, items: frozenset[str] = frozenset()) -> None:
        """Tell `expression`; `items` are the variables of the loops around."""
        self.tell = tell
        self.expression = expression
        self.items = items

    def beside(self, item: str) -> Words:
        """Return the same inside of a loop with a variable."""
        return Words(self.tell, self.expression, self.items | {item})

    def say(self, node: Node, about: Column | None = None) -> Markup:
        """Return a part in words; `about` is what a value that is written out is a value of."""
        match node:
            case Literal(value=literal):
                return self.tell.value(about, literal)
            case ListItems(items=items):
                return self.tell.one_of([self.say(item, about) for item in items])
            case Binary():
                return self.binary(node)
            case Unary(operator="!", operand=operand):
                return self.negated(operand)
            case Has(select=select):
                return self.sentence(FILLED, what=self.say(select))
            case _:
                return self.part(node)

    def part(self, node: Node) -> Markup:
        """Return a name, what is selected, a choice between two or a call."""
        match node:
            case Name(name=name):
                return self.root(name, node)
            case Select():
                return self.selected(node)
            case Ternary(test=test, yes=yes, no=no):
                given = {"yes": self.say(yes), "test": self.condition(test), "no": self.say(no)}
                return self.sentence(say("{yes} if {test}, else {no}"), **given)
            case Call() | Macro():
                return functions(self, node) or self.as_written(node)
            case _:
                return self.as_written(node)

    def sentence(self, message: Message, /, **parts: Markup) -> Markup:
        """Return a sentence with its places filled."""
        return self.tell.said(message, **parts)

    def as_written(self, node: Node) -> Markup:
        """Return a part as it stands in the definitions."""
        return Markup("<code>{}</code>").format(self.expression.text[node.start : node.end])

    def root(self, name: str, node: Node) -> Markup:
        """Return what a name of the scope stands for."""
        if name == "actor":
            return self.tell.html(self.tell.actor)
        kind = self.expression.typing.of(node)
        return self.tell.entity(kind.entity) if isinstance(kind, RecordOf) else self.as_written(node)

    def selected(self, node: Select) -> Markup:
        """Return a field in words; the fields of what it refers to name that too."""
        if isinstance(node.of, Name) and node.of.name in {"form", "settings"}:
            return self.pseudo(node.of.name, node)
        if not isinstance(kind := self.expression.typing.of(node.of), RecordOf):
            return self.as_written(node)
        if node.field == "id":
            return self.say(node.of)
        owner = node.field == "owner" and isinstance(node.of, Name)
        found = self.tell.html(OWNER) if owner else self.tell.field(kind.entity, node.field)
        match node.of:
            case Name(name=name) if name in {self.expression.typing.scope.row, *self.items}:
                return found
            case Name(name="before"):
                return self.sentence(ROOTS["before"], what=found)
            case _:
                return self.sentence(OF, field=found, record=self.say(node.of))

    def pseudo(self, root: str, node: Select) -> Markup:
        """Return a question of the form, or a setting."""
        setting = self.tell.network.settings.get(node.field)
        question = self.tell.question(node.field)
        if root == "settings" and setting is not None:
            return self.sentence(ROOTS["settings"], what=self.tell.name(setting.label))
        if root == "form" and question is not None:
            return self.sentence(ROOTS["form"], what=self.tell.name(question.label))
        return self.as_written(node)

    def about(self, node: Node) -> Column | None:
        """Return the column that a field is, so that values beside it are written as its own."""
        if not isinstance(node, Select):
            return None
        if isinstance(node.of, Name) and node.of.name == "form":
            return self.tell.question(node.field)
        kind = self.expression.typing.of(node.of)
        return self.tell.column(kind.entity, node.field) if isinstance(kind, RecordOf) else None

    def binary(self, node: Binary) -> Markup:
        """Return two sides and what is between them."""
        if node.operator in {"&&", "||"}:
            sides = [*dict.fromkeys(self.within(side, node.operator) for side in _flat(node, node.operator))]
            return self.tell.all_of(sides) if node.operator == "&&" else self.tell.one_of(sides)
        if node.operator == "+" and isinstance(node.left, Call) and node.left.name == "now":
            return self.sentence(FROM_NOW, span=self.say(node.right))
        if node.operator in SIGNS:
            return Markup("{} {} {}").format(self.say(node.left), SIGNS[node.operator], self.say(node.right))
        return self.compared(node.operator, node.left, node.right)

    def within(self, node: Node, operator: str) -> Markup:
        """Return one side of `and` or `or`, in parentheses where it would be read otherwise."""
        said = self.condition(node)
        mixed = operator == "&&" and isinstance(node, Binary) and node.operator == "||"
        return Markup("({})").format(said) if mixed or isinstance(node, Ternary) else said

    def compared(self, operator: BinaryOperator, left: Node, right: Node) -> Markup:
        """Return a comparison."""
        if operator != "in" and _is_fixed(left) and not _is_fixed(right):
            return self.compared(FLIPPED.get(operator, operator), right, left)
        if operator == "in":
            return self.member(left, right, holds=True)
        if isinstance(right, Literal) and operator in TURNED and (plain := self.plain(left, right, operator == "==")):
            return plain
        if _is_now(right) and operator in FLIPPED:
            return self.sentence(COME if operator in {"<", "<="} else TO_COME, what=self.say(left))
        sides = {"left": self.side(left, right), "right": self.side(right, left)}
        if isinstance(left, Call) and left.name == "age" and left.arguments and operator in AGES:
            return self.sentence(AGES[operator], left=self.say(left.arguments[0]), right=sides["right"])
        timed = self.expression.typing.of(left) in {DATE, DATETIME}
        return self.sentence((TIMES if timed and operator in TIMES else PLAIN)[operator], **sides)

    def plain(self, node: Node, other: Literal, same: bool) -> Markup | None:  # noqa: FBT001 - which of two operators
        """Return a comparison with nothing, with yes or no, or of a length with none."""
        if other.value is None or (other.value == 0 and counted(node) is not None):
            return self.sentence(EMPTY if same else FILLED, what=self.say(counted(node) or node))
        return self.held(node, holds=other.value is same) if isinstance(other.value, bool) else None

    def side(self, node: Node, other: Node) -> Markup:
        """Return one side of a comparison: a value that is written out as one of what stands on the other."""
        return self.say(node, self.about(other))

    def member(self, left: Node, right: Node, *, holds: bool) -> Markup:
        """Return whether something is in a list."""
        if isinstance(right, ListItems):
            sides = {"left": self.say(left), "right": self.side(right, left)}
            return self.sentence(PLAIN["in"] if holds else NONE_OF, **sides)
        sides = {"left": self.side(left, right), "right": self.say(right)}
        if (about := self.about(right)) is not None and about.kind == "state":
            return self.sentence(IN_STATE if holds else NOT_IN_STATE, what=sides["right"], state=sides["left"])
        return self.sentence(CONTAINS if holds else LACKS, **sides)

    def held(self, node: Node, *, holds: bool) -> Markup:
        """Return that something true or false is so, or is not."""
        if isinstance(node, Select | Name):
            return self.sentence(YES if holds else NO, what=self.say(node))
        return self.condition(node) if holds else self.negated(node)

    def negated(self, node: Node) -> Markup:
        """Return that something is not so."""
        match node:
            case Has(select=select):
                return self.sentence(EMPTY, what=self.say(select))
            case Select():
                return self.held(node, holds=False)
            case Unary(operator="!", operand=operand):
                return self.say(operand)
            case Call(name="is_in", arguments=(what, Literal() as state)):
                return self.sentence(NOT_IN_STATE, what=self.say(what), state=self.side(state, what))
            case Binary(operator="in", left=left, right=right):
                return self.member(left, right, holds=False)
            case Binary(operator="==" | "!=" as operator, left=left, right=right):
                return self.compared(TURNED[operator], left, right)
            case _:
                return self.sentence(say("not ({what})"), what=self.say(node))

    def condition(self, node: Node) -> Markup:
        """Return a part that is true or false, as a sentence."""
        plain = isinstance(node, Select) and self.expression.typing.of(node) == BOOL
        return self.held(node, holds=True) if plain else self.say(node)

    def listed(self, node: Node) -> str | None:
        """Return the entity of the records in a list."""
        kind = self.expression.typing.of(node)
        return kind.of.entity if isinstance(kind, ListOf) and isinstance(kind.of, RecordOf) else None


def _is_now(node: Node) -> bool:
    return isinstance(node, Call) and node.name == "now"


def _is_fixed(node: Node) -> bool:
    """Whether a side of a comparison is better told second."""
    return isinstance(node, Literal) or _is_now(node)


def _flat(node: Node, operator: str) -> list[Node]:
    """Return the sides of the same operator, one after the other."""
    if isinstance(node, Binary) and node.operator == operator:
        return [*_flat(node.left, operator), *_flat(node.right, operator)]
    return [node]
