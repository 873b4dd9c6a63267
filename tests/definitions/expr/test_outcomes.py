"""Conditions that nothing can change are found, and nothing is said of those that something can."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from definitions.expr import Expression
from definitions.expr.outcomes import contested, disjoint, null_equalities, outcome, settled_parts
from tests.definitions.expr.grammar import DEALS, NAMES, expressions
from tests.definitions.expr.world import CONTEXT, compiled
from tests.running import tries

NEVER = [
    "1 > 2",
    'duration("1h") > duration("2h")',
    "[1, 2].all(x, x > 1)",
    'record.name == "a" && record.name == "b"',
    'record.name == "a" && record.name == null',
    'record.name in ["a", "b"] && record.name == "c"',
    "has(record.name) && record.name == null",
    'record.name < "a" && record.name > "b"',
    "record.calls > 5 && record.calls < 3",
    "record.calls > 5 && record.calls < 6",
    "5 < record.calls && 6 > record.calls",
    "record.calls >= 5 && record.calls <= 5 && record.calls != 5",
    "record.calls == 2.5",
    "record.calls == null && record.calls > 0",
    "record.calls > null",
    "record.calls + 1 > 5 && record.calls + 1 < 2",
    "record.amount > 0.01 && record.amount < 0.01",
    "size(record.name) < 0",
    "count(record.lines) == -1",
    'record.born > date("2026-01-01") && record.born < date("2026-01-02")',
    'record.created_at > timestamp("2026-01-01T00:00:00Z") && record.created_at < timestamp("2025-01-01T00:00:00Z")',
    'age(record.created_at) > duration("72h") && age(record.created_at) < duration("24h")',
    'now() - record.created_at > duration("72h") && duration("24h") > now() - record.created_at',
    "record.created_at < now() && record.created_at > now()",
    "record.name == record.note && record.note != record.name",
    "record.calls < record.visits && record.visits < record.calls",
    "record.calls < record.calls",
    "record.hot && !record.hot",
    "record.hot == true && record.hot == false",
    "record.hot ? record.calls > 1 && record.calls < 1 : !record.cold && record.cold",
    'is_in(record.stage, "active") && record.stage == "new"',
    'has(record.stage) && !is_in(record.stage, "open") && record.stage != "won" && record.stage != "lost"',
    'has(record.colour) && record.colour != "red" && record.colour != "green"',
    "form.x == 1 && !(form.x == 1)",
    "record.lines.exists(l, l.amount > 1) && !record.lines.exists(l, l.amount > 1)",
    "record.company.city == null && has(record.company.city)",
]
ALWAYS = [
    "1 < 2",
    "record.name == record.name",
    "record.hot || !record.hot",
    "record.hot || true",
    "record.calls > 5 || record.calls < 6 || record.calls == null",
    "!(record.calls > 5 && record.calls < 3)",
    "record.id != null",
    "has(record.id)",
    "record.hot ? true : true",
    'record.name != "a" || record.name != "b"',
    'record.colour in ["red", "green", null]',
]
OPEN = [
    "true",
    "false",
    "record.hot",
    "record.hot && true",
    "record.calls > 5 || record.calls < 6",
    "record.calls > 5 && record.calls < 7",
    "record.amount > 5 && record.amount < 6",
    'record.name > "a" && record.name < "b"',
    "record.calls >= 5 && record.calls <= 5",
    'record.born >= date("2026-01-01") && record.born < date("2026-01-02")',
    "record.name == record.note && record.note == record.name",
    "record.calls <= record.visits && record.visits <= record.calls",
    "record.calls <= record.calls",
    "size(record.name) >= 0",
    'is_in(record.stage, "open") && record.stage == "new"',
    'is_in(record.joining, "a") && "b_one" in record.joining',
    'record.colour != "red" && record.colour != "green"',
    "form.x == 1 && form.x == 2.0",
    'record.span == duration("60m") && record.span == duration("1h")',
    'record.span <= settings.keep && record.span >= settings.keep && record.span != settings.keep',
    '!(record.span < duration("1h")) && !(record.span >= duration("1h")) && has(record.span)',
    'age(record.born) > duration("1 month") && age(record.born) < duration("29d")',
    "age(record.born) <= settings.keep && age(record.born) >= settings.keep && age(record.born) != settings.keep",
    'today() > date("2020-01-01")',
    "record.lines.exists(l, l.amount > 5) && record.lines.exists(l, l.amount < 3)",
    "record.owner == actor && record.owner.sponsor == actor",
    'record.extra > 5 && record.extra < 3',
]  # fmt: skip


@pytest.mark.parametrize("text", NEVER)
def test_what_never_holds_is_found(text: str) -> None:
    assert outcome(compiled(text)) is False


@pytest.mark.parametrize("text", ALWAYS)
def test_what_always_holds_is_found(text: str) -> None:
    assert outcome(compiled(text)) is True


@pytest.mark.parametrize("text", OPEN)
def test_nothing_is_said_of_what_can_change(text: str) -> None:
    assert outcome(compiled(text)) is None


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("record.hot || (record.calls > 5 && record.calls < 1)", [("record.calls > 5 && record.calls < 1", False)]),
        ("record.hot && !(record.calls != record.calls)", [("!(record.calls != record.calls", True)]),
        ("record.hot && record.calls != record.calls", [("record.hot && record.calls != record.calls", False)]),
        ("record.lines.exists(l, l.amount > 5 && l.amount < 1)", [("l.amount > 5 && l.amount < 1", False)]),
        ("record.lines.map(l, 1 < 2, l.amount) == []", [("1 < 2", True)]),
        ("(1 < 2 ? record.hot : record.cold) == true", [("1 < 2", True)]),
        ("record.hot && record.cold", []),
        ("record.calls + 1", []),
        ("1 < 2", [("1 < 2", True)]),
    ],
)  # fmt: skip
def test_the_part_that_nothing_changes_is_shown(text: str, parts: list[tuple[str, bool]]) -> None:
    assert [(text[node.start : node.end], holds) for node, holds in settled_parts(compiled(text))] == parts


@pytest.mark.parametrize(
    ("text", "term"),
    [
        ('record.hot && record.name == "a" && (record.cold && record.name in ["b", "c"])', "record.name"),
        ("age(record.created_at) > days(3) && age(record.created_at) < days(1)", "age(record.created_at)"),
        ("record.hot && !record.hot", "record.hot"),
        ("record.calls < record.visits && record.visits < record.calls", None),
        ("(record.hot || record.cold) && 1 > 2", None),
    ],
)
def test_what_can_not_be_two_things_is_named(text: str, term: str | None) -> None:
    expression = compiled(text)
    found = contested(expression, expression.tree)
    assert (None if found is None else text[found.start : found.end]) == term


def test_a_condition_that_holds_in_too_many_ways_is_left_alone() -> None:
    wide = " && ".join(f"(record.calls + {n} > 0 || record.visits + {n} > 0)" for n in range(12))
    assert outcome(compiled(wide)) is None
    assert disjoint(compiled(wide), compiled("record.calls == 99")) is False
    assert list(settled_parts(compiled(f"{wide} && 1 < 2")))[-1][1] is True
    assert list(null_equalities(compiled(f"{wide} && record.name == actor.country"), frozenset())) == []


@pytest.mark.parametrize(
    ("one", "other", "apart"),
    [
        ("record.calls > 5", "record.calls <= 5", True),
        ("record.calls > 5", "!(record.calls > 5)", True),
        ("record.calls > 5", "record.calls < 7", False),
        ('record.stage == "new"', 'is_in(record.stage, "active")', True),
        ('record.country == "FR" && record.hot', 'record.country == "BE" || !record.hot && record.calls > 1', True),
        ("record.hot", "record.cold", False),
        ("record.hot", "true", False),
        ("false", "record.hot", True),
        ("has(record.name)", "record.name == null", True),
    ],
)
def test_two_conditions_that_never_hold_together(one: str, other: str, *, apart: bool) -> None:
    assert disjoint(compiled(one), compiled(other)) is apart
    assert disjoint(compiled(other), compiled(one)) is apart


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("record.country == actor.country", ["record.country == actor.country"]),
        ("record.owner.sponsor == actor.sponsor", ["record.owner.sponsor == actor.sponsor"]),
        ("record.hot || record.country == actor.country", ["record.country == actor.country"]),
        ("has(record.country) && record.country == actor.country", []),
        ("record.country != null && record.country == actor.country", []),
        ('record.country in ["FR", "BE"] && record.country == actor.country', []),
        ("has(record.name) || record.country == actor.country", ["record.country == actor.country"]),
        ("has(record.country) || record.country == actor.country", ["record.country == actor.country"]),
        ("!(record.country == actor.country)", []),
        ("record.country != actor.country", []),
        ("record.owner == actor", []),
        ("record.id == actor.country", []),
        ('record.country == "FR"', []),
        ("record.calls + 1 == record.visits", []),
    ],
)
def test_equalities_that_hold_where_both_sides_are_null(text: str, found: list[str]) -> None:
    present = frozenset({"record", "actor"})
    assert [text[node.start : node.end] for node in null_equalities(compiled(text), present)] == found


def test_who_is_not_signed_in_is_null_too() -> None:
    assert len(list(null_equalities(compiled("record.owner == actor"), frozenset({"record"})))) == 1


TERMS = [
    *(f"record.calls {operator} {n}" for operator in ("<", "<=", ">", ">=", "==", "!=") for n in (0, 1, 2, 2.5)),
    *(f"record.amount {operator} {n}" for operator in ("<", ">=", "==") for n in (0, 0.01, 1)),
    *(f'record.name {operator} "{text}"' for operator in ("<", ">=", "==", "!=") for text in ("a", "ab")),
    *(f"record.calls {operator} record.visits" for operator in ("<", "<=", ">", ">=", "==", "!=")),
    *(f"record.visits {operator} record.calls" for operator in ("<", ">=", "==")),
    *(f'record.stage == "{state}"' for state in ("new", "called", "met", "won")),
    *(f'record.born {operator} date("2026-02-28")' for operator in ("<", "<=", ">", "==")),
    *(f'age(record.created_at) {operator} duration("{span}")' for operator in ("<", ">=") for span in ("1h", "72h")),
    *(f"{operator}(record.{field})" for operator in ("", "!") for field in ("hot", "cold")),
    *(f"has(record.{field})" for field in ("calls", "name", "company.city")),
    'is_in(record.stage, "active")',
    "record.calls in [0, 1, null]",
    "record.calls == null",
    "record.owner == actor",
    "record.owner != actor",
]


@st.composite
def conditions(draw: st.DrawFn, depth: int = 3) -> str:
    """A condition over few terms, so that contradictions are frequent."""
    if depth == 0 or draw(st.integers(0, 4)) == 0:
        return f"({draw(st.sampled_from(TERMS))})"
    shape = draw(st.sampled_from(["({} && {})", "({} || {})", "!({})", "({} ? {} : {})"]))
    return shape.format(*(draw(conditions(depth - 1)) for _ in range(shape.count("{}"))))


ROWS = st.lists(DEALS, min_size=1, max_size=8)
PROVEN = settings(max_examples=tries(150), deadline=None, suppress_health_check=[HealthCheck.too_slow])


def held(expression: Expression, deal: dict[str, Any], names: dict[str, Any]) -> bool:
    return expression.evaluate({**names, "record": deal}, CONTEXT) is True


@PROVEN
@given(st.one_of(conditions(), expressions("bool", 4)), ROWS, NAMES)
def test_what_is_proven_is_so(text: str, deals: list[dict[str, Any]], names: dict[str, Any]) -> None:
    expression = compiled(text)
    proven = outcome(expression)
    if proven is not None:
        assert {held(expression, deal, names) for deal in deals} == {proven}


@PROVEN
@given(conditions(2), conditions(2), ROWS, NAMES)
def test_what_is_proven_apart_never_holds_together(
    one: str, other: str, deals: list[dict[str, Any]], names: dict[str, Any]
) -> None:
    left, right = compiled(one), compiled(other)
    if disjoint(left, right):
        assert not any(held(left, deal, names) and held(right, deal, names) for deal in deals)
