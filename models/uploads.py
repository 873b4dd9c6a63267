"""Uploads: a file is taken in first, then named by a record; what no record names is removed after a while."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from definitions.spec.entity import Entity
from definitions.spec.network import Network
from models.actor import Actor
from models.attachment import Attachment
from models.connections import stored_datetime
from models.contents import Limits
from models.ddl import quoted
from models.errors import RefusedError
from models.message import Message, say
from models.system import FILE, UPLOAD
from models.tx import Tx
from models.validation import Cleaned

if TYPE_CHECKING:
    from models.records import Records
    from models.tenant import Tenant

FILES = frozenset({"file", "image"})
"""Types of fields that hold files."""
Unnamed = Sequence[tuple[str, Any]]
"""Hashes of contents, each with since when nothing names it (None: not known yet)."""
OPEN = timedelta(days=1)
"""So long an upload can be named by its member."""
KEPT = timedelta(days=30)
"""So long a content stays that no record names any more."""
MOST_A_DAY = 500
"""Files that a member may upload in a day."""
STAYS = "kept:"
"""What a form says of a file that stays: this, and the content's hash."""

_NO_UPLOAD = say("This file was not uploaded, or too long ago: choose it again.")
_FIND = """SELECT "name", "type", "size", "sha" FROM "_upload" WHERE "id" = ? AND "member" = ? AND "created_at" > ?"""
_COUNT = 'SELECT count(*) FROM "_upload" WHERE "member" = ? AND "created_at" > ?'
_LOOSE = 'UPDATE "_file" SET "loose_at" = ? WHERE "sha" = ?'
_LOOSEN = 'UPDATE "_file" SET "loose_at" = ? WHERE "sha" = ? AND "loose_at" IS NULL'
_REMOVE = """DELETE FROM "_file" WHERE "sha" = ? AND "loose_at" <= ?
AND NOT EXISTS (SELECT 1 FROM "_upload" u WHERE u."sha" = "_file"."sha")"""
_GOING_ALONG = """SELECT DISTINCT "attached" FROM "_mail" WHERE "attached" IS NOT NULL
AND "state" IN ('waiting', 'sending', 'failed', 'unknown')"""
"""What a mail takes along stays until it is gone, and as long as somebody may send it again."""
_WRITTEN = """SELECT "file" FROM "_document" WHERE "file" IS NOT NULL AND "state" = 'made'"""
"""What was written for a record that has not taken it yet."""
_ANSWERS = (
    """SELECT "id", "after" FROM "_history" WHERE "id" > ? AND "kind" = 'moved' AND "after" LIKE '%"form.%sha%'
    ORDER BY "id" LIMIT ?""",
    """SELECT "id", "form" FROM "_approval" WHERE "id" > ? AND "form" LIKE '%sha%' ORDER BY "id" LIMIT ?""",
)
"""Where answers to forms are kept, as JSON by question."""
PAGE = 1000
_SHA_OF = {"sqlite": "json_extract({column}, '$.sha')", "postgres": "({column}::json ->> 'sha')"}


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that was taken in; `id` is what its member names it by in a field."""

    id: str
    value: Attachment


async def take(tenant: Tenant, actor: Actor, source: AsyncIterator[bytes], name: str, limits: Limits) -> Upload:
    """Take a file in for a member.

    `ValueRefusedError` for one that is too large or of no kind that is taken, `RefusedError` for too many in a day.
    """
    if actor.id is None:
        raise RefusedError(say("Sign in to upload files."))
    member = actor.id
    async with tenant.contents.taking(source, name, limits) as taken:
        now, upload = tenant.clock.now(), tenant.new_id()
        value = taken.value

        async def work(tx: Tx) -> None:
            row = await tx.row(_COUNT, [member, stored_datetime(now - OPEN)])
            if row is not None and row[0] >= MOST_A_DAY:
                raise RefusedError(say("You uploaded many files today: go on tomorrow."))
            if await tx.row('SELECT 1 FROM "_file" WHERE "sha" = ?', [value.sha]) is None:
                await tx.run(FILE.insert(), [value.sha, value["size"], stored_datetime(now), None])
            await tx.run(_LOOSE, [None, value.sha])
            await tx.run(UPLOAD.insert(), [upload, member, *value.values(), stored_datetime(now)])

        await tenant.store.write(work)
        await tenant.contents.place(taken)  # after its row: who removes contents looks at the rows last
    return Upload(upload, value)


async def settle(records: Records, entity: Entity, cleaned: Cleaned, current: Mapping[str, Any]) -> Cleaned:
    """Put what was uploaded in the place of the ids that name it; an id of somebody else's upload names nothing."""
    named = [name for name in cleaned.values if (field := entity.fields.get(name)) and field.type in FILES]
    if not named:
        return cleaned
    values, problems = dict(cleaned.values), dict(cleaned.problems)
    for name in named:
        if isinstance(values[name], str):
            found = await _found(records, values[name], current.get(name))
            problem = _problem(found, entity.fields[name].type)
            if problem is not None:
                problems[name] = problem
                del values[name]
            else:
                values[name] = found
    return Cleaned(values, problems)


def _problem(found: Attachment | None, kind: str) -> Message | None:
    if found is None:
        return _NO_UPLOAD
    return say("This is no picture.") if kind == "image" and not found.is_picture else None


async def _found(records: Records, given: str, current: Any) -> Attachment | None:
    if isinstance(current, Attachment) and given == STAYS + current.sha:
        return current
    before = stored_datetime(records.context.now - OPEN)
    row = await records.tx.row(_FIND, [given, records.actor.id, before])
    return None if row is None else Attachment(zip(("name", "type", "size", "sha"), row, strict=True))


async def collect(tenant: Tenant, *, kept: timedelta = KEPT) -> int:
    """Remove old uploads, and contents that no record names since `kept`; return how many contents went."""
    now = tenant.clock.now()
    contents = tenant.contents
    if contents.folder is None or not await asyncio.to_thread(contents.folder.is_dir):
        return 0
    await _put_back(tenant, await asyncio.to_thread(contents.aside))
    unnamed = await tenant.store.read(lambda tx: _unnamed(tx, tenant.published.network))
    gone = await tenant.store.write(lambda tx: _forget(tx, tenant.published.network, now, kept, unnamed))
    gone = sorted({*gone, *await _strays(tenant, now)})
    for sha in gone:
        await asyncio.to_thread(contents.set_aside, sha)
    await _put_back(tenant, await asyncio.to_thread(contents.aside))
    for path, written in await asyncio.to_thread(lambda: list(contents.unfinished())):
        if written < (now - OPEN).timestamp():
            await asyncio.to_thread(path.unlink, missing_ok=True)
    return len(gone)


async def _put_back(tenant: Tenant, shas: Iterable[str]) -> None:
    """Decide about contents that were set aside: somebody may have uploaded the same again just now."""
    for sha in shas:
        row = await tenant.store.read(lambda tx, sha=sha: tx.row('SELECT 1 FROM "_file" WHERE "sha" = ?', [sha]))  # type: ignore[misc] # the default binds the round's hash
        await asyncio.to_thread(tenant.contents.settle, sha, wanted=row is not None)


async def _unnamed(tx: Tx, network: Network) -> Unnamed:
    """Return the contents that nothing names, each with since when that is known.

    Asked of a snapshot, without the writer; the history is gone through only for what nothing else names.
    """
    known = {row[0]: row[1] for row in await tx.rows('SELECT "sha", "loose_at" FROM "_file"')}
    left = known.keys() - (await _named(tx, network) if known else frozenset())
    for text in _ANSWERS:
        last = ""
        while left and (rows := await tx.rows(text, [last, PAGE])):
            left = left - {sha for _, answers in rows for sha in _answered(answers)}
            last = rows[-1][0]
    return [(sha, known[sha]) for sha in sorted(left)]


async def _forget(tx: Tx, network: Network, now: datetime, kept: timedelta, unnamed: Unnamed) -> list[str]:
    """Remove the rows of old uploads and of contents that are loose for long; return the hashes of those.

    What records name since `unnamed` was found stays: only what was uploaded anew can be named again, and that is not
    loose any more.
    """
    await tx.run('DELETE FROM "_upload" WHERE "created_at" <= ?', [stored_datetime(now - OPEN)])
    loose = [sha for sha, _ in unnamed]
    await tx.run_many(_LOOSEN, [(stored_datetime(now), sha) for sha, since in unnamed if since is None])
    held = await tx.rows('SELECT "sha" FROM "_file" WHERE "loose_at" IS NOT NULL')
    await tx.run_many(_LOOSE, [(None, row[0]) for row in held if row[0] not in set(loose)])
    before = stored_datetime(now - kept)
    going = [sha for sha, since in unnamed if (since or stored_datetime(now)) <= before]
    named = await _named(tx, network) if going else frozenset[str]()
    return [sha for sha in going if sha not in named and await tx.run(_REMOVE, [sha, before])]


async def _named(tx: Tx, network: Network) -> Collection[str]:
    """Return the hashes of all contents that a record names, or a mail that has not left, or a document."""
    found: set[str] = set()
    for table, column in file_columns(network):
        sha = _SHA_OF[tx.dialect].format(column=quoted(column))
        text = f"SELECT DISTINCT {sha} FROM {quoted(table)} WHERE {quoted(column)} IS NOT NULL"  # noqa: S608 - names of the definitions
        found.update(row[0] for row in await tx.rows(text))
    for (attached,) in await tx.rows(_GOING_ALONG):
        found.update(file["sha"] for file in json.loads(attached))
    for (file,) in await tx.rows(_WRITTEN):
        found.add(json.loads(file)["sha"])
    return found


def _answered(answers: str) -> Iterator[str]:
    """Yield the hashes of the files that forms of moves were answered with: history keeps them as long as itself."""
    for value in json.loads(answers).values():
        kept = json.loads(value) if isinstance(value, str) and value.startswith('{"name":') else None
        if isinstance(kept, dict) and isinstance(kept.get("sha"), str):
            yield kept["sha"]


def file_columns(network: Network) -> Iterator[tuple[str, str]]:
    """Yield the columns that hold files, each with its table."""
    for name, entity in network.entities.items():
        for field in entity.fields.values():
            if field.type in FILES:
                yield name, field.name


async def _strays(tenant: Tenant, now: datetime) -> list[str]:
    """Return the contents on disk that were written before a day and that no row knows: a crash left them."""
    old = (now - OPEN).timestamp()
    found = await asyncio.to_thread(lambda: [sha for sha, written in tenant.contents.shas() if written < old])
    known = await tenant.store.read(lambda tx: tx.rows('SELECT "sha" FROM "_file"'))
    return sorted(set(found) - {row[0] for row in known})
