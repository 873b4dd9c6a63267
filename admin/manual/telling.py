"""Sentences of the manual: the product's own, with names out of the pack in them, as safe HTML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from markupsafe import Markup, escape

from admin.parts.columns import NUMBERS, Column, column, field_column
from admin.parts.reader import Reader
from admin.parts.shown import duration, write, write_option
from definitions.duration import Duration
from definitions.spec.entity import Field
from definitions.spec.network import Network
from definitions.text import Text
from models.message import Message, say

OR, AND = "{before} or {word}", "{before} and {word}"
NOTHING = say("nothing")
MEMBER, OWNER = say("the member"), say("who follows it")


@dataclass(frozen=True, slots=True)
class Telling:
    """Who tells: the reader, who `actor` is in what is told, and the questions of the form that it speaks about."""

    reader: Reader
    actor: Message = MEMBER
    form: Mapping[str, Field] = field(default_factory=dict)

    @property
    def network(self) -> Network:
        """The network that is told about."""
        return self.reader.network

    def asked(self, form: Mapping[str, Field]) -> Telling:
        """Return the same, telling of a form with these questions."""
        return replace(self, form=form)

    def words(self, text: Message | Text | str) -> str:
        """Return a plain text."""
        return self.reader.words(text)

    def html(self, text: Message | Text | str) -> Markup:
        """Return a text as HTML; what stands in the places of a sentence may be HTML already."""
        if isinstance(text, Markup):
            return text
        if isinstance(text, Message) and text.values:
            sentence = self.reader.formats.catalogue.gettext(text.text)
            given = {name: self.html(value) for name, value in text.values.items()}
            return Markup(escape(sentence)).format(**given)  # noqa: S704 - escaped just now
        return escape(self.words(text))

    def said(self, message: Message, /, **parts: Markup) -> Markup:
        """Return a sentence with its places filled."""
        return self.html(Message(message.text, parts))

    def name(self, text: Message | Text | str) -> Markup:
        """Return what something is called, set apart."""
        return Markup("<em>{}</em>").format(self.html(text))

    def one_of(self, words: Sequence[Markup]) -> Markup:
        """Return the words with `or` before the last."""
        return self._joined(OR, words)

    def all_of(self, words: Sequence[Markup]) -> Markup:
        """Return the words with `and` before the last."""
        return self._joined(AND, words)

    def entity(self, name: str) -> Markup:
        """Return what an entity's records are called."""
        found = self.network.entities.get(name)
        return self.name(found.label if found else name)

    def state(self, process: str, state: str) -> Markup:
        """Return what a state is called."""
        return self.name(self.network.processes[process].states[state].label)

    def column(self, entity: str, name: str) -> Column | None:
        """Return what a name means on an entity."""
        found = self.network.entities.get(entity)
        return None if found is None else column(self.reader, found, name)

    def field(self, entity: str, name: str) -> Markup:
        """Return what a field, a process or the lines of an entity are called."""
        found = self.column(entity, name)
        if found is not None:
            return self.name(found.label)
        lines = self.network.lines(entity).get(name) if entity in self.network.entities else None
        return self.name(lines.many) if lines else Markup("<code>{}</code>").format(name)

    def question(self, name: str) -> Column | None:
        """Return what a question of the form is about."""
        found = self.form.get(name)
        return None if found is None else field_column(self.reader, found)

    def levels(self, names: Sequence[str]) -> Markup:
        """Return what levels are called, with `or` between them."""
        return self.one_of([self.name(self.network.levels[name].label) for name in names])

    def value(self, about: Column | None, value: Any) -> Markup:
        """Return a value that is written out in the definitions."""
        if value is None:
            return self.html(NOTHING)
        if isinstance(value, Duration):
            return escape(duration(value, self.reader))
        if isinstance(value, Text):
            return self.name(value)
        if isinstance(value, list | tuple | frozenset):
            return self.all_of([self.value(about, each) for each in value]) if value else self.html(NOTHING)
        if isinstance(value, bool):
            return escape(self.reader.formats.boolean(value))
        if about is not None and (said := self.written(about, value)):
            return escape(said) if about.kind in NUMBERS else self.name(said)
        return Markup("<q>{}</q>").format(value) if isinstance(value, str) else escape(self.number(value))

    def written(self, about: Column, value: Any) -> str:
        """Return a value as a value of a column; of a choice of several it may be a single one."""
        return write_option(about, value) if about.kind == "choices" else write(about, value, self.reader, {})

    def number(self, value: Any) -> str:
        """Return a number, and anything else as it is."""
        return self.reader.formats.number(value) if isinstance(value, int | float | Decimal) else str(value)

    def span(self, value: Duration) -> Markup:
        """Return how long something takes."""
        return escape(duration(value, self.reader))

    def _joined(self, form: str, words: Sequence[Markup]) -> Markup:
        *first, last = words or [Markup("")]
        if not first:
            return last
        return self.html(Message(form, {"before": Markup(", ").join(first), "word": last}))
