"""One open network: its store, its published definitions, its time and its ids."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import uuid_utils

from definitions.expr.expression import Context
from definitions.pack import load
from definitions.problems import DefinitionError
from definitions.spec.network import Network
from models.apply import apply
from models.clock import Clock, SystemClock
from models.connections import stored_datetime
from models.plan import plan
from models.published import Published, hash_files, make_published
from models.settings import load_settings
from models.sqlite import SqliteStore
from models.store import Store, StoreError
from models.system import DEFINITION, ensure_system_tables, release_leases
from models.tx import Tx

Files = Mapping[str, str]
VERSIONS = 8
"""Older versions that are kept ready, for runs that began with them."""


def uuid7() -> str:
    """Return a new id: opaque, unguessable, later ones sort later."""
    return str(uuid_utils.uuid7())


class Tenant:
    """One open network. `published` is the current version (`LookupError` before the first one)."""

    def __init__(self, name: str, store: Store, *, clock: Clock, new_id: Callable[[], str]) -> None:
        """Use `open_tenant` or `create_tenant`."""
        self.name = name
        self.store = store
        self.clock = clock
        self.new_id = new_id
        self._current: Published | None = None
        self._versions: dict[int, Published] = {}
        self._publishing = asyncio.Lock()

    @property
    def published(self) -> Published:
        """The current version."""
        if self._current is None:
            raise LookupError(f"{self.name} has no definitions yet.")
        return self._current

    @property
    def has_definitions(self) -> bool:
        """Whether a version was published."""
        return self._current is not None

    @property
    def changed(self) -> asyncio.Event:
        """Set after each commit that touched rows."""
        return self.store.changed

    def context(self) -> Context:
        """Return what expressions take from outside the record, now."""
        return self.published.context(self.clock.now())

    async def settings(self, tx: Tx) -> dict[str, Any]:
        """Return the value of every setting of the network."""
        return await load_settings(tx, self.published.network)

    async def publish(
        self, files: Files, author: str | None = None, *, note: str = "", allow_loss: bool = False
    ) -> Published:
        """Check the definitions, change the tables, keep the version: all of it or nothing.

        `DefinitionError` carries every problem, those of the plan (what would lose data, unless `allow_loss`) included;
        the network then keeps its version. The same files as now are no new version.
        """
        async with self._publishing:
            loaded = await asyncio.to_thread(load, files)
            if loaded.network is None:
                raise DefinitionError(loaded.problems)
            digest = hash_files(loaded.files)
            if self._current is not None and self._current.hash == digest:
                return self._current
            version = self._current.version + 1 if self._current else 1
            fresh = make_published(version, digest, loaded.network, self.store.engine)
            await self._change(fresh, loaded.files, author, note, allow_loss=allow_loss)
            return fresh

    async def _change(self, fresh: Published, files: Files, author: str | None, note: str, *, allow_loss: bool) -> None:
        """Carry out the plan and keep the version, in one transaction.

        The next transaction finds the version current already: `published`, read inside of one, fits its tables.
        """
        now = self.clock.now()
        planned = plan(self._current.network if self._current else None, fresh.network)
        row = [fresh.version, stored_datetime(now), author, fresh.hash, json.dumps(dict(files)), note or None]

        async def work(tx: Tx) -> None:
            await apply(tx, planned, fresh.context(now), allow_loss=allow_loss)
            await tx.run(DEFINITION.insert(), row)

        def switch() -> None:
            self._current = self._keep(fresh)

        await self.store.write(work, schema=True, then=switch)

    async def version(self, number: int) -> Published:
        """Return a version, the current one or one before it; `LookupError` when there is none with the number."""
        kept = self._versions.get(number)
        if kept is not None:
            return kept

        async def work(tx: Tx) -> tuple[str, str] | None:
            row = await tx.row('SELECT "hash", "files" FROM "_definition" WHERE "version" = ?', [number])
            return None if row is None else (row[0], row[1])

        found = await self.store.read(work)
        if found is None:
            raise LookupError(f"{self.name} has no version {number}.")
        digest, files = found
        network = await asyncio.to_thread(_load, files)
        return self._keep(make_published(number, digest, network, self.store.engine))

    def _keep(self, version: Published) -> Published:
        """Keep a version ready, and drop the one that was made first of those that are not current."""
        kept = self._versions.setdefault(version.version, version)
        current = self._current.version if self._current else version.version
        while len(self._versions) > VERSIONS:
            oldest = next(number for number in self._versions if number not in (current, kept.version))
            del self._versions[oldest]
        return kept

    async def load(self) -> None:
        """Make what is in the store ready: system tables, and the current version where there is one."""
        await self.store.write(ensure_system_tables, schema=True)
        if self.store.dialect == "sqlite":
            await self.store.write(release_leases)

        async def newest(tx: Tx) -> int | None:
            row = await tx.row('SELECT max("version") FROM "_definition"')
            return None if row is None else row[0]

        number = await self.store.read(newest)
        if number is not None:
            self._current = await self.version(number)

    async def close(self) -> None:
        """Close the store."""
        await self.store.close()


def _load(files: str) -> Network:
    """Return the network of a version's files, which were checked when it was published."""
    loaded = load(json.loads(files))
    if loaded.network is None:
        raise DefinitionError(loaded.problems)
    return loaded.network


async def open_tenant(
    path: Path, name: str, *, clock: Clock | None = None, new_id: Callable[[], str] = uuid7
) -> Tenant:
    """Open the network in the file at `path`: `FileNotFoundError` without one, `StoreBusyError` when it is open."""
    if not await asyncio.to_thread(path.is_file):
        raise FileNotFoundError(f"There is no network at {path}.")
    return await _opened(path, name, clock or SystemClock(), new_id)


async def create_tenant(
    path: Path,
    name: str,
    *,
    files: Files,
    author: str | None = None,
    clock: Clock | None = None,
    new_id: Callable[[], str] = uuid7,
) -> Tenant:
    """Make a network in a new file and publish its first version; no file is left when that fails."""
    tenant = await create_empty(path, name, clock=clock, new_id=new_id)
    try:
        await tenant.publish(files, author)
    except BaseException:
        await tenant.close()
        await asyncio.to_thread(_remove, path)
        raise
    return tenant


async def create_empty(
    path: Path, name: str, *, clock: Clock | None = None, new_id: Callable[[], str] = uuid7
) -> Tenant:
    """Make a network without definitions in a new file, or in one that somebody left without them (a crash did)."""
    there = await asyncio.to_thread(path.exists)
    tenant = await _opened(path, name, clock or SystemClock(), new_id)
    if there and tenant.has_definitions:
        await tenant.close()
        raise StoreError(f"There is a network at {path} already.")
    return tenant


async def _opened(path: Path, name: str, clock: Clock, new_id: Callable[[], str]) -> Tenant:
    store = await _store(path)
    tenant = Tenant(name, store, clock=clock, new_id=new_id)
    try:
        await tenant.load()
    except BaseException:
        await store.close()
        raise
    return tenant


async def _store(path: Path) -> SqliteStore:
    """Open a store; when nobody waits for it any more, it does not stay open and locked."""
    opening = asyncio.ensure_future(asyncio.to_thread(SqliteStore, path))
    try:
        return await asyncio.shield(opening)
    except asyncio.CancelledError:
        with suppress(StoreError):
            await (await opening).close()
        raise


def _remove(path: Path) -> None:
    for suffix in ("", "-wal", "-shm", ".lock"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
