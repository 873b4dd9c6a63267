"""What becomes of a network that is made of a backup: looked at on trial, or settled so that it can go on.

Between the backup and now the world has gone on: mails were sent that the backup still owes, records were erased that
it still has, and versions were published that others remember.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from models import archive, chain
from models.actor import SYSTEM
from models.archive import Manifest, Progress, Source
from models.clock import Clock
from models.connections import stored_datetime
from models.errors import NotFoundError, RefusedError
from models.message import say
from models.secrets import Vault
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


async def erased_since(tenant: Tenant, since: datetime) -> list[tuple[str, str]]:
    """Return the records (entity, id) of a network that were erased since a moment, in that order.

    Some that were erased shortly before may be among them: whoever erases them once more finds nothing.
    """

    async def work(tx: Tx) -> list[tuple[str, str]]:
        return [(row[0], row[1]) for row in await tx.rows(_ERASED, [moment(since - UNDER_WAY)])]

    return await tenant.store.read(work)


async def erase_again(tenant: Tenant, records: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Erase what was erased since the backup; return what could not be, since other records hold it."""
    left = []
    for entity, record in records:

        async def work(unit: Unit, entity: str = entity, record: str = record) -> None:
            if entity in unit.network.entities:
                await erasure.erase(unit, entity, record, WHY)

        try:
            await write(tenant, SYSTEM, work)
        except NotFoundError:  # it came into being after the backup, or went with another one
            continue
        except RefusedError:
            left.append((entity, record))
    return left


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
