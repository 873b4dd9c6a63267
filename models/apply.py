"""Carry out a plan, in the transaction that publishes the version."""

from __future__ import annotations

from models import ddl
from models.plan import Plan
from models.tx import Tx


async def apply(tx: Tx, plan: Plan) -> None:
    """Make the changes of `plan`; foreign keys are off meanwhile and checked at the end: `write(…, schema=True)`."""
    for step in plan.steps:
        await tx.run(ddl.create_table(step.shape))
        for index in step.shape.indexes:
            await tx.run(ddl.create_index(index))
