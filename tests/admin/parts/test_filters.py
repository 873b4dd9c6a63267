"""Addresses of lists keep what they are not told to change; periods are those of a calendar."""

from __future__ import annotations

from datetime import date

import pytest

from admin.parts.filters import Address, address, period

AT = address(
    "/e/lead/", [("q", "é a"), ("f.city", "ly"), ("f.city.from", "1"), ("f.x", ""), ("f.s", "a"), ("f.s", "b")]
)


def test_an_address_keeps_the_order_and_leaves_out_what_is_empty() -> None:
    assert str(AT) == "/e/lead/?q=%C3%A9+a&f.city=ly&f.city.from=1&f.s=a&f.s=b"
    assert AT.all("f.s") == ("a", "b")
    assert AT.get("f.s") == "a"
    assert AT.get("nothing") == ""


def test_a_change_touches_only_its_parameters() -> None:
    assert str(AT.lacking("f.city", "f.s").having(sort="-x")) == "/e/lead/?q=%C3%A9+a&f.city.from=1&sort=-x"
    assert str(AT.having(q="")) == "/e/lead/?f.city=ly&f.city.from=1&f.s=a&f.s=b"
    assert str(AT.only("q")) == "/e/lead/?q=%C3%A9+a"
    assert AT.only("f.").pairs == AT.lacking("q").pairs
    assert str(Address("/a").at("/b")) == "/b"


@pytest.mark.parametrize(
    ("name", "today", "first", "last"),
    [
        ("today", date(2026, 3, 4), date(2026, 3, 4), date(2026, 3, 4)),
        ("week", date(2026, 3, 4), date(2026, 3, 2), date(2026, 3, 8)),
        ("week", date(2026, 3, 8), date(2026, 3, 2), date(2026, 3, 8)),
        ("next", date(2026, 3, 4), date(2026, 3, 4), date(2026, 3, 11)),
        ("month", date(2026, 2, 28), date(2026, 2, 1), date(2026, 2, 28)),
        ("month", date(2026, 12, 31), date(2026, 12, 1), date(2026, 12, 31)),
    ],
)
def test_periods(name: str, today: date, first: date, last: date) -> None:
    assert period(name, today) == (first, last)
