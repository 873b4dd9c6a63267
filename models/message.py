"""Sentences of the product itself, said now and translated by the door that shows them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Message:
    """A sentence: its English text (the key of the catalogues, with `{name}` places) and what goes into the places."""

    text: str
    values: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        """Return the English sentence."""
        return self.text.format(**self.values)


def say(text: str, **values: object) -> Message:
    """Return the sentence `text` with its places filled; Babel finds the texts of the catalogues by this name."""
    return Message(text, {name: str(value) for name, value in values.items()})
