"""What becomes of a network that is made of a backup: looked at on trial, or settled so that it can go on.

Between the backup and now the world has gone on: mails were sent that the backup still owes, records were erased that
it still has, and versions were published that others remember.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from models import archive, chain
from models.actor import SYSTEM
from models.archive import Manifest, Progress, Source
from models.clock import Clock
from models.connections import stored_datetime
from models.errors import RefusedError
from models.message import say
from models.secrets import Vault
from models.stored import look
from models.stores import Home, clear, sweep_trials, trial
from models.system import DEFINITION
from models.tenant import Tenant, open_tenant
from models.tx import Tx
from workflows import auditing, erasure
from workflows.stored import dump_message, moment
from workflows.unit import Unit, write

OWED = say("It was waiting when the backup was made that this network comes from: it may have been sent since.")
WHY = {"cause": "restored"}
"""Why a record is erased once more."""
LONGEST = timedelta(days=2)
"""A trial that began so long ago is nobody's any more."""
UNDER_WAY = timedelta(hours=1)
"""What was begun so long before a backup may have been committed after it."""

_ERASED = """SELECT "entity", "record" FROM "_audit" WHERE "kind" = 'erased' AND "at" >= ? AND "entity" <> '_audit'
ORDER BY "at", "id" """
_NEWEST = 'SELECT max("version") FROM "_definition"'
_MAILS = """UPDATE "_mail" SET "state" = 'unknown', "error" = ? WHERE "state" IN ('waiting', 'sending')"""
_ROWS = """UPDATE "_outbox" SET "state" = 'cancelled', "done_at" = ?
WHERE "state" = 'ready' AND "kind" IN ('mail', 'sms')"""
_CURRENT = 'SELECT "hash", "files" FROM "_definition" ORDER BY "version" DESC LIMIT 1'


@dataclass(frozen=True, slots=True)
class Opening:
    """How networks are opened here: with which secrets, clock and ids."""

    vault: Vault
    clock: Clock
    new_id: Callable[[], str]

    async def open(self, home: Home, name: str) -> Tenant:
        """Open a network that nobody else has."""
        tenant = await open_tenant(home, name, clock=self.clock, new_id=self.new_id)
        tenant.vault = self.vault
        return tenant


@dataclass(frozen=True, slots=True)
class Tried:
    """A backup that was restored on trial: what it holds, and how many links of its audit hold.

    `sealed_here`: this installation opens what is sealed in it. `broken` says where its audit does not hold.
    """

    manifest: Manifest
    links: int
    sealed_here: bool
    broken: chain.Verdict | None


async def try_out(source: Source, home: Home, opening: Opening, progress: Progress) -> Tried:
    """Restore an archive beside `home`, compare all there is to compare, and leave nothing of it.

    `ArchiveError` when it is not what was written, `DefinitionError` when its definitions are not understood.
    """
    now = opening.clock.now()
    await sweep_trials(home, now - LONGEST)
    beside = trial(home, now, opening.new_id().replace("-", ""))
    try:
        manifest = await archive.restore(source, beside, archive.read_manifest(source).network, progress=progress)
        tenant = await opening.open(beside, manifest.network)
        try:
            return await _audited(tenant, manifest, progress)
        finally:
            await tenant.close()
    finally:
        await clear(beside)


async def _audited(tenant: Tenant, manifest: Manifest, progress: Progress) -> Tried:
    ours = tenant.vault.has(manifest.key)
    if not ours:  # its links have the marks of another secret, and have to follow from each other all the same
        await auditing.imported(tenant, manifest.network)
        await auditing.seal(tenant)
    found = await chain.verify(tenant.store, tenant.vault, progress=progress)
    return Tried(manifest, found.rows - (not ours), ours, None if found.broken is None else found)


@dataclass(frozen=True, slots=True)
class Since:
    """What happened in a network since a moment: the records (entity, id) that were erased, and its newest version.

    Some that were erased shortly before may be among them: whoever erases them once more finds nothing.
    """

    erased: tuple[tuple[str, str], ...] = ()
    version: int = 0


async def happened(home: Home, since: datetime, tx: Tx | None = None) -> Since:
    """Return what happened in a network since a moment, beside whoever has it open and whatever its definitions are.

    `tx` holds it alone, where somebody does. `StoreError` where that cannot be read.
    """
    version = await look(home, _NEWEST, tx=tx)
    erased = await look(home, _ERASED, [moment(since - UNDER_WAY)], tx)
    return Since(tuple((row[0], row[1]) for row in erased), version[0][0] or 0 if version else 0)


@dataclass(slots=True)
class Following:
    """Lets the network that was made of a backup at `home` follow what happened since `at`, as often as more is known.

    `erased` counts the records that went, `left` are those that did not.
    """

    opening: Opening
    home: Home
    name: str
    at: datetime
    erased: int = 0
    left: list[tuple[str, str]] = field(default_factory=list)
    _seen: set[tuple[str, str]] = field(default_factory=set)
    _version: int = 0

    async def follow(self, since: Since) -> None:
        """Erase what is not erased yet, and let the definitions be a version after those that others know."""
        more = [each for each in since.erased if each not in self._seen]
        if not more and since.version <= self._version:
            return
        tenant = await self.opening.open(self.home, self.name)
        try:
            gone, left = await erase_again(tenant, more)
            await go_beyond(tenant, since.version, self.at)
        finally:
            await tenant.close()
        self._seen.update(more)
        self.erased, self.left, self._version = self.erased + gone, [*self.left, *left], since.version


async def erase_again(tenant: Tenant, records: Iterable[tuple[str, str]]) -> tuple[int, list[tuple[str, str]]]:
    """Erase what was erased since the backup, whatever its kind was called in it; return how many records went.

    And those that did not: others hold them, or there is neither such a record nor such a kind in the backup.
    """
    gone, left = 0, list[tuple[str, str]]()
    for entity, record in records:

        async def work(unit: Unit, entity: str = entity, record: str = record) -> int:
            found = await _kind(unit, entity, record)
            if found is None:  # it came into being after the backup, or went with another one
                return 0 if entity in unit.network.entities else -1
            return await erasure.erase(unit, found, record, WHY)

        try:
            went = await write(tenant, SYSTEM, work)
        except RefusedError:
            went = -1
        gone += max(went, 0)
        if went < 0:
            left.append((entity, record))
    return gone, left


async def _kind(unit: Unit, entity: str, record: str) -> str | None:
    """Return what the entity of a record is called here, None where it is not here: ids are never given twice."""
    names = unit.network.entities
    for name in sorted(names, key=lambda each: each != entity):
        table = unit.published.tables[name].quoted
        if await unit.tx.row(f'SELECT 1 FROM {table} WHERE "id" = ?', [record]):  # noqa: S608 - a quoted name
            return name
    return None


async def hold_mails(tenant: Tenant) -> int:
    """Send none of the mails that the backup owed: whether they were sent since is unknown; return how many."""
    now = tenant.clock.now()

    async def work(tx: Tx) -> int:
        held = await tx.run(_MAILS, [dump_message(OWED)])
        await tx.run(_ROWS, [moment(now)])
        return held

    return await tenant.store.write(work)


async def go_beyond(tenant: Tenant, version: int, of: datetime) -> None:
    """Let the definitions of a backup be a version after `version`, so that who knows that one takes this one up."""
    if tenant.published.version > version:
        return
    now, note = tenant.clock.now(), f"{of:%Y-%m-%d %H:%M} UTC"

    async def work(tx: Tx) -> None:
        row = await tx.row(_CURRENT)
        if row is not None:
            values = [version + 1, stored_datetime(now), None, row[0], row[1], note, None]
            await tx.run(DEFINITION.insert(), values)

    await tenant.store.write(work)
