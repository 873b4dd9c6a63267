"""A small network for the tests of expressions: a scope, a calendar, and the same records in memory and in SQLite."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from definitions.duration import Duration
from definitions.expr import (
    BOOL,
    DATE,
    DATETIME,
    DECIMAL,
    DURATION,
    DYN,
    INT,
    SQLITE_FUNCTIONS,
    STRING,
    Choice,
    Context,
    Expression,
    ListOf,
    Member,
    RecordOf,
    Scope,
    SqlTemplate,
    Type,
    compile_expression,
    to_sql,
)
from definitions.problems import DefinitionError, Place, Problem

PLACE = Place("pack.yaml", 3, 7)
NOW = datetime(2026, 3, 15, 12, 30, tzinfo=UTC)
PARIS = ZoneInfo("Europe/Paris")
STAGE = Choice(
    "stage", ("new", "called", "met", "won", "lost"), {"active": ("called", "met"), "open": ("new", "called", "met")}
)
PARTS = Choice("parts", ("a_one", "a_two", "b_one"), {"a": ("a_one", "a_two")})
COLOUR = Choice("colour", ("red", "green"))


class OfficeDays:
    """Working hours are from 9 to 17 UTC every day, working days Monday to Friday in Paris."""

    def add_hours(self, start: datetime, hours: int) -> datetime:
        """Add on the axis of working time: what ends with a day ends at 17, going back at 9."""
        midnight = start.replace(hour=0, minute=0, second=0, microsecond=0)
        worked = min(max(start - midnight - timedelta(hours=9), timedelta(0)), timedelta(hours=8))
        days, rest = divmod(worked + timedelta(hours=hours), timedelta(hours=8))
        if hours > 0 and not rest:
            days, rest = days - 1, timedelta(hours=8)
        return midnight + timedelta(days=days, hours=9) + rest

    def add_days(self, start: datetime, days: int) -> datetime:
        """Add days from Monday to Friday, at the same time of day."""
        local = start.astimezone(PARIS)
        day, left = local.date(), abs(days)
        while left:
            day += timedelta(days=1 if days > 0 else -1)
            left -= day.weekday() < 5
        return datetime.combine(day, local.time(), PARIS).astimezone(UTC)


CONTEXT = Context(NOW, PARIS, OfficeDays())

RECORDS: Mapping[str, Mapping[str, Member]] = {
    "deal": {
        "id": Member(STRING, nullable=False, kind="system"),
        "name": Member(STRING),
        "note": Member(STRING),
        "country": Member(STRING),
        "calls": Member(INT),
        "visits": Member(INT),
        "amount": Member(DECIMAL, scale=2),
        "paid": Member(DECIMAL, scale=2),
        "rate": Member(DECIMAL, scale=4),
        "hot": Member(BOOL),
        "cold": Member(BOOL),
        "born": Member(DATE),
        "created_at": Member(DATETIME),
        "next_at": Member(DATETIME),
        "span": Member(DURATION),
        "stage": Member(STAGE, kind="state"),
        "joining": Member(ListOf(PARTS), kind="state"),
        "colour": Member(COLOUR),
        "tags": Member(ListOf(COLOUR)),
        "company": Member(RecordOf("company")),
        "owner": Member(RecordOf("member")),
        "secret": Member(STRING, filterable=False),
        "extra": Member(DYN),
        "lines": Member(ListOf(RecordOf("line")), stored=False, kind="lines"),
    },
    "line": {"id": Member(STRING), "amount": Member(DECIMAL, scale=2), "parent": Member(RecordOf("deal"))},
    "company": {
        "id": Member(STRING),
        "city": Member(STRING),
        "size": Member(INT),
        "owner": Member(RecordOf("member")),
    },
    "member": {
        "id": Member(STRING),
        "country": Member(STRING),
        "levels": Member(ListOf(STRING)),
        "sponsor": Member(RecordOf("member")),
    },
    "settings": {
        "limit": Member(INT, stored=False),
        "share": Member(DECIMAL, stored=False),
        "keep": Member(DURATION, stored=False),
        "countries": Member(ListOf(STRING), stored=False),
    },
}
SCOPE = Scope(
    {"record": RecordOf("deal"), "actor": RecordOf("member"), "settings": RecordOf("settings"), "form": DYN},
    RECORDS,
    hints={"before": "'before' is only known in a trigger"},
)
MEMBERS: dict[str, dict[str, Any]] = {
    "m1": {"id": "m1", "country": "FR", "levels": ("leader",), "_path": "/m1/", "sponsor": None},
    "m2": {"id": "m2", "country": None, "levels": (), "_path": "/m1/m2/", "sponsor": None},
    "m3": {"id": "m3", "country": "BE", "levels": None, "_path": "/m1/m3/", "sponsor": None},
    "m4": {"id": "m4", "country": "FR", "levels": None, "_path": "/m1/m2/m4/", "sponsor": None},
}
for _above, _below in (("m1", "m2"), ("m1", "m3"), ("m2", "m4")):
    MEMBERS[_below]["sponsor"] = MEMBERS[_above]
COMPANIES: dict[str, dict[str, Any]] = {
    "c1": {"id": "c1", "city": "Lyon", "size": 4, "owner": MEMBERS["m2"]},
    "c2": {"id": "c2", "city": None, "size": None, "owner": None},
}


def compiled(text: str, **options: Any) -> Expression:
    """Compile an expression over a deal."""
    return compile_expression(text, PLACE, SCOPE, **options)


def value(text: str, names: Mapping[str, Any] | None = None, context: Context = CONTEXT) -> Any:
    """Compile and compute."""
    return compiled(text).evaluate(names or {}, context)


def problems(text: str, **options: Any) -> list[Problem]:
    """Return what is wrong with an expression."""
    try:
        compiled(text, **options)
    except DefinitionError as refused:
        return list(refused.problems)
    return []


class DealColumns:
    """The tables of this network as `models` would describe them."""

    def table(self, entity: str) -> str:
        """Return the quoted name."""
        return f'"{entity}"'

    def value(self, entity: str, alias: str, field: str) -> SqlTemplate:
        """Return the column."""
        member = RECORDS[entity].get(field)
        return SqlTemplate(f'"{alias}"."{field}"', scale=member.scale if member else None)

    def row(self, entity: str, alias: str) -> SqlTemplate:  # noqa: ARG002 - the others' way to ask
        """Return that every row counts."""
        return SqlTemplate("TRUE")

    def encode(self, value: Any, kind: Type) -> Any:
        """Return the stored form."""
        return encode(value, kind)


class GuardedColumns(DealColumns):
    """Tables some of whose fields are hidden by a condition with a value of its own."""

    def value(self, entity: str, alias: str, field: str) -> SqlTemplate:
        """Return the column, hidden where the country is the one bound."""
        raw = super().value(entity, alias, field)
        if field in {"id", "country", "owner", "_path"}:
            return raw
        hidden = f'"{alias}"."{"country" if entity != "company" else "city"}" IS ?'
        return SqlTemplate(f"CASE WHEN {hidden} THEN NULL ELSE {raw.text} END", lambda *_: ("HIDE",), raw.scale)


def encode(value: Any, kind: Type, scale: int | None = None) -> Any:
    """Return the stored form of a value."""
    if value is None:
        return None
    if scale is not None:
        return int(Decimal(value).scaleb(scale))
    if isinstance(kind, ListOf):
        return json.dumps(list(value))
    if isinstance(value, Mapping):
        return value["id"]
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(" ", "microseconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Duration):
        return value.exact // timedelta(microseconds=1)
    return int(value) if isinstance(value, bool) else value


@contextmanager
def database(deals: Iterable[Mapping[str, Any]]) -> Iterator[sqlite3.Connection]:
    """Open a database with these deals, the companies and the members."""
    with closing(sqlite3.connect(":memory:")) as connection:
        _fill(connection, deals)
        yield connection


def _fill(connection: sqlite3.Connection, deals: Iterable[Mapping[str, Any]]) -> None:
    for name, (count, function) in SQLITE_FUNCTIONS.items():
        connection.create_function(name, count, function, deterministic=True)
    rows: dict[str, list[Mapping[str, Any]]] = {
        "deal": list(deals),
        "company": list(COMPANIES.values()),
        "member": list(MEMBERS.values()),
    }
    for entity, records in rows.items():
        members = {name: member for name, member in RECORDS[entity].items() if member.stored}
        columns = [*members, *(["_path"] if entity == "member" else [])]
        connection.execute(f'CREATE TABLE "{entity}" ({", ".join(columns)})')
        for record in records:
            stored = [encode(record.get(name), member.type, member.scale) for name, member in members.items()]
            stored += [record["_path"]] if entity == "member" else []
            marks = ", ".join("?" for _ in columns)
            connection.execute(f'INSERT INTO "{entity}" VALUES ({marks})', stored)  # noqa: S608 - names of this module


def selected(
    expression: Expression,
    connection: sqlite3.Connection,
    names: Mapping[str, Any],
    context: Context = CONTEXT,
    columns: DealColumns | None = None,
) -> list[Any]:
    """Return what the database computes for each deal, in order; a decimal is a decimal again."""
    template = to_sql(expression, "sqlite", columns or DealColumns(), "t")
    sql = f'SELECT {template.text} FROM "deal" AS "t" ORDER BY "t".rowid'  # noqa: S608 - what is tested
    found = [row[0] for row in connection.execute(sql, template.bind(names, context))]
    if template.scale is None:
        return found
    return [None if each is None else Decimal(each).scaleb(-template.scale) for each in found]
