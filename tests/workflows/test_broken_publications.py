"""A publication that ends between any two of its writes has not been: the old version runs on."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path
from typing import Any, cast

import pytest

from models.actor import SYSTEM
from models.sheets import sheets
from models.store import Store
from models.stores import Schema
from models.tenant import Tenant, open_tenant
from models.tx import Tx
from tests.homes import Homes
from tests.networks import edited
from tests.workflows.breaking import BreakingStore, BrokenOffError
from tests.workflows.conftest import MakeStage
from tests.workflows.test_automations import automation, staged
from workflows import commands, publishing

pytestmark = pytest.mark.anyio
ROOT = Path(__file__).resolve().parents[2]

BEFORE = automation("{created: lead}", "  - wait: {for: 1d}\n  - set: {city: Lyon}")
AFTER = edited(
    BEFORE,
    ("city: Lyon", "town: Paris"),
    ("automation: it", "automation: it\nruns: cancel"),
    ("  city:         {type: text, personal: contact}\n", "  town: {type: text, was: city, personal: contact}\n"),
    ("  rating:       {type: decimal, scale: 4}\n", "  rating: {type: text}\n"),
    ("  pause:        {type: duration}\n", ""),
    ("site: {fr: Site, en: Web site}", "web: {fr: Site, en: Web site, was: site}"),
    ("  lost:      {label:", "  gone: {was: lost, label:"),
    ("{from: any, to: lost", "{from: any, to: gone"),
    ("{from: lost,", "{from: gone,"),
    ("on_delete: clear", "on_delete: restrict"),
    ("entity: company\nlabel", "entity: firm\nwas: company\nlabel"),
    ("to: company,", "to: firm,"),
    ("  company: {read: all,", "  firm: {read: all,"),
) | {"note.yaml": "entity: note\nfields: {text: {type: text, unique: true}}\n"}
"""Nearly every kind of change at once, and runs that end with it."""


async def everything(tenant: Tenant) -> dict[str, Any]:
    """Return every row of a network but those that only say who looked."""

    async def work(tx: Tx) -> dict[str, Any]:
        found = sheets(tenant.published)
        return {sheet.name: [list(row) async for page in sheet.pages(tx) for row in page] for sheet in found}

    return await tenant.store.read(work)


async def test_whatever_it_broke_off_at_the_old_version_runs_on(make_stage: MakeStage) -> None:
    stage, lea = await staged(make_stage, BEFORE)
    tenant = stage.tenant
    await commands.create(tenant, SYSTEM, "company", {"name": "Alba"})
    lead = await stage.lead(lea, rating="4.5", source="site")
    await commands.move(tenant, lea, "lead", lead.id, "lose")
    await stage.worker.run_due()
    before, at = await everything(tenant), 0
    while await broken_off(tenant, at):
        assert tenant.published.version == 1
        assert await everything(tenant) == before
        at += 1
    assert at > 30
    assert tenant.published.version == 2
    assert await stage.rows("firm", "name") == [("Alba",)]
    assert await stage.rows("_run", "state") == [("cancelled",)]
    assert (await stage.get(lead)).full["recruiting"] == "gone"


async def broken_off(tenant: Tenant, at: int) -> bool:
    """Publish, breaking off at write number `at`; return False when there are not as many."""

    def end() -> None:
        raise BrokenOffError

    store = tenant.store
    tenant.store = cast("Store", BreakingStore(store, at, end))
    try:
        await publishing.publish(tenant, AFTER)
    except BrokenOffError:
        return True
    finally:
        tenant.store = store
    return False


@pytest.mark.slow
@pytest.mark.parametrize("at", [12, 30])
async def test_a_process_that_is_killed_in_the_middle_leaves_the_old_version(
    make_stage: MakeStage, homes: Homes, at: int
) -> None:
    stage, lea = await staged(make_stage, BEFORE)
    lead = await stage.lead(lea, city="Lyon")
    before = await everything(stage.tenant)
    await stage.tenant.close()
    home = homes("network0")
    where = [home.url, home.name] if isinstance(home, Schema) else [str(home), ""]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.workflows.publishing_to_death", *where, str(at), cwd=ROOT
    )
    async with asyncio.timeout(60):
        assert await process.wait() == -signal.SIGKILL
    tenant = await open_tenant(home, "small", clock=stage.clock)
    assert (tenant.published.version, await everything(tenant)) == (1, before)
    changed = await commands.update(tenant, SYSTEM, "lead", lead.id, None, {"city": "Paris"})
    assert changed.after.full["city"] == "Paris"
    await publishing.publish(tenant, AFTER)
    await tenant.close()
