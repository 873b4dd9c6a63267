"""Runs of automations as they are kept: beginning, looking up, ending."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal, get_args

from definitions.spec.automation import Automation
from models.ddl import listed
from models.message import Message, say
from models.system import RUN
from models.tx import Row, Tx
from workflows import items, outbox
from workflows.called import Called, read_kept
from workflows.stored import dump, dump_message, maybe_moment, moment, read_moment
from workflows.unit import Unit

State = Literal["running", "waiting", "done", "failed", "cancelled", "not_fired"]
STATES: tuple[State, ...] = get_args(State)
OF_PAUSES = frozenset({"waiting", "cancel", "follow", "awaits", "tries", "again", "skip"})
"""What a run's cursor says of a pause alone."""
DEPTH = 12
"""So many automations may cause one another before the chain is cut."""

_INSERT = RUN.insert()
_COLUMNS = listed(
    (
        "id",
        "automation",
        "definition",
        "key",
        "entity",
        "record",
        "state",
        "cause",
        "actor",
        "hold_until",
        "cursor",
        "names",
    )
)
_BY_ID = f'SELECT {_COLUMNS} FROM "_run" WHERE "id" = ?'  # noqa: S608 - columns of ours
_BY_IDS = f'SELECT {_COLUMNS} FROM "_run" WHERE "id" IN ({{places}})'  # noqa: S608 - the same
_OF_RECORD = f"""SELECT {_COLUMNS} FROM "_run" WHERE "entity" = ? AND "record" = ? AND "state" = 'waiting'
AND "wake_at" IS NOT NULL"""  # noqa: S608 - the same
_ABOUT = f'SELECT {_COLUMNS} FROM "_run" WHERE "entity" = ? AND "record" = ? ORDER BY "started_at" DESC, "id" DESC'  # noqa: S608 - the same
_ACTIVE = f"""SELECT {_COLUMNS} FROM "_run" WHERE "automation" = ? AND "key" = ? AND "state" IN ('running', 'waiting')
ORDER BY "started_at", "id" """  # noqa: S608 - the same
_UNDER_WAY = f"""SELECT {_COLUMNS} FROM "_run" WHERE "state" IN ('running', 'waiting') AND "automation" = ?
ORDER BY "started_at" DESC, "id" DESC"""  # noqa: S608 - the same
_TAKEN = """SELECT DISTINCT "key" FROM "_run" WHERE "automation" = ? AND "key" IN ({places})
AND "state" IN ('running', 'waiting')"""
_WAITED = """SELECT DISTINCT "record" FROM "_run" WHERE "entity" = ? AND "record" IN ({places}) AND "state" = 'waiting'
AND "wake_at" IS NOT NULL"""
KEYS = 500
"""So many keys are looked for at once."""
_PART = f"""SELECT {_COLUMNS} FROM "_run" WHERE "state" IN ('running', 'waiting', 'failed') AND "automation" = ?
AND "id" > ? ORDER BY "id" LIMIT ?"""  # noqa: S608 - the same
_MOVE = 'UPDATE "_run" SET "definition" = ?, "cursor" = ?, "names" = ? WHERE "id" = ?'
_COUNTS = """SELECT "automation", count(*) FROM "_run" WHERE "state" IN ('running', 'waiting') GROUP BY 1"""
_CAUSED = f'SELECT {_COLUMNS} FROM "_run" WHERE "cause" = ?'  # noqa: S608 - the same
END = 'UPDATE "_run" SET "state" = ?, "error" = ?, "ended_at" = ?, "wake_at" = NULL WHERE "id" = ?'
_REOPEN = """UPDATE "_run" SET "state" = ?, "cursor" = ?, "error" = NULL, "ended_at" = NULL, "wake_at" = NULL
WHERE "id" = ?"""
MARK = 'UPDATE "_run" SET "state" = ?, "cursor" = ?, "names" = ?, "wake_at" = ? WHERE "id" = ?'


Go = Callable[[Unit, "Run"], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a run comes from: what happened (`entered recruiting.contacted`), after how many runs.

    `through` is the member who really acted, in the office of the run's actor.
    """

    what: str
    depth: int = 0
    run: str | None = None
    through: str | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """A run as it is kept. `before` and `gone` (a deleted record) hold stored forms; `made` records by name.

    `automation` is what its automation is called today, `began` what it was called in the version of the run. `call` is
    the call of another system that it began with.
    """

    id: str
    automation: str
    definition: int
    key: str | None
    entity: str | None
    record: str | None
    state: State
    cause: str
    actor: str | None
    hold_until: datetime | None
    cursor: Mapping[str, Any]
    origin: Origin
    before: Mapping[str, Any] = field(default_factory=dict)
    made: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    gone: Mapping[str, Any] | None = None
    began: str = ""
    call: Called | None = None

    @property
    def followed(self) -> str:
        """The name, in the version that it began with, of the automation that it follows."""
        return self.began or self.automation

    @property
    def names(self) -> str:
        """What is kept of it in the column `names`."""
        origin = self.origin
        kept: dict[str, Any] = {
            "origin": [origin.what, origin.depth, origin.run, *([origin.through] if origin.through else [])],
            "before": dict(self.before),
            "made": {name: list(made) for name, made in self.made.items()},
            "began": self.followed,
        }
        if self.gone is not None:
            kept["gone"] = dict(self.gone)
        if self.call is not None:
            kept["call"] = self.call.kept
        return dump(kept)


def _read(row: Row) -> Run:
    names = json.loads(row[11] or "{}")
    run, automation, definition, key, entity, record, state, cause, actor = row[:9]
    return Run(
        run,
        automation,
        definition,
        key,
        entity,
        record,
        state,
        cause,
        actor,
        read_moment(row[9]),
        json.loads(row[10] or "{}"),
        Origin(*names.get("origin", ["?"])),
        names.get("before", {}),
        {name: (made[0], made[1]) for name, made in names.get("made", {}).items()},
        names.get("gone"),
        names.get("began", ""),
        read_kept(names.get("call")),
    )


async def load(tx: Tx, run: str) -> Run | None:
    """Return a run."""
    row = await tx.row(_BY_ID, [run])
    return None if row is None else _read(row)


async def load_all(tx: Tx, ids: Sequence[str]) -> dict[str, Run]:
    """Return those of the runs that there are, by their ids."""
    sql = _BY_IDS.format(places=", ".join("?" * len(ids)))
    return {row[0]: _read(row) for row in await tx.rows(sql, ids)} if ids else {}


async def waiting(tx: Tx, entity: str, record: str) -> list[Run]:
    """Return the runs over a record that wait for a time."""
    return [_read(row) for row in await tx.rows(_OF_RECORD, [entity, record])]


async def about(tx: Tx, entity: str, record: str) -> list[Run]:
    """Return all runs over a record, the latest first."""
    return [_read(row) for row in await tx.rows(_ABOUT, [entity, record])]


async def active(tx: Tx, automation: str, key: str) -> list[Run]:
    """Return the runs of an automation that are not over, for one key, the oldest first."""
    return [_read(row) for row in await tx.rows(_ACTIVE, [automation, key])]


async def under_way(tx: Tx, automation: str) -> list[Run]:
    """Return all runs of an automation that are not over, the latest first."""
    return [_read(row) for row in await tx.rows(_UNDER_WAY, [automation])]


async def part(tx: Tx, automation: str, after: str, limit: int) -> list[Run]:
    """Return some runs of an automation that can go on (failed ones too), those whose ids come next after one."""
    return [_read(row) for row in await tx.rows(_PART, [automation, after, limit])]


async def go_over(unit: Unit, moved: Iterable[Run]) -> None:
    """Let runs follow the version that they have now, and with them what was asked for already."""
    found = list(moved)
    await unit.tx.run_many(_MOVE, [(run.definition, dump(run.cursor), run.names, run.id) for run in found])
    await outbox.ask_otherwise(unit.tx, {f"run:{run.id}:": _payload(run) for run in found})


async def counts(tx: Tx) -> dict[str, int]:
    """Return how many runs of each automation are not over."""
    return {row[0]: int(row[1]) for row in await tx.rows(_COUNTS)}


async def caused(tx: Tx, history: str) -> list[Run]:
    """Return the runs that a history row caused."""
    return [_read(row) for row in await tx.rows(_CAUSED, [history])]


async def insert(unit: Unit, run: Run, why: Message | None = None) -> Run:
    """Keep a new run, and return it; one that is over already (not fired, failed) with the reason."""
    over = run.state not in ("running", "waiting")
    now = moment(unit.now)
    await unit.tx.run(
        _INSERT,
        [
            run.id,
            run.automation,
            run.definition,
            run.key,
            run.entity,
            run.record,
            run.state,
            run.cause,
            run.actor,
            maybe_moment(run.hold_until),
            dump(run.cursor),
            run.names,
            now,
            now if over else None,
            None,
            dump_message(why),
        ],
    )
    return run


def _payload(run: Run) -> dict[str, Any]:
    return {"run": run.id, "definition": run.definition}


async def wake(unit: Unit, run: Run, at: datetime | None = None) -> None:
    """Ask for the run to go on at a time (now when None)."""
    await outbox.enqueue(unit, "run", _payload(run), at, f"run:{run.id}:{unit.new_id()}")


async def look_again(unit: Unit, run: Run) -> None:
    """Have a waiting run check whether to go on waiting and until when, where its step leaves that to the record."""
    if run.cursor.get("cancel") or run.cursor.get("follow"):
        await outbox.enqueue(unit, "check", _payload(run), None, f"run:{run.id}:{unit.new_id()}")


async def mark(unit: Unit, run: Run, wake_at: datetime | None = None) -> None:
    """Keep how far the run has come."""
    await unit.tx.run(MARK, [run.state, dump(run.cursor), run.names, maybe_moment(wake_at), run.id])


async def end(unit: Unit, run: Run, state: State, why: Message | None = None) -> None:
    """End the run, and begin the next one of its queue."""
    await unit.tx.run(END, [state, dump_message(why), moment(unit.now), run.id])
    over = replace(run, state=state)
    if unit.ended is None:
        await leave(unit, [over])
    else:
        unit.ended[run.id] = over


async def leave(unit: Unit, ended: Sequence[Run]) -> None:
    """Clear up behind runs that have ended: what they asked for, their items, and their places in queues."""
    await outbox.cancel_all(unit.tx, [f"run:{run.id}:" for run in ended], unit.now)
    await items.forget_all(unit.tx, [f"{run.id}:" for run in ended if run.state != "failed"])  # those can go on yet
    keyed: dict[str, dict[str, Run]] = {}
    for run in ended:
        if run.key is not None:
            await _be_alone(unit, run)
            keyed.setdefault(run.automation, {})[run.key] = run
    for automation, by_key in keyed.items():
        for key in await taken_keys(unit.tx, automation, list(by_key)):
            await _give_way(unit, by_key[key])


async def _give_way(unit: Unit, run: Run) -> None:
    """Begin the next run of the queue that one has ended in."""
    others = [each for each in await active(unit.tx, run.automation, run.key or "") if each.id != run.id]
    if others and all(map(_is_queued, others)):
        await mark(unit, replace(others[0], state="running"))
        await wake(unit, others[0])


def _is_queued(run: Run) -> bool:
    """Whether a run has not begun yet, because another one of its key is under way."""
    return run.state == "waiting" and not run.cursor


async def is_over(unit: Unit, run: Run) -> bool:
    """Whether another run has taken the place of this one, as its automation says."""
    automation = unit.network.automations.get(run.automation)
    if automation is None or automation.mode != "restart":
        return False
    row = await unit.tx.row('SELECT "state" FROM "_run" WHERE "id" = ?', [run.id])
    return row is not None and row[0] not in ("running", "waiting")


async def reopen(unit: Unit, run: Run) -> None:
    """Let a run go on now that was over or waited."""
    await unit.tx.run(_REOPEN, [run.state, dump(run.cursor), run.id])
    await wake(unit, run)


async def has_other(unit: Unit, run: Run) -> bool:
    """Whether another run of the same key is under way, and the automation allows one at a time."""
    automation = unit.network.automations.get(run.automation)
    if not run.key or automation is None or automation.mode == "parallel":
        return False
    await _be_alone(unit, run)
    return any(other.id != run.id for other in await active(unit.tx, run.automation, run.key))


async def _be_alone(unit: Unit, run: Run) -> None:
    """Let nobody else begin or end runs of the same key meanwhile: what is under way decides what begins."""
    automation = unit.network.automations.get(run.automation)
    if automation is not None and automation.mode == "parallel":
        return
    await unit.tx.lock(f"run:{run.automation}:{run.key}")


async def admit(unit: Unit, automation: Automation, run: Run, *, alone: bool = False, go: Go | None = None) -> Run:
    """Begin the run, or queue it, or say why it does not begin: the automation's mode decides. Return it as kept.

    `alone`: no other run of its key is under way, as who asks has found out. `go` sees to it that a run which begins
    goes on; by default it is woken.
    """
    if run.origin.depth > DEPTH:
        chain = " → ".join((*await _chain(unit, run), "…"))
        why = say("Automations cause one another more than {count} times in a row: {chain}", count=DEPTH, chain=chain)
        await outbox.bury(unit, "run", _payload(run), str(why), f"run:{run.id}:")
        return await insert(unit, replace(run, state="failed"), why)
    if run.key:
        await _be_alone(unit, run)
    asks = automation.mode != "parallel" and run.key and not alone
    others = await active(unit.tx, run.automation, run.key or "") if asks else []
    if others and automation.mode == "single":
        why = say("A run for the same record was still under way.")
        return await insert(unit, replace(run, state="not_fired"), why)
    if others and automation.mode == "queued":
        return await insert(unit, replace(run, state="waiting"))
    if automation.mode == "restart":
        for other in others:
            await end(unit, other, "cancelled", say("A new run for the same record took its place."))
    await insert(unit, run)
    await (go or wake)(unit, run)
    return run


async def _chain(unit: Unit, run: Run) -> list[str]:
    """Return what the automations are called that caused one another up to a run, each once, the first one first."""
    names, cause = [run.automation], run.origin.run
    while cause is not None and (before := await load(unit.tx, cause)) is not None:
        names.append(before.automation)
        cause = before.origin.run
    known = unit.network.automations
    found = (known[name].label.pick(*unit.network.languages) if name in known else name for name in reversed(names))
    return [*dict.fromkeys(found)]


async def taken_keys(tx: Tx, automation: str, keys: Sequence[str]) -> frozenset[str]:
    """Return those of the keys for which a run of an automation is not over."""
    found: set[str] = set()
    for begin in range(0, len(keys), KEYS):
        part = keys[begin : begin + KEYS]
        sql = _TAKEN.format(places=", ".join("?" * len(part)))
        found.update(row[0] for row in await tx.rows(sql, [automation, *part]))
    return frozenset(found)


async def waited_over(tx: Tx, entity: str, records: Sequence[str]) -> frozenset[str]:
    """Return those of the records over which a run waits for a time."""
    found: set[str] = set()
    for begin in range(0, len(records), KEYS):
        part = records[begin : begin + KEYS]
        sql = _WAITED.format(places=", ".join("?" * len(part)))
        found.update(row[0] for row in await tx.rows(sql, [entity, *part]))
    return frozenset(found)
