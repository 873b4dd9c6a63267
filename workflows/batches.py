"""Timers and runs that are due together: one transaction for many, each done as it would be done alone.

What is written is gathered (`models.gathering`), what they read of records and runs is read at once, and a run that
begins goes on in the transaction that begins it. Whatever fails fails the whole batch: its rows are done alone then.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from structlog.contextvars import bound_contextvars

from models.actor import SYSTEM
from models.gathering import Gathering
from models.published import Published
from models.records import Records
from models.system import AUDIT, HISTORY, RUN, TASK
from models.tenant import Tenant
from models.tx import Tx
from workflows import automations, outbox, runs, timers
from workflows.outbox import Row
from workflows.pursuing import pursue
from workflows.runs import Run
from workflows.unit import House, Unit, open_unit

TIMERS = frozenset({"stays", "due"})
KINDS = TIMERS | {"run"}
STATEMENTS = 200
"""Once so many statements were asked for in a transaction, runs that have not gone on in it are asked for again."""
INSERTIONS = (
    *(HISTORY.insert(), AUDIT.insert(), RUN.insert(), TASK.insert()),
    *(automations.INSERTION, outbox.INSERTION),
)
CHANGES = (runs.END, runs.MARK)


def fitting(rows: Iterable[Row]) -> list[Row]:
    """Return those of claimed rows that can be done together: none that was tried before, one for each run."""
    found: dict[str, Row] = {}
    for row in rows:
        if row.kind in KINDS and row.attempts == 1:
            found.setdefault(row.payload.get("run", row.id), row)
    return list(found.values())


class Batch:
    """Rows of one claim in one transaction."""

    def __init__(self, tenant: Tenant, tx: Tx, house: House) -> None:
        """Work for `tenant` over `tx`."""
        self.tx = Gathering(tx, INSERTIONS, CHANGES)
        unit = open_unit(tenant, tx, SYSTEM, house=house)
        records = Records(unit.published, self.tx, SYSTEM, unit.context, new_id=unit.new_id)
        self.ended: dict[str, Run] = {}
        self.unit: Unit = replace(unit, tx=self.tx, records=records, ended=self.ended)
        self.begun: list[Run] = []

    async def work(self, rows: Sequence[Row], versions: Mapping[str, Published]) -> None:
        """Do what the rows ask for, as far as they are still ours; `versions` are those of the rows of runs, by id."""
        unit = self.unit
        asked = await outbox.complete_all(self.tx, rows, unit.now)
        kept = [(row, asked[row.id]) for row in rows if row.id in asked]
        await timers.fire_all(unit, [(row.kind, payload) for row, payload in kept if row.kind in TIMERS], self._later)
        wanted = {payload["run"]: versions[row.id] for row, payload in kept if row.kind not in TIMERS}
        woken = await runs.load_all(self.tx, list(wanted))
        going = [(run, wanted[id]) for id, run in woken.items()] + [(run, unit.published) for run in self.begun]
        await self._pursue(going)
        if self.ended:
            await runs.leave(unit, list(self.ended.values()))
        await self.tx.flush()

    async def _later(self, _: Unit, run: Run) -> None:
        self.begun.append(run)

    async def _pursue(self, going: Sequence[tuple[Run, Published]]) -> None:
        """Let runs go on, each as it is by then: what was read at once holds until somebody writes something else."""
        unit = self.unit
        about = [_about(unit, run) for run, _ in going]
        records = await timers.records_of(unit, [each for each in about if each is not None])
        read = self.tx.written
        for (run, version), record in zip(going, about, strict=True):
            as_read = self.tx.written == read and run.id not in self.ended
            now = run if as_read else await runs.load(self.tx, run.id)
            if now is None:
                continue
            if self.tx.asked >= STATEMENTS:
                await runs.wake(unit, now)
                continue
            with bound_contextvars(run=run.id):
                await pursue(unit, now, version, record=records.get(record) if as_read and record else None)


def _about(unit: Unit, run: Run) -> tuple[str, str] | None:
    """Return the entity and the id of the record that a run reads when it goes on."""
    if run.entity is None or run.record is None or run.gone is not None or run.entity not in unit.network.entities:
        return None
    return run.entity, run.record
