"""The bar of a process: the way to its goal, and where a record stands."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from admin.formats import Formats
from admin.parts.reader import Reader
from admin.parts.steps import bars, forward, way
from definitions.pack import load, read_folder
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
    (bar,) = bars(process, state, Reader(network, formats))
    assert [step.standing for step in bar.steps] == standing
    assert bar.number == number


def test_a_state_that_one_may_not_see_has_no_bar(network: Network) -> None:
    formats = Formats("en", ZoneInfo("Europe/Paris"), "EUR", datetime(2026, 3, 2, tzinfo=UTC))
    assert bars(network.processes["recruiting"], None, Reader(network, formats)) == ()
    assert bars(network.processes["recruiting"], "gone", Reader(network, formats)) == ()


@pytest.fixture(scope="module")
def joining() -> Network:
    found = load(read_folder(Path(__file__).parents[2] / "packs" / "joining")).network
    assert found is not None
    return found


def test_states_side_by_side_are_one_step_and_have_a_bar_each(joining: Network) -> None:
    formats = Formats("en", ZoneInfo("Europe/Paris"), "EUR", datetime(2026, 3, 2, tzinfo=UTC))
    shown = bars(joining.processes["joining"], ("unpaid", "queued"), Reader(joining, formats))
    assert [(bar.label, bar.now, bar.number, len(bar.steps)) for bar in shown] == [
        ("Joining", "In progress", 2, 5),
        ("Payment", "Unpaid", 1, 3),
        ("Papers", "Queued", 2, 4),
    ]
    (alone,) = bars(joining.processes["joining"], ("trial",), Reader(joining, formats))
    assert (alone.now, alone.number) == ("On trial", 3)


def test_what_is_on_the_way_has_what_it_stands_in(joining: Network) -> None:
    assert forward(joining.processes["joining"]) == set(joining.processes["joining"].states)
    assert way(joining.processes["joining"], "papers") == ("awaited", "queued", "read", "accepted")
