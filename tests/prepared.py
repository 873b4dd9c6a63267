"""Networks that are made once a process and then put into the homes of tests as they were made.

On SQLite the file is copied. On PostgreSQL, where a hundred tables and indexes take longer than most tests, a schema
is lent: what was written to is emptied, new on the disk, and filled as at first for the next test, so that even the
order of rows is the same. A test that changed the tables of its schema, in whichever way, has it for itself: it is
dropped then, like those that were not lent.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from models.clock import Clock
from models.database import Database
from models.ddl import quoted
from models.stores import Home, Schema
from models.tenant import Tenant, create_empty, create_tenant, open_tenant
from tests.networks import counting_ids

if TYPE_CHECKING:
    from models.database import Connection

Fill = Callable[[Tenant], Awaitable[dict[str, str]]]
"""Puts first records into a network, and returns what tests know them by."""

KEPT = """
CREATE SCHEMA IF NOT EXISTS kept;
CREATE TABLE IF NOT EXISTS kept._touched (home oid, object oid, kind text);
CREATE TABLE IF NOT EXISTS kept._own (home oid, object oid, PRIMARY KEY (home, object));
CREATE TABLE IF NOT EXISTS kept._filled (home oid, relname name, xid text, PRIMARY KEY (home, relname));

CREATE OR REPLACE FUNCTION kept._touch() RETURNS event_trigger LANGUAGE plpgsql AS $$
BEGIN
  IF tg_event = 'sql_drop' THEN
    INSERT INTO kept._touched
      SELECT n.oid, d.objid, d.object_type FROM pg_event_trigger_dropped_objects() d
      JOIN pg_namespace n ON n.nspname = d.schema_name
      WHERE NOT d.is_temporary AND d.object_type <> 'trigger'; -- of references, which go with their tables
  ELSE
    INSERT INTO kept._touched
      SELECT n.oid, d.objid, d.object_type FROM pg_event_trigger_ddl_commands() d
      JOIN pg_namespace n ON n.nspname = d.schema_name;
  END IF;
END $$;

-- Keep what a schema is now: which tables and indexes it has, and the rows that are in them.
CREATE OR REPLACE FUNCTION kept._keep(home oid, name text, rows text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE relation record;
BEGIN
  SET LOCAL session_replication_role = replica;
  INSERT INTO kept._own SELECT home, c.oid FROM pg_class c WHERE c.relnamespace = home;
  DELETE FROM kept._touched t WHERE t.home = _keep.home;
  IF to_regnamespace(rows) IS NOT NULL THEN RETURN; END IF; -- another schema made the same way has them
  EXECUTE format('CREATE SCHEMA %I', rows);
  FOR relation IN SELECT c.oid, c.relname FROM pg_class c
    WHERE c.relnamespace = home AND c.relkind = 'r' AND pg_relation_size(c.oid) > 0
  LOOP
    EXECUTE format('CREATE TABLE %I.%I AS TABLE %I.%I', rows, relation.relname, name, relation.relname);
  END LOOP;
END $$;

-- Make a schema what it was when it was kept; false when its tables are no longer those.
CREATE OR REPLACE FUNCTION kept._restore(home oid, name text, rows text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  found text;
  relation record;
  changed text[] := '{}';
  untouched boolean;
  filled bigint;
BEGIN
  SET LOCAL session_replication_role = replica;
  SET LOCAL client_min_messages = warning;
  IF EXISTS (SELECT FROM kept._touched t WHERE t.home = _restore.home AND (t.kind NOT IN ('table', 'index', 'type',
      'table constraint', 'default value')
    OR EXISTS (SELECT FROM kept._own o WHERE o.home = t.home AND o.object = t.object)))
  THEN RETURN false; END IF;
  DELETE FROM kept._touched t WHERE t.home = _restore.home;
  SELECT string_agg(format('%I.%I', name, c.relname), ', ') INTO found FROM pg_class c
    WHERE c.relnamespace = home AND c.relkind = 'r'
    AND NOT EXISTS (SELECT FROM kept._own o WHERE o.home = _restore.home AND o.object = c.oid);
  IF found IS NOT NULL THEN EXECUTE 'DROP TABLE ' || found || ' CASCADE'; END IF;
  IF (SELECT count(*) FROM pg_class c WHERE c.relnamespace = home)
    <> (SELECT count(*) FROM kept._own o JOIN pg_class c ON c.oid = o.object WHERE o.home = _restore.home)
  THEN RETURN false; END IF;
  FOR relation IN SELECT c.relname, f.xid FROM pg_class c
    LEFT JOIN kept._filled f ON f.home = _restore.home AND f.relname = c.relname
    WHERE c.relnamespace = _restore.home AND c.relkind = 'r' AND pg_relation_size(c.oid) > 0
  LOOP
    untouched := false;
    IF relation.xid IS NOT NULL THEN
      EXECUTE format('SELECT count(*) = (SELECT count(*) FROM %I.%I) AND bool_and(xmin = %L::xid) FROM %I.%I',
        rows, relation.relname, relation.xid, name, relation.relname) INTO untouched;
    END IF;
    IF untouched IS NOT TRUE THEN changed := changed || format('%I.%I', name, relation.relname); END IF;
  END LOOP;
  IF changed <> '{}' THEN EXECUTE 'TRUNCATE ' || array_to_string(changed, ', ') || ' CASCADE'; END IF;
  FOR relation IN SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = rows AND c.relkind = 'r'
  LOOP
    EXECUTE format('INSERT INTO %I.%I SELECT * FROM %I.%I WHERE NOT EXISTS (SELECT FROM %I.%I)',
      name, relation.relname, rows, relation.relname, name, relation.relname);
    GET DIAGNOSTICS filled = ROW_COUNT;
    IF filled > 0 THEN
      INSERT INTO kept._filled VALUES (_restore.home, relation.relname, pg_current_xact_id()::xid::text)
        ON CONFLICT ON CONSTRAINT _filled_pkey DO UPDATE SET xid = excluded.xid;
    END IF;
  END LOOP;
  RETURN true;
END $$;

DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_event_trigger WHERE evtname = 'kept_altered') THEN
    CREATE EVENT TRIGGER kept_altered ON ddl_command_end EXECUTE FUNCTION kept._touch();
    CREATE EVENT TRIGGER kept_dropped ON sql_drop EXECUTE FUNCTION kept._touch();
  END IF;
END $$;
"""
"""What the tests' PostgreSQL has for it."""


@dataclass(frozen=True)
class Prepared:
    """A network in a home, which nobody has open: what `Fill` made, and how many ids are taken."""

    made: Mapping[str, str] = field(default_factory=dict)
    used: int = 0

    def new_ids(self) -> Callable[[], str]:
        """Return the source of ids that goes on where the making of the network ended."""
        return counting_ids(after=self.used)


@dataclass(frozen=True)
class _Copy:
    """A network as it was made: its file, or the schema that its rows are kept in."""

    prepared: Prepared
    file: bytes = b""
    rows: str = ""
    ready: list[str] = field(default_factory=list)


_COPIES: dict[str, _Copy] = {}
_LENT: dict[int, _Copy] = {}
"""By the number of the schema, which stays the same when it is renamed."""


async def prepare(
    home: Home, name: str, files: Mapping[str, str] | None, clock: Clock, fill: Fill | None = None
) -> Prepared:
    """Put a network of `files`, filled, into an empty home; without files it has no definitions."""
    place = "" if isinstance(home, Path) else home.url
    filled = "" if fill is None else f"{fill.__module__}.{fill.__qualname__}"
    key = json.dumps([place, name, files and dict(files), clock.now().isoformat(), filled], sort_keys=True)
    copy = _COPIES.get(key)
    if copy is None:
        prepared = await _make(home, name, files, clock, fill)
        _COPIES[key] = await _keep(home, prepared)
        return prepared
    if isinstance(home, Path):
        home.write_bytes(copy.file)
        return copy.prepared
    if copy.ready:
        await _lend(home, copy)
    else:
        await _make(home, name, files, clock, fill)
        await _adopt(home, copy)
    return copy.prepared


async def open_prepared(home: Home, name: str, files: Mapping[str, str], clock: Clock) -> Tenant:
    """Return a network of `files` in an empty home, opened; like `create_tenant`, whatever the files are."""
    await prepare(home, name, None, clock)
    tenant = await open_tenant(home, name, clock=clock, new_id=counting_ids())
    await tenant.publish(files)
    return tenant


async def _make(home: Home, name: str, files: Mapping[str, str] | None, clock: Clock, fill: Fill | None) -> Prepared:
    used = count()
    ids = counting_ids()

    def new_id() -> str:
        next(used)
        return ids()

    if files is None:
        tenant = await create_empty(home, name, clock=clock, new_id=new_id)
    else:
        tenant = await create_tenant(home, name, files=files, clock=clock, new_id=new_id)
    made = {} if fill is None else await fill(tenant)
    await tenant.close()
    return Prepared(made, next(used))


async def _keep(home: Home, prepared: Prepared) -> _Copy:
    if isinstance(home, Path):
        return _Copy(prepared, file=home.read_bytes())
    rows = f"kept_{home.name}"
    copy = _Copy(prepared, rows=rows)
    await _adopt(home, copy)
    return copy


async def _adopt(home: Schema, copy: _Copy) -> None:
    """Let a schema that was just made be lent again."""
    async with _connection(home) as connection:
        number = await connection.fetchval("SELECT oid FROM pg_namespace WHERE nspname = $1", home.name)
        await connection.execute("SELECT kept._keep($1, $2, $3)", number, home.name, copy.rows)
    _LENT[number] = copy


async def _lend(home: Schema, copy: _Copy) -> None:
    async with _connection(home) as connection:
        await connection.execute(f"ALTER SCHEMA {quoted(copy.ready.pop())} RENAME TO {quoted(home.name)}")


async def take_back(connection: Connection, number: int, schema: str) -> None:
    """Make a schema what it was before a test had it, for the next one; drop it when that cannot be."""
    copy = _LENT.get(number)
    if copy is not None and await connection.fetchval("SELECT kept._restore($1, $2, $3)", number, schema, copy.rows):
        ready = f"ready_{schema}"
        await connection.execute(f"ALTER SCHEMA {quoted(schema)} RENAME TO {quoted(ready)}")
        copy.ready.append(ready)
        return
    _LENT.pop(number, None)
    await connection.execute(f"DROP SCHEMA {quoted(schema)} CASCADE")


@asynccontextmanager
async def _connection(home: Schema) -> AsyncIterator[Connection]:
    database = await Database.lease(home.url)
    try:
        async with database.connection() as connection:
            yield connection
    finally:
        await database.release()
