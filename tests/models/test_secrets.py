"""What only the system may know is sealed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import RefusedError
from models.secrets import CLOSED, SealedError, Vault

OLD, NEW = b"the secret of last year", b"the secret of this year"


def vault(*secrets: bytes) -> Vault:
    return Vault(lambda: secrets)


@given(st.text(), st.text())
def test_what_is_sealed_comes_back_for_its_purpose_alone(text: str, purpose: str) -> None:
    sealed = vault(OLD).seal(text, purpose)
    assert vault(OLD).open(sealed, purpose) == text
    with pytest.raises(SealedError):
        vault(OLD).open(sealed, purpose + ".")


def test_nothing_of_the_text_shows_and_the_same_text_is_sealed_differently_each_time() -> None:
    first, second = (vault(OLD).seal("a key to hide", "") for _ in range(2))
    assert first != second
    assert "key" not in first


def test_the_first_secret_seals_and_those_before_it_still_open() -> None:
    before = vault(OLD).seal("x", "p")
    both = vault(NEW, OLD)
    assert both.open(before, "p") == "x"
    after = both.seal("x", "p")
    assert vault(NEW).open(after, "p") == "x"
    assert after.partition(".")[0] != before.partition(".")[0], "the key's id stands in front"
    for closed, sealed in ((vault(OLD), after), (vault(NEW), before)):
        with pytest.raises(SealedError):
            closed.open(sealed, "p")


@pytest.mark.parametrize("place", [0, 8, 9, 12, 30, -1])
def test_what_was_changed_is_not_opened(place: int) -> None:
    sealed = vault(OLD).seal("some text", "p")
    letter = "A" if sealed[place] != "A" else "B"
    changed = sealed[:place] + letter + sealed[place + 1 :] if place != -1 else sealed[:-4] + "AAAA"
    with pytest.raises(SealedError):
        vault(OLD).open(changed, "p")


@pytest.mark.parametrize("closed", [CLOSED, vault(b"too short")])
def test_a_secret_that_could_be_guessed_seals_nothing(closed: Vault) -> None:
    with pytest.raises(RefusedError, match="16 characters"):
        closed.seal("x", "p")
