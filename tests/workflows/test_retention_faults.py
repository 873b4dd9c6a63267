"""Announcing and erasing: whatever statement is the last before a fault, each happens once in the end."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

import pytest

from models import chain
from tests.workflows.conftest import MakeStage, Stage
from tests.workflows.test_erasure import PACK, VAULT, left
from tests.workflows.test_run_faults import FaultError, Faults, faults
from workflows import auditing
from workflows.outbox import LONGEST

__all__ = ["faults"]

pytestmark = [pytest.mark.anyio, pytest.mark.slow]


async def later(stage: Stage, **span: float) -> None:
    stage.clock.forward(timedelta(**span))
    await stage.worker.run_due()


async def announced(stage: Stage) -> int:
    """Return how many announcements were written: whether each has arrived is another matter."""
    return len(await stage.rows("_mail", "id", where="\"subject\" LIKE 'Bient%'"))


@pytest.mark.parametrize("days", [90, 20], ids=["announcing", "erasing"])
async def test_a_fault_at_any_statement_changes_nothing_in_the_end(
    make_stage: MakeStage, faults: Faults, days: int
) -> None:
    stage = await make_stage(PACK)
    stage.tenant.vault = VAULT
    lea, statement, over = await stage.person("Lea", "distributor"), 0, False
    while not over:
        statement += 3
        before = await announced(stage)
        lead = await stage.lead(lea, email=f"l{statement}@exemple.fr")
        if days == 20:
            await later(stage, days=90)
        stage.clock.forward(timedelta(days=days))
        faults.left = statement
        with suppress(FaultError):
            await stage.worker.run_due()
        over, faults.left = faults.left > 0, None
        for _ in range(3):
            await later(stage, seconds=2 * LONGEST.total_seconds() + 120)
        assert await announced(stage) == before + 1, statement
        await later(stage, days=20)
        assert await left(stage, "lead") == [], statement
        where = f"\"kind\" = 'erased' AND \"record\" = '{lead.id}'"
        assert len(await stage.rows("_audit", "id", where=where)) == 1, statement
    await auditing.seal(stage.tenant)
    assert (await chain.verify(stage.tenant.store, VAULT)).broken is None
    assert statement > 40
