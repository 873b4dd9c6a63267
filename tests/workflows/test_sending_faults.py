"""The database goes away while mails leave: each of them leaves once, and none is given up for that."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP

from models.actor import Actor
from models.postgres_tx import PostgresTx
from models.sqlite_tx import SqliteTx
from models.store import StoreUnreachableError
from models.tx import SqlValue, Tx
from tests.workflows.conftest import Stage
from tests.workflows.letters_waiting import put
from workflows import sending
from workflows.mailing import BATCH

pytestmark = [pytest.mark.anyio, pytest.mark.slow]


class Away:
    """Lets the statement fail that `left` counts down to, and the next one that has `part` in it."""

    def __init__(self) -> None:
        self.left = 0
        self.part: str | None = None

    def before(self, method: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def asked(tx: Tx, sql: str, values: Sequence[SqlValue] = ()) -> Any:
            self.left -= 1
            found = self.part is not None and self.part in sql
            if found:
                self.part = None
            if found or self.left == 0:
                raise StoreUnreachableError(sql)
            return await method(tx, sql, values)

        return asked


@pytest.fixture
def away(monkeypatch: pytest.MonkeyPatch) -> Away:
    """Statements of both databases fail when it says so; nobody waits for the database to come back."""
    found = Away()
    monkeypatch.setattr(sending, "PAUSES", (0, 0))
    for transaction in (SqliteTx, PostgresTx):
        for name in ("rows", "row", "run", "run_many"):
            monkeypatch.setattr(transaction, name, found.before(getattr(transaction, name)))
    return found


async def test_a_database_that_goes_away_at_any_statement_costs_no_mail(stage: Stage, lea: Actor, away: Away) -> None:
    for statement in count(1):
        await stage.call(lea, await stage.lead(lea, email=f"l{statement}@exemple.fr"))
        await stage.worker.run_due()
        stage.clock.forward(timedelta(minutes=10))
        away.left = statement
        with suppress(StoreUnreachableError):
            await stage.worker.run_due()
        if away.left > 0:  # there was no such statement any more
            assert statement > 10, "a mail takes some"
            break
        stage.clock.forward(timedelta(minutes=10))
        await stage.worker.run_due()
        assert await stage.rows("_mail", "state") == [("sent",)] * statement, f"statement {statement}"
        assert [str(letter["To"]) for letter in stage.mailbox.letters].count(f"l{statement}@exemple.fr") == 1


async def test_what_one_connection_meets_breaks_off_no_mail_of_another(stage: Stage, away: Away) -> None:
    mails = await put(stage.tenant, *(f"p{number}@exemple.fr" for number in range(BATCH + 1)))
    failed, looks = asyncio.Event(), " AS step"

    async def on_text(server: SMTP) -> None:
        [to] = server.envelope.rcpt_tos if server.envelope else []
        if to == f"p{BATCH}@exemple.fr":  # the other connection's only one: it looks for more, and the database is away
            away.part = looks
            failed.set()
        elif to == "p0@exemple.fr":
            await failed.wait()
            while away.part is not None:  # noqa: ASYNC110 - what fails is on a thread of the database
                await asyncio.sleep(0)

    stage.mailbox.on_text = on_text
    with pytest.raises(StoreUnreachableError):
        await stage.worker.run_due()
    assert await stage.rows("_mail", "state") == [("sent",)] * len(mails)
