"""A record that a transaction has read is changed without being read again."""

from __future__ import annotations

import pytest

from models.actor import SYSTEM
from models.errors import ConflictError, RefusedError
from models.record import Change
from models.records import Records
from tests.models.office import Office

pytestmark = pytest.mark.anyio


async def test_the_system_changes_what_was_read_through_other_eyes(office: Office) -> None:
    lead = await office.lead("ann", calls=3)
    ann = await office.actor("ann", "own")

    async def work(records: Records) -> Change:
        return await records.system.rewrite(await records.get("lead", lead), {"calls": 4})

    change = await office.write(ann, work)
    assert (change.before.full["calls"], change.after.full["calls"], change.fields) == (3, 4, ("calls",))
    assert (await office.read(SYSTEM, lambda records: records.get("lead", lead))).values["calls"] == 4


async def test_what_was_read_too_long_ago_is_a_conflict(office: Office) -> None:
    lead = await office.lead("ann")
    old = await office.read(SYSTEM, lambda records: records.get("lead", lead))
    await office.write(SYSTEM, lambda records: records.update("lead", lead, None, {"calls": 1}))
    with pytest.raises(ConflictError):
        await office.write(SYSTEM, lambda records: records.rewrite(old, {"calls": 2}))


async def test_nobody_else_goes_around_the_rules_with_it(office: Office) -> None:
    lead = await office.lead("ann")
    ann = await office.actor("ann", "own")
    read = await office.read(ann, lambda records: records.get("lead", lead))
    with pytest.raises(RefusedError):
        await office.write(ann, lambda records: records.rewrite(read, {"calls": 2}))
