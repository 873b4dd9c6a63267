from __future__ import annotations

import re
from contextlib import suppress
from typing import Any

import anyio
import pytest

from models.actor import SYSTEM
from models.errors import InvalidError
from models.members import create_member, downline, load_actor, members_of_level, move_branch
from models.records import Records
from models.tx import Tx
from tests.models.office import Office

pytestmark = pytest.mark.anyio


async def path(office: Office, name: str) -> str:
    member = await office.read(SYSTEM, lambda records: records.get("member", office.ids[name]))
    ids = {identifier: known for known, identifier in office.ids.items()}
    return "/".join(ids[part] for part in member["_path"].strip("/").split("/"))


async def test_a_path_is_the_line_of_sponsors(office: Office) -> None:
    assert await path(office, "root") == "root"
    assert await path(office, "cid") == "root/ann/bob/cid"


async def test_a_branch_moves_with_everybody_below(office: Office) -> None:
    await office.write(SYSTEM, lambda records: move_branch(records, office.ids["bob"], office.ids["dan"]))
    assert await path(office, "cid") == "root/dan/bob/cid"
    assert await office.tenant.store.read(lambda tx: downline(tx, office.ids["ann"])) == []
    assert await office.tenant.store.read(lambda tx: downline(tx, office.ids["dan"])) == [
        office.ids["bob"],
        office.ids["cid"],
    ]
    await office.write(SYSTEM, lambda records: move_branch(records, office.ids["bob"], None))
    assert await path(office, "cid") == "bob/cid"


@pytest.mark.parametrize("sponsor", ["ann", "bob", "cid"])
async def test_nobody_stands_below_itself(office: Office, sponsor: str) -> None:
    with pytest.raises(InvalidError) as refused:
        await office.write(SYSTEM, lambda records: move_branch(records, office.ids["ann"], office.ids[sponsor]))
    assert list(refused.value.fields) == ["sponsor"]
    assert await path(office, "cid") == "root/ann/bob/cid"


async def test_rights_follow_a_moved_branch(office: Office) -> None:
    await office.lead("cid")
    dan = await office.actor("dan", "branch")
    assert await office.read(dan, lambda records: records.count("lead")) == 0
    await office.write(SYSTEM, lambda records: move_branch(records, office.ids["bob"], office.ids["dan"]))
    assert await office.read(dan, lambda records: records.count("lead")) == 1


async def test_an_actor_is_an_active_member_with_its_levels_and_language(office: Office) -> None:
    async def work(records: Records) -> list[Any]:
        gone = {"first_name": "Eve", "last_name": "D", "email": "eve@example.com", "active": False}
        eve = await create_member(records, gone)
        names = (office.ids["ann"], eve, "no-such-id")
        return [await load_actor(records.published, records.tx, name, ip="192.0.2.7") for name in names]

    ann, eve, nobody = await office.write(SYSTEM, work)
    assert (ann.kind, ann.levels, ann.language, ann.ip) == ("member", ("own",), "fr", "192.0.2.7")
    assert ann.member["name"] == "Ann Durand"
    assert eve is nobody is None


async def test_the_members_of_a_level_are_found(office: Office) -> None:
    assert await office.tenant.store.read(lambda tx: members_of_level(tx, "leader")) == [office.ids["root"]]
    assert len(await office.tenant.store.read(lambda tx: members_of_level(tx, "own"))) == 4


async def test_an_email_is_one_members_only(office: Office) -> None:
    twin = {"first_name": "Ann", "last_name": "Two", "email": "ann@example.com"}
    with pytest.raises(InvalidError) as refused:
        await office.write(SYSTEM, lambda records: create_member(records, twin))
    assert {name: str(message) for name, message in refused.value.fields.items()} == {"email": "This is taken already."}


async def test_a_branch_is_found_by_index_not_by_reading_the_tree(office: Office) -> None:
    """The plan of the downline on a tree of 1,500 members: a range of the index of paths, on either database."""

    async def work(tx: Tx) -> str:
        columns = '"id", "first_name", "last_name", "email", "active", "created_at", "updated_at", "version", "_path"'
        created = '(SELECT "created_at" FROM "member" LIMIT 1)'
        row = f'INSERT INTO "member" ({columns}) VALUES (?, ?, ?, ?, ?, {created}, {created}, 1, ?)'  # noqa: S608 - names of the test
        paths = [f"/m{n % 30:04d}/m{n:04d}/" for n in range(1500)]
        active = True if tx.dialect == "postgres" else 1
        rows = [(f"m{n:04d}", "A", "B", f"m{n:04d}@example.com", active, path) for n, path in enumerate(paths)]
        await tx.run_many(row, rows)
        if tx.dialect == "postgres":
            await tx.run('ANALYZE "member"')
        explain = "EXPLAIN QUERY PLAN " if tx.dialect == "sqlite" else "EXPLAIN "
        sql = 'SELECT "id" FROM "member" WHERE "_path" > ? AND "_path" < ? ORDER BY "_path"'
        found = await tx.rows(explain + sql, ("/m0007/", "/m00070"))
        return " ".join(str(part) for row in found for part in row)

    told = await office.tenant.store.write(work)
    assert re.search(r"SEARCH member USING .*INDEX|Index (Only )?Scan|Bitmap Index Scan", told), told
    assert "Seq Scan" not in told


async def test_branches_that_move_at_once_leave_a_tree(office: Office) -> None:
    """Each of two branches wants to stand below the other, and a third one moves meanwhile."""

    async def moving(member: str, sponsor: str) -> None:
        with suppress(InvalidError):
            await office.write(SYSTEM, lambda records: move_branch(records, office.ids[member], office.ids[sponsor]))

    wanted = [("ann", "dan"), ("dan", "ann"), ("bob", "dan"), ("cid", "dan"), ("bob", "cid"), ("cid", "bob")]
    async with anyio.create_task_group() as group:
        for member, sponsor in wanted:
            group.start_soon(moving, member, sponsor)
    rows = await office.tenant.store.read(lambda tx: tx.rows('SELECT "id", "sponsor", "_path" FROM "member"'))
    paths = {row[0]: row[2] for row in rows}
    for member, sponsor, path in rows:
        assert path == f"{paths[sponsor] if sponsor else '/'}{member}/"
