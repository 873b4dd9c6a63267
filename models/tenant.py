"""One open network: its store, its published definitions, its time and its ids."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
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
from models.contents import Contents
from models.errors import PublishedMeanwhileError
from models.message import say
from models.plan import Plan, plan
from models.published import Published, accepted, hash_files, make_published
from models.readings import Readings
from models.renames import renames
from models.sealed import Safe
from models.secrets import CLOSED, Vault
from models.settings import load_settings
from models.store import StaleError, Store, StoreError
from models.stores import Home, create_store, files_of, open_store, remove_store
from models.system import DEFINITION, ensure_system_tables, lacks_system_tables, release_leases
from models.turnstile import Turnstile
from models.tx import Tx

Files = Mapping[str, str]
Also = Callable[[Tx, Plan, Published], Awaitable[None]]
"""What else happens in the transaction of a publication, after its plan is carried out."""
VERSIONS = 8
"""Older versions that are kept ready, for runs that began with them."""
PATIENCE = 2.0
"""Seconds that a publication waits for requests under way; a slower one may meet the new version."""


def uuid7() -> str:
    """Return a new id: opaque, unguessable, later ones sort later."""
    return str(uuid_utils.uuid7())


class Tenant:
    """One open network. `published` is the current version (`LookupError` before the first one).

    `vault` seals what only the system may know; it has no key until who opened the network gives it the installation's.
    """

    def __init__(
        self, name: str, store: Store, *, clock: Clock, new_id: Callable[[], str], files: Path | None = None
    ) -> None:
        """Use `open_tenant` or `create_tenant`; `files` is the folder of what is uploaded."""
        self.name = name
        self.store = store
        self.clock = clock
        self.new_id = new_id
        self._current: Published | None = None
        self._versions: dict[int, Published] = {}
        self._publishing = asyncio.Lock()
        self._renewing = asyncio.Lock()
        self.turnstile = Turnstile()
        self.contents = Contents(files)
        self.readings = Readings(store, uuid7)
        self.vault: Vault = CLOSED
        self.safe = Safe(lambda: self.vault)

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
        self,
        files: Files,
        author: str | None = None,
        *,
        note: str = "",
        allow_loss: bool = False,
        base: int | None = None,
        also: Also | None = None,
    ) -> Published:
        """Check the definitions, change the tables, keep the version: all of it or nothing.

        `DefinitionError` carries every problem, those of the plan (what would lose data, unless `allow_loss`) included;
        the network then keeps its version. The same files as now are no new version. `base` is the version that the
        files were made for: `PublishedMeanwhileError` when it is not the current one. Requests that pass the turnstile
        see the old version or the new one, never both.
        """
        self.turnstile.step_out()
        async with self._publishing:
            self._based_on(base)
            loaded = await asyncio.to_thread(load, files)
            if loaded.network is None:
                raise DefinitionError(loaded.problems)
            digest = hash_files(loaded.files)
            while True:
                current = self._based_on(base)
                if self._current is not None and self._current.hash == digest:
                    return self._current
                fresh = self._made(current + 1, digest, loaded.network)
                row = [author, fresh.hash, json.dumps(dict(loaded.files)), note or None]
                try:
                    async with self.turnstile.held(PATIENCE):
                        await self._change(fresh, row, also, allow_loss=allow_loss)
                except StaleError:  # another process published meanwhile
                    await self._renew()
                    continue
                return fresh

    def _made(self, number: int, digest: str, network: Network) -> Published:
        return make_published(number, digest, network, self.store.engine, self.readings, self.safe)

    def _based_on(self, base: int | None) -> int:
        """Return the number of the current version; `PublishedMeanwhileError` when `base` is another one."""
        current = self._current.version if self._current else 0
        if base is not None and base != current:
            raise PublishedMeanwhileError(base, current)
        return current

    async def _change(self, fresh: Published, row: list[str | None], also: Also | None, *, allow_loss: bool) -> None:
        """Carry out the plan and keep the version, in one transaction.

        The next transaction finds the version current already: `published`, read inside of one, fits its tables.
        """
        now = self.clock.now()
        planned = plan(self._current.network if self._current else None, fresh.network)

        async def work(tx: Tx) -> None:
            await apply(tx, planned, fresh.context(now), allow_loss=allow_loss, safe=self.safe)
            named = renames(planned).dump()
            await tx.run(DEFINITION.insert(), [fresh.version, stored_datetime(now), *row, named])
            if also is not None:
                await also(tx, planned, fresh)

        def switch() -> None:
            self.take_up(fresh)

        await self.store.write(work, schema=True, then=switch)

    async def version(self, number: int) -> Published:
        """Return a version, the current one or one before it; `LookupError` when there is none with the number."""
        kept = self._versions.get(number)
        if kept is not None:
            return kept

        async def work(tx: Tx) -> tuple[str, str] | None:
            row = await tx.row('SELECT "hash", "files" FROM "_definition" WHERE "version" = ?', [number])
            return None if row is None else (row[0], row[1])

        row = await self.store.read(work, any_version=True)
        if row is None:
            raise LookupError(f"{self.name} has no version {number}.")
        digest, files = row
        found = await asyncio.to_thread(lambda: accepted(json.loads(files)))
        made = self._made(number, digest, found.network)
        return self._keep(replace(made, problems=found.problems))

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
        self.readings.follow(asyncio.get_running_loop())
        if await self.store.read(lacks_system_tables, any_version=True):
            await self.store.write(ensure_system_tables, schema=True)
        if self.store.dialect == "sqlite":
            await self.store.write(release_leases)
        await self._renew()

    def take_up(self, version: Published) -> None:
        """Let a version be the current one, unless a later one is already."""
        kept = self._keep(version)
        if self._current is None or kept.version > self._current.version:
            self._current = kept
        self.store.follow(self._current.version, self._renew)

    async def _renew(self) -> None:
        """Take up the version that is current in the store, whoever published it."""

        async def newest(tx: Tx) -> int | None:
            row = await tx.row('SELECT max("version") FROM "_definition"')
            return None if row is None else row[0]

        async with self._renewing:
            number = await self.store.read(newest, any_version=True)
            if number is not None and (self._current is None or number > self._current.version):
                self.take_up(await self.version(number))

    async def close(self) -> None:
        """Write down what waits for it, and close the store."""
        await self.readings.close()
        await self.store.close()


async def open_tenant(
    home: Home, name: str, *, clock: Clock | None = None, new_id: Callable[[], str] = uuid7
) -> Tenant:
    """Open a network: `LookupError` (`FileNotFoundError`) without one, `StoreBusyError` when a file is open."""
    return await _opened(home, await open_store(home), name, clock or SystemClock(), new_id)


async def create_tenant(
    home: Home,
    name: str,
    *,
    files: Files,
    author: str | None = None,
    clock: Clock | None = None,
    new_id: Callable[[], str] = uuid7,
) -> Tenant:
    """Make a network in a new store and publish its first version; nothing is left when that fails."""
    tenant = await create_empty(home, name, clock=clock, new_id=new_id)
    try:
        await tenant.publish(files, author)
    except BaseException:
        await tenant.close()
        await remove_store(home)
        raise
    return tenant


async def create_empty(
    home: Home, name: str, *, clock: Clock | None = None, new_id: Callable[[], str] = uuid7
) -> Tenant:
    """Make a network without definitions in a new store, or in a file that somebody left without them (a crash did)."""
    tenant = await _opened(home, await create_store(home), name, clock or SystemClock(), new_id)
    if tenant.has_definitions:
        await tenant.close()
        raise StoreError(say("There is a network at {place} already.", place=home))
    return tenant


async def _opened(home: Home, store: Store, name: str, clock: Clock, new_id: Callable[[], str]) -> Tenant:
    tenant = Tenant(name, store, clock=clock, new_id=new_id, files=files_of(home))
    try:
        await tenant.load()
    except BaseException:
        await store.close()
        raise
    return tenant
