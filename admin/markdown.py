"""The pack's long texts on screens: Markdown, cleaned."""

from __future__ import annotations

import nh3
from markdown_it import MarkdownIt
from markupsafe import Markup

_parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])


def to_html(text: str) -> Markup:
    """Return a Markdown text as HTML that can do no harm."""
    return Markup(nh3.clean(_parser.render(text)))  # noqa: S704 - cleaned just now
