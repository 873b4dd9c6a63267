"""Templates of messages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from definitions.problems import Place
from definitions.text import Text


@dataclass(frozen=True, slots=True)
class Template:
    """A message: Jinja over Markdown; `about` names the entity of `record`, None for none.

    `reads` holds what it shows, in any language: `("record", "company", "name")`.
    """

    name: str
    label: Text
    channel: Literal["email", "sms", "notification", "document"]
    body: Text
    place: Place
    subject: Text | None = None
    about: str | None = None
    reads: frozenset[tuple[str, ...]] = frozenset()
