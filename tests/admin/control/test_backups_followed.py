"""What was erased since a backup stays erased, whatever became of the network whose place the backup takes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from admin.control import asides
from admin.networks import Networks
from admin.operations.daily import Daily
from models.actor import SYSTEM
from models.clock import SetClock
from models.schemas import transaction
from models.stores import exists, replaced
from models.system import DEFINITION
from models.tenant import Tenant, create_tenant, open_tenant
from models.tx import Tx
from server import compose
from tests.admin.control.test_backups import PLAIN, back_up, companies, company, look, refusal, settings, told
from tests.homes import Homes
from tests.models.rows import insert, records, select
from tests.networks import SMALL, counting_ids
from workflows import erasure, restoring
from workflows.publishing import publish
from workflows.unit import write

__all__ = ["company"]
pytestmark = pytest.mark.anyio

THING = {
    "network.yaml": SMALL["network.yaml"],
    "thing.yaml": 'entity: thing\nlabel: {fr: T, en: T}\ntitle: "{{ record.name }}"\n'
    "fields:\n  name: {type: text, required: true, personal: identity}\n"
    "privacy: {purpose: {fr: P, en: P}, basis: consent}\n"
    "retention: {after: 36 months, since: last_activity_at, then: erase}\n",
    "levels.yaml": "level: distributor\nlabel: {fr: D, en: D}\nfunctions: [consult]\n"
    "entities:\n  thing: {read: all, create: true, update: all, delete: all}\n",
}
BEING = {
    name: text.replace("entity: thing\n", "entity: being\nwas: thing\n").replace("  thing:", "  being:")
    for name, text in THING.items()
}


async def erase(tenant: Tenant, entity: str, record: str) -> None:
    await write(tenant, SYSTEM, lambda unit: erasure.erase(unit, entity, record, {"cause": "asked"}))


async def replace(homes: Homes, clock: SetClock, file: Path, **given: Any) -> Any:
    return await told(homes, "restore_network", clock, **{**PLAIN, "path": str(file), "replace": True, **given})


async def leads(tenant: Tenant) -> list[str]:
    return [record["last_name"] for record in await records(tenant, "lead")]


async def test_what_was_erased_under_another_name_is_erased_again(homes: Homes, clock: SetClock) -> None:
    tenant = await create_tenant(homes("small"), "small", files=THING, clock=clock)
    gone, stays = await insert(tenant, "thing", name="Gone"), await insert(tenant, "thing", name="Stays")
    await tenant.close()
    file = await back_up(homes, clock)
    clock.forward(timedelta(days=2))
    tenant = await open_tenant(homes("small"), "small", clock=clock)
    await publish(tenant, BEING, None)
    later = await insert(tenant, "being", name="Later")
    for record in (gone, later):
        await erase(tenant, "being", record)
    await tenant.close()
    answer = await replace(homes, clock, file)
    assert (answer["erased_again"], answer["erased_left"]) == (1, [["being", later]])
    assert [thing["id"] for thing in await look(homes, "small", clock, lambda each: records(each, "thing"))] == [stays]


async def test_what_is_erased_while_the_backup_is_restored_stays_erased(
    homes: Homes, company: str, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = await back_up(homes, clock)
    app = compose(settings(homes), clock=clock, new_id=counting_ids(after=100), works=False)
    async with app.router.lifespan_context(app):
        live = await app.state.networks.get("small")
        later = await insert(live, "company", name="Later")
        (lead,) = await records(live, "lead")
        happened, asked = restoring.happened, list[Any]()

        async def meanwhile(*given: Any) -> restoring.Since:
            found = await happened(*given)
            if not asked:
                await erase(live, "lead", lead["id"])
                await erase(live, "company", later)  # it is not in the backup
                await publish(live, {**SMALL, "more.yaml": ""}, None)
            asked.append(found)
            return found

        monkeypatch.setattr(restoring, "happened", meanwhile)
        answer = await replace(homes, clock, file)
        restored = await app.state.networks.get("small")
        assert (answer["erased_again"], answer["erased_left"], answer["held"]) == (1, [], 1)
        assert (await leads(restored), await companies(restored)) == ([], ["Alba"])
        versions = await select(restored, 'SELECT "version" FROM "_definition" ORDER BY "version"')
        assert [version for (version,) in versions] == [1, 2, 3]


async def test_definitions_that_nobody_understands_any_more_bring_nothing_back(
    homes: Homes, company: str, clock: SetClock
) -> None:
    file = await back_up(homes, clock)
    tenant = await open_tenant(homes("small"), "small", clock=clock)
    (lead,) = await records(tenant, "lead")
    await erase(tenant, "lead", lead["id"])
    await tenant.store.write(lambda tx: strange(tx, {**SMALL, "lead.yaml": "entity: lead\nunknown_thing: 1\n"}))
    await tenant.close()
    answer = await replace(homes, clock, file)
    assert (answer["erased_again"], answer["unread"]) == (1, False)
    assert await look(homes, "small", clock, leads) == []
    assert await look(homes, "small", clock, newest) == 8


async def strange(tx: Tx, files: Mapping[str, str]) -> None:
    """Publish what this Maille does not understand, as another one did."""
    row = await tx.row('SELECT * FROM "_definition"')
    assert row is not None
    values = dict(zip(DEFINITION.columns, row, strict=True)) | {"version": 7, "files": json.dumps(files), "hash": "x"}
    await tx.run(DEFINITION.insert(), list(values.values()))


async def newest(tenant: Tenant) -> int:
    ((version,),) = await select(tenant, 'SELECT max("version") FROM "_definition"')
    return int(version)


async def spoil(homes: Homes) -> None:
    """Damage what tells what was erased in the network."""
    home = homes("small")
    if isinstance(home, Path):
        await asyncio.to_thread(home.write_bytes, b"no database" * 100)
    else:
        async with transaction(home.url, home.name) as tx:
            await tx.run('ALTER TABLE "_audit" RENAME TO "lost"')


async def test_a_network_that_cannot_be_read_is_replaced_only_where_it_is_said(
    homes: Homes, company: str, clock: SetClock
) -> None:
    file = await back_up(homes, clock)
    await spoil(homes)
    said = await refusal(homes, "restore_network", clock, **{**PLAIN, "path": str(file), "replace": True})
    assert "would come back" in said
    assert not await exists(replaced(homes("small")))
    answer = await replace(homes, clock, file, unread=True)
    assert (answer["unread"], answer["erased_again"]) == (True, 0)
    assert await look(homes, "small", clock, companies) == ["Alba"]


async def test_what_was_set_aside_goes_after_a_month_or_with_its_network(
    homes: Homes, company: str, clock: SetClock
) -> None:
    file, aside = await back_up(homes, clock), replaced(homes("small"))
    networks = Networks(settings(homes), clock=clock, new_id=counting_ids(after=100), works=False)
    daily = Daily(networks)
    for _ in range(2):  # the second one takes the place of one that a backup took the place of long ago
        await replace(homes, clock, file)
        clock.forward(asides.KEPT)
        await daily.sweep()
        assert await exists(aside)
        clock.forward(timedelta(seconds=1))
    await daily.sweep()
    assert not await exists(aside)
    assert await look(homes, "small", clock, companies) == ["Alba"]
    await replace(homes, clock, file)
    assert await exists(aside)
    await told(homes, "delete_network", clock, network="small")
    assert not await exists(aside)
    await networks.close()


async def test_what_was_set_aside_stays_where_nobody_can_tell_since_when(
    homes: Homes, company: str, clock: SetClock
) -> None:
    file = await back_up(homes, clock)
    await replace(homes, clock, file)
    clock.forward(2 * asides.KEPT)
    await spoil(homes)
    networks = Networks(settings(homes), clock=clock, new_id=counting_ids(after=100), works=False)
    assert await asides.sweep(networks) == []
    assert await exists(replaced(homes("small")))
    await networks.close()
