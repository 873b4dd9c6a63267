"""Strict CEL before it runs: what its checker deduces, and what it refuses."""

from __future__ import annotations

from typing import Any

import pytest

from definitions.expr.parse import parse
from definitions.expr.strict_check import deduce
from definitions.expr.strict_values import StrictError
from definitions.expr.types import Type
from tests.cel import PLACE, type_named

DECLARED: dict[str, Type] = {
    name: type_named(kind)
    for name, kind in {
        "n": "int", "d": "double", "s": "string", "any": "dyn", "a.b": "bool", "at": "timestamp",
        "names": ["list", "string"], "ages": ["map", "string", "int"], "many": ["list", ["map", "string", "int"]],
    }.items()
}  # fmt: skip


def deduced(text: str) -> Type:
    return deduce(parse(text, PLACE, strict=True), DECLARED)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("n + 1", "int"), ("d * 2.0", "double"), ("1u", "uint"), ("b'a'", "bytes"), ("null", "null"), ("a.b", "bool"),
        ("any", "dyn"), ("any + 1", "int"), ("any + any", "dyn"), ("any.x.y", "dyn"), ("type(n)", "type"),
        ("int", "type"),
        ("at - duration('1s')", "timestamp"), ("at - at", "duration"), ("at.getHours('UTC')", "int"),
        ("!a.b || n > 1 && has(ages.x)", "bool"), ("-d", "double"), ("n == 1 ? names : []", ["list", "string"]),
        ("[]", ["list", "dyn"]), ("{}", ["map", "dyn", "dyn"]), ("[1, 2]", ["list", "int"]),
        ("[1, 's']", ["list", "dyn"]),
        ("[[], [1]]", ["list", ["list", "int"]]), ("[[1], ['a']]", ["list", "dyn"]), ("[any, 1]", ["list", "dyn"]),
        ("[1, any]", ["list", "dyn"]), ("[[1], any]", ["list", "dyn"]), ("[[1], [any]]", ["list", ["list", "dyn"]]),
        ("{'a': 1, 'b': 's'}", ["map", "string", "dyn"]), ("{1: []}", ["map", "int", ["list", "dyn"]]),
        ("names[0]", "string"), ("ages['x'] + ages.x", "int"), ("many[0].x", "int"), ("[[]][0]", ["list", "dyn"]),
        ("names + ['x']", ["list", "string"]), ("'x' in names && 'x' in ages", "bool"), ("any[0]", "dyn"),
        ("names.map(x, x.size())", ["list", "int"]), ("names.map(x, x != '', x)", ["list", "string"]),
        ("ages.map(k, k)", ["list", "string"]), ("ages.filter(k, ages[k] > 1)", ["list", "string"]),
        ("ages.all(k, v, k == '' || v > 1)", "bool"), ("names.exists(i, v, i > 0 && v == '')", "bool"),
        ("names.transformList(i, v, i)", ["list", "int"]),
        ("ages.transformMap(k, v, [v])", ["map", "string", ["list", "int"]]),
        ("any.map(x, x)", ["list", "dyn"]), ("[].map(x, x.y)", ["list", "dyn"]), ("[].exists(x, x > 1)", "bool"),
        ("[].exists(s, s > 1)", "bool"), ("[1].map(s, s)", ["list", "int"]), ("[1].map(s, .s)", ["list", "string"]),
        ("dyn(n)", "dyn"), ("math.greatest(1, 2)", "int"), ("math.greatest(1, 2.0)", "dyn"),
        ("math.least([1u])", "uint"),
        ("'%d'.format([n])", "string"), ("s.split(',')", ["list", "string"]), ("names.join('-')", "string"),
        ("strings.quote(s)", "string"), ("size(names) + names.size()", "int"),
    ],
)  # fmt: skip
def test_what_the_checker_of_strict_cel_deduces(text: str, kind: Any) -> None:
    assert deduced(text) == type_named(kind)


@pytest.mark.parametrize(
    "text",
    [
        "nope", "n + 1.0", "n == s", "n + s", "!n", "-s", "n ? 1 : 2", "a.b ? 1 : 's'", "names[s]", "ages[1]",
        "n.x", "s.x",
        "n[0]", "1 in names", "n in n", "nope(1)", "n.nope()", "size(n)", "names.all(x, x)", "names.map(x, x, x)",
        "n.all(x, true)", "at + at", "names.map(i, i).map(x, x + 1)", "[1].map(x, y)", "math.ceil(1)", "s.format(s)",
        "[1].exists(x, .x == 1)", "bool(1)",
    ],
)  # fmt: skip
def test_what_the_checker_of_strict_cel_refuses(text: str) -> None:
    with pytest.raises(StrictError):
        deduced(text)
