"""Whose mails leave before whose: in a network by what is waited for, between networks turn by turn."""

from __future__ import annotations

import asyncio
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.actor import SYSTEM
from models.secrets import Vault
from tests.workflows.conftest import RNG, MakeStage, Stage
from tests.workflows.letters_waiting import ENDS, letter, put
from workflows import outbox
from workflows.letters import purpose
from workflows.mail import SmtpTransport
from workflows.mail_account import MailAccount
from workflows.mail_lines import Lines
from workflows.mailing import BATCH
from workflows.outbox import FIRST, LANES, LAST, NEXT
from workflows.posting import post
from workflows.unit import Unit, write
from workflows.worker import Worker

pytestmark = pytest.mark.anyio


def to(stage: Stage) -> list[str]:
    """Return who got something, in order."""
    return [str(letter["To"]) for letter in stage.mailbox.letters]


def alone(stage: Stage, account: MailAccount) -> Worker:
    """Return a worker that sends over an account."""
    return Worker(stage.tenant, SmtpTransport(stage.mailbox.url), rng=RNG, account=account)


async def test_what_somebody_waits_for_leaves_before_a_campaign_that_came_first(stage: Stage) -> None:
    await put(stage.tenant, *(f"c{number}@exemple.fr" for number in range(BATCH + 20)), unsubscribe=ENDS)

    stage.tenant.vault = Vault(lambda: (b"0123456789abcdef",))

    async def ask(unit: Unit) -> None:
        sealed = stage.tenant.vault.seal(json.dumps(["<p>a</p>", "a"]), purpose("urgent"))
        await post(unit, "urgent", letter("lea@exemple.fr", sealed=sealed))
        await post(unit, unit.new_id(), letter("usual@exemple.fr"))

    await write(stage.tenant, SYSTEM, ask)
    await alone(stage, MailAccount(Lines(1))).run_due()
    order = to(stage)
    assert order[0] == "lea@exemple.fr"
    assert order.index("usual@exemple.fr") < BATCH
    assert len(order) == BATCH + 22


async def test_a_lane_full_of_mails_is_in_no_other_work_s_way(stage: Stage) -> None:
    """Work inside of the network is looked for without meeting a mail."""
    await put(stage.tenant, *(f"c{number}@exemple.fr" for number in range(5)))
    now = stage.tenant.clock.now()
    assert await stage.tenant.store.read(lambda tx: outbox.due_steps(tx, ("run", "check"), now)) == []
    assert await stage.tenant.store.read(lambda tx: outbox.due_steps(tx, ("mail",), now)) == [LANES["mail"] + NEXT]


async def test_what_is_much_has_a_share_of_each_batch(stage: Stage) -> None:
    async def ask(unit: Unit) -> None:
        for priority, count in ((FIRST, 100), (NEXT, 100), (LAST, 100)):
            for _ in range(count):
                await outbox.enqueue(unit, "check", {"run": "none"}, priority=priority)

    await write(stage.tenant, SYSTEM, ask)
    now = stage.tenant.clock.now()
    rows = await stage.tenant.store.write(
        lambda tx: outbox.claim(tx, worker="a", now=now, limit=64, steps=outbox.steps_of(("check",))), claim=True
    )
    claimed = {row.id for row in rows}
    found = await stage.rows("_outbox", "id", "priority")
    counts = [sum(priority == step for id, priority in found if id in claimed) for step in (FIRST, NEXT, LAST)]
    assert counts == [48, 8, 8]


async def test_rows_from_before_there_were_lanes_leave_too(stage: Stage) -> None:
    await put(stage.tenant, "paul@exemple.fr")
    await stage.tenant.store.write(lambda tx: tx.run('UPDATE "_outbox" SET "priority" = ?', [0]))
    await stage.worker.run_due()
    assert to(stage) == ["paul@exemple.fr"]


async def test_one_network_s_campaign_does_not_delay_another_one(make_stage: MakeStage) -> None:
    many, few = await make_stage(), await make_stage()
    await put(many.tenant, *(f"c{number}@exemple.fr" for number in range(BATCH * 6)), unsubscribe=ENDS)
    await put(few.tenant, "paul@exemple.fr", unsubscribe=ENDS)
    account = MailAccount(Lines(1))
    await asyncio.gather(alone(many, account).run_due(), alone(few, account).run_due())
    assert to(many).index("paul@exemple.fr") <= 2 * BATCH
    assert len(to(many)) == BATCH * 6 + 1


async def test_a_network_uses_as_many_connections_as_its_settings_say(stage: Stage) -> None:
    await put(stage.tenant, *(f"c{number}@exemple.fr" for number in range(BATCH * 4)))
    open_now, most = 0, 0

    async def look(_: object) -> None:
        nonlocal open_now, most
        open_now += 1
        most = max(most, open_now)
        await asyncio.sleep(0)
        open_now -= 1

    stage.mailbox.on_text = look
    sql = """INSERT INTO "_setting" ("name", "value", "changed_at") VALUES ('_mail_lines', '2', ?)"""
    await stage.tenant.store.write(lambda tx: tx.run(sql, ["2026-01-01 00:00:00.000000+00:00"]))
    await stage.worker.run_due()
    assert len(to(stage)) == BATCH * 4
    assert most <= 2


@given(
    most=st.integers(1, 4),
    asked=st.lists(st.booleans(), min_size=1, max_size=25),
    given_up=st.sets(st.integers(0, 24), max_size=6),
)
async def test_turns_are_bounded_all_come_and_first_ones_go_first(
    most: int, asked: list[bool], given_up: set[int]
) -> None:
    lines, taken, peak, done = Lines(most), 0, 0, list[int]()

    async def go(number: int, first: bool) -> None:
        nonlocal taken, peak
        async with lines.turn(first=first):
            taken += 1
            peak = max(peak, taken)
            try:
                await asyncio.sleep(0)
                done.append(number)
            finally:
                taken -= 1

    tasks = [asyncio.create_task(go(number, first)) for number, first in enumerate(asked)]
    await asyncio.sleep(0)
    for number in given_up & set(range(len(tasks))):
        tasks[number].cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert peak <= most
    assert set(done) >= set(range(len(tasks))) - given_up
    async with asyncio.timeout(5), lines.turn():
        pass
    others = [number for number in done if not asked[number]]
    assert others == sorted(others)
