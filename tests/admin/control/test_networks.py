"""Networks as wholes, on both databases: begun and not finished, deleted, moved away from under a server."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from admin.control.answers import RefusedError
from admin.control.client import ask
from admin.networks import Networks
from models.clock import SetClock
from models.database import Database
from models.ddl import quoted
from models.store import StoreBusyError, StoreClosedError
from models.stores import Schema, create_store, discard_unfinished, exists, open_store
from models.tenant import create_empty, create_tenant
from server import compose
from tests.homes import Homes
from tests.networks import SMALL, counting_ids

pytestmark = pytest.mark.anyio

LEADER = {"email": "claire@exemple.fr", "first_name": "Claire", "last_name": "Alba", "levels": ["leader"]}
MADE = {"name": "small", "files": dict(SMALL), "leader": LEADER}


async def told(homes: Homes, operation: str, **given: Any) -> Any:
    return await ask(homes.settings, operation, given, lambda *_: None)


async def refusal(homes: Homes, operation: str, **given: Any) -> str:
    with pytest.raises(RefusedError) as refused:
        await told(homes, operation, **given)
    return str(refused.value)


async def broken_off(homes: Homes, *, early: bool) -> None:
    """Leave what a creation leaves that dies before its first version: its store (`early`), or the system's tables."""
    made = await create_store(homes("small")) if early else (await create_empty(homes("small"), "small")).store
    await made.close()
    assert await exists(homes("small"))


@pytest.mark.parametrize("early", [True, False])
async def test_a_network_whose_making_was_broken_off_is_made_anew(homes: Homes, *, early: bool) -> None:
    await broken_off(homes, early=early)
    assert (await told(homes, "create_network", **MADE))["version"] == 1
    assert "There is a network 'small' already." in await refusal(homes, "create_network", **MADE)


@pytest.mark.parametrize("early", [True, False])
async def test_a_network_whose_making_was_broken_off_is_deleted(homes: Homes, *, early: bool) -> None:
    await broken_off(homes, early=early)
    assert await told(homes, "delete_network", network="small") == {"name": "small"}
    assert not await exists(homes("small"))
    assert "There is no network 'small'" in await refusal(homes, "delete_network", network="small")


async def test_what_has_a_version_is_never_taken_for_unfinished(homes: Homes, clock: SetClock) -> None:
    tenant = await create_tenant(homes("small"), "small", files=SMALL, clock=clock)
    if homes.dialect == "sqlite":
        with pytest.raises(StoreBusyError):
            await discard_unfinished(homes("small"))
    await tenant.close()
    assert await discard_unfinished(homes("small")) is False
    assert await discard_unfinished(homes("other")) is False
    await (await open_store(homes("small"))).close()


async def test_a_schema_of_somebody_else_is_no_network_and_is_left_alone(homes: Homes, clock: SetClock) -> None:
    home = homes("books")
    if not isinstance(home, Schema):
        home.write_bytes(b"not ours" * 200)
        assert await discard_unfinished(home) is False
        assert home.read_bytes() == b"not ours" * 200
        return
    database = await Database.lease(home.url)
    async with database.connection() as connection:
        await connection.execute(f"CREATE SCHEMA {quoted(home.name)}; CREATE TABLE {quoted(home.name)}.book (id int)")
    networks = Networks(homes.settings, clock=clock, new_id=counting_ids(), works=False)
    assert await networks.get("books") is None
    assert await discard_unfinished(home) is False
    await refusal(homes, "delete_network", network="books")
    assert "already" in await refusal(homes, "create_network", **{**MADE, "name": "books"})
    async with database.connection() as connection:
        tables = await connection.fetch("SELECT relname FROM pg_class WHERE relnamespace = $1::regnamespace", home.name)
    assert [row[0] for row in tables] == ["book"]
    await networks.close()
    await database.release()


async def test_a_network_that_is_damaged_can_be_deleted(homes: Homes, clock: SetClock) -> None:
    tenant = await create_tenant(homes("small"), "small", files=SMALL, clock=clock)
    await tenant.store.write(lambda tx: tx.run('UPDATE "_definition" SET "files" = ?', ['{"a.yaml": "nonsense"}']))
    await tenant.close()
    assert "already" in await refusal(homes, "create_network", **MADE)
    assert await told(homes, "delete_network", network="small") == {"name": "small"}
    assert not await exists(homes("small"))


async def test_a_name_that_the_database_cannot_have_is_refused(homes: Homes) -> None:
    long = {**MADE, "name": "a" * 63}
    if homes.dialect == "postgres":
        assert "cannot have a network" in await refusal(homes, "create_network", **long)
    else:
        assert (await told(homes, "create_network", **long))["version"] == 1
    assert "no network" in await refusal(homes, "delete_network", network="b" * 63)


async def test_a_network_is_moved_while_a_server_works_in_it(homes: Homes, clock: SetClock) -> None:
    app = compose(homes.settings, clock=clock, new_id=counting_ids())
    async with app.router.lifespan_context(app):
        networks: Networks = app.state.networks
        for name in ("small", "other"):
            await networks.create(name, SMALL)
        small, other = await networks.get("small"), await networks.get("other")
        to = {"to": str(homes.folder / "else"), "prefix": "", "remove": True}
        moved = await told(homes, "move_network", network="small", **to)
        assert moved["aside"] is None
        assert {each["table"]: each["rows"] for each in moved["tables"]}["_definition"] == 1
        assert small is not None
        with pytest.raises(StoreClosedError):
            await small.store.read(lambda tx: tx.rows("SELECT 1"))
        assert await networks.get("small") is None
        assert await networks.get("other") is other
    assert (homes.folder / "else" / "small.sqlite").is_file()
    assert "no network 'small'" in await refusal(homes, "move_network", network="small", **to)


async def test_who_asks_for_a_network_that_is_worked_on_as_a_whole_is_told(homes: Homes, clock: SetClock) -> None:
    networks = Networks(homes.settings, clock=clock, new_id=counting_ids(), works=False)
    for name in ("small", "other"):
        await networks.create(name, SMALL)
    async with networks.apart("small"):
        async with asyncio.timeout(10):
            assert await networks.get("other") is not None
            for asked in (networks.get("small"), networks.create("small", SMALL), networks.remove("small")):
                with pytest.raises(StoreBusyError, match="worked on as a whole"):
                    await asked
    assert await networks.get("small") is not None
    await networks.close()
