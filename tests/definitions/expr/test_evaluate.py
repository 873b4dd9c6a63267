"""What expressions compute over nulls, numbers and texts, rule by rule."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from definitions.expr import DECIMAL, INT, compile_expression
from tests.definitions.expr.evaluated import NAMES, cases, check_value
from tests.definitions.expr.world import CONTEXT, PLACE, SCOPE, compiled, value

NULLS = """
record.note == null -> True
record.note != null -> False
record.note != "a" -> True
record.note == "a" -> False
null == null -> True
record.visits < 1 -> False
record.visits >= 1 -> False
!(record.visits < 1) -> True
record.visits + 1 -> None
record.visits * 1.5 -> None
-record.visits -> None
record.visits % 2 -> None
record.note.contains("a") -> None
record.note + "a" -> None
"a".contains(null) -> None
sum(record.extra.nope, x, x) -> None
size(record.note) -> None
record.cold -> None
!record.cold -> True
record.cold && true -> False
record.cold || true -> True
record.cold ? 1 : 2 -> 2
record.cold == false -> False
has(record.note) -> False
has(record.name) -> True
has(record.tags) -> True
has(record.company.city) -> True
has(record.company.size) -> False
record.company.owner.country -> None
record.note in ["a"] -> False
record.note in [null] -> True
null in [1] -> False
"a" in record.company.owner.levels -> False
record.visits in [1, record.visits] -> True
min(1, record.visits) -> None
min(record.lines.map(l, l.amount)) -> Decimal("1.10")
max([]) -> None
sum(record.lines, l, l.amount + record.visits) -> None
record.lines[5].amount -> None
record.lines[0 - 1].amount -> None
record.company.owner.levels.all(x, true) -> None
record.company.owner.levels.exists(x, true) -> None
record.company.owner.levels.exists_one(x, true) -> None
record.company.owner.levels.filter(x, true) -> None
record.company.owner.levels.map(x, x) -> None
record.next_at + days(1) -> None
now() - record.next_at -> None
age(record.next_at) > days(1) -> False
age(record.next_at) > record.span -> False
age(record.created_at) > record.span -> False
record.span < days(1) -> False
actor.is_upline_of(record.company.owner) -> None
record.company.owner == null -> True
date(record.next_at) -> None
null ? 1 : 2 -> 2
{"a": 1}.b -> None
{null: 1} -> None
{"a": 1, "a": 2} -> None
"""

NUMBERS = """
1 + 2 * 3 -> 7
7 / 2 -> 3
-7 / 2 -> -3
-7 % 2 -> -1
7 % -2 -> 1
1 / 0 -> None
1 % 0 -> None
1.0 / 0 -> None
9223372036854775807 + 1 -> None
-9223372036854775808 - 1 -> None
9223372036854775807 * 2 -> None
-9223372036854775808 / -1 -> None
-(-9223372036854775808) -> None
-1.2345678901234567890123456789012345678 -> Decimal("-1.2345678901234567890123456789012345678")
round(1e30, -1) == 1e30 -> True
0.1 + 0.2 -> Decimal("0.3")
1.0 - 0.9 -> Decimal("0.1")
1.10 * 1.10 -> Decimal("1.2100")
1.0 / 3 -> Decimal("0.3333333333333333333333333333")
-record.amount -> Decimal("-10.50")
record.amount * 2 -> Decimal("21.00")
record.amount == 10.5 -> True
record.amount > 10 -> True
10 == 10.0 -> True
1e60 * 1e60 -> Decimal("1e120")
(1e60 + 1e-50) * (1e60 + 1e-50) == 1e60 * 1e60 + 2e10 + 1e-50 * 1e-50 -> True
round(2.345, 2) -> Decimal("2.35")
round(-2.5, 0) -> Decimal("-3")
round(1234, -2) -> Decimal("1200")
round(1, 100) -> None
round(1e60, 60) -> Decimal("1e60")
int(2.9) -> 2
int("12") -> 12
int("a") -> None
int(1e30) -> None
int("Infinity") -> None
decimal("1.50") -> Decimal("1.50")
decimal("x") -> None
decimal("NaN") -> None
decimal(3) -> Decimal("3")
min(3, 1, 2) -> 1
max(1, 2.5) -> Decimal("2.5")
count(record.lines) -> 2
sum(record.lines, l, l.amount) -> Decimal("3.30")
sum([], x, x) -> 0
sum([days(1), days(2)], d, d) -> Duration(exact=timedelta(days=3))
record.extra.n + 1 -> 6
record.extra.n * 2 -> 10
record.extra.n / 2 -> 2
record.extra.n % 2 -> 1
record.extra.n - 1 -> 4
record.extra.a + 1 -> None
record.extra.a - 1 -> None
record.extra.a * 1 -> None
record.extra.a / 1 -> None
record.extra.t % 1 -> None
-record.extra.a -> None
-record.extra.n -> -5
"""

TEXTS = """
"ab".contains("b") -> True
"ab".startsWith("a") -> True
"ab".endsWith("a") -> False
"abc".matches("^a.c$") -> True
matches("abc", "b") -> True
"abc".matches("(" + "") -> None
"Été".lowerAscii() -> "Été"
"aé".upperAscii() -> "Aé"
" a ".trim() -> "a"
"abc".reverse() -> "cba"
"abc".charAt(1) -> "b"
"abc".charAt(3) -> ""
"abc".charAt(4) -> None
"abcb".indexOf("b") -> 1
"abcb".indexOf("b", 2) -> 3
"abc".indexOf("b", 9) -> None
"abcb".lastIndexOf("b") -> 3
"abcb".lastIndexOf("b", 2) -> 1
"abc".lastIndexOf("b", -1) -> None
"abc".substring(1) -> "bc"
"abc".substring(1, 2) -> "b"
"abc".substring(2, 1) -> None
"aaa".replace("a", "b") -> "bbb"
"aaa".replace("a", "b", 1) -> "baa"
"a,b,c".split(",") -> ("a", "b", "c")
"a,b,c".split(",", 2) -> ("a", "b,c")
"a,b,c".split(",", 0) -> ()
"abc".split("") -> ("a", "b", "c")
"abc".split("", 2) -> ("a", "bc")
["a", "b"].join() -> "ab"
["a", "b"].join("-") -> "a-b"
["a", null].join("-") -> None
"a" + "b" -> "ab"
"a" < "b" -> True
size("é😀") -> 2
string(1) -> "1"
string(1.50) -> "1.5"
string(100.0) -> "100"
string(-0.0) -> "0"
string(true) -> "true"
string(false) -> "false"
string("a") -> "a"
string(record.born) -> "1990-01-31"
string(now()) -> "2026-03-15T12:30:00Z"
string(duration("90m")) -> "5400s"
string(duration("1ms")) -> "0.001s"
"""


@pytest.mark.parametrize(("text", "wanted"), cases(NULLS + NUMBERS.lstrip() + TEXTS.lstrip()))
def test_nulls_numbers_and_texts(text: str, wanted: str) -> None:
    check_value(text, wanted)


def test_a_decimal_is_asked_for_and_an_integer_becomes_one() -> None:
    for text in ("record.calls + 1", "max(1, 4)", "record.hot ? 4 : 4.5"):
        found = compile_expression(text, PLACE, SCOPE, expect=DECIMAL).evaluate(NAMES, CONTEXT)
        assert (found, type(found)) == (Decimal(4), Decimal)
    assert compile_expression("record.visits", PLACE, SCOPE, expect=DECIMAL).evaluate(NAMES, CONTEXT) is None
    found = compile_expression("record.calls", PLACE, SCOPE, expect=(INT, DECIMAL)).evaluate(NAMES, CONTEXT)
    assert (found, type(found)) == (3, int)


@pytest.mark.parametrize(
    "names",
    [{}, {"record": None}, {"record": {}}, {"record": {"calls": "three", "owner": "m1", "tags": 5, "born": "x"}}],
)
def test_names_and_values_that_are_not_there_or_of_another_type_give_null(names: dict[str, Any]) -> None:
    for text in (
        "record.calls + 1",
        "record.calls < 2 ? null : null",
        "record.owner.country",
        "record.tags.map(x, x)",
        "year(record.born)",
        "-record.calls",
        "record.company.city",
    ):
        assert value(text, names) is None


def test_loops_have_a_budget() -> None:
    hundred = "[" + ",".join("1" for _ in range(100)) + "]"
    two = f"{hundred}.all(x, {hundred}.all(y, true))"
    four = f"{hundred}.all(x, {hundred}.all(y, {hundred}.all(z, true)))"
    assert value(two) is True
    assert value(four) is None


def test_a_replacement_that_would_be_huge_gives_null() -> None:
    text = {"form": {"x": "a" * 10_000}}
    assert value('form.x.replace("a", form.x)', text) is None


def test_no_text_of_an_expression_becomes_code() -> None:
    text = """"__import__('os')" + record.name + "\\n"""
    assert value(text + '"', {"record": {"name": '"; raise SystemExit'}}).startswith("__import__('os')\"; raise")


def test_the_deepest_expression_still_runs() -> None:
    assert value("!" * 78 + "true") is True
    assert value("(" * 39 + "1" + " + 1)" * 39) == 40
    assert value("[" * 70 + "]" * 70) is not None
    assert value("record.hot ? 1 : " * 70 + "2", {}) == 2
    assert value("(" * 70 + "record.calls" + " + 1)" * 70 + " > 1") is False


def test_a_compiled_expression_equals_only_itself() -> None:
    assert compiled("1") != compiled("1")


def test_a_product_of_more_than_a_thousand_digits_is_null() -> None:
    assert value(" * ".join(["(1e60 + 1e-60)"] * 8)) is not None
    assert value(" * ".join(["(1e60 + 1e-60)"] * 9)) is None
