"""What is wrong with one network, or with one look at a backup, takes no backup of anybody away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from admin.control.desk import Desk
from admin.control.service import status
from models.clock import SetClock
from models.stores import create_store, trial
from models.tx import Tx
from server import compose
from tests.admin.control.test_backups import KEY, TIDY, back_up, company, settings, told, trials
from tests.homes import Homes
from tests.networks import SMALL, counting_ids
from workflows import restoring

__all__ = ["company"]
pytestmark = pytest.mark.anyio


@asynccontextmanager
async def served(homes: Homes, clock: SetClock, **more: Any) -> AsyncIterator[Any]:
    """A server over the networks that does nothing by itself."""
    app = compose(replace(settings(homes), **more), clock=clock, new_id=counting_ids(), works=False)
    async with app.router.lifespan_context(app):
        yield app


async def spoil(app: Any, *tables: str) -> None:
    """Make a network that lacks tables, which nobody expects."""
    broken = await app.state.networks.create("broken", SMALL)

    async def drop(tx: Tx) -> None:
        for table in tables:
            await tx.run(f'DROP TABLE "{table}"')

    await broken.store.write(drop, schema=True)


async def test_a_broken_network_keeps_no_other_one_from_its_backup(homes: Homes, company: str, clock: SetClock) -> None:
    first = await back_up(homes, clock)
    clock.forward(timedelta(days=31))
    async with served(homes, clock) as app:
        await spoil(app, "lead")
        answer = await told(homes, "back_up", clock, **{**TIDY, "folder": str(first.parent)})
    assert [(one["network"], one["error"] is None) for one in answer["backups"]] == [("broken", False), ("small", True)]
    assert answer["removed"] == [str(first)]


async def test_a_broken_network_hides_no_figures_of_the_others(homes: Homes, company: str, clock: SetClock) -> None:
    async with served(homes, clock, metrics_token="t" * 20) as app:
        await app.state.networks.get("small")
        await spoil(app, "_run")
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as http:
            answer = await http.get("/metrics", headers={"authorization": f"Bearer {'t' * 20}"})
        found = await status(Desk(app.state.networks, lambda *_: None), {})
    assert answer.status_code == 200
    assert "maille_networks_unreadable 1.0" in answer.text
    assert [(each["name"], each["owes"] is None) for each in found["networks"]] == [("broken", True), ("small", False)]


async def test_two_look_at_backups_of_one_network_at_once(homes: Homes, company: str, clock: SetClock) -> None:
    async with served(homes, clock) as app:
        await app.state.networks.get("small")
        file = await back_up(homes, clock)
        clock.forward(timedelta(days=1))
        written, checked = await asyncio.gather(
            told(homes, "back_up", clock, **{**TIDY, "folder": str(file.parent), "verify": True}),
            told(homes, "check_backup", clock, path=str(file), identity=str(KEY)),
        )
    (one,) = written["backups"]
    assert (one["error"], one["verified"], checked["error"]) == (None, True, None)
    assert await asyncio.to_thread(Path(one["file"]).exists)
    assert await trials(homes) == []


async def test_a_trial_that_was_broken_off_is_swept_away_and_one_that_goes_on_is_not(
    homes: Homes, company: str, clock: SetClock
) -> None:
    file, began = await back_up(homes, clock), clock.now()
    for age in (3 * restoring.LONGEST, restoring.LONGEST / 2):
        began = clock.now() - age
        await (await create_store(trial(homes("small"), began, "0badcafe"))).close()
    await told(homes, "check_backup", clock, path=str(file), identity=str(KEY))
    (left,) = {name.removesuffix(".lock") for name in await trials(homes)}
    assert left.endswith(f"{int(began.timestamp()):08x}0badcafe")


async def test_a_backup_that_could_not_be_tried_out_stays_and_is_told(
    homes: Homes, company: str, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(restoring, "try_out", full)
    given = {**TIDY, "folder": str(homes.folder / "kept"), "verify": True}
    (one,) = (await told(homes, "back_up", clock, **given))["backups"]
    assert not one["verified"]
    assert "could not be tried out: [Errno 28] No space left" in one["error"]
    assert await asyncio.to_thread(Path(one["file"]).exists)
