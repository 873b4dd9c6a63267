"""The closure and the SELECT agree: for every expression of the query subset and every row, nulls included."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from definitions.duration import Duration
from definitions.expr import BOOL, Context, Expression, ListOf, Type, to_sql
from definitions.expr.template import Dialect
from tests.definitions.expr import on_postgres
from tests.definitions.expr.grammar import DEALS, LEAVES, NAMES, ZONES, expressions
from tests.definitions.expr.on_postgres import PostgresDeals
from tests.definitions.expr.world import (
    COMPANIES,
    CONTEXT,
    MEMBERS,
    NOW,
    PARIS,
    DealColumns,
    GuardedColumns,
    OfficeDays,
    compiled,
    database,
    encode,
    selected,
)
from tests.running import tries


def stored(value: Any, kind: Type, scale: int | None) -> Any:
    """Return what the database gives; a decimal too long for a scaled integer of 64 bits is lost there."""
    if scale is None or value is None:
        return encode(value, kind)
    return value if abs(Decimal(value).scaleb(scale)) < 1 << 63 else None


Deals = list[dict[str, Any]]
Ask = Callable[[Expression, Deals, Mapping[str, Any], Context, DealColumns], list[Any]]


@dataclass(frozen=True)
class Engine:
    """A database that computes an expression for each of some deals."""

    dialect: Dialect
    selected: Ask


def on_sqlite(
    expression: Expression, deals: Deals, names: Mapping[str, Any], context: Context, columns: DealColumns
) -> list[Any]:
    with database(deals) as connection:
        return selected(expression, connection, names, context, columns)


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """Both databases, one after the other."""
    if request.param == "sqlite":
        yield Engine("sqlite", on_sqlite)
        return
    deals = PostgresDeals(request.getfixturevalue("postgres"))
    yield Engine("postgres", deals.selected)
    deals.close()


def agree(
    engine: Engine,
    text: str,
    deals: Deals,
    names: dict[str, Any],
    context: Context = CONTEXT,
    columns: DealColumns = DealColumns(),  # noqa: B008 - it has no state
) -> None:
    expression = compiled(text)
    found = engine.selected(expression, deals, names, context, columns)
    seen = [hide(deal) if isinstance(columns, GuardedColumns) else deal for deal in deals]
    wanted = [expression.evaluate({**names, "record": deal}, context) for deal in seen]
    if expression.type == BOOL:
        assert [bool(each) for each in found] == [bool(each) for each in wanted], text
    elif engine.dialect == "postgres":
        assert found == [on_postgres.stored(each, expression.type) for each in wanted], text
    else:
        scale = to_sql(expression, "sqlite", columns).scale
        assert found == [stored(each, expression.type, scale) for each in wanted], text


def hide(deal: dict[str, Any]) -> dict[str, Any]:
    kept = {"id", "country", "owner"}
    if deal["country"] != "HIDE":
        return deal
    return {name: value if name in kept else None for name, value in deal.items()}


CHECKED = settings(max_examples=tries(200), deadline=None, suppress_health_check=[HealthCheck.too_slow])
ROWS = st.lists(DEALS, min_size=1, max_size=6)


@CHECKED
@given(expressions("bool", 4), ROWS, NAMES, st.sampled_from([DealColumns(), GuardedColumns()]))
def test_conditions_agree(engine: Engine, text: str, deals: Deals, names: dict[str, Any], columns: DealColumns) -> None:
    agree(engine, text, deals, names, columns=columns)


@settings(CHECKED, max_examples=tries(80))
@given(
    st.sampled_from(["int", "decimal", "text", "date", "datetime"]).flatmap(lambda kind: expressions(kind, 3)),
    ROWS,
    NAMES,
    st.sampled_from(ZONES),
)
def test_values_agree(engine: Engine, text: str, deals: Deals, names: dict[str, Any], zone: str) -> None:
    agree(engine, text, deals, names, Context(NOW, ZoneInfo(zone), OfficeDays()))


@settings(CHECKED, max_examples=tries(80))
@given(
    st.sampled_from(["year", "month", "week", "day", "date"]),
    st.lists(st.datetimes(datetime(1970, 1, 2), datetime(2037, 12, 30)), min_size=8, max_size=8),  # noqa: DTZ001 - made aware
    st.sampled_from(ZONES),
)
def test_periods_agree_at_any_time_in_any_zone(engine: Engine, unit: str, times: list[datetime], zone: str) -> None:
    """Days that the clock makes longer, shorter or leaves out are among them."""
    deals = [{"created_at": time.replace(tzinfo=UTC)} for time in times]
    agree(engine, f"{unit}(record.created_at)", deals, {}, Context(NOW, ZoneInfo(zone), OfficeDays()))


@settings(CHECKED, max_examples=tries(80))
@given(
    st.sampled_from(["record.created_at", "record.born"]),
    st.sampled_from(["<", "<=", ">", ">="]),
    st.builds(
        Duration,
        st.sampled_from([0, 0, 1, -1, 2, 12, 13]),
        st.sampled_from([timedelta(0), timedelta(hours=1), timedelta(days=1), timedelta(days=-1)]),
        st.sampled_from([0, 0, 3, -3]),
        st.sampled_from([0, 0, 2, -2]),
    ),
    st.datetimes(datetime(2025, 1, 1), datetime(2028, 12, 31)),  # noqa: DTZ001 - made aware below
    st.lists(st.integers(-3000, 3000), min_size=8, max_size=8),
)
def test_ages_agree_around_the_cutoff(
    engine: Engine, time: str, operator: str, span: Duration, now: datetime, minutes: list[int]
) -> None:
    """Month ends and changes of the clock included: moments within two days of the cutoff, and around midnights."""
    context = Context(now.replace(tzinfo=UTC), PARIS, OfficeDays())
    centre = context.now - timedelta(days=30.4 * span.months) - span.exact
    centre -= timedelta(days=span.working_days, hours=span.working_hours * 3)
    moments = [centre + timedelta(minutes=each) for each in minutes]
    deals = [{"created_at": moment, "born": moment.date()} for moment in moments]
    agree(engine, f"age({time}) {operator} settings.keep", deals, {"settings": {"keep": span}}, context)


@pytest.mark.parametrize("operator", ["<", "<=", ">", ">="])
@pytest.mark.parametrize("day", ["2026-02-28", "2026-04-30", "2026-03-29", "2026-10-25", "2026-11-25", "2026-03-01"])
def test_months_agree_at_the_ends_of_months_and_at_changes_of_the_clock(
    engine: Engine, day: str, operator: str
) -> None:
    for hour in (0, 1, 12):
        context = Context(datetime.fromisoformat(f"{day}T{hour:02}:30:00+00:00"), PARIS, OfficeDays())
        moments = [context.now - timedelta(days=33) + timedelta(minutes=55 * step) for step in range(180)]
        deals = [{"created_at": moment, "born": moment.date()} for moment in moments]
        names = {"settings": {"keep": Duration(months=1)}}
        agree(engine, f"age(record.created_at) {operator} settings.keep", deals, names, context)


def test_a_value_of_a_reference_has_its_form(engine: Engine) -> None:
    deals: list[dict[str, Any]] = [
        {"owner": MEMBERS["m1"], "company": COMPANIES["c1"], "tags": ("red",)},
        {"owner": None},
    ]
    for text in ("record.owner", "record.company.owner", "record.tags", "record"):
        expression = compiled(text)
        found = engine.selected(expression, [{"id": "d", **deal} for deal in deals], {}, CONTEXT, DealColumns())
        values = [expression.evaluate({"record": {"id": "d", **deal}}, CONTEXT) for deal in deals]
        assert found == [encode(each, expression.type) for each in values]
        assert isinstance(expression.type, ListOf) == (text == "record.tags")


def test_every_leaf_agrees_with_and_without_negation(engine: Engine) -> None:
    deals = [
        {"name": name, "note": "a", "calls": calls, "hot": hot, "stage": "met", "tags": tags, "owner": MEMBERS["m4"]}
        for name, calls, hot, tags in itertools.product(
            [None, "a"], [None, 2], [None, True, False], [None, (), ("red",)]
        )
    ]
    names = {"actor": MEMBERS["m1"], "settings": {"limit": None, "countries": None}}
    for leaf, shape in itertools.product(LEAVES["bool"], ["{}", "!({})", "!!({})", "({}) == true", "({}) != false"]):
        agree(engine, shape.format(leaf), deals, names)
