"""Runs with loops, gifts and other runs in them: whatever statement is the last before a fault, the end is the same."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

from models.postgres_tx import PostgresTx
from models.sqlite_tx import SqliteTx
from models.tx import SqlValue, Tx
from tests.networks import changed
from tests.workflows.conftest import MakeStage
from tests.workflows.test_automations import QUIET, staged
from workflows.outbox import LONGEST

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

PACK = changed(
    QUIET,
    it="""
automation: first
when: {created: lead}
do:
  - for_each: {in: "=['a', 'b']"}
    do: [{create: {entity: company, values: {name: =record.first_name + item}}}]
  - assign: {pick: round_robin, among: '"leader" in member.levels'}
  - run: second
---
automation: second
when: {deleted: lead}
do:
  - wait: {for: 1m}
  - set: {calls: =record.calls + 1}
""",
)


class FaultError(Exception):
    """The database went away."""


class Faults:
    """Lets a statement fail; `left` counts down to it, None: none does."""

    def __init__(self) -> None:
        self.left: int | None = None

    def before(self, method: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def asked(tx: Tx, sql: str, values: Sequence[SqlValue] = ()) -> Any:
            if self.left is not None:
                self.left -= 1
                if self.left == 0:
                    raise FaultError(sql)
            return await method(tx, sql, values)

        return asked


@pytest.fixture
def faults(monkeypatch: pytest.MonkeyPatch) -> Faults:
    found = Faults()
    for transaction in (SqliteTx, PostgresTx):
        for name in ("rows", "row", "run", "run_many"):
            monkeypatch.setattr(transaction, name, found.before(getattr(transaction, name)))
    return found


async def test_a_fault_at_any_statement_changes_nothing_in_the_end(make_stage: MakeStage, faults: Faults) -> None:
    stage, lea = await staged(make_stage, PACK)
    rita = await stage.person("Rita", "leader")
    await stage.worker.run_due()
    statement = 0
    while faults.left is None:
        statement += 1
        lead = await stage.lead(lea, first_name=f"L{statement}", email=f"l{statement}@exemple.fr")
        faults.left = statement
        with suppress(FaultError):
            await stage.worker.run_due()
        if faults.left > 0:
            break  # there are no more statements
        faults.left = None
        for _ in range(3):
            stage.clock.forward(2 * LONGEST + timedelta(minutes=2))
            await stage.worker.run_due()
        names = await stage.rows("company", "name", where=f"name LIKE 'L{statement}_'")
        assert names == [(f"L{statement}a",), (f"L{statement}b",)], statement
        states = await stage.rows("_run", "automation", "state", where=f"record = '{lead.id}'")
        assert sorted(states) == [("first", "done"), ("second", "done")], statement
        now = await stage.get(lead)
        assert (now.full["calls"], now.full["owner"]["id"]) == (1, rita.id), statement
        assert await stage.rows("_item", "id") == []
    assert statement > 40
