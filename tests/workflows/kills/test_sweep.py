"""A sample of the sweep (`make kills` is all of it): whatever a process dies at, the end is as if it had not."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from models.tx import Dialect
from tests.homes import Homes
from tests.workflows.kills.account import Account, told, without_beginnings
from tests.workflows.kills.death import Death
from tests.workflows.kills.killing import killed
from tests.workflows.kills.outside import outside
from tests.workflows.kills.scenes import SCENES
from tests.workflows.kills.sweep import WAYS, Stage, sweep
from workflows import sending

pytestmark = [pytest.mark.anyio, pytest.mark.slow]
POINTS: Mapping[Dialect, int] = {"sqlite": 2, "postgres": 1}
"""Points of each scene that the sample has."""
MAIL = "4f0c8b1e-0000-7000-8000-00000000000{}"


@pytest.fixture
async def stage(homes: Homes, tmp_path: Path) -> AsyncIterator[Stage]:
    """Where scenes are played, on either database."""
    async with outside() as found:
        yield Stage(homes.url, tmp_path, found)


@pytest.mark.parametrize("name", SCENES)
async def test_a_death_between_any_two_writes_changes_nothing_in_the_end(stage: Stage, homes: Homes, name: str) -> None:
    _, found = await stage.alive(name)
    chance = random.Random(name)  # noqa: S311 - which points the sample has
    points = [(chance.randrange(len(found)), chance.choice(WAYS)) for _ in range(POINTS[homes.dialect])]
    swept = await sweep(stage, name, points)
    assert swept.wrong == []
    assert swept.deaths >= len(points)


async def test_statements_commits_and_all_that_leaves_are_points(stage: Stage) -> None:
    death = Death()
    async with stage.play("created") as play:
        assert await play.live(death)
    verbs = Counter(point.rpartition("*/")[2].split()[0] for point in death.points)
    assert {"INSERT", "UPDATE", "DELETE", "COMMIT", "SmtpSession.send", "HttpCaller.call"} <= verbs.keys()
    assert (verbs["SmtpSession.send"], verbs["HttpCaller.call"]) == (1, 2)
    async with stage.play("document") as play:
        assert await play.live(death)
    assert {"Contents.place", "TypstPress.set"} <= set(death.points)


async def test_a_process_that_is_killed_after_it_handed_a_mail_over_has_it_told(stage: Stage) -> None:
    whole, points = await stage.alive("moved")
    at = points.index("SmtpSession.send")
    found, wrong = await killed(stage, "moved", at, "after", whole)
    assert wrong == []
    assert found is not None
    assert found.unknown == 1
    assert len(stage.outside.mailbox.letters) == 1


async def test_timers_of_a_batch_that_nobody_finished_do_alone_what_they_would_have_done(stage: Stage) -> None:
    whole, points = await stage.alive("timers")
    [together] = [at for at, point in enumerate(points) if "SET \"state\" = 'done'" in point and '"id" IN (' in point]
    found, wrong = await stage.dies("timers", together, "before", whole)
    assert found is not None
    assert wrong == []


async def test_no_time_passes_for_a_worker_that_takes_its_death_for_a_database_that_is_away(stage: Stage) -> None:
    _, points = await stage.alive("erased")
    before_it_leaves = points.index("SmtpSession.send") - 1
    assert points[before_it_leaves] == "COMMIT"
    swept = await sweep(stage, "erased", [(before_it_leaves, "before")])
    assert swept.deaths == 1
    assert swept.wrong == []


async def test_the_sweep_sees_a_mail_that_is_sent_twice(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "_SENDING", sending._SENDING.replace("'sending'", "'waiting'"))
    whole, points = await stage.alive("moved")
    swept = await sweep(stage, "moved", [(points.index("SmtpSession.send"), "after")])
    assert any("sent, 2 times" in each for each in swept.wrong), swept.wrong
    assert whole.wrong == ()


def asked(run: str, state: str = "done", at: str = "8:00", **values: Any) -> dict[str, Any]:
    """Return a row that asks for a run to go on."""
    payload = json.dumps({"run": run, "definition": 1})
    return {"kind": "run", "state": state, "payload": payload, "created_at": "8:00", "run_at": at} | values


def test_the_account_leaves_out_the_one_row_by_which_a_run_began() -> None:
    made = [{"id": run, "started_at": "8:00"} for run in ("a", "b")]
    others = [
        asked("a", "ready"),
        asked("a", "cancelled"),
        asked("a", "dead"),
        asked("a", at="9:00"),
        asked("a", at="9:00", created_at="9:00"),
        asked("c"),
        asked("a", kind="check"),
        asked("a", kind="stays", payload="{}"),
    ]
    rows = {"_run": made, "_outbox": [*others, asked("a"), asked("b")], "_step": [{"run": "a"}]}
    assert without_beginnings(rows) == rows | {"_outbox": others}
    again = asked("a", id="again")
    assert without_beginnings(rows | {"_outbox": [asked("a"), again]})["_outbox"] == [again]


def test_the_account_tells_what_is_missing_and_what_is_there_twice() -> None:
    def rows(*names: str) -> Counter[str]:
        made = [{"id": MAIL.format(number), "name": name} for number, name in enumerate(names)]
        return told({"lead": made, "note": [{"id": MAIL.format(9), "about": made[0]["id"]}]})

    whole = Account(rows("Paul", "Anna"))
    assert Account(rows("Paul", "Anna")).against(whole) == []
    assert [each.partition(":")[0] for each in Account(rows("Paul")).against(whole)] == ["missing"]
    assert [each.partition(":")[0] for each in Account(rows("Paul", "Anna", "Anna")).against(whole)] == ["extra"]
    assert len(Account(rows("Anna", "Paul")).against(whole)) == 2, "the note is about somebody else"
