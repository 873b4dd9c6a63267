"""Moulds: what the Markdown of a template becomes, worked out once for each way through it, values poured in later.

A value in a message is a text that means nothing to Markdown, so mails that took the same branches of a template differ
in their values alone. What is between them is parsed, cleaned and styled once, with a word that stands for each value.
Where a value would change what stands around it (lines of its own, a list's number, a link that is none), there is no
mould, and the message is made from its beginning. Both ways say the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from html import unescape

from workflows import markdown
from workflows.layout import Layout

OPEN, CLOSE = "\ue000", "\ue001"
"""Stand around values in filled templates (a private use of Unicode)."""
KEPT = 512
"""So many moulds are kept."""
_MARKED = re.compile(f"{OPEN}([^{OPEN}{CLOSE}]*){CLOSE}")
_MARKS = re.compile(f"[{OPEN}{CLOSE}]")
_UNFIT = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff|`]")
"""What values have that fit no mould: lines, what is no letter, what tables and code are known by all the same."""
_WORD = "Qz0{number}{kind}0zQ"
_PLACE = re.compile(r"Qz0(\d+)[dw]0zQ")
_OTHERWISE = re.compile(
    r"""Qz0\d+d0zQ(?:[.)\d]|Qz0)  # a number that may begin a list
    | &\#?\w*Qz0  # a letter by its name or number
    | <[^<>\s]*Qz0  # an address in angle brackets
    | \]:  # a link whose address stands elsewhere""",
    re.VERBOSE,
)
"""Where a value has a say in what it is part of."""
_CORE = re.compile(r"[^\W_](?:.*[^\W_])?")
EDGE = 8
"""So many signs stand before a value's first letter and behind its last one at most: they are part of the shape."""
_CODE = ("<code", "<pre")
_LINK = re.compile(r'<a href="([^"]*)"[^>]*>(.*?)</a>', re.DOTALL)
_TAG = re.compile(r"<[^>]*>")
_HOST = r"https?://[a-z0-9-]+(?:\.[a-z0-9-]+)*(?::[0-9]+)?"
_PATH = r"/[A-Za-z0-9._~/=&?+-]*\Z"
_WHOLE = re.compile(rf"{_HOST}(?:{_PATH}|\Z)")
_BEGUN = re.compile(rf"{_HOST}{_PATH}")
_WITHIN = re.compile(r"[A-Za-z0-9_-]+(?:[./@][A-Za-z0-9_-]+)*\Z")
"""Addresses, what they begin with, and parts of them, that stay as they are."""
_TO_HTML = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\xa0": "&nbsp;"})


def marked(value: str) -> str:
    """Return a value as it stands in a filled template, so that `pieces` finds it."""
    return f"{OPEN}{_MARKS.sub('', value)}{CLOSE}"


def pieces(text: str) -> tuple[str, ...]:
    """Return what a filled template is made of: words of its own and values, by turns."""
    return tuple(_MARKED.split(text))


def as_markdown(parts: Sequence[str]) -> str:
    """Return the whole as Markdown: values stay the text that they are."""
    return "".join(markdown.escape(part) if place % 2 else part for place, part in enumerate(parts))


def laid_out(layout: Layout, parts: Sequence[str]) -> tuple[str, str]:
    """Return a filled template as HTML in the layout's styles, and as text."""
    shape, values = _shape(parts)
    mould = None if shape is None else _cast(layout, shape)
    poured = None if mould is None else mould.pour(values)
    return made(layout, as_markdown(parts)) if poured is None else poured


def made(layout: Layout, text: str) -> tuple[str, str]:
    """Return Markdown as HTML in the layout's styles, and as text, from its beginning."""
    html, plain = markdown.both(text)
    return layout.styled(html), plain


def _shape(parts: Sequence[str]) -> tuple[str | None, list[str]]:
    """Return the template with a word in each value's place, None where there can be no mould, and the values."""
    words: dict[str, str] = {}
    shape: list[str] = []
    for place, part in enumerate(parts):
        if place % 2 == 0:
            shape.append(part)
            continue
        value = part.strip()
        core = _CORE.search(value)
        before, behind = (value, "") if core is None else (value[: core.start()], value[core.end() :])
        if _UNFIT.search(value) or max(len(before), len(behind)) > EDGE:
            return None, []
        shape.append(markdown.literal(before))
        if core is not None:
            shape.append(words.setdefault(core[0], _WORD.format(number=len(words), kind=_kind(core[0]))))
            shape.append(markdown.literal(behind))
    text = "".join(shape)
    return (None if words and _OTHERWISE.search(text) else text), list(words)


def _kind(value: str) -> str:
    """Return `d` for digits, `w` for other words."""
    return "d" if value.isdecimal() else "w"


@dataclass(frozen=True, slots=True)
class Mould:
    """HTML and text around values: literal pieces and the numbers of values, by turns.

    `addresses` are the values that addresses are made of, each with what leaves it as it is. `links` are addresses
    beside what they are called, where values stand in both: a text says only once what is the same.
    """

    html: tuple[str, ...]
    text: tuple[str, ...]
    addresses: tuple[tuple[int, re.Pattern[str]], ...]
    links: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]

    def pour(self, values: Sequence[str]) -> tuple[str, str] | None:
        """Return HTML and text; None where these values would change what stands around them."""
        if not all(safe.match(values[number]) for number, safe in self.addresses):
            return None
        if any(_poured(address, values) == _poured(said, values) for address, said in self.links):
            return None
        return _poured(self.html, [value.translate(_TO_HTML) for value in values]), _poured(self.text, values)


def _poured(around: Sequence[str], values: Sequence[str]) -> str:
    return "".join([values[int(part)] if place % 2 else part for place, part in enumerate(around)])


@lru_cache(maxsize=KEPT)
def _cast(layout: Layout, shape: str) -> Mould | None:
    """Return the mould of a shape; None where a value has a say in what stands around it."""
    html, text = made(layout, shape)
    said = {*_PLACE.findall(html)}
    if said and any(code in html for code in _CODE):
        return None
    if not said == {*_PLACE.findall(text)} == {*_PLACE.findall(shape)}:
        return None
    return Mould(tuple(_PLACE.split(html)), tuple(_PLACE.split(text)), tuple(_addresses(html)), tuple(_links(html)))


def _addresses(html: str) -> Iterator[tuple[int, re.Pattern[str]]]:
    """Yield the values in addresses: nothing else of a tag is the template's."""
    for found in _PLACE.finditer(html):
        if html.rfind("<", 0, found.start()) > html.rfind(">", 0, found.start()):
            begins, ends = html[found.start() - 1] == '"', html[found.end()] == '"'
            yield int(found[1]), (_WHOLE if ends else _BEGUN) if begins else _WITHIN


def _links(html: str) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
    for address, said in _LINK.findall(html):
        plain = unescape(address).removeprefix("mailto:").removeprefix("tel:")
        words = unescape(_TAG.sub("", said))
        if plain != words and _PLACE.search(plain) and _PLACE.search(words):
            yield tuple(_PLACE.split(plain)), tuple(_PLACE.split(words))
