"""Strict CEL: a small set of its rules that is always here, and the score over the cases that others wrote."""

from __future__ import annotations

import math
from typing import Any

import pytest

from definitions.expr import compile_expression
from definitions.expr.nodes import UInt
from definitions.expr.parse import parse
from definitions.expr.strict import run
from definitions.expr.strict_values import SECOND, Map, Span, StrictError, Timestamp, TypeValue
from tests import cel
from tests.definitions.expr.world import CONTEXT, PLACE, SCOPE

NAMES: dict[str, Any] = {"a.b": 1, "x": Map([("name", 7)]), "flag": True, "items": (1, 2)}


def result(text: str) -> Any:
    return run(parse(text, PLACE, strict=True), NAMES)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("1 + 2", 3),
        ("1u + 2u", UInt(3)),
        ("1.5 * 2.0", 3.0),
        ("7 / -2", -3),
        ("-7 % 2", -1),
        ("1.0 / 0.0", math.inf),
        ("-1.0 / 0.0", -math.inf),
        ("7.0 - 2.0 / 4.0", 6.5),
        ("-x.name", -7),
        ("-(1.5)", -1.5),
        ('"a" + "b"', "ab"),
        ('b"a" + b"b"', b"ab"),
        ("[1] + [2]", (1, 2)),
        ("1 == 1.0 && 1u == 1", True),
        ('1 == "1"', False),
        ("[1, 2u] == [1.0, 2]", True),
        ("{1: 2} == {1u: 2.0}", True),
        ("{1: 2} != {1: 3}", True),
        ("1 < 1.5 && 2u >= 2 && 2 > 1u && 1 <= 1", True),
        ('"a" < "b" && b"a" < b"b" && false < true', True),
        ("true || 1 / 0 > 1", True),
        ("1 / 0 > 1 || true", True),
        ("1 / 0 > 1 && false", False),
        ("!flag ? 1 : 2", 2),
        ("a.b", 1),
        ("x.name", 7),
        ('x["name"]', 7),
        ("has(x.name) && !has(x.nope)", True),
        ("items[1.0]", 2),
        ("1 in items && !(3 in items) && 'name' in x", True),
        ("{1: 'a'}[1u] + {2.0 == 2.0: 'b'}[true]", "ab"),
        ("items.all(i, i > 0) && items.exists(i, i > 1) && items.exists_one(i, i > 1)", True),
        ("items.exists(i, 1 / (i - 1) > 0)", True),
        ("items.map(i, i * 2)", (2, 4)),
        ("items.map(i, i > 1, i * 2)", (4,)),
        ("items.filter(i, i > 1)", (2,)),
        ("x.exists(k, v, k == 'name' && v == 7)", True),
        ("items.all(i, v, v == i + 1)", True),
        ("[{'b': 5}].map(a, a.b)", (5,)),
        ("int('5') + int(2.9) + int(1u)", 8),
        ("uint(5) + uint('1') + uint(2.5) + uint(1u)", UInt(9)),
        ("double('1.5') + double(1) + double(1u)", 3.5),
        ("bool('true') && !bool('0') && bool(true)", True),
        ("string(1) + string(2u) + string(1.5) + string(true) + string(b'a') + string('b')",
         "121.5trueab"),
        ("string(1e3) + string(0.0 / 0.0) + string(1.0 / 0.0) + string(-1.0 / 0.0)", "1000NaN+Inf-Inf"),
        ("bytes('a') + bytes(b'b')", b"ab"),
        ("timestamp('2026-01-02T03:04:05.678Z')", Timestamp(1767323045 * SECOND + 678_000_000)),
        ("int(timestamp('1970-01-01T01:00:00+01:00')) + int(timestamp(5))", 5),
        ("string(timestamp('2026-01-02T03:04:05.678Z'))", "2026-01-02T03:04:05.678Z"),
        ("string(timestamp(timestamp(0)))", "1970-01-01T00:00:00Z"),
        ("string(duration('-1.5s')) + string(duration('1m'))", "-1.5s60s"),
        ("duration('0') == duration(duration('0s'))", True),
        ("timestamp(0) + duration('1s') == duration('1s') + timestamp(0)", True),
        ("timestamp(5) - duration('5s') - timestamp(0)", Span(0)),
        ("duration('1h') + duration('1m') - duration('61m')", Span(0)),
        ("timestamp(0) < timestamp(1) && duration('1s') < duration('2s')", True),
        ("timestamp('2026-06-30T22:30:15.250Z').getHours('Europe/Paris')", 0),
        ("timestamp('2026-06-30T22:30:15.250Z').getHours('-02:30')", 20),
        ("timestamp('2026-06-30T22:30:15.250Z').getMilliseconds()", 250),
        ("duration('3661s').getMinutes() + duration('1.5s').getMilliseconds()", 561),
        ("type(1) == int && type(type(1)) == type && type(null) == null_type", True),
        ("type(timestamp(0)) == google.protobuf.Timestamp", True),
        ("type(x)", TypeValue("map")),
        ("size('é') + size(b'ab') + size(items) + items.size() + size(x)", 8),
        ("'abc'.contains('b') && 'abc'.matches('^a') && matches('abc', 'c$')", True),
        ("'a-b'.split('-').join('+')", "a+b"),
        ("dyn(1)", 1),
        ("math.greatest(1, 2.5, 2u)", 2.5),
        ("math.least([3, 1, 2])", 1),
        ("math.abs(-3) + math.sign(-2)", 2),
        ("math.abs(-1.5) + math.ceil(1.2) + math.floor(1.8) + math.trunc(-1.5) + math.sign(-2.0)", 2.5),
        ("math.abs(2u) + math.sign(2u)", UInt(3)),
        ("math.round(-1.5)", -2.0),
        ("math.round(1.0 / 0.0)", math.inf),
        ("math.isInf(1.0 / 0.0) && math.isNaN(math.sign(0.0 / 0.0)) && math.isFinite(1.0)", True),
        ("math.bitAnd(6, 3) + math.bitOr(4, 1) + math.bitXor(6, 3)", 12),
        ("math.bitAnd(6u, 3u)", UInt(2)),
        ("math.bitNot(0)", -1),
        ("math.bitNot(0u)", UInt((1 << 64) - 1)),
        ("math.bitShiftLeft(1, 63)", -(1 << 63)),
        ("math.bitShiftRight(1024u, 2)", UInt(256)),
        ("math.bitShiftRight(1, 64)", 0),
        ("math.sqrt(49) + math.sqrt(4u)", 9.0),
        ("math.isNaN(math.sqrt(-1.0))", True),
        ("9223372036854775807 < 9223372036854775808.0", False),
        ("9223372036854775807 == 9223372036854775808.0", True),
        ("[3, 4].transformList(i, v, v + i) + [3, 4].transformList(i, v, i > 0, v)", (3, 5, 4)),
        ("{'a': 1, 'b': 2}.transformMap(k, v, v > 1, k + string(v)) == {'b': 'b2'}", True),
        ("[1].exists(flag, .flag && flag == 1)", True),
        ("items.map(items, size(.items) + items)", (3, 4)),
        (r"""strings.quote('a\b\n\'"\\')""", r'"a\b\n'"'"r'\"\\"'),
        ("'%s %d %f %.1f %e %x %X %o %b%%'.format(['é', -3, 2, 2.25, 1200u, 'é', 255, -8, true])",
         "é -3 2.000000 2.2 1.200000e+03 c3a9 FF -10 1%"),
        ("'%s'.format([[null, true, 1.50, 1e21, b'a\\xff\\xffb', int, {'b': 1, 'a': duration('-1.5s')}]])",
         "[null, true, 1.5, 1000000000000000000000, a\ufffdb, int, {a: -1.5s, b: 1}]"),
        ("'%s %d %e'.format([0.0 / 0.0, 1.0 / 0.0, -1.0 / 0.0])", "NaN Infinity -Infinity"),
        ("'%s %x'.format([timestamp(0), b'\\x0f'])", "1970-01-01T00:00:00Z 0f"),
    ],
)  # fmt: skip
def test_what_strict_cel_computes(text: str, wanted: Any) -> None:
    assert cel.same(result(text), wanted)


@pytest.mark.parametrize(
    "text",
    [
        "nope", "1 + 1u", "1 + 1.0", "'a' + 1", "'a' - 'b'", "'a' * 2", "1.5 % 1.0", "1 / 0", "1 % 0",
        "9223372036854775807 + 1", "9223372036854775808", "0u - 1u", "-1u", "-'a'", "!1", "1 && true", "1 ? 2 : 3",
        "1 < 'a'", "[1] < [2]", "{null: 1}", "{1: 1, 1u: 2}", "x.nope", "items.nope", "items[5]", "items[0.5]",
        "items['a']", "1[0]", "has(items.a)", "1 in 2", "nope(1)", "x.nope(1)", "size()", "size(1)", "1.all(i, true)",
        "items.all(i, 1 / (i - 1) > 0)", "items.exists(i, nope)", "int('a')", "int(true)", "int(null)", "int(1e30)",
        "int(18446744073709551615u)", "uint(-1)", "uint(true)", "uint(null)", "uint(-1.5)", "uint('-1')", "double('a')",
        "double(true)", "double(null)", "bool('maybe')", "bool(1)", "bytes(1)", "string(b'\\377')", "string(null)",
        "timestamp('yesterday')", "timestamp('2026-02-30T00:00:00Z')", "timestamp(1.5)", "timestamp(true)",
        "timestamp('9999-12-31T23:59:59Z') + duration('1s')", "duration('1x')", "duration('1s ')", "duration(1)",
        "duration('9223372036s') + duration('9223372036s')", "timestamp(0).getHours('Nowhere/At all')",
        "timestamp(0) - 1", "timestamp(0) * 2", "1.getHours()", "duration('1s').getFullYear()", "'a'.contains(1)",
        "'abc'.charAt(9)", "'abc'.charAt()", "math.greatest()", "math.least('a')", "math.abs('a')", "math.ceil(1)",
        "math.bitAnd(1, 1u)", "math.bitNot(1.5)", "math.bitShiftLeft(1, -1)", "math.bitShiftLeft(1.5, 1)",
        "sum(items, i, i)", "strings.quote(1)", "1.format([])", "'a'.format(1)", "'%s'.format([])", "'%y'.format([1])",
        "'%'.format([1])", "'%.2s'.format([1])", "'%.1001f'.format([1])", "'%d'.format(['a'])", "'%f'.format(['a'])",
        "'%o'.format([1.5])", "'%x'.format([null])", "'%b'.format([null])", "math.sqrt('a')", "[1].exists(y, .y == 1)",
        "double(' 1')", "double('1_0')", "[1].transformMap(i, v, 1 / 0)",
    ],
)  # fmt: skip
def test_what_is_an_error_in_strict_cel(text: str) -> None:
    with pytest.raises(StrictError):
        result(text)


def test_a_strict_expression_compiles_and_gives_none_for_an_error() -> None:
    assert compile_expression("x.name + 1", PLACE, SCOPE, strict=True).evaluate(NAMES, CONTEXT) == 8
    assert compile_expression("x.nope", PLACE, SCOPE, strict=True).evaluate(NAMES, CONTEXT) is None
