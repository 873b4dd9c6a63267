"""Text for people: one string, or one a language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Text:
    """A text in the network's languages; a plain string holds for all of them under the key `""`."""

    values: Mapping[str, str]

    def pick(self, language: str, *fallbacks: str) -> str:
        """Return the text in `language`, else in the first fallback it has, else any; "" when it has none."""
        for name in (language, *fallbacks, ""):
            found = self.values.get(name)
            if found is not None:
                return found
        return next(iter(self.values.values()), "")


def plain(text: str) -> Text:
    """Return a text that is the same in every language."""
    return Text({"": text})
