"""What members close to the leader is not there for the leader, and for nobody else's rights."""

from __future__ import annotations

import re
from functools import partial

import pytest

from models.actor import SYSTEM
from models.clock import SetClock
from models.records import Records
from models.system import CLOSED
from models.tenant import create_tenant
from tests.homes import Homes
from tests.models.attempts import deleted, seen, tried, updated
from tests.models.office import OFFICE, Office, Recorded, fill
from tests.networks import counting_ids

pytestmark = pytest.mark.anyio


async def close(office: Office, name: str) -> None:
    """Let a member close the own data to the leader."""
    row = (office.ids[name], "2026-03-02 11:00:00.000000+00:00")
    await office.tenant.store.write(lambda tx: tx.run(CLOSED.insert(), row))


@pytest.mark.parametrize("levels", [("leader",), ("leader", "own")], ids="+".join)
async def test_what_a_member_closes_is_not_there_for_the_leader(office: Office, levels: tuple[str, ...]) -> None:
    closed, open_, own = [await office.lead(owner, owner) for owner in ("ann", "dan", "root")]
    root = await office.actor("root", *levels)
    await close(office, "ann")
    await close(office, "root")
    assert await seen(office, root) == {"dan", "root"}
    for lead, came in ((closed, "absent"), (open_, "done"), (own, "done")):
        assert await tried(office, root, partial(updated, lead)) == came
        assert await tried(office, root, partial(deleted, lead)) == came
    given = {"first_name": "New", "owner": office.ids["ann"]}
    assert await tried(office, root, lambda records: records.create("lead", given)) == "refused"
    assert await office.read(root, lambda records: records.labels("lead", [closed])) == {}
    assert await tried(office, root, lambda records: records.update("member", office.ids["ann"], 1, {"city": 1})) == (
        "invalid ['city']"
    )


async def test_closing_the_own_data_closes_it_to_no_other_level(office: Office) -> None:
    lead = await office.lead("bob")
    await close(office, "bob")
    for name, *levels in (("bob", "own"), ("ann", "branch"), ("root", "all_rows", "leader")):
        actor = await office.actor(name, *levels)
        assert (await office.read(actor, lambda records: records.get("lead", lead))).id == lead


async def test_a_declared_leader_is_shut_out_too_and_of_moves(homes: Homes, clock: SetClock) -> None:
    pack = {**OFFICE, "leader.yaml": "level: leader\nentities: {lead: {read: all, update: all}}\n"}
    tenant = await create_tenant(homes("led"), "led", files=pack, clock=clock, new_id=counting_ids())
    office = await fill(tenant)
    closed, seen_ = await office.lead("ann"), await office.lead("dan")
    await close(office, "ann")
    root = await office.actor("root", "leader")
    found = await office.read(root, lambda records: records.list("lead"))
    assert [record.id for record in found.records] == [seen_]
    record = await office.read(SYSTEM, lambda records: records.get("lead", closed))
    assert not await office.read(root, lambda records: records.may_move(record, "recruiting", "sign"))
    assert await office.read(root, lambda records: records.may_move(found.records[0], "recruiting", "sign"))
    await tenant.close()


async def test_who_has_closed_is_looked_up_by_key(office: Office) -> None:
    root = await office.actor("root", "leader")

    async def plan(records: Records) -> str:
        recorded = Recorded(records.tx)
        await office.records(recorded, root).list("lead")
        explain = "EXPLAIN QUERY PLAN " if records.tx.dialect == "sqlite" else "EXPLAIN "
        if records.tx.dialect == "postgres":
            await records.tx.run("SET LOCAL enable_seqscan = off")
        rows = await records.tx.rows(explain + recorded.statements[0], (root.id, 51))
        return " ".join(str(part) for row in rows for part in row)

    told = await office.write(SYSTEM, plan)
    assert re.search(r"SEARCH record_c USING COVERING INDEX|hashed SubPlan|Scan using _closed_pkey", told), told


async def test_only_who_is_shut_out_of_nothing_reads_everything(office: Office) -> None:
    root, own = await office.actor("root", "leader"), await office.actor("ann", "own")
    assert await office.read(root, lambda records: records.reads_everything())
    assert await office.read(SYSTEM, lambda records: records.reads_everything())
    assert not await office.read(own, lambda records: records.reads_everything())
    await close(office, "ann")
    assert not await office.read(root, lambda records: records.reads_everything())
    assert await office.read(SYSTEM, lambda records: records.reads_everything())
