"""What every pack in the repository defines of rights, views and statistics runs in the database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from definitions.pack import PACKS, read_folder
from models.actor import PUBLIC, SYSTEM, Actor
from models.clock import SetClock
from models.members import create_member, load_actor
from models.query import Query
from models.records import Records
from models.statistics import compute
from models.tenant import Tenant, create_tenant
from models.tx import Tx
from tests.networks import counting_ids

pytestmark = pytest.mark.anyio
NAMES = sorted(folder.name for folder in PACKS.iterdir() if folder.is_dir())


@pytest.fixture(params=NAMES)
async def network(request: pytest.FixtureRequest, tmp_path: Path, clock: SetClock) -> AsyncIterator[Tenant]:
    files = read_folder(PACKS / request.param)
    tenant = await create_tenant(tmp_path / "a.sqlite", "a", files=files, clock=clock, new_id=counting_ids())
    yield tenant
    await tenant.close()


async def test_every_level_can_ask_for_everything(network: Tenant) -> None:
    definition = network.published.network

    async def work(tx: Tx) -> int:
        context = network.context()

        def records(actor: Actor) -> Records:
            return Records(network.published, tx, actor, context, new_id=network.new_id)

        member = await create_member(
            records(SYSTEM), {"first_name": "Ann", "last_name": "Durand", "email": "ann@example.com"}
        )
        loaded = await load_actor(network.published, tx, member)
        assert loaded is not None
        actors = [PUBLIC, SYSTEM]
        actors += [Actor("member", loaded.member, (level,)) for level in definition.levels]
        asked, access = 0, network.published.access
        for door in map(records, actors):
            for entity in definition.entities:
                assert len((await door.list(entity)).records) == await door.count(entity)
            for screen in definition.screens.values():
                for view in screen.views.values():
                    await door.list(screen.entity, Query(where=view.where, sort=view.sort or screen.sort, q="a"))
            for statistic in definition.statistics.values() if "analyse" in access.functions(door.actor) else ():
                asked += (await compute(door, statistic)).statistic == statistic.name
        return asked

    analysts = [level for level in definition.levels.values() if level.everything or "analyse" in level.functions]
    assert await network.store.write(work) == len(definition.statistics) * (len(analysts) + 1)
