"""Made-up expressions of the query subset, and made-up deals and names that they are about."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from definitions.duration import Duration
from tests.definitions.expr.world import (
    COMPANIES,
    MEMBERS,
)

INTS = [-9223372036854775808, -7, -1, 0, 1, 2, 3, 10, 4611686018427387904, 9223372036854775807]
DECIMALS = ["-10.50", "-0.01", "0.00", "0.01", "1.00", "2.50", "10.55", "99999999.99"]
TEXTS = [
    "",
    "a",
    "A",
    "ab",
    "ba",
    "abc",
    "é",
    "e\u0301",
    "ß",
    "SS",
    "😀",
    "\uffff",
    " a ",
    "L'été",
    "100%",
    "a_b",
    "\\",
]
TEXTS += ["FR", "BE", "Lyon"]
ZONES = ["Europe/Paris", "America/St_Johns", "Asia/Kathmandu", "America/Santiago", "Pacific/Apia", "UTC"]
MOMENTS = [
    "2026-03-15T12:30:00",
    "2026-03-15T12:29:59.999999",
    "2026-03-12T12:30:00",
    "2026-03-12T12:30:00.000001",
    "2026-02-15T12:30:00",
    "2026-02-15T11:30:00",
    "2026-02-14T23:00:00",
    "2026-01-31T22:59:59",
    "2025-10-26T00:30:00",
    "2025-10-26T01:30:00",
    "2026-03-29T00:59:59.999999",
    "2026-03-29T01:00:00",
    "2026-04-05T02:59:59",
    "2026-09-06T04:00:00",
    "2025-12-31T23:30:00",
    "2027-01-01T00:00:00",
]
ZONED = [datetime.fromisoformat(text).replace(tzinfo=UTC) for text in MOMENTS]
DATES = [
    date(2026, 3, 15),
    date(2026, 3, 12),
    date(2026, 2, 15),
    date(2026, 2, 28),
    date(2024, 2, 29),
    date(2008, 3, 14),
]


def quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def maybe(values: Any) -> st.SearchStrategy[Any]:
    return st.none() | st.sampled_from(values)


DEALS = st.fixed_dictionaries(
    {
        "name": maybe(TEXTS),
        "note": maybe(TEXTS),
        "country": maybe(["FR", "BE", "HIDE"]),
        "calls": maybe(INTS),
        "visits": maybe(INTS),
        "amount": maybe([Decimal(text) for text in DECIMALS]),
        "paid": maybe([Decimal(text) for text in DECIMALS]),
        "rate": maybe([Decimal(text) for text in ("0.0001", "0.5000", "1.0000", "-2.2500")]),
        "hot": maybe([True, False]),
        "cold": maybe([True, False]),
        "born": maybe(DATES),
        "created_at": maybe(ZONED),
        "next_at": maybe(ZONED),
        "stage": maybe(["new", "called", "met", "won"]),
        "joining": maybe([("a_one",), ("a_two", "b_one"), ("b_one",)]),
        "colour": maybe(["red", "green"]),
        "tags": maybe([(), ("red",), ("red", "green")]),
        "company": maybe([*COMPANIES.values(), {"id": "gone"}]),
        "owner": maybe(list(MEMBERS.values())),
    }
)
NAMES = st.fixed_dictionaries(
    {
        "actor": maybe(list(MEMBERS.values())),
        "settings": st.fixed_dictionaries(
            {
                "limit": maybe(INTS),
                "share": maybe([Decimal("2.5"), Decimal("0.015"), Decimal("-1e9")]),
                "keep": maybe(
                    [
                        Duration(exact=timedelta(hours=72)),
                        Duration(months=1),
                        Duration(months=-1),
                        Duration(months=216),
                        Duration(months=1, exact=timedelta(days=1)),
                        Duration(working_hours=4),
                        Duration(working_days=3),
                        Duration(months=120_000),
                        Duration(exact=timedelta(days=-2)),
                    ]
                ),
                "countries": maybe([(), ("FR",), ("FR", "BE")]),
            }
        ),
    }
)

FAR = ["(1e30)", "(-1e30)", "(0.0000000001)", "(123456789012345678.99)"]
LEAVES: dict[str, list[str]] = {
    "int": [
        "record.calls",
        "record.visits",
        "record.company.size",
        "settings.limit",
        "size(record.tags)",
        "(-9223372036854775807)",
        "size(record.name)",
        "(record.hot ? record.calls : null)",
        "0",
        "2",
        "-3",
    ],
    "decimal": ["record.amount", "record.paid", "record.rate", "settings.share", "2.5", "0.015", "10.55", *FAR],
    "text": [
        "record.name",
        "record.note",
        "record.country",
        "record.company.city",
        "record.company.owner.country",
        "actor.country",
        *map(quoted, TEXTS),
    ],
    "datetime": ["record.created_at", "record.next_at", "now()", 'now() - duration("72h")', "now() - settings.keep"],
    "date": [
        "record.born",
        "today()",
        "date(record.created_at)",
        "day(record.created_at)",
        "month(record.next_at)",
        "week(record.born)",
        "year(now())",
    ],
    "bool": [
        "record.hot",
        "record.cold",
        "true",
        "has(record.name)",
        "has(record.tags)",
        "has(record.company.city)",
        "has(actor.country)",
        "record.owner == actor",
        "record.company.owner != record.owner",
        "record.owner.id == actor.id",
        "record.owner == record.company.owner.sponsor",
        "record.company == null",
        "record.owner.sponsor.country != null",
        "has(record.company.owner.sponsor)",
        'record.stage != "lost"',
        'is_in(record.stage, "won")',
        'is_in(record.joining, "b_one")',
        '!("red" in record.tags)',
        "record.born in [today(), null]",
        "record.created_at in [record.next_at, now()]",
        "actor.is_upline_of(record.owner)",
        "record.owner.is_upline_of(actor)",
        "record.company.owner.is_upline_of(record.owner)",
        'record.stage == "new"',
        'record.stage in ["new", "won"]',
        'is_in(record.stage, "active")',
        'is_in(record.joining, "a")',
        '"b_one" in record.joining',
        '"red" in record.tags',
        "record.colour in record.tags",
        'record.colour != "red"',
        "record.country in settings.countries",
        "record.name == null",
        "null != record.calls",
        "record.country in []",
        "record.calls in [1, 2, 10]",
        "record.amount in [1, 2.5, 10.55]",
        "record.name in [record.note, null, actor.country]",
        "size(record.tags) > 1",
        "settings.limit > 1",
    ],
}
SPANS = ['duration("72h")', 'duration("1 month")', "settings.keep", "days(3)", "-days(1)", "working_hours(4)"]
TIMES = ["record.created_at", "record.born", "record.next_at"]
ORDERS = ["<", "<=", ">", ">="]
COMPARED = ["int", "decimal", "text", "date", "datetime", "bool"]
SHAPES: dict[str, list[tuple[str, list[str]]]] = {
    "int": [(f"({{}} {operator} {{}})", ["int", "int"]) for operator in "+-*/%"] + [("-({})", ["int"])],
    "decimal": [
        *((f"({{}} {operator} {{}})", ["decimal", kind]) for operator in "+-*" for kind in ("int", "decimal")),
        *((f"round({{}}, {digits})", ["decimal"]) for digits in (-1, 0, 1, 3)),
        ("-({})", ["decimal"]),
    ],
    "text": [("({} + {})", ["text", "text"])],
    "date": [
        (f"{name}({{}})", [kind]) for name in ("date", "year", "month", "week", "day") for kind in ("date", "datetime")
    ],
    "datetime": [("({})", ["datetime"])],
    "bool": [
        ("({} && {})", ["bool", "bool"]),
        ("({} || {})", ["bool", "bool"]),
        ("!({})", ["bool"]),
        *((f"({{}} {operator} {{}})", [kind, kind]) for kind in COMPARED for operator in ["==", "!=", *ORDERS]),
        *((f"({{}} {operator} {{}})", ["int", "decimal"]) for operator in ["==", "!=", *ORDERS]),
        *((f"({{}}).{name}({{}})", ["text", "text"]) for name in ("contains", "startsWith", "endsWith")),
        ("({} in [{}, {}])", ["int", "int", "decimal"]),
        ("({} in [{}, null])", ["text", "text"]),
        ("({} in [{}, {}])", ["date", "date", "date"]),
        ("({} in [{}, {}])", ["decimal", "decimal", "int"]),
        *((f"(age({{}}) {operator} {{}})", ["time", "span"]) for operator in ORDERS),
        *((f"({{}} {operator} age({{}}))", ["span", "time"]) for operator in ORDERS),
    ],
}


@st.composite
def expressions(draw: st.DrawFn, kind: str, depth: int) -> str:
    """An expression of a type over the row."""
    if kind in {"time", "span"}:
        return draw(
            st.sampled_from(SPANS if kind == "span" else ["record.created_at", "record.born", "record.next_at"])
        )
    if depth == 0 or draw(st.integers(0, 3)) == 0:
        return f"({draw(st.sampled_from(LEAVES[kind]))})"
    ternaries = [("({} ? {} : {})", ["bool", kind, kind]), ("({} ? {} : null)", ["bool", kind])]
    shape, parts = draw(st.sampled_from([*SHAPES[kind], *ternaries]))
    return shape.format(*(draw(expressions(part, depth - 1)) for part in parts))
