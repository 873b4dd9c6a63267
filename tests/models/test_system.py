"""The system tables are those of the architecture's page, and grow with Maille."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from models.columns import INTEGER, MOMENT, TEXT
from models.store import ConstraintError
from models.stores import create_store
from models.system import (
    ACCEPTANCE,
    DEFINITION,
    OUTBOX,
    SYSTEM_TABLES,
    ensure_system_tables,
    lacks_system_tables,
    piccolo_tables,
)
from models.tables import attribute
from models.tx import Tx
from tests.homes import Homes

NOW = "2026-03-02 11:00:00.000000+00:00"
ARCHITECTURE = Path(__file__).parents[2] / "docs" / "architecture.md"


def documented() -> dict[str, tuple[str, ...]]:
    text = ARCHITECTURE.read_text("utf-8").split("System tables (")[1]
    found = re.findall(r"`(_[a-z_]+)\(([a-z_,\s]+)\)`", text)
    return {name: tuple(column.strip() for column in columns.split(",")) for name, columns in found}


def test_they_have_the_columns_that_are_documented() -> None:
    assert {name: table.columns for name, table in SYSTEM_TABLES.items()} == documented()


def test_their_columns_say_what_they_hold() -> None:
    assert OUTBOX.codec("run_at") is MOMENT
    assert OUTBOX.codec("attempts") is INTEGER
    assert ACCEPTANCE.codec("version") is TEXT
    assert DEFINITION.codec("version") is INTEGER


@pytest.mark.anyio
async def test_they_are_made_once_and_get_new_columns(homes: Homes) -> None:
    store = await create_store(homes("net"))

    async def older(tx: Tx) -> None:
        await tx.run("CREATE TABLE _setting (name TEXT PRIMARY KEY NOT NULL, value TEXT)")
        await tx.run("INSERT INTO _setting VALUES ('kept', '1')")

    await store.write(older, schema=True)
    assert await store.read(lacks_system_tables, any_version=True)
    await store.write(ensure_system_tables, schema=True)
    assert not await store.read(lacks_system_tables)
    await store.write(ensure_system_tables, schema=True)

    async def read(tx: Tx) -> object:
        return await tx.rows("SELECT name, value, changed_by FROM _setting")

    assert await store.read(read) == [("kept", "1", None)]
    await store.close()


@pytest.mark.anyio
async def test_a_unique_key_of_the_outbox_is_there_once(homes: Homes) -> None:
    store = await create_store(homes("net"))
    await store.write(ensure_system_tables, schema=True)
    columns = ("id", "kind", "payload", "run_at", "priority", "attempts", "max_attempts", "state", "created_at")

    async def twice(tx: Tx) -> None:
        for number in ("1", "2"):
            row = [number, "mail", "{}", NOW, 0, 0, 5, "ready", NOW, "tick"]
            await tx.run(OUTBOX.insert(*columns, "unique_key"), row)

    with pytest.raises(ConstraintError):
        await store.write(twice)
    await store.close()


@pytest.mark.anyio
async def test_piccolo_reads_them(homes: Homes) -> None:
    store = await create_store(homes("net"))
    await store.write(ensure_system_tables, schema=True)
    moment = datetime(2026, 3, 2, tzinfo=UTC)

    async def put(tx: Tx) -> None:
        await tx.run(DEFINITION.insert(), [1, moment, None, "hash", "{}", None, None])

    await store.write(put)
    table = piccolo_tables(store.engine)["_definition"]
    assert [column._meta.name for column in table._meta.columns] == [attribute(name) for name in DEFINITION.columns]
    row = (await table.select())[0]
    assert (row["at"], row["hash"]) == (moment, "hash")
    await store.close()
