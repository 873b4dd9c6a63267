"""What the tables of expressions are computed over, and how a line of them is checked."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from definitions.duration import Duration
from tests.definitions.expr.world import MEMBERS, NOW, value

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


SPACE = {each.__name__: each for each in (Decimal, Duration, date, datetime, timedelta)} | {"NOW": NOW, "UTC": UTC}


def check_value(text: str, wanted: str) -> None:
    expected = eval(wanted, SPACE)  # noqa: S307 - the tables above
    found = value(text, NAMES)
    assert found == expected
    assert type(found) is type(expected)
