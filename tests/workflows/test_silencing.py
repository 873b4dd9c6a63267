"""What is gone from the audit is explained, as long as the row stays that it was a part of."""

from __future__ import annotations

from datetime import timedelta

import pytest

from models import chain
from models.actor import SYSTEM
from models.house_rules import KEPT_CHANGES, KEPT_READS
from models.query import Query
from models.secrets import Vault
from tests.networks import SMALL, edited
from tests.workflows.conftest import MakeStage, Stage
from workflows import auditing, erasure, settings, silencing, upkeep
from workflows.unit import read, write

pytestmark = pytest.mark.anyio

KEPT = "retention: {after: =settings.lead_retention, since: last_activity_at, then: erase}"
SOON = "retention: {after: 100d, since: last_activity_at, warn: 14d, then: erase}"
PACK = edited(SMALL, (KEPT, SOON))
VAULT = Vault(lambda: (b"a secret of this installation",))


async def later(house: Stage, days: float) -> None:
    house.clock.forward(timedelta(days=days))
    await house.worker.run_due()


async def test_words_that_went_are_explained_for_as_long_as_the_reading_stays(make_stage: MakeStage) -> None:
    house = await make_stage(PACK)
    house.tenant.vault = VAULT
    lea, rita = await house.person("Lea", "distributor"), await house.person("Rita", "leader")
    await house.lead(lea, first_name="Zebulon")
    await settings.change(house.tenant, rita, {KEPT_READS: 24, KEPT_CHANGES: 12})
    await later(house, 90)
    await read(house.tenant, rita, lambda unit: unit.records.list("lead", Query(q="Zebulon")))
    await house.tenant.readings.flush()
    await later(house, 20)
    for months, left in ((0, 1), (13, 1), (13, 0)):
        await later(house, months * 31)
        await upkeep.purge(house.tenant)
        await auditing.seal(house.tenant)
        assert len(await house.rows("_audit", "id", where="\"kind\" = 'searched'")) == left
        assert (await chain.verify(house.tenant.store, VAULT)).why is None
    explaining = "\"kind\" = 'erased' AND \"entity\" = '_audit'"
    assert await house.rows("_audit", "id", where=explaining) == []


async def test_what_was_erased_and_not_sealed_yet_breaks_no_chain(make_stage: MakeStage) -> None:
    house = await make_stage(PACK)
    house.tenant.vault = VAULT
    lea, rita = await house.person("Lea", "distributor"), await house.person("Rita", "leader")
    lead = await house.lead(lea, first_name="Zebulon")
    await read(house.tenant, rita, lambda unit: unit.records.list("lead", Query(q="Zebulon")))
    await house.tenant.readings.flush()
    await auditing.seal(house.tenant)
    day = house.clock.now().date().isoformat()
    await write(house.tenant, SYSTEM, lambda unit: erasure.erase(unit, "lead", lead.id, {"why": "test"}))
    await write(house.tenant, SYSTEM, lambda unit: silencing.silence(unit, day, ""))
    assert await house.rows("_audit", "detail", where="\"kind\" = 'searched'") == [(None,)]
    for _ in range(2):
        assert (await chain.verify(house.tenant.store, VAULT)).why is None
        await auditing.seal(house.tenant)
