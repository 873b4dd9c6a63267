"""What expressions compute over lists, records and times, rule by rule."""

from __future__ import annotations

import pytest

from tests.definitions.expr.evaluated import cases, check_value

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
now() + working_days(record.calls * 1000000) -> None
now() + (working_days(6000) + working_days(6000)) -> None
record.born + (working_days(6000) + working_days(6000)) -> None
now() + duration(record.name + "999999 working days") -> None
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


@pytest.mark.parametrize(("text", "wanted"), cases(LISTS + RECORDS.lstrip() + TIMES.lstrip()))
def test_lists_records_and_times(text: str, wanted: str) -> None:
    check_value(text, wanted)
