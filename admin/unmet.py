"""What a guard that refuses asks for, in words: each part, whether it holds, and the values that it compares."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import unescape
from typing import Any

from markupsafe import Markup

from admin.manual.automations import CAUSE
from admin.manual.conditions import Words, condition
from admin.manual.telling import Telling
from admin.parts.reader import Reader
from admin.parts.shown import write
from definitions.expr.nodes import Name, Select
from definitions.spec.process import Transition
from models.message import Message, say
from workflows.guards import Weighed
from workflows.unfired import Judged

YOU = say("you yourself")
UNSEEN = say("A condition about what you may not see")
EMPTY = say("empty")
VERDICTS: Mapping[bool | None, tuple[Message, str, str]] = {
    True: (say("Met"), "green", "check"),
    False: (say("Not met"), "red", "x"),
    None: (say("Not told"), "grey", "circle-help"),
}


@dataclass(frozen=True, slots=True)
class Condition:
    """A part of a guard: its words, whether it holds (None: not told), and the values that it compares."""

    words: Markup
    holds: bool | None
    verdict: str
    colour: str
    icon: str
    values: tuple[tuple[str, str], ...] = ()

    @property
    def text(self) -> str:
        """The words as plain text; what is quoted in them stays so."""
        return _plain(self.words)


def conditions(reader: Reader, transition: Transition, parts: Sequence[Weighed]) -> tuple[Condition, ...]:
    """Return what a guard asks for, as this reader is told; the parts that cannot be told are one."""
    tell = Telling(reader, YOU).asked({name: each.field for name, each in transition.form.items()})
    return _conditions(tell, parts)


def of_automation(reader: Reader, parts: Sequence[Weighed]) -> tuple[Condition, ...]:
    """Return what the condition of an automation asks for, in the same way."""
    return _conditions(Telling(reader, CAUSE), parts)


def _conditions(tell: Telling, parts: Sequence[Weighed]) -> tuple[Condition, ...]:
    return tuple(dict.fromkeys(_condition(tell, each) for each in parts))


def in_words(reader: Reader, why: Message) -> str:
    """Return why a run or a step of an automation went no further; a condition in it is told in the words of the
    network that it is of.
    """
    asked = why.values.get("condition")
    if not isinstance(asked, Judged):
        return reader.words(why)
    said = _plain(condition(Telling(Reader(asked.network, reader.formats), CAUSE), asked.asks))
    return reader.words(Message(why.text, {**why.values, "condition": said}))


def _plain(words: Markup) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", "", re.sub(r"</?q>", '"', words))).split())


def told(found: Sequence[Condition]) -> list[dict[str, Any]]:
    """Return conditions as JSON has them."""
    return [
        {
            "text": each.text,
            "holds": each.holds,
            "values": [{"text": name, "value": value} for name, value in each.values],
        }
        for each in found
    ]


def _condition(tell: Telling, part: Weighed) -> Condition:
    verdict, colour, icon = VERDICTS[part.holds]
    said = tell.words(verdict)
    if part.asks is None:
        return Condition(tell.html(UNSEEN), None, said, colour, icon)
    words = Words(tell, part.asks)
    values = tuple(dict.fromkeys(_values(words, part.values)))
    return Condition(words.condition(part.asks.tree), part.holds, said, colour, icon, values)


def _values(words: Words, values: Mapping[Select, Any]) -> Iterator[tuple[str, str]]:
    """Yield the fields that are compared with what stands in them; records aside, which have no words of their own."""
    for node, value in values.items():
        about = words.about(node)
        if about is None or about.kind in {"reference", "boolean"} or isinstance(value, Mapping):
            continue
        own = isinstance(node.of, Name) and node.of.name == "record"
        label = about.label if own else re.sub(r"<[^>]+>", "", words.say(node))
        written = write(about, value, words.tell.reader, {}) if value is not None else ""
        yield unescape(label), written or words.tell.words(EMPTY)
