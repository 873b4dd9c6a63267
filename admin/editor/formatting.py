"""A file of a pack in one form: each line where its depth puts it, nothing else touched.

Lines are moved, never written again: comments, quotes, order, blank lines, aligned columns and the width of lines stay
as somebody chose them. Keys stand two spaces inside of what they belong to, and so do the dashes of lists.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from definitions.problems import Problem
from definitions.source import Mapping, Node, Scalar, read_documents

STEP = 2
_LOADER: Any = getattr(yaml, "CLoader", yaml.Loader)
_OPENING = (yaml.FlowSequenceStartToken, yaml.FlowMappingStartToken)
_CLOSING = (yaml.FlowSequenceEndToken, yaml.FlowMappingEndToken)
_BLOCKS = (yaml.BlockSequenceStartToken, yaml.BlockMappingStartToken)


class UnreadableError(Exception):
    """A file is no YAML: it is left as it is. `problems` say why."""

    def __init__(self, problems: tuple[Problem, ...] = ()) -> None:
        """Keep what is wrong."""
        self.problems = problems
        super().__init__("not YAML")


def formatted(text: str, file: str = "") -> str:
    """Return a file's text in its one form; `UnreadableError` where it can't be read, or would not say the same."""
    documents, problems = read_documents(file, text)
    if any(document.node is None for document in documents):
        raise UnreadableError(tuple(problems))
    mark = "\ufeff" if text.startswith("\ufeff") else ""
    body = text.removeprefix("\ufeff")
    moved = mark + "\n".join(_moved(body.split("\n"), _Layout(body))).rstrip("\n") + "\n"
    again, _ = read_documents(file, moved)
    if [_said(each.node) for each in again] != [_said(each.node) for each in documents]:
        raise UnreadableError
    return moved if moved != mark + "\n" else text


def _said(node: Node | None) -> object:
    """Return what a node says, without where."""
    if node is None or isinstance(node, Scalar):
        return None if node is None else (node.text, node.value, node.plain)
    if isinstance(node, Mapping):
        return {key: _said(entry.value) for key, entry in node.entries.items()}
    return [_said(item) for item in node.items]


@dataclass(frozen=True, slots=True)
class _Anchor:
    """A key or a dash in a block: its line and column from 0, and the column that it belongs at."""

    line: int
    column: int
    target: int
    dash: bool

    @property
    def shift(self) -> int:
        """By how much it moves."""
        return self.target - self.column


@dataclass
class _Block:
    """A mapping or a list in block style; `dashes`: where those of a list without a block of its own belong."""

    target: int
    is_list: bool
    dashes: int | None = None

    @property
    def inner(self) -> int:
        """The column of what stands inside."""
        return (self.target if self.dashes is None else self.dashes) + STEP


@dataclass
class _Layout:
    """Where the keys and dashes of a text are and belong, and which lines are the inside of texts."""

    text: str
    anchors: dict[int, list[_Anchor]] = field(default_factory=dict)
    inside: set[int] = field(default_factory=set)
    fixed: set[int] = field(default_factory=set)
    rows: list[int] = field(default_factory=list)
    """The lines that begin something or are fixed, in order."""

    def __post_init__(self) -> None:
        """Read the text's tokens."""
        blocks: list[_Block] = []
        depth = 0
        for token in yaml.scan(self.text, Loader=_LOADER):
            if isinstance(token, _OPENING):
                depth += 1
            elif isinstance(token, _CLOSING):
                depth -= 1
            elif isinstance(token, yaml.ScalarToken):
                self._scalar(token)
            elif isinstance(token, yaml.DocumentStartToken | yaml.DocumentEndToken | yaml.DirectiveToken):
                self.fixed.add(token.start_mark.line)
            elif depth == 0:
                self._block(token, blocks)
        self.rows = sorted({*self.anchors, *self.fixed})

    def following(self, line: int) -> _Anchor | None:
        """Return the key or dash that comes first behind a line, None where a document begins or ends before it."""
        index = bisect_right(self.rows, line)
        row = self.rows[index] if index < len(self.rows) else line
        return self.anchors[row][0] if row in self.anchors and row not in self.fixed else None

    def _block(self, token: yaml.Token, blocks: list[_Block]) -> None:
        if isinstance(token, _BLOCKS):
            target = blocks[-1].inner if blocks else 0
            blocks.append(_Block(target, isinstance(token, yaml.BlockSequenceStartToken)))
        elif isinstance(token, yaml.BlockEndToken):
            blocks.pop()
        elif isinstance(token, yaml.KeyToken) and blocks:
            blocks[-1].dashes = None
            self._anchor(token, blocks[-1].target, dash=False)
        elif isinstance(token, yaml.BlockEntryToken) and blocks:
            if not blocks[-1].is_list:
                blocks[-1].dashes = blocks[-1].target + STEP
            dashes = blocks[-1].dashes
            self._anchor(token, blocks[-1].target if dashes is None else dashes, dash=True)

    def _anchor(self, token: yaml.Token, target: int, *, dash: bool) -> None:
        at = token.start_mark
        self.anchors.setdefault(at.line, []).append(_Anchor(at.line, at.column, target, dash))

    def _scalar(self, token: yaml.ScalarToken) -> None:
        last = token.end_mark.line - (token.end_mark.column == 0 or token.style in {"|", ">"})
        self.inside.update(range(token.start_mark.line + 1, last + 1))


def _moved(lines: list[str], layout: _Layout) -> Iterator[str]:
    shift = 0
    known: dict[tuple[bool, int], _Anchor] = {}  # the last key and the last dash at each column
    for number, line in enumerate(lines):
        anchors = layout.anchors.get(number, [])
        if number in layout.fixed:
            shift, known = 0, {}
            yield line.rstrip()
        elif anchors and number not in layout.inside:
            known |= {(anchor.dash, anchor.column): anchor for anchor in anchors}
            shift = anchors[-1].shift
            yield _entry(line, anchors)
        elif number in layout.inside:
            yield _shifted(line, shift)
        elif line.lstrip().startswith("#"):
            column = len(line) - len(line.lstrip())
            near = layout.following(number), known.get((False, column)), known.get((True, column))
            aligned = next((anchor for anchor in near if anchor is not None and anchor.column == column), None)
            yield _comment(line.rstrip(), aligned, shift)
        else:
            yield _shifted(line, shift).rstrip()


def _entry(line: str, anchors: list[_Anchor]) -> str:
    """Return a line that begins with a key or a dash: at its column, one space behind each dash."""
    made = ""
    for anchor, following in zip(anchors, [*anchors[1:], None], strict=True):
        made = made.ljust(anchor.target)
        written = line[anchor.column : following.column if following else None]
        if anchor.dash and written[1:].strip() and not written[1:].lstrip().startswith("#"):
            written = f"- {written[1:].lstrip()}"
        made += written.rstrip() if following is None else written.rstrip() + " "
    return made.rstrip()


def _shifted(line: str, shift: int) -> str:
    if shift >= 0:
        return " " * shift + line if line.strip() else line
    return line[min(-shift, len(line) - len(line.lstrip(" "))) :]


def _comment(line: str, aligned: _Anchor | None, shift: int) -> str:
    """Return a line with a comment: where the key goes that it is aligned with."""
    return _shifted(line, shift) if aligned is None else " " * aligned.target + line.lstrip()
