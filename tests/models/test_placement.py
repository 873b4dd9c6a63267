"""Where records go when the states of their process change, from one definition to the next."""

from __future__ import annotations

import pytest

from definitions.spec.process import Configuration
from models.placement import Placement, placement
from tests.visits import care

FLAT = """
states: {new: {initial: true}, seen: {}, done: {final: true}}
transitions: {see: {from: new, to: seen}, end: {from: seen, to: done}}
"""
NESTED = """
states:
  new: {initial: true}
  seen: {states: {asked: {initial: true}, told: {}}}
  done: {final: true}
transitions:
  see: {from: new, to: seen}
  tell: {from: asked, to: told}
  end: {from: seen, to: done}
"""
BELOW = """
states:
  going: {initial: true, states: {new: {initial: true}, seen: {}}}
  done: {final: true}
transitions: {see: {from: new, to: seen}, end: {from: going, to: done}}
"""
BESIDE = """
states:
  new: {initial: true}
  going:
    parallel: true
    states:
      talk: {states: {waiting: {initial: true}, seen: {final: true}}}
      fee: {states: {due: {initial: true}, paid: {final: true}}}
  done: {final: true}
transitions:
  start: {from: new, to: going}
  see: {from: waiting, to: seen}
  pay: {from: due, to: paid}
  end: {from: going, to: done}
"""
PAPERS = "      papers: {states: {asked: {initial: true}, given: {final: true}}}\n"
MORE = BESIDE.replace("  done: {final", f"{PAPERS}  done: {{final").replace(
    "  end:", "  give: {from: asked, to: given}\n  end:"
)
WITHOUT_FEE = FLAT + "moved: {waiting: new, due: new, paid: seen}"
ALONE = FLAT.replace("seen", "paid") + "moved: {talk: new, due: new}"
OUTER = FLAT + "moved: {seen: done, asked: seen}"


def placed(before: str, after: str) -> Placement:
    found = placement(care(before), care(after))
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("before", "after", "held", "then"),
    [
        (FLAT, NESTED, "seen", "asked"),
        (FLAT, NESTED, "new", "new"),
        (FLAT, BESIDE, "new", ("new",)),
        (FLAT, BESIDE, "seen", ("seen", "due")),
        (BESIDE, MORE, ("seen", "due"), ("seen", "due", "asked")),
        (BESIDE, WITHOUT_FEE, ("waiting", "due"), "new"),
        (BESIDE, WITHOUT_FEE, ("seen", "paid"), "seen"),
        (BESIDE, ALONE, ("waiting", "paid"), "paid"),
        (NESTED, FLAT + "moved: {asked: seen, told: done}", "told", "done"),
    ],
)
def test_a_record_goes_to_what_takes_the_place_of_its_states(
    before: str, after: str, held: Configuration, then: Configuration
) -> None:
    assert placed(before, after)(held) == then


@pytest.mark.parametrize(("before", "after"), [(FLAT, FLAT), (FLAT, BELOW), (BESIDE, BESIDE)])
def test_records_stay_where_every_innermost_state_does(before: str, after: str) -> None:
    assert placement(care(before), care(after)) is None


def test_what_is_said_of_an_outer_state_holds_for_those_inside() -> None:
    found = placed(BESIDE, FLAT + "moved: {talk: new, fee: new}")
    assert found.moves == {"waiting": "new", "due": "new", "paid": "new"}
    assert placed(BESIDE, FLAT.replace("seen", "met") + "moved: {going: met}").moves == dict.fromkeys(
        ("waiting", "seen", "due", "paid"), "met"
    )


def test_states_that_go_together_no_more_are_lost() -> None:
    after = FLAT.replace("done: {final: true}", "paid: {}, done: {final: true}").replace(
        "end: {from: seen", "pay: {from: seen, to: paid}, end: {from: [seen, paid]"
    )
    found = placed(BESIDE, after + "moved: {waiting: new, due: new}")
    assert found.loses(("seen", "paid")) == ("paid",)
    assert found.loses(("waiting", "paid")) == ()
    assert found.loses(("seen", "due")) == ()


def test_stored_forms_follow_the_kind_of_process() -> None:
    assert placed(FLAT, BESIDE).stored("seen") == '["seen","due"]'
    assert placed(BESIDE, WITHOUT_FEE).stored('["seen","due"]') == "seen"
