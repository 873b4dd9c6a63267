"""Values whose field changes its type are kept where the new type can hold them, and said to be lost where not."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from definitions.duration import Duration
from definitions.problems import NOWHERE
from definitions.spec.entity import Field, FieldType, Option
from definitions.text import plain
from models.columns import codec
from models.recast import Recast

OPTIONS = {name: Option(name, plain(name), NOWHERE) for name in ("site", "direct")}
LOST = "lost"
NIGHT = datetime(2026, 3, 1, 23, 30, tzinfo=UTC)


def field(kind: FieldType) -> Field:
    return Field("f", kind, plain("f"), NOWHERE, options=OPTIONS if kind in ("choice", "choices") else {})


CASES: list[tuple[FieldType, Any, FieldType, Any]] = [
    ("text", "12,50", "money", Decimal("12.50")),
    ("text", "12.505", "money", LOST),
    ("text", "1 200", "integer", 1200),
    ("text", "true", "boolean", True),
    ("text", "perhaps", "boolean", LOST),
    ("text", "2026-03-02", "date", date(2026, 3, 2)),
    ("text", "soon", "datetime", LOST),
    ("text", "3 d", "duration", Duration(exact=timedelta(days=3))),
    ("text", "a@b.fr", "email", "a@b.fr"),
    ("text", "nobody", "email", LOST),
    ("text", "site", "choice", "site"),
    ("text", "elsewhere", "choice", LOST),
    ("text", "site", "choices", ("site",)),
    ("text", "some", "json", "some"),
    ("text", "", "integer", None),
    ("integer", 3, "text", "3"),
    ("integer", 1, "boolean", True),
    ("integer", 7, "boolean", LOST),
    ("integer", 3, "money", Decimal("3.00")),
    ("integer", 3, "date", LOST),
    ("integer", 10**17, "money", LOST),
    ("decimal", Decimal("2.00"), "integer", 2),
    ("decimal", Decimal("2.50"), "integer", LOST),
    ("decimal", Decimal("2.50"), "text", "2.50"),
    ("boolean", True, "text", "true"),
    ("boolean", False, "text", "false"),
    ("boolean", True, "integer", LOST),
    ("date", date(2026, 3, 2), "text", "2026-03-02"),
    ("date", date(2026, 3, 2), "datetime", datetime(2026, 3, 1, 23, tzinfo=UTC)),
    ("date", date(2026, 3, 2), "integer", LOST),
    ("datetime", NIGHT, "text", "2026-03-01T23:30:00+00:00"),
    ("datetime", NIGHT, "json", "2026-03-01 23:30:00+00:00"),
    ("duration", Duration(months=2, exact=timedelta(hours=1)), "text", "2 months 60 minutes"),
    ("duration", Duration(working_days=3), "integer", LOST),
    ("choice", "site", "choices", ("site",)),
    ("choices", ("site",), "choice", "site"),
    ("choices", ("site", "direct"), "text", "site, direct"),
    ("choices", ("site", "direct"), "choice", LOST),
    ("json", {"a": [1]}, "text", '{"a": [1]}'),
    ("json", [1], "long_text", "[1]"),
    ("reference", {"id": "x"}, "text", LOST),
    ("text", "x", "reference", LOST),
]


@pytest.mark.parametrize(("was", "value", "now", "becomes"), CASES)
def test_a_value_becomes_what_it_can(was: FieldType, value: Any, now: FieldType, becomes: Any) -> None:
    encode, decode = codec(field(was)).encode, codec(field(now)).decode
    stored, whole = Recast(field(was), field(now), ZoneInfo("Europe/Paris"))(encode(value) if encode else value)
    assert whole is (becomes != LOST)
    if whole:
        assert (decode(stored) if decode and stored is not None else stored) == becomes


def test_a_moment_becomes_its_day_in_the_networks_zone_and_loses_its_hour() -> None:
    encode = codec(field("datetime")).encode
    assert encode is not None
    assert Recast(field("datetime"), field("date"), ZoneInfo("Europe/Paris"))(encode(NIGHT)) == ("2026-03-02", False)
