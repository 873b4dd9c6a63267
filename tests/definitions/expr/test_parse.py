"""From text to tree, and what is said when the text is none."""

from __future__ import annotations

from dataclasses import fields
from decimal import Decimal
from typing import Any

import pytest

from definitions.expr.lexer import RESERVED
from definitions.expr.nodes import Literal, Node, UInt, children, place_at
from definitions.expr.parse import MAX_DEPTH, MAX_NODES, MAX_TEXT, parse, written_call
from definitions.problems import DefinitionError, Place, Problem
from tests.definitions.expr.world import PLACE


def shown(node: object) -> Any:
    """A tree as nested tuples, without positions."""
    if isinstance(node, tuple):
        return tuple(shown(each) for each in node)
    if not hasattr(node, "start"):
        return node
    kept = [f.name for f in fields(node) if f.name not in {"start", "end", "at"}]  # type: ignore[arg-type]
    return (type(node).__name__, *(shown(getattr(node, name)) for name in kept))


def tree(text: str, *, strict: bool = False) -> Any:
    return shown(parse(text, PLACE, strict=strict))


def refusal(text: str) -> Problem:
    with pytest.raises(DefinitionError) as refused:
        parse(text, PLACE)
    (problem,) = refused.value.problems
    assert problem.code == "expression.syntax"
    return problem


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1),
        ("-1", -1),
        ("-9223372036854775808", -9223372036854775808),
        ("0x1F", 31),
        ("-0xA", -10),
        ("5u", UInt(5)),
        ("0x10u", UInt(16)),
        ("1.50", Decimal("1.50")),
        (".5", Decimal("0.5")),
        ("1e3", Decimal(1000)),
        ("-2.5", Decimal("-2.5")),
        ("true", True),
        ("false", False),
        ("null", None),
        ('"a"', "a"),
        ("'a\"b'", 'a"b'),
        (r'"\n\t\"\\\x41\u00e9\U0001F600\101"', '\n\t"\\Aé😀A'),
        (r'r"\n"', "\\n"),
        ('"""two\nlines "quoted" """', 'two\nlines "quoted" '),
        ("R'''a'''", "a"),
        (r'b"\xff\101é"', b"\xffA\xc3\xa9"),
        (r'rb"\x"', b"\\x"),
        ('"a" // a remark', "a"),
        ("  // first\n 1", 1),
    ],
)
def test_literals(text: str, value: Any) -> None:
    node = parse(text, PLACE)
    assert isinstance(node, Literal)
    assert (node.value, type(node.value)) == (value, type(value))


A, B, C = ("Name", "a", False), ("Name", "b", False), ("Name", "c", False)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("a + b * c", ("Binary", "+", A, ("Binary", "*", B, C))),
        ("a - b - c", ("Binary", "-", ("Binary", "-", A, B), C)),
        ("(a + b) * c", ("Binary", "*", ("Binary", "+", A, B), C)),
        ("a || b && c", ("Binary", "||", A, ("Binary", "&&", B, C))),
        ("a == b < c", ("Binary", "<", ("Binary", "==", A, B), C)),
        ("a in b", ("Binary", "in", A, B)),
        ("!a.b", ("Unary", "!", ("Select", A, "b"))),
        ("!!a", ("Unary", "!", ("Unary", "!", A))),
        ("--a", ("Unary", "-", ("Unary", "-", A))),
        ('-"a"', ("Unary", "-", ("Literal", "a"))),
        ("a ? b : c ? a : b", ("Ternary", A, B, ("Ternary", C, A, B))),
        ("a[b].c", ("Select", ("Index", A, B), "c")),
        ("a.`b c`", ("Select", A, "b c")),
        (".a", ("Name", "a", True)),
        (".a()", ("Call", "a", None, ())),
        ("[a, b,]", ("ListItems", (A, B))),
        ("[]", ("ListItems", ())),
        ("{a: b, b: c,}", ("MapItems", ((A, B), (B, C)))),
        ("{}", ("MapItems", ())),
        ("a(b, c)", ("Call", "a", None, (B, C))),
        ("a.b(c)", ("Call", "b", A, (C,))),
        ("has(a.b)", ("Has", ("Select", A, "b"))),
        ("has(a, b)", ("Call", "has", None, (A, B))),
        ("a.all(b, c)", ("Macro", "all", A, ("b",), C, None)),
        ("a.exists(b, c, b)", ("Macro", "exists", A, ("b", "c"), B, None)),
        ("a.existsOne(b, c)", ("Macro", "exists_one", A, ("b",), C, None)),
        ("a.map(b, c)", ("Macro", "map", A, ("b",), C, None)),
        ("a.map(b, c, a)", ("Macro", "map", A, ("b",), A, C)),
        ("a.filter(b)", ("Call", "filter", A, (B,))),
        ("sum(a, b, c)", ("Macro", "sum", A, ("b",), C, None)),
        ("sum(a.b)", ("Call", "sum", None, (("Select", A, "b"),))),
    ],
)
def test_the_grammar(text: str, wanted: Any) -> None:
    assert tree(text) == wanted


def test_sum_is_no_macro_in_strict_cel() -> None:
    assert tree("sum(a, b, c)", strict=True) == ("Call", "sum", None, (A, B, C))


@pytest.mark.parametrize(
    ("text", "column", "message", "hint"),
    [
        ("", 7, "there is no expression.", ""),
        ("  // only a remark", 7, "there is no expression.", ""),
        ("a ==", 11, "the expression ends too early.", ""),
        ("a = b", 9, "'=' has no meaning here.", "to compare, write '=='"),
        ("a & b", 9, "'&' has no meaning here.", "write '&&'"),
        ("“a”", 7, "'“' has no meaning here.", 'write straight quotes: "'),
        ("a and b", 9, "the expression is complete before 'and'.", "write '&&'"),
        ("not a", 11, "the expression is complete before 'a'.", "write '!'"),
        ('a "b"', 9, "the expression is complete before this text.", ""),
        ("(a", 7, "'(' is never closed.", "a ')' is missing"),
        ("[a b", 10, "']' should stand before 'b'.", ""),
        ("a(b c)", 11, "')' should stand before 'c'.", ""),
        ("a ? b", 12, "the expression ends too early.", ""),
        ("a ? b c", 13, "':' and the other value should stand before 'c'.", ""),
        ("{a b}", 10, "':' should stand before 'b'.", ""),
        ("a.1", 8, "the expression is complete before '.1'.", ""),
        ("a.+", 9, "a field's name should stand before '+'.", ""),
        ("a + * b", 11, "a value should stand before '*'.", ""),
        ("in", 7, "a value should stand before 'in'.", ""),
        (".1.+", 10, "a field's name should stand before '+'.", ""),
        (". + 1", 9, "a name should stand before '+'.", ""),
        ("for", 7, "'for' is a reserved word.", ""),
        ("a.?b", 9, "optional values ('.?') are not part of this language.", ""),
        ("a[?b]", 9, "optional values ('[?') are not part of this language.", ""),
        ("Lead{a: 1}", 11, "messages are not part of this language.", ""),
        ("has(a)", 11, "has(…) asks for a field.", "as in has(record.phone)"),
        ("a.all(1, b)", 13, "a name for the elements should stand here.", "as in list.all(x, x > 0)"),
        ("a.all(b, b, c)", 16, "'b' stands for two things.", ""),
        ('"abc', 7, "the text that begins here has no end.", 'close it with "'),
        ('"a\nb"', 7, "a text in single marks ends on its line.", 'write """ around several lines'),
        (r'"a\q"', 9, r"'\q' is no escape.", r"write \\ for " + "\\"),
        (r'"\ud800"', 8, r"'\ud800' is no character.", ""),
        (r'b"\u0041"', 9, r"'\u0041' stands for a character, not for a byte.", ""),
        ("18446744073709551616u", 7, "18446744073709551616u is too large.", ""),
        ("1" * 41, 7, "this number is too large.", ""),
        (" " * MAX_TEXT + "1", 7, f"the expression is longer than {MAX_TEXT} characters.", ""),
        ("(" * 100 + "a" + ")" * 100, 87, f"the expression is nested more than {MAX_DEPTH} deep.", ""),
        ("a" + ".b" * 100, 7, f"the expression is nested more than {MAX_DEPTH} deep.", ""),
        ("1e" + "9" * 30, 7, "this number is too large.", ""),
        ("[" + "1," * MAX_NODES + "1]", 10008, f"the expression has more than {MAX_NODES} parts.", ""),
    ],
)
def test_what_is_no_expression_is_refused_with_its_place(text: str, column: int, message: str, hint: str) -> None:
    problem = refusal(text)
    assert (problem.message, problem.hint) == (message, hint)
    assert (problem.place.line, problem.place.column) == (3, column)


def test_the_words_that_cel_reserves_are_no_names() -> None:
    for word in RESERVED:
        assert refusal(word).message == f"'{word}' is a reserved word."
        assert tree(f"a.{word}") == ("Select", A, word)


def test_a_place_on_a_further_line_keeps_the_indentation_of_the_first() -> None:
    assert place_at("ab\ncd\n  ef", PLACE, 8) == Place("pack.yaml", 5, 9)


def test_a_call_is_given_back_in_pieces() -> None:
    found = written_call("share( record.x > 1 , 2)", PLACE)
    assert found is not None
    assert found.name == "share"
    assert found.arguments == (("record.x > 1", Place("pack.yaml", 3, 14)), ("2", Place("pack.yaml", 3, 29)))
    assert written_call("record.size()", PLACE) is None
    assert written_call("1 + 1", PLACE) is None


def test_every_node_stands_inside_its_parent() -> None:
    text = '{"k": [-a.b[1] + sum(c, x, x.y)]}.k.map(v, has(v.w), v ? !a : f("z")) == null'

    def walk(node: Node) -> int:
        inside = children(node)
        assert all(node.start <= child.start <= child.end <= node.end for child in inside)
        return 1 + sum(walk(child) for child in inside)

    assert walk(parse(text, PLACE)) == 26
