"""Erasing for good: which rows hold something of a record, whatever table they stand in, and taking them away.

A record goes with its lines and with what refers to it and is deleted along. Of each, nothing that was said of it
stays: no value, no text, no file. What did happen is proven by the audit alone (`models.chain`).
"""

from __future__ import annotations

import json
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Any

from definitions.spec.entity import Field
from definitions.spec.network import Network
from models.attachment import Attachment
from models.ddl import quoted
from models.published import Published
from models.store import ConstraintError
from models.tx import Tx

BATCH = 400
"""So many ids stand in one statement."""
MEMBER = "member"
_BY_RUNS = ("_history", "_task", "_mail", "_notice", "_document", "_hook")
"""Tables whose rows are about a record and say which run made them."""
_ABOUT = ("_history", "_task", "_mail", "_notice", "_document", "_hook", "_approval", "_run", "_retention")
"""Tables whose rows are about a record."""
_OF_MEMBER: Mapping[str, str] = {
    "_session": "member", "_credential": "member", "_sign_in": "member", "_device": "member", "_pending": "member",
    "_second_factor": "member", "_recovery": "member", "_passkey": "member", "_invitation": "member",
    "_token": "member", "_view": "member", "_standing": "member", "_closed": "member", "_identity": "member",
    "_upload": "member", "_notice": "member", "_mail": "recipient_member", "_assigned": "member",
    "_delegation": "member", "_preference": "who",
}  # fmt: skip
"""What is kept of a member beside its record, and the column that says whose it is."""

_NAMING_FILES = (
    """SELECT "after" FROM "_history" WHERE "entity" = ? AND "record" = ? AND "after" LIKE '%sha%'""",
    """SELECT "form" FROM "_approval" WHERE "entity" = ? AND "record" = ? AND "form" LIKE '%sha%'""",
    'SELECT "file" FROM "_document" WHERE "entity" = ? AND "record" = ? AND "file" IS NOT NULL',
    'SELECT "attached" FROM "_mail" WHERE "entity" = ? AND "record" = ? AND "attached" IS NOT NULL',
)
_GRANTS = """DELETE FROM "_grant" WHERE "approval" IN
(SELECT "id" FROM "_approval" WHERE "entity" = ? AND "record" = ?)"""
_WITHOUT_STEPS = """UPDATE "_step" SET "inputs" = NULL, "result" = NULL, "error" = NULL WHERE "run" = ?"""
_WITHOUT_CALL = 'UPDATE "_run" SET "names" = ? WHERE "id" = ?'
_BOUNCED = 'DELETE FROM "_bounced" WHERE "mail" = ?'
_FORGET_KEYS = 'DELETE FROM "_outbox" WHERE "unique_key" >= ? AND "unique_key" < ?'


@dataclass(frozen=True, slots=True)
class Part:
    """A record that goes, with all its values."""

    entity: str
    id: str
    values: Mapping[str, Any]


@dataclass(slots=True)
class Traces:
    """What was taken away with records: rows by table, and the hashes of the files that they named.

    `own` are the runs over them, `others` those that dealt with them too.
    """

    rows: dict[str, int] = field(default_factory=dict)
    own: set[str] = field(default_factory=set)
    others: set[str] = field(default_factory=set)
    files: set[str] = field(default_factory=set)

    def count(self, table: str, rows: int) -> None:
        """Add rows that went out of a table."""
        if rows:
            self.rows[table] = self.rows.get(table, 0) + rows


@dataclass(frozen=True, slots=True)
class Held:
    """What keeps records from being erased: records of `entity` (`ids`) refer to one of them in `field`."""

    entity: str
    field: str
    ids: tuple[str, ...]


async def parts(published: Published, tx: Tx, *roots: tuple[str, str]) -> list[Part]:
    """Return records (entity and id) and all that goes with them; nothing for those that are not there."""
    found: dict[tuple[str, str], Part] = {}
    waiting = [(entity, [record]) for entity, record in roots]
    while waiting:
        name, ids = waiting.pop(0)
        fresh = [part for part in await _read(published, tx, name, ids) if (name, part.id) not in found]
        found |= {(name, part.id): part for part in fresh}
        for other, column in _following(published.network, name) if fresh else ():
            below = await _referring(published, tx, other, column, [part.id for part in fresh])
            if below:
                waiting.append((other, below))
    return list(found.values())


async def _read(published: Published, tx: Tx, entity: str, ids: Sequence[str]) -> list[Part]:
    table, rows = published.tables[entity], []
    for some in _batches(ids):
        rows += await tx.rows(f'{table.select} WHERE "id" IN ({_marks(some)}) ORDER BY "id"', some)
    return [Part(entity, values["id"], values) for values in map(table.decode_values, rows)]


def _following(network: Network, entity: str) -> Iterator[tuple[str, str]]:
    """Yield the columns whose records go when one of the entity does."""
    for other, definition in network.entities.items():
        if definition.parent == entity:
            yield other, "parent"
        for name, declared in definition.fields.items():
            if _refers(declared, entity) and declared.on_delete == "delete":
                yield other, name


def _refers(declared: Field, entity: str) -> bool:
    return declared.type == "reference" and declared.to == entity


async def _referring(published: Published, tx: Tx, entity: str, column: str, ids: Sequence[str]) -> list[str]:
    table, found = published.tables[entity].quoted, []
    for some in _batches(ids):
        sql = f'SELECT "id" FROM {table} WHERE {quoted(column)} IN ({_marks(some)}) ORDER BY "id"'  # noqa: S608 - names of the definitions
        found += [str(row[0]) for row in await tx.rows(sql, some)]
    return found


async def held(published: Published, tx: Tx, going: Sequence[Part]) -> Held | None:
    """Return what refers to one of the records, does not go itself and is to be there as long as they are.

    An active member never goes along with something else.
    """
    ids = {part.id for part in going}
    for part in going[1:]:
        along = _along(published.network, part, ids) if part.entity == MEMBER and part.values.get("active") else None
        if along is not None:
            return Held(MEMBER, along, (part.id,))
    for entity in dict.fromkeys(part.entity for part in going):
        own = [part.id for part in going if part.entity == entity]
        for other, column in _keeping(published.network, entity):
            staying = set(await _referring(published, tx, other, column, own)) - ids
            if staying:
                return Held(other, column, tuple(sorted(staying)))
    return None


def _along(network: Network, part: Part, ids: Set[str]) -> str | None:
    """Return the field over which a record goes along with another of those that go."""
    fields = network.entities[part.entity].fields.values()
    deleted = (field.name for field in fields if field.type == "reference" and field.on_delete == "delete")
    return next((name for name in deleted if _id(part.values.get(name)) in ids), None)


def _id(reference: Any) -> str | None:
    return str(reference["id"]) if isinstance(reference, Mapping) else None


def _keeping(network: Network, entity: str) -> Iterator[tuple[str, str]]:
    for other, definition in network.entities.items():
        if definition.owner and entity == MEMBER:
            yield other, "owner"
        for name, declared in definition.fields.items():
            if _refers(declared, entity) and declared.on_delete == "restrict":
                yield other, name


async def take(published: Published, tx: Tx, going: Sequence[Part]) -> Traces:
    """Take away the records and every copy of something of them; return what there was."""
    traces = Traces()
    for part in going:
        await _take_owed(tx, part, traces)
        await _take_rows(tx, part, traces)
        if part.entity == MEMBER:
            await _take_member(tx, part, traces)
    await _delete(published, tx, going)
    for run in sorted(traces.others - traces.own):
        await silence(tx, run)
    return traces


async def _delete(published: Published, tx: Tx, going: Sequence[Part]) -> None:
    """Delete each record behind those that refer to it; records that refer to each other let go of each other first."""
    left = {part.id: part for part in reversed(going)}
    links = {part.id: _links(published, part, left.keys()) for part in going}
    counts = Counter(one for found in links.values() for one in found.values())
    while left:
        free = deque(id_ for id_ in left if not counts[id_])
        while free:
            part = left.pop(free.popleft())
            sql = f'DELETE FROM {published.tables[part.entity].quoted} WHERE "id" = ?'  # noqa: S608 - names of the definitions
            await tx.run(sql, [part.id])
            for one in links.pop(part.id).values():
                counts[one] -= 1
                if not counts[one]:
                    free.append(one)
        let_go = [await _let_go(published, tx, part, links[part.id], counts) for part in left.values()]
        if left and not any(let_go):
            raise ConstraintError("Records need each other: none can be deleted first.")


def _links(published: Published, part: Part, ids: Set[str]) -> dict[str, str]:
    """Return to which of the records one refers, by column."""
    columns = published.tables[part.entity].shape.columns.values()
    found = {column.name: _id(part.values.get(column.name)) for column in columns if column.references}
    return {name: one for name, one in found.items() if one is not None and one in ids and one != part.id}


async def _let_go(published: Published, tx: Tx, part: Part, links: dict[str, str], counts: Counter[str]) -> bool:
    """Empty the columns of a record that refer to others which go, as far as they may be empty; whether one was."""
    table = published.tables[part.entity]
    names = [name for name in links if table.shape.columns[name].null]
    for name in names:
        await tx.run(f'UPDATE {table.quoted} SET {quoted(name)} = NULL WHERE "id" = ?', [part.id])  # noqa: S608 - names of the definitions
        counts[links.pop(name)] -= 1
    return bool(names)


async def _take_owed(tx: Tx, part: Part, traces: Traces) -> None:
    """Take away what is owed or was done for a record, and its runs with their steps."""
    about = [part.entity, part.id]
    for kind in ("mail", "document"):
        sql = f'SELECT "id" FROM {quoted("_" + kind)} WHERE "entity" = ? AND "record" = ?'  # noqa: S608 - tables of ours
        for (one,) in await tx.rows(sql, about):
            traces.count("_outbox", await _forget(tx, f"{kind}:{one}"))
            traces.count("_bounced", await tx.run(_BOUNCED, [one]))
    for (run,) in await tx.rows('SELECT "id" FROM "_run" WHERE "entity" = ? AND "record" = ?', about):
        traces.own.add(run)
        traces.count("_outbox", await _forget(tx, f"run:{run}:") + await _forget(tx, f"hook:{run}:"))
        traces.count("_step", await tx.run('DELETE FROM "_step" WHERE "run" = ?', [run]))
        await tx.run('DELETE FROM "_item" WHERE "id" >= ? AND "id" < ?', [f"{run}:", f"{run};"])


async def _take_rows(tx: Tx, part: Part, traces: Traces) -> None:
    """Take away the rows about a record; note which runs made them, and which files they name."""
    about = [part.entity, part.id]
    traces.files.update(value.sha for value in part.values.values() if isinstance(value, Attachment))
    for sql in _NAMING_FILES:
        for (kept,) in await tx.rows(sql, about):
            traces.files.update(_hashes(json.loads(kept)))
    for table in _BY_RUNS:
        sql = f'SELECT DISTINCT "run" FROM {quoted(table)} WHERE "entity" = ? AND "record" = ? AND "run" IS NOT NULL'  # noqa: S608 - tables of ours
        traces.others.update(str(row[0]) for row in await tx.rows(sql, about))
    await tx.run(_GRANTS, about)
    for table in _ABOUT:
        sql = f'DELETE FROM {quoted(table)} WHERE "entity" = ? AND "record" = ?'  # noqa: S608 - tables of ours
        traces.count(table, await tx.run(sql, about))
    traces.count("_job_item", await tx.run('DELETE FROM "_job_item" WHERE "record" = ?', [part.id]))


def _hashes(kept: Any) -> Iterator[str]:
    """Yield the hashes of all contents that a kept form names."""
    if isinstance(kept, str) and kept.startswith('{"name":'):
        kept = json.loads(kept)
    if isinstance(kept, Mapping):
        if isinstance(kept.get("sha"), str):
            yield kept["sha"]
        for each in kept.values():
            yield from _hashes(each)
    elif isinstance(kept, list):
        for each in kept:
            yield from _hashes(each)


async def _take_member(tx: Tx, part: Part, traces: Traces) -> None:
    """Take away what opens a member's account, what it was sent and what it did with it; what it accepted stays."""
    for (mail,) in await tx.rows('SELECT "id" FROM "_mail" WHERE "recipient_member" = ?', [part.id]):
        traces.count("_outbox", await _forget(tx, f"mail:{mail}"))
        traces.count("_bounced", await tx.run(_BOUNCED, [mail]))
    await tx.run('DELETE FROM "_first_view" WHERE "view" IN (SELECT "id" FROM "_view" WHERE "member" = ?)', [part.id])
    await tx.run('DELETE FROM "_job_item" WHERE "job" IN (SELECT "id" FROM "_job" WHERE "member" = ?)', [part.id])
    traces.count("_job", await tx.run('DELETE FROM "_job" WHERE "member" = ?', [part.id]))
    traces.count("_task", await tx.run('DELETE FROM "_task" WHERE "member" = ? AND "record" IS NULL', [part.id]))
    for table, column in _OF_MEMBER.items():
        sql = f"DELETE FROM {quoted(table)} WHERE {quoted(column)} = ?"  # noqa: S608 - names of ours
        traces.count(table, await tx.run(sql, [part.id]))
    for email in {value for name, value in part.values.items() if name == "email" and value}:
        traces.count("_sign_in", await tx.run('DELETE FROM "_sign_in" WHERE "email" = ?', [str(email).casefold()]))
    await tx.run('UPDATE "_acceptance" SET "ip" = NULL WHERE "member" = ?', [part.id])
    await tx.run('UPDATE "_audit" SET "ip" = NULL, "salt" = NULL WHERE "member" = ? AND "ip" IS NOT NULL', [part.id])
    await tx.run('UPDATE "_history" SET "ip" = NULL WHERE "actor" = ? AND "ip" IS NOT NULL', [part.id])


async def silence(tx: Tx, run: str) -> None:
    """Take out of a run that goes on to be kept what it was given and did: it dealt with other records too."""
    await tx.run(_WITHOUT_STEPS, [run])
    row = await tx.row('SELECT "names" FROM "_run" WHERE "id" = ?', [run])
    names = {} if row is None else json.loads(row[0] or "{}")
    if names.get("call"):
        await tx.run(_WITHOUT_CALL, [json.dumps({**names, "call": None}, ensure_ascii=False), run])


async def _forget(tx: Tx, prefix: str) -> int:
    """Remove the rows of the outbox whose keys begin with `prefix`, done or not."""
    return await tx.run(_FORGET_KEYS, [prefix, prefix[:-1] + chr(ord(prefix[-1]) + 1)])


def _batches(ids: Sequence[str]) -> Iterator[list[str]]:
    return (list(ids[at : at + BATCH]) for at in range(0, len(ids), BATCH))


def _marks(values: Iterable[str]) -> str:
    return ", ".join("?" for _ in values)
