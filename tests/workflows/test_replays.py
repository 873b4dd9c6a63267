"""What is sent twice is done once, whichever process is asked."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from models.actor import Actor
from models.errors import InvalidError
from models.tenant import open_tenant
from tests.homes import Homes
from tests.workflows.conftest import Stage
from workflows import commands

pytestmark = pytest.mark.anyio

LEAD = {"first_name": "Élodie", "last_name": "Marchand", "country": "FR"}


async def test_the_second_sending_gets_what_the_first_made(stage: Stage, lea: Actor) -> None:
    made = await asyncio.gather(*(commands.create_once(stage.tenant, lea, "lead", LEAD, "a") for _ in range(5)))
    assert len(set(made)) == 1
    assert made[0].title == "Élodie Marchand"
    other = await commands.create_once(stage.tenant, lea, "lead", LEAD, "b")
    assert sorted(await stage.rows("lead", "id")) == sorted([(made[0].id,), (other.id,)])


async def test_another_process_knows_what_was_sent(stage: Stage, lea: Actor, homes: Homes) -> None:
    first = await commands.create_once(stage.tenant, lea, "lead", LEAD, "a")
    tenants = [stage.tenant] if homes.dialect == "postgres" else []
    if not tenants:
        await stage.tenant.close()  # one process opens a file: the next one is the server that was started again
    second = await open_tenant(homes("network0"), "small", clock=stage.clock)
    tries = (commands.create_once(tenant, lea, "lead", LEAD, key) for tenant in (*tenants, second) for key in "aabb")
    found = await asyncio.gather(*tries)
    await second.close()
    assert len(set(found)) == 2
    assert first in found


async def test_what_was_refused_can_be_sent_again(stage: Stage, lea: Actor) -> None:
    with pytest.raises(InvalidError):
        await commands.create_once(stage.tenant, lea, "lead", {**LEAD, "country": "XX"}, "a")
    assert (await commands.create_once(stage.tenant, lea, "lead", LEAD, "a")).title == "Élodie Marchand"


async def test_a_key_is_its_senders_and_holds_for_a_day(stage: Stage, lea: Actor, rita: Actor) -> None:
    first = await commands.create_once(stage.tenant, lea, "lead", LEAD, "a")
    assert (await commands.create_once(stage.tenant, rita, "lead", LEAD, "a")).id != first.id
    stage.clock.forward(timedelta(days=1))
    assert (await commands.create_once(stage.tenant, lea, "lead", LEAD, "a")).id != first.id
