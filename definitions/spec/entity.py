"""Entities and their fields."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from definitions.problems import Place
from definitions.spec.value import Value
from definitions.text import Text

FieldType = Literal[
    "text", "long_text", "integer", "decimal", "money", "boolean", "date", "datetime", "duration", "email", "phone",
    "url", "country", "language", "choice", "choices", "reference", "file", "image", "json",
]  # fmt: skip
OnDelete = Literal["restrict", "clear", "delete"]
Personal = Literal[
    "identity", "contact", "professional", "economic", "family", "location", "connection", "opinion", "health", "other"
]
Basis = Literal["consent", "contract", "legal", "vital", "public", "legitimate"]


@dataclass(frozen=True, slots=True)
class Option:
    """One value of a choice."""

    name: str
    label: Text
    place: Place
    was: str | None = None


@dataclass(frozen=True, slots=True)
class Field:
    """A field of an entity; `unique` is the other fields it is unique together with, () for alone, None for not.

    `required_if` is the condition where it is required in some records only; its values may be null in all others.
    """

    name: str
    type: FieldType
    label: Text
    place: Place
    help: Text | None = None
    unit: Text | None = None
    required: bool = False
    required_if: Value | None = None
    default: Value | None = None
    compute: Value | None = None
    min: Value | None = None
    max: Value | None = None
    pattern: str | None = None
    scale: int = 2
    unique: tuple[str, ...] | None = None
    index: bool = False
    encrypted: bool = False
    options: Mapping[str, Option] = field(default_factory=dict)
    to: str | None = None
    on_delete: OnDelete = "restrict"
    personal: Personal | None = None
    purpose: Text | None = None
    was: str | None = None
    built_in: bool = False

    @property
    def follows(self) -> bool:
        """Whether its default depends on the other values of a new record."""
        return self.default is not None and bool(self.default.reads("record"))


@dataclass(frozen=True, slots=True)
class Retention:
    """How long a record is kept: `after` a duration `since` a date field, `unless` a condition; then erased."""

    after: Value
    since: str
    place: Place
    unless: Value | None = None
    warn: Value | None = None
    then: str = "erase"


@dataclass(frozen=True, slots=True)
class Entity:
    """A kind of record. `fields` holds the declared fields, in order (for `member` the built-in ones come first)."""

    name: str
    label: Text
    place: Place
    fields: Mapping[str, Field]
    icon: str = "file"
    title: str = ""
    owner: bool = False
    parent: str | None = None
    lines_as: str | None = None
    search: tuple[str, ...] = ()
    duplicates: tuple[tuple[str, ...], ...] = ()
    purpose: Text | None = None
    basis: Basis | None = None
    retention: Retention | None = None
    was: str | None = None
    processes: tuple[str, ...] = ()
    plural: Text | None = None

    @property
    def many(self) -> Text:
        """What several records are called: the plural, or the label where there is none."""
        return self.plural or self.label


SYSTEM_FIELDS = ("id", "created_at", "updated_at", "created_by", "last_activity_at", "version")
"""What every record has beside its fields, its owner and one state for each process."""
