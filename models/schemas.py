"""Schemas of a PostgreSQL database: made, listed, renamed and dropped, and opened as stores of networks."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import asyncpg  # type: ignore[import-untyped] # it has no types

from models.address import Address
from models.catalog import columns_of_tables
from models.database import Database
from models.ddl import quoted
from models.message import say
from models.postgres import PostgresStore, lane
from models.postgres_tx import PostgresTx
from models.store import StoreError

if TYPE_CHECKING:
    from models.database import Connection
    from models.tx import Tx

FOLD = (
    r"regexp_replace(normalize({0}(normalize($1, NFKD) COLLATE {1}), NFKD), '[\u0300-\u036f]', '', 'g')",
    {18: ("casefold", "pg_catalog.pg_unicode_fast"), 17: ("lower", "pg_catalog.pg_c_utf8"), 0: ("lower", '"default"')},
)
"""`maille_fold` for texts that have no folded column; by PostgreSQL's version, what comes nearest to ours."""

_OWN = """
CREATE TABLE "_lock" ("bucket" INTEGER PRIMARY KEY, "taken" BIGINT NOT NULL) WITH (fillfactor = 50);
CREATE FUNCTION maille_fold(text) RETURNS text LANGUAGE sql IMMUTABLE STRICT RETURN {fold};
CREATE FUNCTION "_expect"(wanted bigint) RETURNS void LANGUAGE plpgsql AS $$
  BEGIN
    IF wanted IS DISTINCT FROM (SELECT max("version") FROM "_definition") THEN
      RAISE EXCEPTION USING ERRCODE = 'MA001', MESSAGE = 'Another version of the definitions is current.';
    END IF;
  END $$
"""
"""What each schema has beside its tables."""
_OURS = """
SELECT 1 FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = $1 AND p.proname = '_expect'
"""
"""Whether a schema was made by us."""


async def open_schema(address: Address, schema: str, *, create: bool = False) -> PostgresStore:
    """Open the network in a schema: `LookupError` without one. `create` makes it: `StoreError` when it is there."""
    database = await Database.lease(address)
    try:
        async with database.connection() as connection:
            await (_create if create else _find)(connection, schema)
    except BaseException:
        await database.release()
        raise
    return PostgresStore(database, schema)


async def _find(connection: Connection, schema: str) -> None:
    if await connection.fetchval(_OURS, schema) is None:  # a schema of somebody else is no network
        raise LookupError(schema)


async def _create(connection: Connection, schema: str) -> None:
    """Make an empty schema with what each one has on PostgreSQL beside its tables."""
    major = connection.get_server_version().major
    pattern, ways = FOLD
    fold = pattern.format(*next(way for least, way in ways.items() if major >= least))
    path = f"SET LOCAL search_path TO {quoted(schema)}"
    try:
        async with connection.transaction():  # a schema that is there has all of it, so that ours are known
            await connection.execute(f"CREATE SCHEMA {quoted(schema)}; {path}; {_OWN.replace('{fold}', fold)}")
    except (asyncpg.DuplicateSchemaError, asyncpg.ReservedNameError) as error:
        raise StoreError(
            say("The database has a schema {schema} already, or cannot have one.", schema=schema)
        ) from error


async def schemas(address: Address) -> list[str]:
    """Return the names of the networks in a database, sorted."""
    database = await Database.lease(address)
    try:
        async with database.connection() as connection:
            rows = await connection.fetch(
                "SELECT nspname FROM pg_namespace n JOIN pg_class c ON c.relnamespace = n.oid "
                "WHERE c.relname = '_definition' AND nspname NOT LIKE '%.%' ORDER BY nspname COLLATE \"C\""
            )
            return [row[0] for row in rows]
    finally:
        await database.release()


async def schemas_like(address: Address, begin: str) -> list[str]:
    """Return the names of the schemas that begin so, or so behind a dot."""
    database = await Database.lease(address)
    try:
        async with database.connection() as connection:
            rows = await connection.fetch(
                "SELECT nspname FROM pg_namespace WHERE starts_with(nspname, $1) OR starts_with(nspname, '.' || $1)",
                begin,
            )
            return [row[0] for row in rows]
    finally:
        await database.release()


async def has_schema(address: Address, schema: str) -> bool:
    """Whether there is such a schema."""
    database = await Database.lease(address)
    try:
        async with database.connection() as connection:
            return await connection.fetchval("SELECT 1 FROM pg_namespace WHERE nspname = $1", schema) is not None
    finally:
        await database.release()


async def drop_schema(address: Address, schema: str) -> None:
    """Remove a network with everything in it; one that is not there is fine."""
    database = await Database.lease(address)
    try:
        async with database.connection() as connection:
            await connection.execute(f"DROP SCHEMA IF EXISTS {quoted(schema)} CASCADE")
    finally:
        await database.release()


async def drop_unfinished(address: Address, schema: str) -> bool:
    """Remove a schema of ours in which nothing was ever published; return whether there was one.

    Whoever is publishing the first version just now is waited for, and then it is not removed.
    """
    if not await has_schema(address, schema):
        return False
    database = await Database.lease(address)
    try:
        async with database.connection() as connection:
            await connection.execute("SELECT pg_advisory_xact_lock($1)", lane(schema))
            if await connection.fetchval(_OURS, schema) is None:
                return False
            definitions = f'{quoted(schema)}."_definition"'
            if await connection.fetchval("SELECT to_regclass($1)", definitions) is not None:
                await connection.execute(f"LOCK TABLE {definitions} IN ACCESS EXCLUSIVE MODE")
                if await connection.fetchval(f"SELECT count(*) FROM {definitions}"):  # noqa: S608 - quoted names
                    return False
            await connection.execute(f"DROP SCHEMA {quoted(schema)} CASCADE")
    finally:
        await database.release()
    return True


async def rename_schema(address: Address, schema: str, name: str) -> None:
    """Give a network another name, once what is under way in it has ended; who has it open finds it gone."""
    async with transaction(address, schema) as tx:
        if "_definition" in await columns_of_tables(tx):
            await tx.run('LOCK TABLE "_definition" IN ACCESS EXCLUSIVE MODE')
        await tx.run(f"ALTER SCHEMA {quoted(schema)} RENAME TO {quoted(name)}")


async def replace_schema(
    address: Address, schema: str, by: str, aside: str, last: Callable[[Tx], Awaitable[None]]
) -> None:
    """Let a schema take the place of another one, which gets the name `aside`, once what is under way in it has ended.

    It is one commit: whoever asks finds the one or the other. `last` is done before, when nobody writes there any more;
    the transaction that it is given sees all that was committed.
    """
    made = await _has_definitions(
        address, schema
    )  # asked elsewhere: the first look of the transaction is behind the lock
    async with transaction(address, schema) as tx:
        if made:
            await tx.run('LOCK TABLE "_definition" IN ACCESS EXCLUSIVE MODE')
        await last(tx)
        await tx.run(f"ALTER SCHEMA {quoted(schema)} RENAME TO {quoted(aside)}")
        await tx.run(f"ALTER SCHEMA {quoted(by)} RENAME TO {quoted(schema)}")


async def _has_definitions(address: Address, schema: str) -> bool:
    async with transaction(address, schema) as tx:
        return "_definition" in await columns_of_tables(tx)


@asynccontextmanager
async def transaction(address: Address, schema: str, *, create: bool = False) -> AsyncIterator[PostgresTx]:
    """Be alone in a schema in one transaction over whatever its definitions are; `create` makes the schema first."""
    database = await Database.lease(address)
    try:
        async with database.connection() as connection:
            await (_create if create else _find)(connection, schema)
        async with database.connection("repeatable_read") as connection:
            await connection.execute(f"SET LOCAL search_path TO {quoted(schema)}")
            yield PostgresTx(connection, f"{schema} {secrets.token_hex(4)}.", changes_tables=True)
    finally:
        await database.release()
