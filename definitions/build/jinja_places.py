"""Where the words of a template stand: each line is looked through once, however many names are in it."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence

from jinja2 import nodes

_LINE = re.compile(r"\n")
_BEHIND = re.compile(r"[.|]\s*(\w+)")
"""The name of a field or a filter."""
_ALONE = re.compile(r"(?<![.\w])(\w+)")
_WORD = re.compile(r"\w+")


class Words:
    """The words of a template's text (Jinja tells the lines of its nodes only)."""

    def __init__(self, text: str) -> None:
        """Know where the lines begin; what stands in them is found when it is asked for."""
        self._text = text
        self._starts = [0, *(found.end() for found in _LINE.finditer(text))]
        self._found: dict[tuple[int, bool], Mapping[str, list[int]]] = {}
        self._odd: dict[tuple[int, bool, str], list[int]] = {}

    def start(self, line: int) -> int:
        """Return where a line begins; lines count from 1, and behind the last comes none."""
        return self._starts[min(max(line, 1), len(self._starts)) - 1]

    def end(self, line: int) -> int:
        """Return where a line ends, without what ends it."""
        following = bisect_right(self._starts, self.start(line))
        return self._starts[following] - 1 if following < len(self._starts) else len(self._text)

    def of(self, node: nodes.Node, word: str) -> Sequence[int]:
        """Return where a word stands in the node's line."""
        behind = isinstance(node, nodes.Getattr | nodes.Filter)
        if _WORD.fullmatch(word):
            return self._line(node.lineno, behind=behind).get(word, ())
        key = node.lineno, behind, word
        if word and key not in self._odd:
            before = r"[.|]\s*" if behind else r"(?<![.\w])"
            self._odd[key] = self._matches(re.compile(rf"{before}({re.escape(word)})(?!\w)"), node.lineno)
        return self._odd.get(key, ())

    def first(self, node: nodes.Node, word: str) -> int:
        """Return where a word stands first in the node's line; the line's beginning where it does not."""
        return next(iter(self.of(node, word)), self.start(node.lineno))

    def _line(self, line: int, *, behind: bool) -> Mapping[str, list[int]]:
        if (line, behind) not in self._found:
            found = defaultdict(list)
            for offset in self._matches(_BEHIND if behind else _ALONE, line):
                match = _WORD.match(self._text, offset)
                if match is not None:
                    found[match[0]].append(offset)
            self._found[line, behind] = found
        return self._found[line, behind]

    def _matches(self, pattern: re.Pattern[str], line: int) -> list[int]:
        start = self.start(line)
        written = self._text[start : self.end(line)]  # a slice: what stands before it is not looked at
        return [start + found.start(1) for found in pattern.finditer(written)]
