"""Pictures of processes: everything is drawn, nothing lies over anything else, no arrow runs through a word."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import combinations, pairwise
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings

from admin.diagrams.lettering import width, wrap
from admin.diagrams.sheet import Direction, Line, Shape, sheet
from admin.diagrams.svg import MOST, diagram
from admin.i18n import catalogue
from definitions.pack import load, read_folder
from definitions.spec.process import Process, State
from definitions.text import plain
from tests.admin.diagrams.charts import HERE, processes
from tests.running import tries

ROOT = Path(__file__).parents[3]
WORDS = catalogue("en").words
DIRECTIONS: tuple[Direction, ...] = ("across", "down")
AROUND = {"outer", "region"}


def overlap(one: Shape, other: Shape) -> bool:
    across = one.x < other.x + other.width - 0.5 and other.x < one.x + one.width - 0.5
    return across and one.y < other.y + other.height - 0.5 and other.y < one.y + one.height - 0.5


def holds(outer: Shape, inner: Shape) -> bool:
    across = outer.x <= inner.x + 0.5 and inner.x + inner.width <= outer.x + outer.width + 0.5
    return across and outer.y <= inner.y + 0.5 and inner.y + inner.height <= outer.y + outer.height + 0.5


def along(line: Line, direction: Direction) -> Iterator[tuple[float, float]]:
    """Yield points on a line, close to each other."""
    for number, ((x, y), (to_x, to_y)) in enumerate(pairwise(line.points)):
        for step in range(21):
            part = step / 20
            curved = part * part * (3 - 2 * part) if number % 2 else part
            bend = 3 * (1 - part) * part * 0.5 + part**3 if number % 2 else part
            across, down = (bend, curved) if direction == "across" else (curved, bend)
            yield x + (to_x - x) * across, y + (to_y - y) * down


@pytest.mark.parametrize("direction", DIRECTIONS)
@given(process=processes())
@settings(max_examples=tries(60), deadline=None)
def test_nothing_lies_over_anything_else_and_no_arrow_runs_through_it(process: Process, direction: Direction) -> None:
    drawn = sheet(process, WORDS, direction)
    inside = {name: {*process.chart.around([name])} for name in process.states}
    for one, other in combinations(drawn.shapes, 2):
        if overlap(one, other):
            outer, inner = (one, other) if one.kind in AROUND else (other, one)
            assert outer.kind in AROUND
            assert holds(outer, inner)
            assert inner.name not in inside or outer.name in inside[inner.name]
    for line in drawn.lines:
        for x, y in along(line, direction):
            assert 0 <= x <= drawn.width
            assert 0 <= y <= drawn.height
            for shape in drawn.shapes:
                within = shape.x + 1 < x < shape.x + shape.width - 1 and shape.y + 1 < y < shape.y + shape.height - 1
                assert not within or shape.kind in AROUND, (shape, line)


@pytest.mark.parametrize("direction", DIRECTIONS)
@given(process=processes())
@settings(max_examples=tries(40), deadline=None)
def test_each_state_and_each_move_is_drawn(process: Process, direction: Direction) -> None:
    drawn = sheet(process, WORDS, direction)
    assert sorted(shape.name for shape in drawn.shapes if shape.kind in AROUND | {"state"}) == sorted(process.states)
    assert {shape.name for shape in drawn.shapes if shape.kind == "label"} == {*process.transitions}


def test_the_same_move_from_many_states_is_written_once_and_one_from_everywhere_has_no_arrows_to_it() -> None:
    process = recruiting()
    drawn = sheet(process, WORDS, "down")
    labels = {shape.name: shape for shape in drawn.shapes if shape.kind == "label"}
    assert sum(shape.name == "buy" for shape in drawn.shapes) == 1, "from three states"
    assert labels["lose"].notes == ("from anywhere",)
    reaching = [line for line in drawn.lines if not line.arrow and line.points[-1][1] == labels["lose"].y]
    assert reaching == []


def recruiting() -> Process:
    network = load(read_folder(ROOT / "definitions" / "packs" / "suivi")).network
    assert network is not None
    return network.processes["recruiting"]


def test_what_leads_out_of_a_state_deep_inside_says_so() -> None:
    network = load(read_folder(ROOT / "tests" / "packs" / "joining")).network
    assert network is not None
    drawn = sheet(network.processes["joining"], lambda text: catalogue("en").words(text, "en"), "down")
    notes = {shape.name: shape.notes for shape in drawn.shapes if shape.kind == "label"}
    assert notes["leave"] == ("from anywhere",)
    assert notes["welcome"] == ("by itself",)


@given(process=processes())
@settings(max_examples=tries(40), deadline=None)
def test_the_picture_is_sound_xml_and_says_in_words_what_it_shows(process: Process) -> None:
    made = diagram(process, WORDS, key="k", current={"s0"})
    tree = ET.fromstring(str(made))  # noqa: S314 - our own text
    for drawing in tree.iter("svg"):
        title, told = drawing.find("title"), drawing.find("desc")
        assert title is not None
        assert told is not None
        assert drawing.get("aria-labelledby", "").split() == [title.get("id"), told.get("id")]
        assert (told.text or "").count(": from ") == len(process.transitions)
        assert len([each for each in drawing.iter("g") if "on" in each.get("class", "").split()]) == 1
    ids = re.findall(r'id="([^"]+)"', made)
    assert len(ids) == len({*ids})


def test_a_picture_that_is_too_wide_is_drawn_down_only() -> None:
    assert 'class="diagram only"' in diagram(recruiting(), WORDS, key="k")
    lending = load(read_folder(ROOT / "docs" / "examples" / "toolshed")).network
    assert lending is not None
    made = diagram(lending.processes["lending"], WORDS, key="k")
    assert [each in made for each in ('class="across"', 'class="down"', "only")] == [True, True, False]


@pytest.mark.parametrize("text", ["", "one", "a few short words", "W" * 90, "two " + "m" * 70, "x " * 200])
def test_text_is_cut_into_lines_that_fit(text: str) -> None:
    lines = wrap(text, 80, 12)
    assert 1 <= len(lines) <= 3
    assert all(width(line, 12) <= 80 for line in lines)
    assert lines[-1].endswith("…") == (" ".join(lines) != " ".join(text.split()))


def test_a_process_that_nobody_could_read_as_a_picture_has_none() -> None:
    states = {
        f"s{number}": State(f"s{number}", plain("State"), HERE, initial=number == 0) for number in range(MOST + 1)
    }
    made = diagram(Process("process", "lead", plain("Process"), HERE, states, {}), WORDS, key="k")
    assert made == "<p>This process has too many states and steps for a picture.</p>"
