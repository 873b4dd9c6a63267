"""The checker finds what is broken, at the line where it is; `make mutants` breaks every pack at every place."""

from __future__ import annotations

import pytest

from definitions.pack import load
from tests.definitions.mutants.mutant import Edit, Mutant
from tests.definitions.mutants.score import MUTATORS, mutants_of, packs, score
from tests.definitions.mutants.written import Pack

SAMPLE = 199
"""Every so manieth mutant is tried here: a prime, so that all kinds have their turn."""


@pytest.mark.parametrize("pack", packs(), ids=lambda pack: pack.name)
def test_what_is_broken_is_without_problem_before(pack: Pack) -> None:
    assert [f"{each.place} {each.code}" for each in load(pack.files).problems] == []


@pytest.mark.slow
def test_each_broken_pack_is_blamed_at_the_right_line() -> None:
    found = score(packs(), every=SAMPLE)
    assert found.made.total() > 250
    assert found.share >= 0.99, "\n".join(found.survivors)


def test_each_way_of_breaking_breaks_some_pack() -> None:
    idle = [each.__name__ for each in MUTATORS if not any(next(each(pack), None) for pack in packs())]
    assert idle == []


def test_mutants_are_the_same_each_time() -> None:
    [pack] = [each for each in packs() if each.name == "language"]
    assert list(mutants_of(pack)) == list(mutants_of(Pack(pack.name, dict(pack.files))))


def test_a_change_that_breaks_nothing_and_one_that_is_blamed_elsewhere_are_not_caught() -> None:
    [pack] = [each for each in packs() if each.name == "language"]
    text = pack.files["lead.yaml"]
    harmless = Mutant("a remark", (Edit("lead.yaml", 0, 0, "# a remark\n"),))
    assert not harmless.caught(pack, harmless.problems(pack))
    at = text.index("to: contacted")
    broken = Mutant("a state", (Edit("lead.yaml", at, at + 13, "to: contactd"),))
    problems = broken.problems(pack)
    assert broken.caught(pack, problems)
    elsewhere = Mutant("a state", (Edit("lead.yaml", 0, 0, "# a remark"), *broken.edits[1:]))
    assert not elsewhere.caught(pack, problems)


def test_a_pack_that_was_loaded_before_hides_no_state_around_others_that_was_renamed() -> None:
    [pack] = [each for each in packs() if each.name == "joining"]
    assert load(pack.files).network is not None
    [mutant] = [m for m in mutants_of(pack, "renamed state") if m.edits[0].text == "papersx"]
    assert mutant.caught(pack, mutant.problems(pack))
