"""From text to tree: CEL's grammar, with macros recognised and positions kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import NoReturn

from definitions.expr.lexer import RESERVED, SyntaxProblem, Token, tokens
from definitions.expr.nodes import (
    Binary,
    BinaryOperator,
    Call,
    Has,
    Index,
    ListItems,
    Literal,
    Macro,
    MacroName,
    MapItems,
    Name,
    Node,
    Select,
    Ternary,
    Unary,
    children,
    place_at,
)
from definitions.message import say
from definitions.problems import DefinitionError, Place, Problem

MAX_TEXT = 20_000
MAX_NODES = 5_000
MAX_DEPTH = 80

_LEVELS: dict[str, tuple[BinaryOperator, int]] = {
    "||": ("||", 1),
    "&&": ("&&", 2),
    "==": ("==", 3),
    "!=": ("!=", 3),
    "<": ("<", 3),
    "<=": ("<=", 3),
    ">": (">", 3),
    ">=": (">=", 3),
    "in": ("in", 3),
    "+": ("+", 4),
    "-": ("-", 4),
    "*": ("*", 5),
    "/": ("/", 5),
    "%": ("%", 5),
}
MACROS: dict[str, tuple[MacroName, tuple[int, ...]]] = {
    "all": ("all", (2, 3)),
    "exists": ("exists", (2, 3)),
    "exists_one": ("exists_one", (2, 3)),
    "existsOne": ("exists_one", (2, 3)),
    "filter": ("filter", (2,)),
    "map": ("map", (2, 3)),
}
_STRICT_MACROS: dict[str, tuple[MacroName, tuple[int, ...]]] = {
    **MACROS,
    "transformList": ("transformList", (3, 4)),
    "transformMap": ("transformMap", (3, 4)),
}
_KEEPING = {("map", 3), ("transformList", 4), ("transformMap", 4)}
_WORDS: Mapping[str, str] = {
    "and": say("write '&&'"),
    "or": say("write '||'"),
    "not": say("write '!'"),
    "is": say("write '=='"),
    "AND": say("write '&&'"),
    "OR": say("write '||'"),
    "NOT": say("write '!'"),
}


def parse(text: str, place: Place, *, strict: bool = False) -> Node:
    """Return the tree of an expression whose first character stands at `place`; raises `DefinitionError`."""
    try:
        return _Parser(text, strict=strict).whole()
    except SyntaxProblem as found:
        where = place_at(text, place, found.offset)
        raise DefinitionError(
            (Problem("expression.syntax", where, say("{sentence}.", sentence=found.message), found.hint),)
        ) from None


@dataclass(frozen=True, slots=True)
class Written:
    """A function as it is written: its name, and the text and place of each argument."""

    name: str
    arguments: tuple[tuple[str, Place], ...]


def written_call(text: str, place: Place) -> Written | None:
    """Return the function call that the text is (`sum(record.x)`), None for anything else; raises as `parse` does."""
    tree = parse(text, place)
    if not isinstance(tree, Call) or tree.target is not None:
        return None
    return Written(
        tree.name, tuple((text[each.start : each.end], place_at(text, place, each.start)) for each in tree.arguments)
    )


class _Parser:
    def __init__(self, text: str, *, strict: bool) -> None:
        if len(text) > MAX_TEXT:
            raise SyntaxProblem(0, say("the expression is longer than {most} characters", most=MAX_TEXT))
        self.strict = strict
        self.words = tokens(text)
        self.position = 0
        self.nesting = 0
        self.depths: dict[Node, int] = {}

    def whole(self) -> Node:
        if len(self.words) == 1:
            raise SyntaxProblem(0, say("there is no expression"))
        tree = self.expression()
        if self.position < len(self.words) - 1:
            self.unexpected(say("the expression is complete before"))
        return tree

    # words

    @property
    def next(self) -> Token:
        return self.words[self.position]

    def take(self) -> Token:
        token = self.words[self.position]
        self.position += 1
        return token

    def symbol(self, text: str) -> bool:
        return self.next.text == text and self.next.kind == "symbol"

    def accept(self, text: str) -> bool:
        if not self.symbol(text):
            return False
        self.position += 1
        return True

    def close(self, text: str, opened: Token) -> int:
        if not self.symbol(text):
            if self.next.kind == "end":
                raise SyntaxProblem(
                    opened.start,
                    say("'{opened}' is never closed", opened=opened.text),
                    say("a '{text}' is missing", text=text),
                )
            self.unexpected(say("'{text}' should stand before", text=text))
        return self.take().end

    def unexpected(self, why: str) -> NoReturn:
        token = self.next
        if token.kind == "end":
            raise SyntaxProblem(token.start, say("the expression ends too early"))
        shown = repr(token.text) if token.text else say("this text")
        previous = self.words[self.position - 1].text if self.position else ""
        hint = _WORDS.get(token.text) or _WORDS.get(previous, "")
        raise SyntaxProblem(token.start, say("{why} {shown}", why=why, shown=shown), hint)

    def made(self, node: Node) -> Node:
        depth = 1 + max((self.depths[child] for child in children(node)), default=0)
        self.depths[node] = depth
        if depth > MAX_DEPTH:
            raise SyntaxProblem(node.start, say("the expression is nested more than {most} deep", most=MAX_DEPTH))
        if len(self.depths) > MAX_NODES:
            raise SyntaxProblem(node.start, say("the expression has more than {most} parts", most=MAX_NODES))
        return node

    # grammar

    def expression(self) -> Node:
        self.nesting += 1
        if self.nesting > MAX_DEPTH:
            raise SyntaxProblem(self.next.start, say("the expression is nested more than {most} deep", most=MAX_DEPTH))
        test = self.binary(1)
        if self.accept("?"):
            yes = self.binary(1)
            if not self.accept(":"):
                self.unexpected(say("':' and the other value should stand before"))
            no = self.expression()
            test = self.made(Ternary(test.start, no.end, test, yes, no))
        self.nesting -= 1
        return test

    def binary(self, level: int) -> Node:
        left = self.unary()
        while True:
            operator, own = self.operator()
            if operator is None or own < level:
                return left
            at = self.take().start
            right = self.binary(own + 1)
            left = self.made(Binary(left.start, right.end, operator, left, right, at))

    def operator(self) -> tuple[BinaryOperator | None, int]:
        token = self.next
        if token.kind == "symbol" or (token.kind == "name" and token.text == "in"):
            return _LEVELS.get(token.text, (None, 0))
        return None, 0

    def unary(self) -> Node:
        signs = []
        while self.symbol("!") or self.symbol("-"):
            signs.append(self.take())
        number = bool(signs) and signs[-1].text == "-" and self.next.kind == "value"
        operand = self.negative(signs.pop()) if number else self.member(self.primary())
        for sign in reversed(signs):
            operator = "!" if sign.text == "!" else "-"
            operand = self.made(Unary(sign.start, operand.end, operator, operand))  # type: ignore[arg-type] # two names
        return operand

    def negative(self, sign: Token) -> Node:
        """`-9223372036854775808` is one literal: its positive twin does not exist."""
        token = self.next
        value = token.value
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            operand = self.member(self.primary())
            return self.made(Unary(sign.start, operand.end, "-", operand))
        self.take()
        negative = -value if isinstance(value, int) else value.copy_negate()  # without rounding
        return self.member(self.made(Literal(sign.start, token.end, negative)))

    def member(self, node: Node) -> Node:
        while True:
            if self.symbol("."):
                node = self.selected(node)
            elif self.symbol("["):
                opened = self.take()
                if self.symbol("?"):
                    raise SyntaxProblem(self.next.start, say("optional values ('[?') are not part of this language"))
                index = self.expression()
                node = self.made(Index(node.start, self.close("]", opened), node, index))
            elif self.symbol("{") and isinstance(node, Name | Select):
                raise SyntaxProblem(self.next.start, say("messages are not part of this language"))
            else:
                return node

    def selected(self, node: Node) -> Node:
        self.take()
        if self.symbol("?"):
            raise SyntaxProblem(self.next.start, say("optional values ('.?') are not part of this language"))
        field = self.take()
        if field.kind not in {"name", "quoted"}:
            self.position -= 1
            self.unexpected(say("a field's name should stand before"))
        if field.kind == "quoted" or not self.symbol("("):
            return self.made(Select(node.start, field.end, node, field.text, field.start))
        arguments, end = self.arguments()
        return self.made(self.method(node, field, arguments, end))

    def arguments(self) -> tuple[tuple[Node, ...], int]:
        opened = self.take()
        items: list[Node] = []
        while not self.symbol(")"):
            items.append(self.expression())
            if not self.accept(","):
                break
        return tuple(items), self.close(")", opened)

    def method(self, target: Node, name: Token, arguments: tuple[Node, ...], end: int) -> Node:
        macro, counts = (_STRICT_MACROS if self.strict else MACROS).get(name.text, (None, ()))
        if macro is None or len(arguments) not in counts:
            return Call(target.start, end, name.text, target, arguments, name.start)
        *variables, body = arguments
        keep = variables.pop() if (macro, len(arguments)) in _KEEPING else None
        return Macro(target.start, end, macro, target, self.variables(*variables), body, keep)

    def variables(self, *given: Node) -> tuple[str, ...]:
        names: list[str] = []
        for each in given:
            if not isinstance(each, Name) or each.root:
                raise SyntaxProblem(
                    each.start, say("a name for the elements should stand here"), say("as in list.all(x, x > 0)")
                )
            if each.name in names:
                raise SyntaxProblem(each.start, say("'{name}' stands for two things", name=each.name))
            names.append(each.name)
        return tuple(names)

    def primary(self) -> Node:
        token = self.next
        if token.kind == "value":
            self.take()
            return self.made(Literal(token.start, token.end, token.value))
        if token.kind == "name" and token.text != "in":
            return self.named(root=False)
        if self.accept("."):
            return self.named(root=True)
        if self.accept("("):
            inner = self.expression()
            self.close(")", token)
            return inner
        if self.symbol("["):
            return self.list_items()
        if not self.symbol("{"):
            self.unexpected(say("a value should stand before"))
        return self.map_items()

    def named(self, *, root: bool) -> Node:
        token = self.take()
        if token.kind != "name":
            self.position -= 1
            self.unexpected(say("a name should stand before"))
        if token.text in RESERVED:
            raise SyntaxProblem(token.start, say("'{token}' is a reserved word", token=token.text))
        start = token.start - root
        if not self.symbol("("):
            return self.made(Name(start, token.end, token.text, root))
        arguments, end = self.arguments()
        return self.made(self.function(token, arguments, end))

    def function(self, name: Token, arguments: tuple[Node, ...], end: int) -> Node:
        if name.text == "has" and len(arguments) == 1:
            if not isinstance(arguments[0], Select):
                raise SyntaxProblem(arguments[0].start, say("has(…) asks for a field"), say("as in has(record.phone)"))
            return Has(name.start, end, arguments[0])
        if name.text == "sum" and len(arguments) == 3 and not self.strict:
            of, variable, body = arguments
            return Macro(name.start, end, "sum", of, self.variables(variable), body)
        return Call(name.start, end, name.text, None, arguments, name.start)

    def list_items(self) -> Node:
        opened = self.take()
        items: list[Node] = []
        while not self.symbol("]"):
            items.append(self.expression())
            if not self.accept(","):
                break
        return self.made(ListItems(opened.start, self.close("]", opened), tuple(items)))

    def map_items(self) -> Node:
        opened = self.take()
        entries: list[tuple[Node, Node]] = []
        while not self.symbol("}"):
            key = self.expression()
            if not self.accept(":"):
                self.unexpected(say("':' should stand before"))
            entries.append((key, self.expression()))
            if not self.accept(","):
                break
        return self.made(MapItems(opened.start, self.close("}", opened), tuple(entries)))
