from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from models.actor import SYSTEM, Actor
from models.clock import SetClock
from models.connections import stored_datetime
from models.statistics import Result, Row, compute
from tests.models.office import Office

FEBRUARY, MARCH = date(2026, 2, 1), date(2026, 3, 1)
pytestmark = pytest.mark.anyio


async def rows(office: Office, actor: Actor, name: str) -> list[tuple[tuple[Any, ...], Any]]:
    statistic = office.tenant.published.network.statistics[name]
    result: Result = await office.read(actor, lambda records: compute(records, statistic))
    assert result.statistic == name
    return [(row.group, row.value) for row in result.rows]


@pytest.fixture
async def filled(office: Office, clock: SetClock) -> Office:
    clock.moment = datetime(2026, 1, 31, 23, 30, tzinfo=UTC)  # February already in Paris
    await office.lead("ann", income=10, calls=1)
    clock.moment = datetime(2026, 2, 10, tzinfo=UTC)
    await office.lead("ann", income="20.50", calls=2, country="BE")
    clock.moment = datetime(2026, 3, 10, tzinfo=UTC)
    await office.lead("bob", income=3, recruiting="signed")
    await office.lead("dan", calls=7)
    return office


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("everything", [((), 4)]),
        ("by_country", [(("BE",), 1), (("FR",), 3)]),
        ("by_month", [((FEBRUARY, "new"), 2), ((MARCH, "new"), 1), ((MARCH, "signed"), 1)]),
        ("income", [((), Decimal("33.50"))]),
        ("calls", [((), 10)]),
        ("average_income", [((), Decimal("33.50") / 3)]),
        ("signed_share", [(("BE",), 0), (("FR",), Decimal(1) / 3)]),
        ("rich", [((False,), 4)]),
    ],
)  # fmt: skip
async def test_figures_are_computed_by_group(filled: Office, name: str, expected: list[Any]) -> None:
    assert await rows(filled, SYSTEM, name) == expected


async def test_a_reader_counts_only_what_the_reader_sees(filled: Office) -> None:
    ann = await filled.actor("ann", "own")
    assert await rows(filled, ann, "everything") == [((), 2)]
    assert await rows(filled, ann, "income") == [((), 0)]
    assert await rows(filled, ann, "average_income") == [((), None)]
    assert await rows(filled, ann, "rich") == [((None,), 2)]
    branch = await filled.actor("ann", "branch")
    assert await rows(filled, branch, "everything") == [((), 3)]
    assert await rows(filled, branch, "income") == [((), Decimal("30.50"))]


async def test_nothing_seen_is_one_empty_figure_or_no_group(filled: Office) -> None:
    nobody = await filled.actor("ann", "nothing")
    for name, expected in (("everything", [((), 0)]), ("by_country", []), ("signed_days", [((), None)])):
        assert await rows(filled, nobody, name) == expected


async def test_groups_say_how_many_records_they_have(filled: Office) -> None:
    statistic = filled.tenant.published.network.statistics["signed_share"]
    result = await filled.read(SYSTEM, lambda records: compute(records, statistic))
    assert result.rows == (Row(("BE",), Decimal(0), 1), Row(("FR",), Decimal(1) / 3, 3))


async def test_the_time_in_a_state_is_that_of_the_stays_that_have_ended(office: Office, clock: SetClock) -> None:
    begun = clock.now()
    first, second, foreign = [await office.lead(owner) for owner in ("ann", "ann", "dan")]
    moves = [
        (first, 2, "new", "contacted"),
        (first, 5, "contacted", "lost"),
        (first, 6, "lost", "new"),
        (first, 10, "new", "lost"),
        (second, 3, "new", "contacted"),
        (foreign, 99, "new", "lost"),
    ]

    async def work(tx: Any) -> None:
        for number, (record, hours, source, target) in enumerate(moves):
            await tx.run(
                'INSERT INTO "_history" ("id", "at", "entity", "record", "kind", "process", "from_state", "to_state", '
                '"actor_kind") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
                (f"h{number}", stored_datetime(begun + timedelta(hours=hours)), "lead", record, "moved", "recruiting",
                 source, target, "member"),
            )  # fmt: skip
        await tx.run('UPDATE "_history" SET "undone_by" = ? WHERE "id" = ?', ("h9", "h4"))

    await office.tenant.store.write(work)
    ann = await office.actor("ann", "own")
    assert await rows(office, ann, "new_time") == [((), (2 + 4) * 3600 / 2)]
    assert await rows(office, ann, "contacted_time") == [(("FR",), 3 * 3600)]
    assert await rows(office, SYSTEM, "new_time") == [((), (2 + 4 + 99) * 3600 / 3)]
