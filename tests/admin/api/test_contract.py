"""The API keeps to its own description, whoever asks whatever; `python -m tests.admin.api.contract` asks more."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.admin.api.contract import run
from tests.admin.api.living import prepare, serving

pytestmark = pytest.mark.slow

EXAMPLES = {"small": 4, "alba": 2}
"""How many made-up requests each operation gets, beside those that cover every part of its schemas."""


@pytest.fixture
def live(tmp_path: Path) -> Iterator[tuple[str, dict[str, dict[str, str]]]]:
    """A server over the small network and `suivi`, with tokens; anew each time: a leader may remove the others."""
    tokens = prepare(tmp_path)
    with serving(tmp_path) as url:
        yield url, tokens


@pytest.mark.parametrize(
    ("network", "level", "phases"),
    [
        ("small", "leader", "fuzzing"),
        ("small", "distributor", "coverage,fuzzing"),
        ("small", "assistant", "fuzzing"),
        ("alba", "leader", "coverage"),
        ("alba", "distributor", "fuzzing"),
        ("alba", "assistant", "fuzzing"),
    ],
)
def test_no_answer_is_a_failure_or_undocumented(
    live: tuple[str, dict[str, dict[str, str]]], network: str, level: str, phases: str
) -> None:
    url, tokens = live
    found = run(url, network, tokens[network][level], phases, examples=EXAMPLES[network])
    assert found.fine, found.said
