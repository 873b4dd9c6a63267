"""What it takes to check a template grows with its length, counted in calls."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from itertools import count
from types import FrameType

import pytest

from definitions.build.draft import Draft
from definitions.build.index import Index
from definitions.build.jinja import check_template
from definitions.expr import STRING, Member, RecordOf
from definitions.source import Mapping, Scalar, read_documents


def calls(work: Callable[[], object]) -> int:
    """Return how many functions, Python's own included, some work calls."""
    counted = count()

    def seen(_frame: FrameType, event: str, _given: object) -> None:
        if event in {"call", "c_call"}:
            next(counted)

    before = sys.getprofile()
    sys.setprofile(seen)
    try:
        work()
    finally:
        sys.setprofile(before)
    return next(counted)


def template(said: str) -> Scalar:
    """Return the body of a template as it is read from a file."""
    [document], problems = read_documents("a.yaml", f"body: {said}\n")
    assert problems == []
    assert isinstance(document.node, Mapping)
    found = document.node.get("body")
    assert isinstance(found, Scalar)
    return found


def check(node: Scalar) -> None:
    """Check a template about a lead, and look up the place of each name in it."""
    draft = Draft(Index({}))
    draft.index.declared.records["lead"] = {"name": Member(STRING, target=("field", "lead", "name"))}
    check_template(draft, node, {"record": RecordOf("lead")})
    places = [use.place for use in draft.notes.uses] or [problem.place for problem in draft.problems]
    assert len(set(places)) == len(places) == len(re.findall(r"record", node.text))


@pytest.mark.parametrize(
    "write",
    [
        pytest.param(lambda n: '"' + "{{ record.name }}" * n + '"', id="one line"),
        pytest.param(lambda n: '"' + r"{{ record.name }}\n" * n + '"', id="lines in quotes"),
        pytest.param(lambda n: "|\n" + "  {{ record.name }}\n" * n, id="lines as they are"),
        pytest.param(lambda n: ">\n" + "  {{ record.name }}\n" * n, id="folded lines"),
        pytest.param(lambda n: "'" + "it''s {{ record.name }}\n  " * n + "'", id="doubled quotes"),
        pytest.param(lambda n: '"' + "".join(f"{{{{ record.n{k} }}}}" for k in range(n)) + '"', id="unknown fields"),
        pytest.param(lambda n: '"' + "{% if record.name %}{% endif %}" * n + '"', id="branches"),
        pytest.param(lambda n: '"' + "{% set x = record.name %}" * n + '"', id="variables"),
    ],
)
def test_twice_the_template_takes_twice_the_work(write: Callable[[int], str]) -> None:
    some, twice = (template(write(n)) for n in (150, 300))
    check(template(write(2)))  # what is made once a process is made
    assert calls(lambda: check(twice)) < 2.2 * calls(lambda: check(some))
