"""The life of a change: publish a version with what it means for runs under way, look back, go back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from definitions.problems import DefinitionError
from models import audit
from models.actor import SYSTEM
from models.errors import NotFoundError, PublishedMeanwhileError
from models.members import load_actor
from models.plan import Plan, plan
from models.published import Published
from models.records import Records
from models.tenant import Tenant
from models.tx import Row, Tx
from workflows import approvals, auditing, keeping, migration, retiming, runs
from workflows.automations import ENDED
from workflows.proposal import definitions_changed, fates
from workflows.rights import rights_changed
from workflows.stored import must_moment
from workflows.unit import Unit

LISTED = 50
"""Versions on a page of the history."""

_LIST = """SELECT d."version", d."at", d."author", m."name", d."hash", d."note", d."files" FROM "_definition" d
LEFT JOIN "member" m ON m."id" = d."author" WHERE d."version" <= ? ORDER BY d."version" DESC LIMIT ?"""
_FILES = 'SELECT "files" FROM "_definition" WHERE "version" = ?'


@dataclass(frozen=True, slots=True)
class Version:
    """A version that was published: who by (a member's name, or who was at the command line), and which files differ.

    `files` are the files that are not as in the version before.
    """

    version: int
    at: datetime
    author: str
    hash: str
    note: str
    files: tuple[str, ...]
    current: bool


async def publish(
    tenant: Tenant,
    files: Mapping[str, str],
    author: str | None = None,
    *,
    note: str = "",
    allow_loss: bool = False,
    base: int | None = None,
) -> Published:
    """Publish a version as `Tenant.publish` does, and in the same transaction end the runs that are to end with it."""

    async def settle(tx: Tx, plan: Plan, fresh: Published) -> None:
        context = fresh.context(tenant.clock.now())
        records = Records(fresh, tx, SYSTEM, context, new_id=tenant.new_id)
        unit = Unit(fresh, tx, SYSTEM, context, tenant.new_id, records)
        await _audit(unit, plan, author)
        await retiming.follow(tx, plan)
        for name, (_, fate) in fates(plan).items():
            if fate == "cancel":
                for run in await runs.under_way(tx, plan.automations.get(name, name)):
                    await runs.end(unit, run, "cancelled", ENDED)
        if not allow_loss and (refused := await migration.lost(tx, fresh.network)):
            raise DefinitionError(tuple(refused))
        await keeping.settle(unit, plan, allow_loss=allow_loss)
        await migration.migrate(unit)
        await approvals.settle(unit, plan.old)

    try:
        return await tenant.publish(files, author, note=note, allow_loss=allow_loss, base=base, also=settle)
    except PublishedMeanwhileError as error:
        raise await _meanwhile(tenant, error) from error


async def _meanwhile(tenant: Tenant, error: PublishedMeanwhileError) -> PublishedMeanwhileError:
    """Return the error with the names of what was changed in between, by their names of now."""
    try:
        before, now = await tenant.version(error.base), await tenant.version(error.current)
    except (LookupError, DefinitionError):  # of that number there never was one, or it does not run any more
        return error
    changed = definitions_changed(plan(before.network, now.network))
    return PublishedMeanwhileError(error.base, error.current, tuple(f"{one.kind} {one.name}" for one in changed))


async def _audit(unit: Unit, plan: Plan, author: str | None) -> None:
    """Keep who published which version, and which rights are others with it."""
    found = author and await load_actor(unit.published, unit.tx, author)
    by = replace(unit, actor=found or replace(audit.OPERATOR, language=unit.actor.language))
    await auditing.note(by, "published", str(unit.published.version))
    rights = [f"{each.level} {each.about} {each.action}: {each.before} → {each.after}" for each in rights_changed(plan)]
    if rights:
        await auditing.note(by, "rights", "; ".join(rights))


async def roll_back(
    tenant: Tenant,
    version: int,
    author: str | None = None,
    *,
    note: str = "",
    allow_loss: bool = False,
    base: int | None = None,
) -> Published:
    """Publish the files of an earlier version once more; `NotFoundError` when there is none of that number."""
    files = await files_of(tenant, version)
    return await publish(tenant, files, author, note=note, allow_loss=allow_loss, base=base)


async def files_of(tenant: Tenant, version: int) -> Mapping[str, str]:
    """Return the files of a version; `NotFoundError` when there is none of that number."""
    row = await tenant.store.read(lambda tx: tx.row(_FILES, [version]))
    if row is None:
        raise NotFoundError
    found: dict[str, str] = json.loads(row[0])
    return found


async def history(tenant: Tenant, *, up_to: int | None = None, since: int = 0) -> list[Version]:
    """Return the versions after `since`, the newest first, at most a page of them that ends at `up_to`."""
    current = tenant.published.version
    rows = await tenant.store.read(lambda tx: tx.rows(_LIST, [up_to or current, LISTED + 1]))
    earlier: list[Row | None] = [*rows[1:], None]
    found = [_version(row, before, current) for row, before in zip(rows, earlier, strict=True)]
    return [version for version in found[:LISTED] if version.version > since]


def _version(row: Row, before: Row | None, current: int) -> Version:
    number, at, author, name, digest, note, files = row
    now: dict[str, str] = json.loads(files)
    was: dict[str, str] = {} if before is None else json.loads(before[6])
    differ = sorted(path for path in {*now, *was} if now.get(path) != was.get(path))
    return Version(number, must_moment(at), name or author or "", digest, note or "", tuple(differ), number == current)
