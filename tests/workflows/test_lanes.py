"""What a process that knows no lanes asks for, while another already works in them, is done in its lane."""

from __future__ import annotations

import pytest

from models.actor import SYSTEM
from tests.workflows.conftest import RNG, Stage
from tests.workflows.letters_waiting import put
from workflows import outbox
from workflows.outbox import LANES
from workflows.unit import write
from workflows.worker import Worker

pytestmark = pytest.mark.anyio

UNSORTED = """UPDATE "_outbox" SET "priority" = "priority" - ? WHERE "kind" = ? AND "state" = 'ready'"""


async def test_a_mail_asked_for_without_a_lane_leaves(stage: Stage) -> None:
    await stage.worker.run_due()  # it has begun: nothing is sorted in any more
    await put(stage.tenant, "paul@exemple.fr")
    await stage.tenant.store.write(lambda tx: tx.run(UNSORTED, [LANES["mail"], "mail"]))
    await stage.worker.run_due()
    assert await stage.rows("_mail", "state") == [("sent",)]
    assert await stage.rows("_outbox", "attempts", "state", where="kind = 'mail'") == [(1, "done")]


@pytest.mark.parametrize("kind", LANES)
async def test_a_row_without_a_lane_waits_in_it_with_all_its_attempts(stage: Stage, kind: outbox.Kind) -> None:
    inside = Worker(stage.tenant, rng=RNG)  # no way out for mails and text messages
    await inside.run_due()
    await write(stage.tenant, SYSTEM, lambda unit: outbox.enqueue(unit, kind, {}))
    await stage.tenant.store.write(lambda tx: tx.run(UNSORTED, [LANES[kind], kind]))
    kinds = [each for each in outbox.KINDS if each not in LANES]
    for _ in range(outbox.ATTEMPTS + 2):
        await inside._drain(kinds, None)
    found = await stage.rows("_outbox", "priority", "attempts", "state", "lease_until", where=f"kind = '{kind}'")
    assert found == [(LANES[kind], 0, "ready", None)]


async def test_a_row_that_nobody_takes_says_so(stage: Stage) -> None:
    inside = Worker(stage.tenant, rng=RNG)
    await write(stage.tenant, SYSTEM, lambda unit: outbox.enqueue(unit, "sms", {}))
    with pytest.raises(RuntimeError, match="no way out"):
        await inside._drain(["sms"], None)
