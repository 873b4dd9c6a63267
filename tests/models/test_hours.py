"""How an installation serves is kept by the hour: what processes add comes together, minutes without any are told."""

from __future__ import annotations

import asyncio
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from models.connections import connect
from models.database import Database
from models.hours import KEPT, TARGETS, WINDOW, Counts, InFile, InSchema, Service, hours_of, service
from models.store import StoreError
from models.stores import Schemas, names_in
from tests.homes import Homes

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 3, 2, 11, 30, 20, tzinfo=UTC)


async def test_what_processes_add_at_once_comes_together(homes: Homes) -> None:
    processes = [hours_of(homes.all) for _ in range(4)]
    await asyncio.gather(*(each.add(NOW, {"api": Counts(10, 9, 10, 0), "pages": Counts(1)}) for each in processes))
    found = await service(processes[0], NOW + timedelta(minutes=1))
    assert found.kinds == {"api": Counts(40, 36, 40, 0), "pages": Counts(4, 0, 0, 0)}
    assert (found.minutes, found.up) == (1, 1)
    assert found.shares == {"half": 0.9, "second": 1.0, "available": 1.0}


async def test_minutes_in_which_nobody_wrote_are_minutes_without_service(homes: Homes) -> None:
    hours = hours_of(homes.all)
    for minute in (0, 1, 2, 7, 59, 60, 99):
        await hours.add(NOW + timedelta(minutes=minute), {})
    found = await service(hours, NOW + timedelta(minutes=100))
    assert (found.minutes, found.up) == (100, 7)
    assert found.since == NOW.replace(second=0)
    assert found.available == 0.07


async def test_the_present_minute_is_not_over_and_not_counted(homes: Homes) -> None:
    hours = hours_of(homes.all)
    await hours.add(NOW, {})
    found = await service(hours, NOW)
    assert (found.up, found.available) == (0, None)


async def test_thirty_days_are_told_and_older_hours_go(homes: Homes) -> None:
    hours = hours_of(homes.all)
    for age in (KEPT + timedelta(hours=2), WINDOW + timedelta(hours=2), WINDOW - timedelta(hours=2)):
        await hours.add(NOW - age, {"api": Counts(1, 1, 1, 0)})
    await hours.add(NOW, {})
    found = await service(hours, NOW)
    assert found.kinds["api"].answered == 1
    assert found.since == (NOW - WINDOW + timedelta(hours=2)).replace(second=0)
    assert len(await hours.rows("")) == 3


async def test_what_was_never_served_has_no_shares(homes: Homes) -> None:
    found = await service(hours_of(homes.all), NOW)
    assert found == Service(NOW.replace(second=0))
    assert found.shares == dict.fromkeys(TARGETS)


async def test_where_hours_are_kept_is_no_network(homes: Homes) -> None:
    await hours_of(homes.all).add(NOW, {})
    assert await names_in(homes.all) == []


async def test_a_store_that_is_away_is_an_error_of_the_store(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for homes in (tmp_path / "file", Schemas("postgresql://127.0.0.1:1/nowhere")):
        with pytest.raises(StoreError):
            await hours_of(homes).add(NOW, {})


async def test_a_store_that_is_not_as_it_was_made_is_an_error_of_the_store(homes: Homes) -> None:
    hours = hours_of(homes.all)
    await hours.add(NOW, {})
    spoil = 'ALTER TABLE {table} DROP COLUMN "failed"'
    if isinstance(hours, InSchema):
        database = await Database.lease(hours.homes.url)
        async with database.connection() as connection:
            await connection.execute(spoil.format(table=f'{hours.schema}."_hour"'))
        await database.release()
    elif isinstance(hours, InFile):
        with closing(connect(hours.path, "write")) as file:
            file.execute(spoil.format(table='"_hour"'))
    with pytest.raises(StoreError, match="cannot be opened"):
        await hours.add(NOW, {})
