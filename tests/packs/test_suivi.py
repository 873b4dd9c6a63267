"""The pack `suivi` is what group S asks of it, as far as the language reaches."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any

import pytest

from definitions.charts.process import leaves_of
from definitions.pack import PACKS, Loaded, load, read_folder
from definitions.spec.automation import Choose, Create, Email, Every, Move, Task, Wait
from definitions.spec.network import Network
from definitions.spec.process import Process
from definitions.text import Text

S10 = {
    "last_name",
    "first_name",
    "email",
    "phone",
    "mobile",
    "best_time",
    "postcode",
    "city",
    "country",
    "situation",
    "availability",
    "birth_date",
    "income_goal",
    "source",
    "source_url",
    "comments",
}
"""What a lead carries; e-mail exchanges are the record's mails."""


@cache
def loaded() -> Loaded:
    return load(read_folder(PACKS / "suivi"))


@cache
def network() -> Network:
    found = loaded().network
    assert found is not None, loaded().problems
    return found


def texts(value: Any) -> Iterator[Text]:
    """Yield every text for people below a definition."""
    if isinstance(value, Text):
        yield value
    elif is_dataclass(value) and type(value).__module__.startswith("definitions.spec"):
        for field in fields(value):
            yield from texts(getattr(value, field.name))
    elif isinstance(value, dict):
        for item in value.values():
            yield from texts(item)
    elif isinstance(value, tuple):
        for item in value:
            yield from texts(item)


def test_the_pack_loads_without_an_error_or_a_warning() -> None:
    assert [f"{each.place} {each.code}: {each.message}" for each in loaded().problems] == []


def test_a_lead_carries_everything_that_is_asked_for() -> None:
    assert set(network().entities["lead"].fields) >= S10


def test_every_personal_field_has_a_purpose_and_its_entity_a_retention() -> None:
    for entity in network().entities.values():
        personal = [field for field in entity.fields.values() if field.personal]
        assert not personal or entity.retention is not None, entity.name
        assert all(field.purpose or entity.purpose for field in personal), entity.name


def test_every_text_is_there_in_both_languages() -> None:
    found = list(texts(network()))
    assert len(found) > 300
    assert [text for text in found if set(text.values) not in ({"fr", "en"}, {""})] == []


def test_french_is_written_with_its_own_spaces_and_apostrophes() -> None:
    wrong = [
        text.values["fr"]
        for text in texts(network())
        if any(mark in text.values.get("fr", "") for mark in (" ?", " !", " ;", "« ", " »", "'"))
    ]
    assert wrong == []


@pytest.mark.parametrize("name", ["recruiting", "customer"])
def test_every_state_is_reached_and_only_final_ones_are_ends(name: str) -> None:
    process = network().processes[name]
    assert reached(process) == set(process.states)
    for state in process.states.values():
        ways = [each for each in process.transitions.values() if state.name in each.sources]
        assert bool(ways) is not state.final, state.name


def reached(process: Process) -> set[str]:
    found: set[str] = set()
    waiting = list(leaves_of(process.initial))
    while waiting:
        state = waiting.pop()
        if state not in found:
            found.add(state)
            waiting += [each.target for each in process.transitions.values() if state in each.sources]
    return found


def test_six_templates_and_more_are_used_by_the_automations() -> None:
    used = {
        step.template
        for automation in network().automations.values()
        for step in steps(automation.steps)
        if isinstance(step, Email)
    }
    assert used == set(network().templates)
    assert len(used) >= 6


def test_automations_wait_choose_keep_a_calendar_and_work_on_records() -> None:
    automations = network().automations.values()
    kinds = {type(step) for automation in automations for step in steps(automation.steps)}
    assert kinds >= {Email, Task, Wait, Choose, Create, Move}
    assert any(isinstance(trigger, Every) for automation in automations for trigger in automation.triggers)
    assert len(network().automations) >= 6


def steps(found: tuple[Any, ...]) -> Iterator[Any]:
    for step in found:
        yield step
        if isinstance(step, Choose):
            for branch in step.branches:
                yield from steps(branch.steps)
            yield from steps(step.otherwise)


def test_the_call_that_takes_a_lead_to_contacted_can_be_taken_back_for_ten_minutes() -> None:
    call = network().processes["recruiting"].transitions["call"]
    assert (call.sources, call.target) == (("new",), "contacted")
    assert call.undo is not None
    assert call.undo.exact.total_seconds() == 600


def test_who_runs_the_network_may_do_everything_and_the_public_nothing() -> None:
    levels = network().levels
    assert set(levels) == {"leader", "distributor", "assistant", "public"}
    assert levels["leader"].everything
    assert not levels["public"].entities


def test_every_level_that_signs_in_has_a_home_and_terms() -> None:
    for level in ("leader", "distributor", "assistant"):
        assert any(level in home.levels for home in network().homes.values())
        assert any(level in terms.levels for terms in network().terms.values())


def test_figures_lists_and_boards_are_there() -> None:
    assert len(network().statistics) >= 4
    assert {"lead", "customer", "company", "member"} <= {screen.entity for screen in network().screens.values()}
    boards = {board.process for screen in network().screens.values() for board in screen.boards}
    assert boards == {"recruiting", "customer"}
    assert len(network().screens["leads"].views) >= 4


def test_the_demo_has_a_tree_of_twelve_distributors_three_deep_and_two_thousand_leads() -> None:
    demo = network().demo
    assert demo is not None
    distributors = [member for member in demo.members.values() if "distributor" in member.levels]
    assert len(distributors) == 12

    def depth(name: str | None) -> int:
        return 0 if name is None else 1 + depth(demo.members[name].sponsor)

    assert max(depth(member.sponsor) for member in distributors) >= 3
    assert demo.records["lead"].count == 2000
