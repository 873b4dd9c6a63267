"""Messages as they will look, with what comes from the record named where it will stand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from jinja2 import TemplateError
from markupsafe import Markup, escape

from admin.manual.telling import OWNER, Telling
from admin.markdown import to_html
from definitions.build.jinja import FILTERS
from models.message import Message, say
from models.sandbox import Sandbox

ROOTS: dict[str, Message] = {
    "member": OWNER,
    "recipient": say("who reads it"),
    "actor": say("who caused it"),
    "network": say("the network"),
}
LINKS: dict[str, Message] = {
    "record": say("address of the record"),
    "unsubscribe": say("address to unsubscribe"),
    "account": say("address of the account"),
}
OF = say("{field} of {record}")
OPEN, CLOSE = "\ue000", "\ue001"
_MARKS = str.maketrans("", "", OPEN + CLOSE)
_PLACE = re.compile(f"{OPEN}(\\d+){CLOSE}")
_LINKED = re.compile(r'<a href="[^"]*(?:%EE%80%80|\ue000)[^"]*"[^>]*>(.*?)</a>', re.DOTALL)
"""A link to what is only known of a record."""
_IMAGE = re.compile(r'<img(?: [^>]*?alt="([^"]*)")?[^>]*>')
_TAG = re.compile(r"<[^>]*>")


class Slot:
    """What a message names: whatever is asked of it is a slot again, and it is written as its name."""

    def __init__(self, names: Names, label: str, entity: str) -> None:
        """Take the place of `label`; `entity` is what it is a record of."""
        self._names = names
        self._label = label
        self._entity = entity

    def __getattr__(self, name: str) -> Slot:
        """Return what stands for a field."""
        if name.startswith("_"):
            raise AttributeError(name)
        return self._names.inside(self._label, self._entity, name)

    def __str__(self) -> str:
        """Return the mark of the place, which `shown` puts the name in."""
        return self._names.mark(self._label)

    def __iter__(self) -> Iterator[Slot]:
        """Go through it once, as if it were one line of a record."""
        yield self

    def __len__(self) -> int:
        """Return one."""
        return 1

    def _same(self, _other: object) -> Slot:
        return self

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = _same

    def _yes(self, _other: object) -> bool:
        return True

    __lt__ = __le__ = __gt__ = __ge__ = _yes


class Names:
    """The slots of one message."""

    def __init__(self, tell: Telling) -> None:
        """Begin without any."""
        self.tell = tell
        self.labels: list[str] = []

    def mark(self, label: str) -> str:
        """Return the mark of a place."""
        self.labels.append(label)
        return f"{OPEN}{len(self.labels) - 1}{CLOSE}"

    def inside(self, label: str, entity: str, name: str) -> Slot:
        """Return the slot of a field of what has a label."""
        network, words = self.tell.network, self.tell.words
        if entity == "settings":
            return Slot(self, words(network.settings[name].label) if name in network.settings else name, "")
        if entity == "links":
            return Slot(self, words(LINKS[name]) if name in LINKS else name, "")
        column = self.tell.column(entity, name)
        lines = network.lines(entity).get(name) if entity in network.entities else None
        own = column.label if column else words(lines.many) if lines else name
        shown = words(say(OF.text, field=own, record=label)) if label else own
        to = lines.name if lines else column.to if column and column.to else ""
        return Slot(self, "" if lines else shown, to)

    def scope(self, about: str | None) -> dict[str, Any]:
        """Return what a message about an entity can name."""
        roots = {name: Slot(self, self.tell.words(label), "member") for name, label in ROOTS.items()}
        fixed = {name: Slot(self, "", name) for name in ("settings", "links")}
        return {**roots, **fixed, "record": Slot(self, "", about or "")}

    def shown(self, html: str) -> Markup:
        """Return HTML with its marks replaced by the names; the page loads nothing, so images are what they say."""
        plain = _IMAGE.sub(r"<i>\1</i>", _LINKED.sub(r"<u>\1</u>", str(html)))
        plain = _TAG.sub(lambda tag: _PLACE.sub(self._label, tag[0]), plain)
        plain = _PLACE.sub(self._slot, plain)
        return Markup(plain.translate(_MARKS))  # noqa: S704 - cleaned by `to_html`

    def _slot(self, found: re.Match[str]) -> str:
        label = self._label(found)
        return f'<span class="slot">{label}</span>' if label else ""

    def _label(self, found: re.Match[str]) -> str:
        """Return the name at a mark, as HTML; nothing where a text has marks of its own."""
        number = int(found[1])
        return str(escape(self.labels[number])) if number < len(self.labels) else ""


def _kept(value: Any, *_: Any, **__: Any) -> Any:
    """Return what a filter is given: what it would make of it is known with a record only."""
    return value


_FILTERS = dict.fromkeys(FILTERS, _kept)


def preview(tell: Telling, text: str, about: str | None, *, long: bool = False) -> Markup:
    """Return a message (`long`: Markdown) with names for what it fills in; as it is written where that cannot be said.

    Everything that is only there under a condition is shown.
    """
    names = Names(tell)
    try:
        sandbox = Sandbox({})
        sandbox.filters |= _FILTERS
        filled = sandbox.fill(sandbox.from_string(text.translate(_MARKS)), names.scope(about))
    except (TemplateError, TypeError, ValueError, AttributeError, ArithmeticError):
        return (Markup("<pre>{}</pre>") if long else Markup("<code>{}</code>")).format(text)
    return names.shown(to_html(filled) if long else escape(filled))
