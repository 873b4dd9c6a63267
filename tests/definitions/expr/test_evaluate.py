"""What expressions compute, rule by rule."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from definitions.duration import Duration
from definitions.expr import DECIMAL, INT, compile_expression
from tests.definitions.expr.world import CONTEXT, MEMBERS, NOW, PLACE, SCOPE, compiled, value

DEAL: dict[str, Any] = {
    "id": "d1",
    "name": "Zoé Petit",
    "calls": 3,
    "amount": Decimal("10.50"),
    "hot": True,
    "born": date(1990, 1, 31),
    "created_at": NOW - timedelta(hours=80),
    "stage": "called",
    "joining": ("a_one", "b_one"),
    "tags": ("red",),
    "company": {"id": "c1", "city": "Lyon"},
    "owner": MEMBERS["m4"],
    "lines": [{"id": "l1", "amount": Decimal("1.10")}, {"id": "l2", "amount": Decimal("2.20")}],
    "extra": {"a": [1, "b", None], "n": 5, "t": True},
}
NAMES: dict[str, Any] = {
    "record": DEAL,
    "actor": MEMBERS["m1"],
    "settings": {"limit": 2, "keep": Duration(months=1)},
    "form": {"yes": True, "word": "oui", "none": None},
}


def cases(text: str) -> list[tuple[str, str]]:
    return [(left.strip(), right.strip()) for left, right in (line.split("->") for line in text.strip().splitlines())]


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

LISTS = """
[1, 2].all(x, x > 0) -> True
[1, 2].exists(x, x > 1) -> True
[1, 2, 2].exists_one(x, x == 2) -> False
[1, 2].filter(x, x > 1) -> (2,)
[1, 2].map(x, x * 2) -> (2, 4)
[1, 2].map(x, x > 1, x * 2) -> (4,)
[1, 2].map(x, [3].map(y, x + y)) -> ((4,), (5,))
[1, 2].exists(x, [2].exists(x, x == 1)) -> False
{"a": 1}.all(k, k == "a") -> True
{"a": 1}.exists(k, v, v == 1) -> True
[5, 6].exists(i, v, i == 1 && v == 6) -> True
record.lines.map(l, l.id) -> ("l1", "l2")
record.lines.exists(l, l.amount > 2) -> True
[1, record.calls][1] -> 3
{"a": 1}["a"] -> 1
{1: 2}[1] -> 2
{1.5: 2}[1.5] -> 2
{1.5: 2}[2.5] -> None
1.0 in {1: 2} -> True
[1] + [2] -> (1, 2)
[1, 2] == [1, 2] -> True
[1] == [1, 2] -> False
[record.calls] == [3] -> True
{"a": 1} == {"a": 1} -> True
{"a": 1} == {"a": 2} -> False
{"a": 1} == {"b": 1} -> False
2 in [1, 2] -> True
2 in [1.5, 2] -> True
record.calls in [record.calls] -> True
record.extra.n in [5] -> True
record.extra.a[1] == "b" -> True
record.extra.a[0] == true -> False
record.extra.t == true -> True
record.extra.t == 1 -> False
record.extra == record.extra -> True
record.extra == record.extra.a -> False
record.extra.a == record.extra -> False
record.extra.n.x -> None
record.extra.n[0] -> None
record.extra.a["x"] -> None
record.extra.n > 4 -> True
record.extra.n > record.name -> False
record.extra.n >= 5 -> True
record.extra.n <= 4 -> False
record.extra.t -> True
record.extra.t && true -> True
record.extra.n && true -> False
form.yes ? 1 : 2 -> 1
form.word.map(x, x) -> None
form.word + "!" -> "oui!"
form.word + form.yes -> None
count([1, 2]) -> 2
size({"a": 1}) -> 1
"""

RECORDS = """
record.owner == actor -> False
record.owner == record.owner -> True
record.owner != null -> True
record.owner.id == "m4" -> True
actor.is_upline_of(record.owner) -> True
record.owner.is_upline_of(actor) -> False
actor.is_upline_of(actor) -> False
record.stage == "called" -> True
record.stage != "called" -> False
record.stage in ["new", "called"] -> True
is_in(record.stage, "active") -> True
is_in(record.stage, "called") -> True
is_in(record.stage, "won") -> False
is_in(record.colour, "red") -> False
is_in(record.joining, "a") -> True
is_in(record.joining, "a_two") -> False
is_in(form.word, "oui") -> False
"b_one" in record.joining -> True
"red" in record.tags -> True
record.company.city -> "Lyon"
settings.limit + 1 -> 3
true || record.extra.x.y.z -> True
"""

TIMES = """
now() -> NOW
today() -> date(2026, 3, 15)
date(now()) -> date(2026, 3, 15)
date("2026-01-02") -> date(2026, 1, 2)
date(today()) -> date(2026, 3, 15)
date(timestamp("2026-06-30T22:30:00Z")) -> date(2026, 7, 1)
timestamp("2026-01-02T10:00:00+01:00") -> datetime(2026, 1, 2, 9, tzinfo=UTC)
timestamp(now()) -> NOW
duration(duration("1h")) -> Duration(exact=timedelta(hours=1))
year(now()) -> date(2026, 1, 1)
month(record.born) -> date(1990, 1, 1)
week(now()) -> date(2026, 3, 9)
day(now()) -> date(2026, 3, 15)
month(timestamp("2026-06-30T22:30:00Z")) -> date(2026, 7, 1)
now() + duration("90m") -> datetime(2026, 3, 15, 14, tzinfo=UTC)
now() - days(1) -> datetime(2026, 3, 14, 12, 30, tzinfo=UTC)
now() + working_hours(4) -> datetime(2026, 3, 15, 16, 30, tzinfo=UTC)
now() + working_days(1) -> datetime(2026, 3, 16, 11, 30, tzinfo=UTC).replace(hour=12)
now() + duration("1 month") -> datetime(2026, 4, 15, 11, 30, tzinfo=UTC)
record.born + duration("1 month") -> date(1990, 2, 28)
record.born + duration("1 year") -> date(1991, 1, 31)
record.born - duration("1 month") -> date(1989, 12, 31)
duration("2d") + record.born -> date(1990, 2, 2)
record.born + duration("12h") -> None
record.born + working_days(1) -> date(1990, 2, 1)
record.born + working_hours(1) -> None
today() - record.born -> Duration(exact=timedelta(days=13192))
now() - record.created_at -> Duration(exact=timedelta(hours=80))
now() + duration("9000 years") -> None
now() - duration("9000 years") -> None
days(999999999) -> Duration(exact=timedelta(days=999999999))
days(9999999999) -> None
now() + days(999999999) -> None
-days(-999999999) + days(1) -> None
-(days(0 - 999999999)) == days(999999999) -> True
days(1) + duration("1 month") -> Duration(months=1, exact=timedelta(days=1))
days(1) - working_days(2) -> Duration(exact=timedelta(days=1), working_days=-2)
days(1) == duration("24h") -> True
days(1) < days(2) -> True
days(2) <= days(2) -> True
days(2) > days(1) -> True
duration("1 month") < days(40) -> False
duration("1 month") > days(40) -> False
duration("1 month") < duration("2 months") -> True
max(days(1), days(2)) -> Duration(exact=timedelta(days=2))
age(record.created_at) -> Duration(exact=timedelta(hours=80))
age(record.created_at) > duration("72h") -> True
age(record.created_at) >= duration("80h") -> True
age(record.created_at) < duration("80h") -> False
age(record.created_at) <= duration("80h") -> True
duration("72h") < age(record.created_at) -> True
age(record.created_at) > settings.keep -> False
age(record.created_at) < settings.keep -> True
age(record.born) > duration("18 years") -> True
age(record.born) > duration("90 years") -> False
age(record.created_at) > age(record.born) -> False
age(record.created_at) < duration("9000 years") -> True
age(record.created_at) > duration("9000 years") -> False
age(record.created_at) > -duration("9000 years") -> True
age(record.created_at) > days(999999999) -> False
record.created_at < now() -> True
timestamp("2026-06-30T22:30:15.250Z").getHours() -> 0
timestamp("2026-06-30T22:30:15.250Z").getMinutes() -> 30
timestamp("2026-06-30T22:30:15.250Z").getSeconds() -> 15
timestamp("2026-06-30T22:30:15.250Z").getMilliseconds() -> 250
timestamp("2026-06-30T22:30:15Z").getDate() -> 1
timestamp("2026-06-30T22:30:15Z").getDayOfMonth() -> 0
timestamp("2026-06-30T22:30:15Z").getMonth() -> 6
timestamp("2026-06-30T22:30:15Z").getFullYear() -> 2026
timestamp("2026-06-30T22:30:15Z").getDayOfWeek() -> 3
record.born.getDayOfYear() -> 30
duration("90m").getHours() -> 1
duration("90m").getMinutes() -> 90
duration("1 month").getHours() -> None
"""


@pytest.mark.parametrize(("text", "wanted"), cases(NULLS + NUMBERS.lstrip() + TEXTS.lstrip()))
def test_nulls_numbers_and_texts(text: str, wanted: str) -> None:
    check_value(text, wanted)


@pytest.mark.parametrize(("text", "wanted"), cases(LISTS + RECORDS.lstrip() + TIMES.lstrip()))
def test_lists_records_and_times(text: str, wanted: str) -> None:
    check_value(text, wanted)


SPACE = {each.__name__: each for each in (Decimal, Duration, date, datetime, timedelta)} | {"NOW": NOW, "UTC": UTC}


def check_value(text: str, wanted: str) -> None:
    expected = eval(wanted, SPACE)  # noqa: S307 - the tables above
    found = value(text, NAMES)
    assert found == expected
    assert type(found) is type(expected)


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
