"""A network is published whole or not at all, and keeps every version that it had."""

from __future__ import annotations

import asyncio
import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from definitions.duration import Duration
from definitions.pack import load
from definitions.problems import DefinitionError
from models.clock import SetClock
from models.settings import save_setting
from models.store import StoreBusyError, StoreError
from models.tenant import VERSIONS, Tenant, create_empty, create_tenant, open_tenant, uuid7
from models.tx import Tx
from tests.homes import Homes
from tests.models.rows import execute, insert, select
from tests.networks import SMALL, STRICTER, counting_ids, edited

pytestmark = pytest.mark.anyio

BROKEN = edited(SMALL, ("entity: company\n", "entity: company\nowned: true\n"))
CITY = "  city: {type: text}\n"


async def test_a_network_is_made_from_a_pack_and_opens_again(tmp_path: Path, clock: SetClock) -> None:
    path = tmp_path / "one.sqlite"
    made = await create_tenant(path, "one", files=SMALL, author="m1", clock=clock, new_id=counting_ids())
    with pytest.raises(StoreBusyError):
        await open_tenant(path, "one")
    await made.close()
    again = await open_tenant(path, "one", clock=clock)
    assert (again.published.version, again.published.hash) == (1, made.published.hash)
    assert again.published.network.name == "small"
    rows = await select(again, "SELECT version, at, author FROM _definition")
    assert rows == [(1, "2026-03-02 11:00:00.000000+00:00", "m1")]
    await again.close()


async def test_a_network_that_is_there_is_not_made_again(tenant: Tenant, homes: Homes) -> None:
    with pytest.raises(StoreError, match="already"):
        await create_tenant(homes("small"), "small", files=SMALL)


async def test_what_is_not_there_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        await open_tenant(tmp_path / "none.sqlite", "none")
    assert os.listdir(tmp_path) == []  # noqa: PTH208 - nobody else waits


async def test_a_broken_pack_makes_no_network(tmp_path: Path) -> None:
    with pytest.raises(DefinitionError):
        await create_tenant(tmp_path / "broken.sqlite", "broken", files=BROKEN)
    assert os.listdir(tmp_path) == []  # noqa: PTH208 - nobody else waits


async def test_a_file_that_is_no_store_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "text.sqlite"
    path.write_text("this is not a database, and long enough to be looked at" * 20, "utf-8")
    with pytest.raises(Exception, match="not a database"):
        await open_tenant(path, "text")
    path.unlink()
    again = await create_empty(path, "text")
    with pytest.raises(LookupError):
        _ = again.published
    await again.close()


async def test_a_broken_pack_leaves_the_last_good_version(tenant: Tenant) -> None:
    with pytest.raises(DefinitionError) as refused:
        await tenant.publish(BROKEN)
    assert {problem.place.file for problem in refused.value.problems} == {"company.yaml"}
    assert tenant.published.version == 1
    await insert(tenant, "company", name="Alba")


async def test_a_refused_plan_leaves_the_last_good_version(tenant: Tenant) -> None:
    await insert(tenant, "company", name="Alba", city="Lyon")
    fewer = edited(SMALL, (CITY, "  town: {type: text}\n"))
    with pytest.raises(DefinitionError):
        await tenant.publish(fewer)
    assert tenant.published.version == 1
    assert await select(tenant, "SELECT name, city FROM company") == [("Alba", "Lyon")]
    assert (await tenant.publish(fewer, allow_loss=True)).version == 2


async def test_the_same_files_are_no_new_version(tenant: Tenant) -> None:
    first = tenant.published
    assert await tenant.publish(dict(sorted(SMALL.items(), reverse=True))) is first


async def test_publishing_twice_at_once_makes_two_versions(tenant: Tenant) -> None:
    one = edited(SMALL, (CITY, CITY + "  siret: {type: text}\n"))
    two = edited(SMALL, (CITY, CITY + "  siret: {type: text}\n  web: {type: url}\n"))
    published = await asyncio.gather(tenant.publish(one), tenant.publish(two))
    assert [version.version for version in published] == [2, 3]
    assert "web" in tenant.published.network.entities["company"].fields


async def test_work_that_waits_for_a_publication_finds_its_version(tenant: Tenant) -> None:
    async def seen(tx: Tx) -> tuple[int, int]:
        row = await tx.row("SELECT max(version) FROM _definition")
        return tenant.published.version, 0 if row is None else row[0]

    publication = asyncio.ensure_future(tenant.publish(edited(SMALL, (CITY, CITY + "  siret: {type: text}\n"))))
    versions: list[tuple[int, int]] = []
    while not publication.done():
        versions += await asyncio.gather(*(tenant.store.write(seen) for _ in range(3)))
    versions.append(await tenant.store.write(seen))
    assert {published == stored for published, stored in versions} == {True}
    assert versions[-1] == (2, 2)


async def test_older_versions_can_be_had_as_they_were(tenant: Tenant) -> None:
    for number in range(VERSIONS + 2):
        await tenant.publish(edited(SMALL, (CITY, CITY + f"  extra_{number}: {{type: text}}\n")))
    first = await tenant.version(1)
    assert "extra_0" not in first.network.entities["company"].fields
    assert await tenant.version(1) is first
    assert await tenant.version(tenant.published.version) is tenant.published
    with pytest.raises(LookupError, match="no version 99"):
        await tenant.version(99)


async def test_a_version_that_maille_no_longer_reads_opens_nothing(tmp_path: Path) -> None:
    path = tmp_path / "one.sqlite"
    made = await create_tenant(path, "one", files=SMALL)
    await execute(made, "UPDATE _definition SET files = ?", [json.dumps({"network.yaml": "network: 4"})])
    await made.close()
    for _ in range(2):  # the second time as well: nothing keeps the file locked
        with pytest.raises(DefinitionError):
            await open_tenant(path, "one")


async def test_a_version_that_breaks_a_rule_of_a_newer_maille_runs_on_and_says_so(tenant: Tenant) -> None:
    assert [problem.code for problem in load(STRICTER).errors] == ["process.unreachable_state"]
    row = "INSERT INTO _definition (version, at, hash, files) VALUES (2, '2026-03-02 11:00:00.000000+00:00', 'h', ?)"
    await execute(tenant, row, [json.dumps(dict(STRICTER))])
    older = await tenant.version(2)
    assert "asleep" in older.network.processes["recruiting"].states
    assert [problem.code for problem in older.problems] == ["process.unreachable_state"]
    assert (await tenant.version(1)).problems == ()
    with pytest.raises(DefinitionError):  # what is published anew keeps every rule
        await tenant.publish(STRICTER)


async def test_settings_are_the_definitions_until_the_leader_changes_them(tenant: Tenant, clock: SetClock) -> None:
    network = tenant.published.network

    async def save(tx: Tx) -> None:
        for span in (Duration(months=12), Duration(exact=timedelta(days=90))):
            await save_setting(tx, network, "lead_retention", span, now=clock.now(), author="m1")

    assert await tenant.store.read(tenant.settings) == {
        "lead_retention": Duration(months=36),
        "support": "aide@exemple.fr",
    }
    await tenant.store.write(save)
    await execute(tenant, "INSERT INTO _setting VALUES ('gone', '1', '2026-01-01 00:00:00+00:00', NULL)")
    assert await tenant.store.read(tenant.settings) == {
        "lead_retention": Duration(exact=timedelta(days=90)),
        "support": "aide@exemple.fr",
    }


async def test_a_setting_can_be_emptied(tenant: Tenant, clock: SetClock) -> None:
    async def save(tx: Tx) -> None:
        await save_setting(tx, tenant.published.network, "support", None, now=clock.now())

    await tenant.store.write(save)
    assert (await tenant.store.read(tenant.settings))["support"] is None


async def test_a_network_without_settings_asks_the_store_nothing(tmp_path: Path) -> None:
    files = {
        **SMALL,
        "network.yaml": "network: bare\nlabel: Bare\nlanguages: [fr, en]\ntimezone: Europe/Paris\n",
    }
    files = edited(files, ("retention: {after: =settings.lead_retention,", "retention: {after: 36 months,"))
    bare = await create_tenant(tmp_path / "bare.sqlite", "bare", files=files)
    assert await bare.store.read(bare.settings) == {}
    await bare.close()


async def test_the_context_has_the_networks_time_and_calendar(tenant: Tenant) -> None:
    context = tenant.context()
    assert context.now == datetime(2026, 3, 2, 11, tzinfo=UTC)
    assert context.timezone.key == "Europe/Paris"
    assert context.calendar.add_days(context.now, 5) == datetime(2026, 3, 9, 11, tzinfo=UTC)


async def test_commits_are_told_through_the_tenant(tenant: Tenant) -> None:
    tenant.changed.clear()
    await insert(tenant, "company", name="Alba")
    assert tenant.changed.is_set()


def test_ids_are_texts_that_sort_by_time() -> None:
    ids = [uuid7() for _ in range(50)]
    assert ids == sorted(ids)
    assert len(set(ids)) == 50
