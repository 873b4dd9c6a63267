"""Members: records of the entity `member` that stand in a sponsor tree, and the actors they become."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from models.actor import Actor
from models.published import Published
from models.records import Records
from models.statement import Statement
from models.tx import Row, Tx
from models.visible import ROOT

MEMBER = "member"


async def create_member(records: Records, values: Mapping[str, Any]) -> str:
    """Create a member below `values["sponsor"]` (at the top without one) and return its id."""
    return (await records.create("member", values)).id


async def move_branch(records: Records, member: str, sponsor: str | None) -> None:
    """Put a member with everybody below it under another sponsor. `InvalidError` when that is in the own branch."""
    await records.update("member", member, None, {"sponsor": sponsor})


async def downline(tx: Tx, member: str) -> list[str]:
    """Return the ids of everybody below a member, itself left out."""
    row = await tx.row('SELECT "_path" FROM "member" WHERE "id" = ?', (member,))
    if row is None:
        return []
    rows = await tx.rows(
        'SELECT "id" FROM "member" WHERE "_path" > ? AND "_path" < ? ORDER BY "_path"', (row[0], f"{row[0][:-1]}0")
    )
    return [found[0] for found in rows]


async def readable_below(records: Records, path: str) -> int:
    """Return how many members below a path (`_path`) the actor may read: those without a right count for nobody."""
    sight = records.sight(MEMBER)
    statement = Statement(await records.rule_names(), records.context)
    statement.add(f'SELECT count(*) FROM "member" AS "{ROOT}" WHERE "{ROOT}"."_path" > ').value(path)  # noqa: S608 (names only)
    statement.add(f' AND "{ROOT}"."_path" < ').value(f"{path[:-1]}0").add(" AND ", sight.read)
    row = await records.tx.row(statement.text, statement.values)
    return 0 if row is None else int(row[0])


async def members_of_level(tx: Tx, level: str) -> list[str]:
    """Return the ids of the active members that have a level, the oldest first."""
    pattern = f'%"{level}"%'
    rows = await tx.rows(
        'SELECT "id" FROM "member" WHERE "active" AND "levels" LIKE ? ORDER BY "created_at", "id"', (pattern,)
    )
    return [found[0] for found in rows]


async def with_email(tx: Tx, email: str) -> str | None:
    """Return the id of the member with an e-mail address, whatever its case; None when nobody has it."""
    row = await tx.row('SELECT "id" FROM "member" WHERE lower("email") = ? ORDER BY "id"', (email.strip().lower(),))
    return None if row is None else str(row[0])


async def load_actor(
    published: Published, tx: Tx, member: str, *, ip: str | None = None, run: str | None = None
) -> Actor | None:
    """Return the actor that an active member is; None when there is no such member or it is not active."""
    table = published.tables["member"]
    row = await tx.row(f'{table.select} WHERE "id" = ?', (member,))
    return None if row is None else actor_of(published, row, ip=ip, run=run)


def actor_of(published: Published, row: Row, *, ip: str | None = None, run: str | None = None) -> Actor | None:
    """Return the actor of a row of `EntityTable.select`; None when the member is not active."""
    values = published.tables["member"].decode_values(row)
    if not values.get("active"):
        return None
    language = values.get("language") or published.network.languages[0]
    levels = tuple(values.get("levels") or ())
    return Actor("member", values, levels, ip=ip, language=language, run=run)
