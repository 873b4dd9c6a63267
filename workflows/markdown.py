"""Markdown, as the templates write it: to clean HTML, to plain text, and values that stay the text they are."""

from __future__ import annotations

import re
from collections.abc import Sequence

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token

_PARSER = MarkdownIt("commonmark", {"html": False, "breaks": True}).enable("table").enable("strikethrough")
_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")
_CLEANER = nh3.Cleaner(
    tags={
        *("a", "blockquote", "br", "code", "em", "h1", "h2", "h3", "h4", "hr", "li", "ol", "p", "pre", "s", "strong"),
        *("table", "tbody", "td", "th", "thead", "tr", "ul"),
    },
    attributes={"a": {"href"}, "ol": {"start"}},
    url_schemes={"http", "https", "mailto", "tel"},
    link_rel=None,
)


def escape(value: str) -> str:
    """Return Markdown that shows `value` as it is; its lines stay lines, empty ones go."""
    lines = (line.strip() for line in value.splitlines())
    return "\\\n".join(literal(line) for line in lines if line)


def literal(line: str) -> str:
    """Return Markdown that shows a line, or a part of one, as it is."""
    return _PUNCTUATION.sub(r"\\\1", line)


def to_html(markdown: str) -> str:
    """Return the HTML of a text: known tags only, no raw HTML, no pictures, no links but web, mail and telephone."""
    return _html(tokens(markdown))


def both(markdown: str) -> tuple[str, str]:
    """Return a text as `to_html` and as `to_text` have it, read once."""
    found = tokens(markdown)
    return _html(found), _text(found)


def _html(found: Sequence[Token]) -> str:
    html: str = _PARSER.renderer.render(found, _PARSER.options, {})
    return _CLEANER.clean(html)


def tokens(markdown: str) -> list[Token]:
    """Return what a text is made of."""
    return _PARSER.parse(markdown)


def to_text(markdown: str) -> str:
    """Return the text without its marks; a link is followed by its address, an item preceded by a dash or a number."""
    return _text(tokens(markdown))


def _text(found: Sequence[Token]) -> str:
    lines: list[str] = []
    lists: list[int] = []
    mark = ""
    for token in found:
        if token.type in _LISTS:
            lists.append(_LISTS[token.type] and int(token.attrGet("start") or 1))
        elif token.type == "list_item_open":
            mark = "  " * (len(lists) - 1) + (f"{lists[-1]}. " if lists[-1] else "- ")
            lists[-1] += bool(lists[-1])
        elif token.type in _LEAVES:
            lines.append(mark + (_inline(token.children or ()) or token.content.rstrip()))
            mark = ""
        elif token.type in _LIST_ENDS:
            lists.pop()
        if token.type in _BLOCK_ENDS and not lists:
            lines.append("")
    return "\n".join(lines).strip() + "\n"


_LISTS = {"bullet_list_open": 0, "ordered_list_open": 1}
_LIST_ENDS = {"bullet_list_close", "ordered_list_close"}
_LEAVES = {"inline", "fence", "code_block"}
_BLOCK_ENDS = {"paragraph_close", "heading_close", "fence", "code_block", "hr", "table_close", *_LIST_ENDS}


def _inline(tokens: Sequence[Token]) -> str:
    parts: list[str] = []
    link: tuple[str, int] | None = None
    for token in tokens:
        if token.type == "link_open":
            link = (str(token.attrGet("href") or ""), len(parts))
        elif token.type == "link_close" and link is not None:
            address, start = link
            said = "".join(parts[start:])
            plain = address.removeprefix("mailto:").removeprefix("tel:")
            parts[start:] = [said if said == plain else f"{said} ({plain})"]
            link = None
        elif token.type in {"softbreak", "hardbreak"}:
            parts.append("\n")
        else:
            parts.append(token.content)
    return "".join(parts)
