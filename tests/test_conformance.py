"""`make conformance` scores whatever cases it is given: those that others wrote are not part of the repository."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import conformance
from tests.cel import miss, same, untagged

OWN = Path(__file__).parent / "golden" / "conformance"


def test_the_misses_are_told_with_their_reasons_and_the_scores_come_last(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONFORMANCE_DIR", str(OWN))
    assert conformance.main() == 0
    said = capsys.readouterr().out.splitlines()
    assert said[-2:] == ["cel: 6/13", "scxml: 1/2"]
    assert said[:4] == [
        "cel: another kind of number: it gives 1",
        "cel: another kind inside: it gives (1,)",
        "cel: no error: it gives 1 and no error",
        "cel: an error for a value: it is refused: divide by zero",
    ]
    assert said[4] == "cel: another type: its type is integer"
    assert said[-3].startswith("scxml: elsewhere: ")


def test_a_folder_without_cases_has_no_score(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CONFORMANCE_DIR", str(tmp_path))
    assert conformance.main() == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert "CONFORMANCE_DIR" in said.err


def test_without_the_variable_the_cases_are_looked_for_beside_the_repository(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CONFORMANCE_DIR", raising=False)
    assert conformance.folder() == conformance.ROOT.parent / "shared" / "conformance"


def test_equal_numbers_of_two_kinds_are_not_the_same() -> None:
    assert same(untagged({"list": [{"double": "1"}]}), (1.0,))
    assert not same((1,), (1.0,))
    assert not same((1,), (1, 2))


def test_an_evaluation_that_breaks_is_a_miss_and_ends_nothing() -> None:
    assert "breaks" in (
        miss({"id": "x", "expr": "1", "value": {"colour": "red"}, "bindings": {"y": {"type": "x"}}}) or ""
    )
