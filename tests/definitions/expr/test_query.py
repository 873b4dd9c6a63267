"""What runs in a database, as what text, and what is refused with the alternative."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from definitions.duration import Duration
from definitions.expr import SqlTemplate, all_of, any_of, to_sql
from definitions.expr.query_numbers import rescaled
from definitions.expr.template import nothing
from definitions.problems import DefinitionError
from tests.definitions.expr.world import (
    CONTEXT,
    MEMBERS,
    NOW,
    DealColumns,
    GuardedColumns,
    compiled,
    database,
    problems,
    selected,
)

NAMES: dict[str, Any] = {
    "actor": MEMBERS["m2"],
    "settings": {"limit": 5, "share": Decimal("2.505"), "keep": Duration(months=1), "countries": ("FR",)},
}


@pytest.mark.parametrize(
    ("text", "sqlite", "values"),
    [
        ('record.name == "a"', "(t.name = ?)", ["a"]),
        ('!(record.name == "a")', "(NOT (t.name IS ?))", ["a"]),
        ("record.name != null", "(t.name IS NOT NULL)", []),
        ("record.owner == actor", "(t.owner IS ?)", ["m2"]),
        ("record.hot", "t.hot", []),
        ("!record.hot", "(NOT COALESCE(t.hot, FALSE))", []),
        ("record.calls > 2 || true", "((t.calls > ?) OR TRUE)", [2]),
        ("record.calls > settings.limit", "(t.calls > ?)", [5]),
        ("record.amount >= settings.share", "(t.amount >= ?)", [251]),
        ("record.amount < settings.share", "(t.amount < ?)", [251]),
        ("record.amount > settings.share", "(t.amount > ?)", [250]),
        ("settings.share > record.amount", "(? > t.amount)", [251]),
        ("record.amount == settings.share", "(t.amount IS ?)", [0.5]),
        ("record.amount == 2.5", "(t.amount IS ?)", [250]),
        ("record.amount > record.paid", "(t.amount > t.paid)", []),
        ('age(record.created_at) > duration("72h")', "(t.created_at < ?)", ["2026-03-12 12:30:00.000000+00:00"]),
        ('age(record.born) >= duration("72h")', "(t.born < ?)", ["2026-03-13"]),
        ('record.country in ["FR", "BE"]', "(t.country IS NOT NULL AND t.country IN (?, ?))", ["FR", "BE"]),
        ('is_in(record.stage, "active")', "(t.stage IS NOT NULL AND t.stage IN (?, ?))", ["called", "met"]),
        ("has(record.name)", "(t.name IS NOT NULL)", []),
        (
            'record.company.city == "Lyon"',
            '((SELECT "t_r1"."city" FROM "company" AS "t_r1" WHERE "t_r1"."id" = t.company) = ?)',
            ["Lyon"],
        ),
        ('record.company.id == "c1"', "(t.company = ?)", ["c1"]),
        (
            "actor.is_upline_of(record.owner)",
            '((SELECT "t_r1"."_path" FROM "member" AS "t_r1" WHERE "t_r1"."id" = t.owner) > ? AND '
            '(SELECT "t_r1"."_path" FROM "member" AS "t_r1" WHERE "t_r1"."id" = t.owner) < ?)',
            ["/m1/m2/", "/m1/m20"],
        ),
        ("month(record.created_at)", "expr_period('month', t.created_at, ?)", ["Europe/Paris"]),
        ("record.amount * 2", "expr_scaled(expr_multiply(expr_unscale(t.amount, 2), ?), 2)", [2]),
        ("record.amount", "t.amount", []),
    ],
)
def test_sql_of_sqlite(text: str, sqlite: str, values: list[Any]) -> None:
    template = to_sql(compiled(text, query=True), "sqlite", DealColumns(), "t")
    assert plain(template.text) == plain(sqlite)
    assert list(template.bind(NAMES, CONTEXT)) == values


def plain(sql: str) -> str:
    return sql.replace('"', "")


@pytest.mark.parametrize(
    ("text", "postgres"),
    [
        ('record.name == "a"', "(t.name = CAST(? AS text))"),
        ("record.owner != actor", "(t.owner IS DISTINCT FROM CAST(? AS text))"),
        ("record.calls > 2 && record.hot", "((t.calls > CAST(? AS bigint)) AND t.hot)"),
        ("!(record.calls > 2)", "(NOT COALESCE((t.calls > CAST(? AS bigint)), FALSE))"),
        ("record.amount > 2.5", "(t.amount > CAST(? AS numeric))"),
        ("record.name < record.note", "(t.name < t.note COLLATE C)"),
        ("record.hot == (1 > 2)", "(t.hot IS NOT DISTINCT FROM CAST(? AS boolean))"),
        (
            "record.calls + record.visits > 1",
            "((SELECT CASE WHEN v BETWEEN -9223372036854775808 AND 9223372036854775807 THEN v END FROM "
            "(SELECT CAST(t.calls AS numeric) + CAST(t.visits AS numeric)) AS t(v)) > CAST(? AS bigint))",
        ),
        ("record.amount + 1", "(CAST(t.amount AS numeric) + CAST(CAST(? AS bigint) AS numeric))"),
        ("-record.amount", "(CAST(0 AS numeric) - CAST(t.amount AS numeric))"),
        ("round(record.amount, 1)", "round(CAST(t.amount AS numeric), CAST(CAST(? AS bigint) AS integer))"),
        ("record.hot ? record.amount : record.paid", "CASE WHEN t.hot THEN t.amount ELSE t.paid END"),
        ('record.name.startsWith("a")', "starts_with(t.name, CAST(? AS text))"),
        ("month(record.created_at)", "CAST(date_trunc('month', t.created_at AT TIME ZONE CAST(? AS text)) AS date)"),
        ("month(record.born)", "CAST(date_trunc('month', CAST(t.born AS timestamp)) AS date)"),
        ('age(record.created_at) < duration("72h")', "(NOT (t.created_at < CAST(? AS timestamptz)))"),
        ("size(record.tags)", "jsonb_array_length(CAST(t.tags AS jsonb))"),
        (
            '"red" in record.tags',
            "EXISTS (SELECT 1 FROM jsonb_array_elements_text(CAST(t.tags AS jsonb)) AS e(value) "
            "WHERE e.value IS NOT DISTINCT FROM CAST(? AS text))",
        ),
        (
            "actor.is_upline_of(record.owner)",
            "(starts_with((SELECT t_r1._path FROM member AS t_r1 WHERE t_r1.id = t.owner), CAST(? AS text)) AND "
            "(SELECT t_r1._path FROM member AS t_r1 WHERE t_r1.id = t.owner) <> CAST(? AS text))",
        ),
    ],
)
def test_sql_of_postgres(text: str, postgres: str) -> None:
    template = to_sql(compiled(text, query=True), "postgres", DealColumns(), "t")
    assert plain(template.text) == postgres
    assert len(template.bind(NAMES, CONTEXT)) == template.text.count("?")


def test_a_decimal_stays_one_on_postgres() -> None:
    template = to_sql(compiled("record.amount > settings.share"), "postgres", DealColumns())
    assert template.bind(NAMES, CONTEXT) == (Decimal("2.505"),)
    assert template.scale is None


def test_what_needs_no_value_binds_nothing() -> None:
    assert to_sql(compiled("record.hot"), "sqlite", DealColumns()) == SqlTemplate('"record"."hot"', nothing)


def test_a_calendar_duration_is_a_few_stretches_of_time() -> None:
    template = to_sql(compiled("age(record.created_at) > settings.keep"), "sqlite", DealColumns())
    values = template.bind(NAMES, CONTEXT)
    assert template.text.count("?") == len(values) == 15
    assert set(values) == {"2026-02-15 12:30:00.000000+00:00"}
    assert template.bind({"settings": {}}, CONTEXT) == (None,) * 15


def test_a_hidden_column_is_bound_wherever_it_stands() -> None:
    deals = [
        {"country": "FR", "created_at": NOW - timedelta(days=60), "calls": 1, "amount": Decimal(1)},
        {"country": "HIDE", "created_at": NOW - timedelta(days=60), "calls": 1, "amount": Decimal(1)},
    ]
    for text in ("age(record.created_at) > settings.keep", "record.calls in [1]", "record.amount < settings.share"):
        with database(deals) as connection:
            found = selected(compiled(text), connection, NAMES, CONTEXT, GuardedColumns())
        assert [bool(each) for each in found] == [True, False]


@pytest.mark.parametrize(
    ("text", "column", "message", "hint"),
    [
        ('record.name.matches("a")', 19, "'matches' over the row does not run in the database.",
         "use contains, startsWith or endsWith"),
        ("record.created_at + duration(\"1 month\") < now()", 25, "'+' over datetime does not run in the database.",
         'compare the field with a computed time, as in record.created_at < now() - duration("72h")'),
        ("record.lines.exists(i, l, l.amount > i)", 7, "'exists' over lines does not run in the database.",
         "use exists, all, exists_one, count or sum"),
        ("record.lines.map(l, l.amount) == []", 37, "In a query, a list of decimal can't be compared.",
         "write '\"option\" in record.field'"),
        ("sum(record.lines, l, days(1)) > days(2)", 37, "In a query, a duration can't be compared.",
         "keep the result in a computed field of the entity"),
        ('record.secret == "x"', 14, "'secret' is encrypted: it can't be filtered or sorted.", ""),
        ("record.span > days(1)", 19, "In a query, a duration can't be compared.",
         "keep the result in a computed field of the entity"),
        ("record.tags == record.tags", 19, "In a query, a list of choice of colour can't be compared.",
         "write '\"option\" in record.field'"),
        ("record.extra == 1", 20, "In a query, a value of any type can't be compared.",
         "keep the result in a computed field of the entity"),
        ("record.extra.x > 1", 22, "In a query, a value of any type can't be compared.",
         "keep the result in a computed field of the entity"),
        ("has(record.extra.x)", 11, "Only fields of records can be read in a query.",
         "keep the result in a computed field of the entity"),
        ("has(record.lines[0].amount)", 11, "Only fields of the row can be read in a query.",
         "keep the result in a computed field of the entity"),
        ('record.name == record.tags[0]', 22, "This does not run in the database.",
         "keep the result in a computed field of the entity"),
        ("record.amount / 3 > 1", 21, "Division of decimals differs between databases.", "multiply the other side"),
        ("-record.span == days(1)", 20, "In a query, a duration can't be compared.",
         "keep the result in a computed field of the entity"),
        ("-record.span", 7, "The negative of a duration does not run in the database.",
         "keep the result in a computed field of the entity"),
        ("min(record.calls, 1) > 0", 7, "'min' over the row does not run in the database.", "write a < b ? a : b"),
        ("age(record.created_at)", 7, "'age' over the row does not run in the database.",
         'compare it with a duration, as in age(record.created_at) > duration("72h")'),
        ("age(record.created_at) > record.span", 32, "A duration of the row can't be added to a time in a query.",
         "keep the result in a computed field of the entity"),
        ("record.span in [days(1)]", 19, "In a query, a duration can't be compared.",
         "keep the result in a computed field of the entity"),
        ("record.calls in record.extra", 20, "In a query, a value of any type can't be searched.",
         "keep the result in a computed field of the entity"),
        ("record.born.getMonth() == 1", 19, "'getMonth' over the row does not run in the database.",
         "compare month(…) with a date"),
    ],
)  # fmt: skip
def test_what_databases_do_not_compute_alike_is_refused(text: str, column: int, message: str, hint: str) -> None:
    (problem,) = problems(text, query=True)
    assert (problem.code, problem.place.column) == ("expression.not_in_query", column)
    assert (problem.message, problem.hint) == (message, hint)
    with pytest.raises(DefinitionError) as refused:
        to_sql(compiled(text), "sqlite", DealColumns())
    assert refused.value.problems == (problem,)


def test_what_does_not_depend_on_the_row_may_be_anything() -> None:
    text = 'record.calls > count(settings.countries.filter(c, c.matches("^F"))) && [record.hot].exists(x, x)'
    assert [problem.place.column for problem in problems(text, query=True)] == [78]
    text = 'record.calls > count(settings.countries.filter(c, c.matches("^F"))) && [1].exists(record, record > 0)'
    template = to_sql(compiled(text), "sqlite", DealColumns())
    assert template.bind(NAMES, CONTEXT) == (1, 1)
    assert problems("record.tags.exists(record, true)", query=True) != []


@pytest.mark.parametrize(
    ("value", "operator", "wanted"),
    [
        (3, "==", 300),
        (Decimal("1e30"), "<", float("inf")),
        (Decimal("-1e30"), "<", float("-inf")),
        (Decimal("1.001"), "<=", 100),
        (Decimal("1.001"), ">=", 101),
    ],
)
def test_a_number_beside_a_scaled_column(value: Any, operator: str, wanted: float) -> None:
    assert rescaled(value, 2, operator) == wanted


def test_conditions_are_put_together() -> None:
    one, two = SqlTemplate("a = ?", lambda *_: (1,)), SqlTemplate("b")
    assert all_of([]).text == "TRUE"
    assert any_of([]).text == "FALSE"
    assert all_of([one]) is one
    both = any_of([one, two, one])
    assert (both.text, both.bind({}, CONTEXT)) == ("(a = ? OR b OR a = ?)", (1, 1))
    assert all_of([two, two]) == SqlTemplate("(b AND b)", nothing)


@pytest.mark.parametrize(
    ("text", "scale"),
    [
        ("record.amount * record.rate", 6),
        ("record.amount + 0.125", 3),
        ("record.calls * record.amount", 2),
        ("-record.rate", None),
        ("round(record.amount, 1)", 1),
        ("record.hot ? record.amount : record.rate", 4),
        ("record.amount + settings.share", 6),
        ("record.amount + settings.limit", 2),
    ],
)
def test_a_computed_decimal_keeps_its_digits(text: str, scale: int | None) -> None:
    template = to_sql(compiled(text), "sqlite", DealColumns())
    assert template.scale == (4 if scale is None else scale)
