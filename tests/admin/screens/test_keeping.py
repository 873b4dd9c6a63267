"""Who runs the network sees how long records are kept, and which are going to be erased."""

from __future__ import annotations

import pytest

from models.actor import SYSTEM
from models.message import say
from models.system import RETENTION
from models.tx import Tx
from tests.admin.office import CAMILLE, LEADER, Office
from workflows import commands
from workflows.stored import dump_message, moment

pytestmark = pytest.mark.anyio


@pytest.fixture
async def due(office: Office) -> Office:
    """A network with a lead that is announced, and one that cannot be erased."""
    now = moment(office.clock.now())
    for number, state in enumerate(("waiting", "blocked")):
        given = {"first_name": "Élodie", "last_name": f"Marchand {number}", "owner": office.members[CAMILLE]}
        lead = await commands.create(office.tenant, SYSTEM, "lead", {**given, "email": f"{number}@exemple.fr"})
        reason = dump_message(
            say("It cannot be erased as long as {entity}.{field} refers to it.", entity="a", field="b")
        )
        row = [f"r{number}", "lead", lead.id, office.members[CAMILLE], now, now, now, now, None, state, reason]

        async def work(tx: Tx, row: list[object] = row) -> None:
            await tx.run(RETENTION.insert(), row)

        await office.tenant.store.write(work)
    return office


async def test_the_leader_sees_how_long_and_what_goes_when(due: Office) -> None:
    async with due.signed_in(LEADER) as visitor:
        page = (await visitor.get("definitions/retention")).text
        assert "after the last activity" in page
        assert "Kept for ever" in page
        assert "Élodie Marchand 0" in page
        assert "as long as a.b refers to it" in page
        assert "1 cannot be erased" in page
        assert "definitions/retention" in (await visitor.get("definitions")).text


async def test_for_others_there_is_no_such_page(due: Office) -> None:
    async with due.signed_in(CAMILLE) as visitor:
        assert (await visitor.get("definitions/retention")).status_code == 404
