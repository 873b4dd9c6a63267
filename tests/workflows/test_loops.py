from __future__ import annotations

import json
from datetime import timedelta

import pytest

from models.actor import Actor
from tests.workflows.conftest import MakeStage, Stage
from tests.workflows.test_automations import automation, staged
from workflows import commands

pytestmark = pytest.mark.anyio


async def three(stage: Stage, lea: Actor) -> None:
    """Make three leads, and a company that starts the automation."""
    for number, name in enumerate(("Ana", "Bea", "Cid")):
        await stage.lead(lea, first_name=name, email=f"{name}@exemple.fr", calls=number)
    await commands.create(stage.tenant, lea, "company", {"name": "Savons"})
    await stage.worker.run_due()


async def test_a_loop_goes_through_the_records_of_a_query_in_order(make_stage: MakeStage) -> None:
    steps = """
  - for_each: {in: {entity: lead, where: record.calls < 2, sort: -calls}, as: lead}
    do:
      - create: {entity: company, values: {name: =lead.first_name, city: =record.name}}
"""
    stage, lea = await staged(make_stage, automation("{created: company}", steps, 'if: record.name == "Savons"'))
    await three(stage, lea)
    assert await stage.rows("company", "name", "city") == [("Savons", None), ("Bea", "Savons"), ("Ana", "Savons")]
    assert await stage.rows("_run", "state", where="state <> 'not_fired'") == [("done",)]
    assert await stage.rows("_step", "path", "action", "outcome", "turn") == [
        ("do/0", "for_each", "done", None),
        ("do/0/do/0", "create", "done", "1"),
        ("do/0/do/0", "create", "done", "2"),
    ]
    assert await stage.rows("_item", "id") == []
