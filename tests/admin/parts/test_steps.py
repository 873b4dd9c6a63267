"""The bar of a process: the way to its goal, and where a record stands."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from admin.formats import Formats
from admin.parts.reader import Reader
from admin.parts.steps import steps, way
from definitions.pack import load
from definitions.spec.network import Network
from tests.networks import SMALL


@pytest.fixture(scope="module")
def network() -> Network:
    found = load(SMALL).network
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("state", "standing", "number"),
    [
        ("new", ["here", "ahead", "ahead"], 1),
        ("contacted", ["ok", "here", "ahead"], 2),
        ("signed", ["ok", "ok", "here"], 3),
        ("lost", ["ahead", "ahead", "ahead", "aside"], 4),
    ],
)
def test_a_record_stands_on_the_way_or_beside_it(
    network: Network, state: str, standing: list[str], number: int
) -> None:
    process = network.processes["recruiting"]
    assert way(process) == ("new", "contacted", "signed")
    formats = Formats("en", ZoneInfo("Europe/Paris"), "EUR", datetime(2026, 3, 2, tzinfo=UTC))
    bar = steps(process, state, Reader(network, formats))
    assert bar is not None
    assert [step.standing for step in bar.steps] == standing
    assert bar.number == number


def test_a_state_that_one_may_not_see_has_no_bar(network: Network) -> None:
    formats = Formats("en", ZoneInfo("Europe/Paris"), "EUR", datetime(2026, 3, 2, tzinfo=UTC))
    assert steps(network.processes["recruiting"], None, Reader(network, formats)) is None
