"""A mail that is poured says what the same mail says when its Markdown is read as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.workflows.test_markdown import NASTY
from workflows import moulds
from workflows.layout import compile_layout

LAYOUT = compile_layout("Réseau", 172, "fr")
AROUND = (
    *("Bonjour ", "**", "*", "_", "~~", "\n\n", "\n", " ", "\n- ", "\n3. ", "\n# ", "\n> ", ". ", ") x", "1", "\n| "),
    *(
        " | b |\n| - | - |\n| c | ",
        " |\n",
        "[",
        "](",
        ")",
        "](https://e.example/",
        "](https://",
        "](mailto:",
        "/x?y=",
        "&",
        "&#",
        ";",
    ),
    *(
        "<",
        ">",
        "`",
        "\n    ",
        "\n---\n",
        "\\",
        "!",
        "é",
        "Qz0",
        "\n[a]: ",
        "[a]",
        "(",
        "0zQ",
        "\n```\n",
        "\n===\n",
        ":",
    ),
)
VALUES = (
    *("Paul", "Roy & Fils", "12", "3", "a@b.example", "https://e.example/n/demo/e/lead/1?a=1&b=2", "/n/demo/account"),
    *("", " ", "12,50\u202f€", "l’été (ici)", "(x", "x)", "//evil.example", "javascript:alert(1)", "https://É.example"),
    *(
        "http://a_b",
        "x\ny",
        "Qz00w0zQ",
        "a\xa0b",
        '"quoted"',
        "amp",
        "HTTPS://E.example/%41",
        "\x00",
        "a..b",
        "ABC",
        "https://e.example/",
        "½",
        "x²",
        "12.",
        "_a_",
        "\ufeffx",
    ),
)
words = st.lists(st.sampled_from(AROUND), max_size=4).map("".join)
values = st.one_of(st.sampled_from((*VALUES, *NASTY)), st.text(max_size=20)).map(
    lambda value: value.replace(moulds.OPEN, "").replace(moulds.CLOSE, "")
)


def alternating(around: Sequence[str], given: Sequence[str]) -> tuple[str, ...]:
    """Return what a filled template is made of."""
    parts = [part for pair in zip_longest(around[: len(given) + 1], given, fillvalue="") for part in pair]
    return tuple(parts[:-1])


def as_a_whole(parts: Sequence[str]) -> tuple[str, str]:
    """Return what reading all of the Markdown makes of it."""
    return moulds.made(LAYOUT, moulds.as_markdown(parts))


@settings(deadline=None)
@given(st.lists(words, min_size=5, max_size=5), st.lists(values, max_size=4))
@example(["", ". x", "", "", ""], ["3"])
@example(["a**", "**b", "", "", ""], ["(x)"])
@example(["[", "](", ")", "", ""], ["https://e.example/", "https://e.example/"])
@example(["[", "](https://", ")", "", ""], ["https://e", "e"])
@example(["[x](", ")", "", "", ""], ["javascript:alert(1)"])
@example(["&", ";", "", "", ""], ["amp"])
@example(["<mailto:", ">", "", "", ""], ["a@b.example"])
@example(["[", "]\n\n[a]: /x", "", "", ""], ["a"])
@example(["`", "`", "", "", ""], ["a.b"])
@example(["", "\n---\n", "", "", ""], ["0|0"])
@example(["` ", " x", "", "", ""], ["a`"])
@example(["<https:", " x", "", "", ""], ["//e>"])
def test_what_is_poured_is_what_would_have_been_made(around: list[str], given: list[str]) -> None:
    parts = alternating(around, given)
    assert moulds.laid_out(LAYOUT, parts) == as_a_whole(parts)


@pytest.mark.parametrize("value", [*VALUES, *NASTY])
@pytest.mark.parametrize(
    "around",
    [
        ("Bonjour **", "**,\n\n- votre pays : ", "\n- ", " !"),
        ("[Votre fiche](", ")", "", ""),
        ("[", "](", ")", ""),
        ("| a |\n| - |\n| ", " |", "", ""),
        ("# ", "\n\n> ", "", "\n"),
    ],
)
def test_any_value_in_any_place_of_a_letter(around: tuple[str, ...], value: str) -> None:
    parts = alternating(around, [value, value, value])
    assert moulds.laid_out(LAYOUT, parts) == as_a_whole(parts)


def test_the_words_of_a_template_are_read_once_for_all_who_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []

    def noting(text: str) -> tuple[str, str]:
        read.append(text)
        return f"<p>{text}</p>", text.replace("\\", "")

    monkeypatch.setattr("workflows.moulds.markdown.both", noting)
    for number in range(20):
        parts = ("Chère ", f"Léa {number}", ", voici **", f"{number},5\u202f€", "** pour une seule lecture : ", "x", "")
        html, text = moulds.laid_out(LAYOUT, parts)
        assert f"Léa {number}" in html
        assert text == f"Chère Léa {number}, voici **{number},5\u202f€** pour une seule lecture : x"
    assert len(read) == 1


def test_marks_in_a_value_are_no_marks() -> None:
    value = f"{moulds.OPEN}Paul{moulds.CLOSE}"
    assert moulds.pieces(f"a {moulds.marked(value)} b") == ("a ", "Paul", " b")
