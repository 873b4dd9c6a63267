"""Sentences of the product itself, said now and translated by the door that shows them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import reduce


class Message(str):
    """A sentence: its English text, which keeps what it was made of, so that a door can say it in another language.

    `text` is the key of the catalogues, with `{name}` places; `values` go there, and may be sentences themselves.
    """

    __slots__ = ("text", "values")
    text: str
    values: Mapping[str, str]

    def __new__(cls, text: str, values: Mapping[str, str] | None = None) -> Message:
        """Fill the places of a text; one without values is taken as it is, braces and all."""
        made = super().__new__(cls, text.format(**values) if values else text)
        made.text = text
        made.values = values or {}
        return made


def say(text: str, /, **values: object) -> Message:
    """Return the sentence `text` with its places filled; Babel finds the texts of the catalogues by this name."""
    return Message(text, {name: value if isinstance(value, str) else str(value) for name, value in values.items()})


def either(words: Iterable[str]) -> str:
    """Return the words with `or` between them; "" for none."""
    return _joined(say("{before} or {word}"), words)


def both(words: Iterable[str]) -> str:
    """Return the words with `and` between them; "" for none."""
    return _joined(say("{before} and {word}"), words)


def _joined(form: str, words: Iterable[str]) -> str:
    first, *more = [*words] or [""]
    return reduce(lambda before, word: Message(form, {"before": before, "word": word}), more, first)
