"""The history of records: a row for each thing that happened, with who, when, and the values before and after."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from models import audit
from models.audit import PROVEN, Event
from models.ddl import quoted
from models.happened import HAPPENED
from models.system import HISTORY
from workflows.chart import Taken
from workflows.stored import dump, maybe_moment, moment
from workflows.unit import Unit

Kind = Literal[
    "created", "updated", "moved", "deleted", "note", "mail", "task", "undone",
    "asked", "granted", "refused", "withdrawn", "closed",
]  # fmt: skip
"""What happened. The last five are of a move that others must agree to: asked for, agreed to by one of them, refused,
taken back, ended by itself.
"""

_UNTOLD = frozenset({"id", "version", "created_at", "updated_at", "created_by", "last_activity_at"})
FORM = "form."
"""What stands before the names of a form's own questions in the `after` of a row."""
LINES = "_lines"
"""What the `after` of a row calls the history rows of lines that were written along with the record."""
_INSERT = HISTORY.insert()
_PROVEN = tuple(HISTORY.columns.index(name) for name in PROVEN)


@dataclass(frozen=True, slots=True)
class Step:
    """The part of a history row that a move has: of states side by side those that it changed, with spaces between.

    `cause` is the row of the change that a move followed by itself.
    """

    process: str
    transition: str
    from_state: str
    to_state: str
    undo_until: datetime | None = None
    cause: str | None = None

    @classmethod
    def of(cls, process: str, taken: Taken, undo_until: datetime | None = None, cause: str | None = None) -> Step:
        """Return the step of a decision."""
        ends = " ".join(taken.origin), " ".join(taken.goal)
        return cls(process, taken.transition.name, *ends, undo_until, cause)


async def keep(  # noqa: PLR0913 - a row has that many parts
    unit: Unit,
    kind: Kind,
    entity: str,
    record: str,
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    text: str = "",
    step: Step | None = None,
) -> str:
    """Write a history row and return its id. `before` and `after` hold stored forms (`workflows.stored`)."""
    row = _row(unit, kind, entity, record, (before, after), text, step)
    await unit.tx.run(_INSERT, row)
    HAPPENED.note(kind)
    event = _audited(unit, kind, entity, record, row)
    await audit.keep(unit.tx, row[0], event)
    return str(row[0])


async def keep_created(
    unit: Unit, entity: str, records: Iterable[Mapping[str, Any]], given: Callable[[Mapping[str, Any]], tuple[str, ...]]
) -> list[str]:
    """Write a history row for each new record (all its values) and return their ids; `given` names what is told."""
    rows = [
        _row(unit, "created", entity, full["id"], (None, stored(unit, entity, full, given(full)))) for full in records
    ]
    if rows:
        await unit.tx.run_many(_INSERT, rows)
        HAPPENED.note("created", len(rows))
        await audit.keep_many(unit.tx, [(row[0], _audited(unit, "created", entity, row[3], row)) for row in rows])
    return [str(row[0]) for row in rows]


def _audited(unit: Unit, kind: Kind, entity: str, record: str, row: list[Any]) -> Event:
    """Return what the audit keeps of a history row: that it was written, and what proves what it says."""
    proof = audit.digest(PROVEN, [row[place] for place in _PROVEN])
    return Event(kind, unit.now, unit.actor, entity, record, proof=proof)


_Values = Mapping[str, Any] | None


def _row(  # noqa: PLR0913, PLR0917 - a row has that many parts
    unit: Unit,
    kind: Kind,
    entity: str,
    record: str,
    values: tuple[_Values, _Values],
    text: str = "",
    step: Step | None = None,
) -> list[Any]:
    actor = unit.actor
    move = (step.process, step.transition, step.from_state, step.to_state) if step else (None, None, None, None)
    before, after = values
    return [
        unit.new_id(),
        moment(unit.now),
        entity,
        record,
        kind,
        *move,
        actor.id,
        actor.kind,
        actor.ip,
        dump(before) if before else None,
        dump(after) if after else None,
        text or None,
        actor.run,
        maybe_moment(step.undo_until if step else None),
        None,
        actor.through,
        step.cause if step else None,
    ]


def stored(unit: Unit, entity: str, values: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    """Return some values of a record in their stored form, for `before` and `after`."""
    table = unit.published.tables[entity]
    return {name: table.keep(name, values.get(name)) for name in names if name in table.shape.columns}


def told(fields: tuple[str, ...]) -> tuple[str, ...]:
    """Return the fields whose changes are history: those of the system are not."""
    return tuple(name for name in fields if name not in _UNTOLD and not name.startswith("_"))


async def touch(unit: Unit, entity: str, record: str) -> None:
    """Note that a person did something with the record; what automations do does not count."""
    if unit.actor.kind == "system":
        return
    await unit.tx.run(
        f'UPDATE {quoted(entity)} SET "last_activity_at" = ? WHERE "id" = ?',  # noqa: S608 - a table's name, quoted
        [moment(unit.now), record],
    )
    parent = unit.network.entities[entity].parent
    row = await unit.tx.row(f'SELECT "parent" FROM {quoted(entity)} WHERE "id" = ?', [record]) if parent else None  # noqa: S608 - the same
    if parent and row is not None:
        await touch(unit, parent, row[0])
