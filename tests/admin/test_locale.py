"""Every sentence of the product in every language that it speaks."""

from __future__ import annotations

import re
from string import Formatter

import pytest
from babel.messages.pofile import read_po

from admin.i18n import LOCALE, catalogue, preferred
from definitions.text import Text
from models.message import say
from tests.admin.sentences import sentences

TRANSLATED = sorted(path.stem for path in LOCALE.glob("*.po"))


def _entries(language: str) -> dict[str | tuple[str, ...], tuple[str, ...]]:
    with (LOCALE / f"{language}.po").open("rb") as file:
        read = read_po(file, locale=language)
    texts = {
        entry.id if isinstance(entry.id, str) else tuple(entry.id): entry.string or () for entry in read if entry.id
    }
    return {key: (text,) if isinstance(text, str) else tuple(text) for key, text in texts.items()}


def _places(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


@pytest.mark.parametrize("language", TRANSLATED)
def test_no_sentence_is_missing_and_none_is_left_over(language: str) -> None:
    assert set(_entries(language)) == sentences()


@pytest.mark.parametrize("language", TRANSLATED)
def test_translations_have_the_same_places(language: str) -> None:
    for key, texts in _entries(language).items():
        wanted = _places(key if isinstance(key, str) else key[-1])
        for text in texts:
            assert text
            assert _places(text) == wanted, text


def test_french_is_set_as_french_is() -> None:
    for texts in _entries("fr").values():
        for text in texts:
            plain = re.sub(r"`[^`]*`|\{\w+\}", "x", text)
            assert "'" not in plain, text
            assert not re.search(r"[^\u202f][;?!]", plain), text
            assert not re.search(r"[^\u202f]:(?=\s|$)", plain), text
            assert not re.search(r"«[^\u00a0]|[^\u00a0]»", plain), text


def test_a_sentence_is_filled_after_it_is_translated() -> None:
    french = catalogue("fr")
    assert french.words(say("Ago {n}", n=3)) == "Ago 3"
    assert french.gettext("Hello {name}", name="Zoé {x}") == "Bonjour Zoé {x}"
    assert french.words(Text({"fr": "Oui", "en": "Yes"})) == "Oui"
    assert french.words(Text({"en": "Yes", "nl": "Ja"}), "nl") == "Ja"


@pytest.mark.parametrize(
    ("n", "expected"), [(0, "0 tâche en retard"), (1, "1 tâche en retard"), (2, "2 tâches en retard")]
)
def test_a_counted_sentence_follows_the_language(n: int, expected: str) -> None:
    assert catalogue("fr").ngettext("{n} late task", "{n} late tasks", n) == expected


def test_a_large_number_is_written_as_the_language_does() -> None:
    late = ("{n} late task", "{n} late tasks", 12345)
    assert catalogue("fr").ngettext(*late) == "12\u202f345 tâches en retard"
    assert catalogue("en").ngettext(*late) == "12,345 late tasks"
    assert catalogue("de").ngettext(*late) == "12.345 late tasks"
    assert catalogue("qq").ngettext(*late) == "12345 late tasks"


def test_a_language_without_a_catalogue_speaks_english() -> None:
    assert catalogue("nl").gettext("Today") == "Today"
    assert catalogue("nl").ngettext("{n} late task", "{n} late tasks", 0) == "0 late tasks"


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("fr-FR,fr;q=0.9,en;q=0.8", "fr"),
        ("de,en;q=0.3,fr;q=0.7", "fr"),
        ("en;q=0, fr;q=0.1", "fr"),
        ("de", None),
        ("", None),
        ("fr;q=much", None),
    ],
)
def test_the_best_liked_language_on_offer_is_taken(header: str, expected: str | None) -> None:
    assert preferred(header, ("fr", "en")) == expected
