"""Who reads a page: in which language, with which formats."""

from __future__ import annotations

from dataclasses import dataclass

from admin.formats import Formats
from definitions.spec.network import Network
from definitions.text import Text
from models.message import Message


@dataclass(frozen=True, slots=True)
class Reader:
    """A visitor of a network: texts are picked in their language, else in the network's first."""

    network: Network
    formats: Formats

    def words(self, text: Message | Text | str) -> str:
        """Return a sentence of the product or a text of the pack as this visitor reads it."""
        return self.formats.catalogue.words(text, *self.network.languages)

    def count(self, one: str, many: str, n: int) -> str:
        """Return a counted sentence of the product, the number written as the language does."""
        return self.formats.catalogue.ngettext(one, many, n, n=self.formats.number(n))
