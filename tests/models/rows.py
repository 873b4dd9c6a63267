"""Rows put into and read from a network's tables directly, below every rule."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from models.catalog import columns_of_tables
from models.connections import fold
from models.ddl import listed
from models.tenant import Tenant
from models.tx import Row, Tx


async def insert(tenant: Tenant, entity: str, **values: Any) -> str:
    """Insert a record of these values of memory (the system fields are made up) and return its id."""
    published, now = tenant.published, tenant.clock.now()
    table = published.tables[entity]
    record: dict[str, Any] = {
        "id": tenant.new_id(),
        "created_at": now,
        "updated_at": now,
        "version": 1,
        **{field.name: field.default.literal for field in table.entity.fields.values() if field.default},
        **{name: published.network.processes[name].initial for name in table.entity.processes},
        **{f"_fold_{name}": fold(text) for name, text in values.items() if f"_fold_{name}" in table.columns},
        **values,
    }
    stored = [table.encode(name, value) for name, value in record.items()]
    places = ", ".join("?" * len(stored))

    async def work(tx: Tx) -> None:
        await tx.run(f"INSERT INTO {table.quoted} ({listed(record)}) VALUES ({places})", stored)  # noqa: S608 - quoted names

    await tenant.store.write(work)
    return str(record["id"])


async def records(tenant: Tenant, entity: str) -> list[dict[str, Any]]:
    """Return all records of an entity, oldest first, as values of memory."""
    table = tenant.published.tables[entity]
    rows = await select(tenant, f"SELECT {listed(table.columns)} FROM {table.quoted} ORDER BY id")  # noqa: S608 - quoted names
    return [table.decode(row) for row in rows]


async def column(tenant: Tenant, entity: str, name: str) -> list[Any]:
    """Return one value of all records of an entity, oldest first."""
    return [record[name] for record in await records(tenant, entity)]


async def select(tenant: Tenant, sql: str, values: Sequence[Any] = ()) -> list[Row]:
    """Return the rows of a query."""

    async def work(tx: Tx) -> list[Row]:
        return await tx.rows(sql, values)

    return await tenant.store.read(work)


async def execute(tenant: Tenant, sql: str, values: Sequence[Any] = ()) -> None:
    """Run one statement."""

    async def work(tx: Tx) -> None:
        await tx.run(sql, values)

    await tenant.store.write(work)


async def schema(tenant: Tenant) -> dict[str, set[str]]:
    """Return the columns of every table of an entity, as the database has them."""
    found = await tenant.store.read(columns_of_tables)
    return {name: columns for name, columns in found.items() if not name.startswith("_")}
