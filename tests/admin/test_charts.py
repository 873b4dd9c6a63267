"""Statistics as pictures: names of groups, gaps, shares, places."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from admin.charts import Chart, chart, references
from admin.formats import Formats
from admin.parts.reader import Reader
from definitions.pack import load
from definitions.spec.network import Network
from models.statistics import Result, Row
from tests.networks import SMALL, changed

STATISTICS = """
statistic: by_state
entity: lead
measure: count()
by: [record.recruiting]
chart: funnel
---
statistic: by_month
entity: lead
measure: count()
by: ["month(record.created_at)"]
chart: line
---
statistic: by_week
entity: lead
measure: count()
by: ["week(record.created_at)"]
chart: bar
---
statistic: by_day
entity: lead
measure: count()
by: ["day(record.created_at)"]
chart: bar
---
statistic: by_year
entity: lead
measure: count()
by: ["year(record.created_at)"]
chart: bar
---
statistic: by_country
entity: lead
measure: sum(record.income_goal)
by: [record.country]
chart: bar
---
statistic: by_company
entity: lead
measure: average(record.calls)
by: [record.company]
chart: pie
---
statistic: by_two
entity: lead
measure: share(record.newsletter)
by: [record.source, record.newsletter]
chart: bar
---
statistic: hot_ones
entity: lead
measure: count()
by: [record.calls > 2]
chart: table
---
statistic: calls_made
entity: lead
measure: count()
by: [record.calls + 1]
chart: number
---
statistic: patience
entity: lead
measure: time_in(recruiting.contacted)
chart: number
"""
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def network() -> Network:
    loaded = load(changed(SMALL, statistics=STATISTICS))
    assert loaded.network is not None, loaded.problems
    return loaded.network


def test_what_was_merged_is_named(network: Network) -> None:
    rows = (Row(("FR",), 2, 7), Row((None,), 1, 3, merged=True))
    reader = Reader(network, Formats("en", ZoneInfo("Europe/Paris"), "EUR", NOW))
    made = chart(network.statistics["by_country"], Result("by_country", rows), reader, {})
    assert [(part.label, part.text) for part in made.parts] == [("France", "€2"), ("Small groups together", "€1")]
    line = chart(network.statistics["by_month"], Result("by_month", (Row((None,), 9, 9, merged=True),)), reader, {})
    assert line.parts == ()


def drawn(network: Network, name: str, rows: Mapping[Any, Any], titles: Mapping[str, Mapping[str, str]]) -> Chart:
    groups = ((key if isinstance(key, tuple) else (key,), value) for key, value in rows.items())
    result = Result(name, tuple(Row(group, value, 1) for group, value in groups))
    reader = Reader(network, Formats("en", ZoneInfo("Europe/Paris"), "EUR", NOW))
    return chart(network.statistics[name], result, reader, titles)


@pytest.mark.parametrize(
    ("name", "rows", "shape", "parts"),
    [
        (
            "by_state",
            {"contacted": 4, "new": 2},
            "funnel",
            [("New", "2"), ("Contacted", "4"), ("Signed up", "0"), ("Lost", "0")],
        ),
        (
            "by_month",
            {date(2026, 1, 1): 3, date(2025, 11, 1): 1},
            "line",
            [("Nov", "1"), ("Dec", "0"), ("Jan", "3")],
        ),
        ("by_week", {date(2026, 11, 16): 3, date(2026, 11, 2): 1}, "bars", [("W45", "1"), ("W46", "0"), ("W47", "3")]),
        ("by_day", {date(2026, 11, 30): 3, date(2026, 12, 1): 1}, "bars", [("30 Nov", "3"), ("1 Dec", "1")]),
        ("by_year", {date(2024, 1, 1): 3, date(2026, 1, 1): 1}, "bars", [("2024", "3"), ("2025", "0"), ("2026", "1")]),
        ("by_month", {None: 4}, "line", []),
        (
            "by_country",
            {"BE": Decimal("10.50"), "FR": Decimal("200"), None: None},
            "funnel",
            [("France", "€200"), ("Belgium", "€10.50"), ("Not given", "€0")],
        ),
        ("by_company", {"c1": Decimal("2.25"), "c2": 3}, "pie", [("Not given", "3"), ("Spa", "2.2")]),
        (
            "by_two",
            {("site", True): 0.125, ("direct", False): 0.5},
            "table",
            [("Web site · Yes", "12.5%"), ("Direct · No", "50%")],
        ),
        ("hot_ones", {False: 1, True: 2}, "table", [("No", "1"), ("Yes", "2")]),
        ("calls_made", {1: 4, 2: 3}, "table", [("1", "4"), ("2", "3")]),
        ("patience", {(): 3 * 86400}, "number", [("", "3 days")]),
    ],
)
def test_groups_have_names_and_figures(
    network: Network, name: str, rows: Mapping[Any, Any], shape: str, parts: list[tuple[str, str]]
) -> None:
    found = drawn(network, name, rows, {"company": {"c1": "Spa"}})
    assert found.shape == shape
    assert [(part.label, part.text) for part in found.parts] == parts


def test_a_list_of_groups_shows_the_greatest(network: Network) -> None:
    found = drawn(network, "by_country", {f"{a}{a}": index for index, a in enumerate("ABCDEFGHIJKL")}, {})
    assert [part.value for part in found.parts] == [11, 10, 9, 8, 7, 6, 5, 4]


def test_shares_make_a_whole_and_the_greatest_fills_its_line(network: Network) -> None:
    found = drawn(network, "by_company", {"c1": 30, "c2": 10}, {})
    assert [(part.share, part.start, part.percent) for part in found.parts] == [
        (75, 0, 100),
        (25, 75, pytest.approx(33.3, 0.01)),
    ]
    assert all(part.drawn < part.share for part in found.parts)


@pytest.mark.parametrize(("most", "top"), [(0, "2"), (1, "1"), (7, "8"), (11, "20"), (52, "60"), (84, "100")])
def test_the_scale_ends_at_a_round_figure(network: Network, most: int, top: str) -> None:
    found = drawn(network, "by_week", {date(2026, 11, 2): most}, {})
    assert found.ticks[-1].text == top
    assert found.points[0].y >= found.ticks[-1].y
    assert found.path.count(",") == 1


@pytest.mark.parametrize(
    ("months", "labels"),
    [(3, ["Jan", "Feb", "Mar"]), (12, ["", "Feb", "", "Apr", "", "Jun", "", "Aug", "", "Oct", "", "Dec"])],
)
def test_periods_that_stand_close_have_labels_where_there_is_room(
    network: Network, months: int, labels: list[str]
) -> None:
    rows = {date(2025 + month // 12, month % 12 + 1, 1): 1 for month in range(months)}
    assert [point.label for point in drawn(network, "by_month", rows, {}).points] == labels


def test_groups_that_refer_to_records_ask_for_their_titles(network: Network) -> None:
    reader = Reader(network, Formats("en", ZoneInfo("Europe/Paris"), "EUR", NOW))
    rows = (Row(("c1",), 1, 1), Row((None,), 1, 1))
    assert references(network.statistics["by_company"], Result("by_company", rows), reader) == {"company": {"c1"}}
    assert references(network.statistics["by_state"], Result("by_state", (Row(("new",), 1, 1),)), reader) == {}
