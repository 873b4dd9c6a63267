"""The fuzzer finds what breaks and what hangs, and the parsers break on nothing that a short run throws at them."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence

import pytest

from tests import fuzz
from tests.running import tries


def make(chance: random.Random, known: Sequence[str]) -> str:
    return f"{chance.choice(known)} {chance.randint(0, 9)}"


def breaks(text: str) -> None:
    if text.endswith("7"):
        raise KeyError(text)


def hangs(text: str) -> None:
    while text.endswith("7"):
        pass


@pytest.mark.parametrize("name", fuzz.ATTEMPTS)
def test_a_short_run_breaks_nothing(name: str) -> None:
    assert list(fuzz.fuzz(fuzz.ATTEMPTS[name], fuzz.seeds(name), range(tries(150)))) == []


def test_what_breaks_is_shown_with_its_text_and_its_number() -> None:
    found = list(fuzz.fuzz((make, breaks), ["a"], range(40)))
    assert found
    for failure in found:
        assert failure.text == "a 7"
        assert "KeyError" in failure.reason
        assert list(fuzz.fuzz((make, breaks), ["a"], range(failure.number, failure.number + 1))) == [failure]


def test_what_hangs_is_stopped() -> None:
    found = list(fuzz.fuzz((make, hangs), ["a"], range(40), seconds=0.05))
    assert {failure.reason for failure in found} == {"it takes longer than 0.05 s"}


def test_the_figures_come_last_and_a_failure_is_told_by_the_code(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert fuzz.main(["--expressions", "20"]) in {0, 1}  # the memory is that of all tests before
    assert re.fullmatch(r"expressions: 20 in \d+ s, 0 failed, \d+ MB\n", capsys.readouterr().out)
    monkeypatch.setattr(fuzz, "ATTEMPTS", {"expressions": (make, breaks)})
    assert fuzz.main(["--expressions", "40"]) == 1
    assert " failed, " in capsys.readouterr().out.splitlines()[-1]
