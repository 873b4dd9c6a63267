"""A small storm (`make kills` has the large ones): servers are killed at random, and the account is right."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.homes import Homes
from tests.workflows.kills.outside import outside
from tests.workflows.kills.report import write_report
from tests.workflows.kills.storm import Storm

pytestmark = [pytest.mark.anyio, pytest.mark.slow]


async def test_a_storm_loses_nothing_that_was_acknowledged_and_doubles_nothing(tmp_path: Path) -> None:
    async with outside() as found:
        stormed = await Storm(Homes(tmp_path), found.mailbox, seed=5, people=2, leads=4).rage(kills=1)
    assert stormed.wrong == []
    assert (stormed.kills, stormed.mails) == (1, 8)
    assert stormed.acknowledged <= 16


def test_the_report_tells_what_was_done_and_what_was_not(tmp_path: Path) -> None:
    swept = {"database": "sqlite", "name": "moved", "points": 9, "deaths": 9, "unknown": 1, "repeated": 2}
    storm = {"database": "postgres", "kind": "storm", "name": "1", "seed": 1, "kills": 25, "acknowledged": 480}
    done = [
        {**swept, "kind": "before", "wrong": []},
        {**swept, "kind": "twice", "deaths": 18, "wrong": ["missing: a row"]},
        {**storm, "broken": 3, "mails": 240, "unknown": 4, "wrong": []},
    ]
    write_report(json.loads(json.dumps(done)), tmp_path / "kills.md")
    text = (tmp_path / "kills.md").read_text(encoding="utf-8")
    assert "| sqlite | moved | 9 | 9 | – | 18 | – | 2 | 4 | 1 |" in text
    assert "| postgres | 1 | 1 | 25 | 480 | 3 | 240 | 4 | 0 |" in text
