"""A server writes a backup of each network each day, and says so when it cannot."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from admin.control.backups import LOCK
from admin.networks import Networks
from admin.operations.daily import Daily, backing_up, hour_before
from admin.settings import Settings, from_environment
from models import envelopes
from models.backups import found_in
from models.clock import SetClock
from models.connections import FileLock
from models.happened import HAPPENED
from models.system import FILE
from tests.conftest import NOON
from tests.homes import Homes
from tests.networks import SMALL, counting_ids
from workflows.stored import moment

pytestmark = pytest.mark.anyio

KEY = str(envelopes.fresh().to_public())


def settings(homes: Homes) -> Settings:
    return replace(homes.settings, secret="x" * 32, backups=homes.folder / "kept", backup_keys=(KEY,))


def networks_of(homes: Homes, clock: SetClock) -> Networks:
    return Networks(settings(homes), clock=clock, new_id=counting_ids(), works=False)


HOURS = [
    (time(3, 15), datetime(2026, 3, 2, 11, 0, tzinfo=UTC), datetime(2026, 3, 2, 3, 15, tzinfo=UTC)),
    (time(3, 15), datetime(2026, 3, 2, 3, 15, tzinfo=UTC), datetime(2026, 3, 2, 3, 15, tzinfo=UTC)),
    (time(3, 15), datetime(2026, 3, 1, 3, 14, 59, tzinfo=UTC), datetime(2026, 2, 28, 3, 15, tzinfo=UTC)),
    (time(0, 0), datetime(2026, 3, 1, 0, 0, 1, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC)),
]


@pytest.mark.parametrize(("at", "now", "hour"), HOURS)
def test_their_hour_is_the_last_one_that_was(at: time, now: datetime, hour: datetime) -> None:
    assert hour_before(Settings(Path(), backup_at=at), now) == hour


async def test_each_network_has_one_a_day_and_old_ones_go(homes: Homes, clock: SetClock) -> None:
    networks = networks_of(homes, clock)
    daily = Daily(networks)
    await networks.create("alba", SMALL)
    (first,) = (await daily.once())["backups"]
    assert first["verified"]
    await networks.create("zoe", SMALL)
    assert [one["network"] for one in (await daily.once())["backups"]] == ["zoe"]
    assert (await daily.once())["backups"] == []
    clock.forward(timedelta(hours=17))  # past the hour of the next day
    assert [one["network"] for one in (await daily.once())["backups"]] == ["alba", "zoe"]
    clock.forward(timedelta(days=31))
    await networks.remove("zoe")
    answer = await daily.once()
    assert sorted(Path(path).name[:4] for path in answer["removed"]) == ["alba", "alba", "zoe.", "zoe."]
    assert [backup.network for backup in found_in(homes.folder / "kept")] == ["alba"]
    await networks.close()


async def test_what_cannot_be_written_is_in_the_log_and_counted(homes: Homes, clock: SetClock) -> None:
    networks = networks_of(homes, clock)
    tenant = await networks.create("alba", SMALL)
    await tenant.store.write(lambda tx: tx.run(FILE.insert(), ["0" * 64, 5, moment(NOON), None]))
    before = HAPPENED.counts().get("backup_failed", 0)
    with capture_logs() as logged:
        await Daily(networks).look()
    assert [(one["event"], one.get("network")) for one in logged] == [("a backup failed", "alba")]
    wrong = Daily(networks)
    wrong.settings = replace(wrong.settings, backup_keys=("age1x",))
    with capture_logs() as logged:
        await wrong.look()
    assert [one["log_level"] for one in logged] == ["error"]
    assert HAPPENED.counts()["backup_failed"] == before + 2
    await networks.close()


async def test_servers_over_a_folder_take_turns(homes: Homes, clock: SetClock) -> None:
    networks = networks_of(homes, clock)
    (homes.folder / "kept").mkdir()
    lock = FileLock(homes.folder / "kept" / LOCK)
    with capture_logs() as logged:
        await Daily(networks).look()
    assert [one["log_level"] for one in logged] == ["info"]
    lock.release()
    await networks.close()


async def test_a_server_begins_with_what_was_missed(homes: Homes, clock: SetClock) -> None:
    networks = networks_of(homes, clock)
    await networks.create("alba", SMALL)
    async with backing_up(networks):
        while not found_in(homes.folder / "kept"):  # noqa: ASYNC110 - a file tells nobody
            await asyncio.sleep(0)
    await networks.close()
    assert len(found_in(homes.folder / "kept")) == 1


async def test_a_server_that_ends_meanwhile_leaves_nothing_that_looks_like_a_backup(
    homes: Homes, clock: SetClock
) -> None:
    networks = networks_of(homes, clock)
    await networks.create("alba", SMALL)
    folder = homes.folder / "kept"
    async with backing_up(networks):
        while not list(folder.glob("*.partial")):  # noqa: ASYNC110 - the same
            await asyncio.sleep(0)
    await networks.close()
    assert list(folder.glob("*.partial")) == []
    for backup in found_in(folder):
        assert backup.size > 1000


def test_the_environment_says_where_to_for_whom_and_for_how_long() -> None:
    said = {
        "MAILLE_BACKUPS": "/b",
        "MAILLE_BACKUP_KEYS": f"{KEY} {KEY}",
        "MAILLE_BACKUP_KEEP": "2w",
        "MAILLE_BACKUP_AT": "22:05",
    }
    found = from_environment(said)
    assert (found.backups, found.backup_keys, found.backup_keep) == (Path("/b"), (KEY, KEY), timedelta(days=14))
    assert found.backup_at == time(22, 5)
    assert from_environment({}).backups is None
    with pytest.raises(ValueError, match="MAILLE_BACKUP_KEEP"):
        from_environment({"MAILLE_BACKUP_KEEP": "3 months"})
