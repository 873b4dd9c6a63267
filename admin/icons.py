"""Lucide icons, inlined by the server out of the installed package."""

from __future__ import annotations

import re
import sqlite3
from functools import cache

from lucide import get_default_db_path  # type: ignore[import-untyped] # it has no types
from markupsafe import Markup, escape

UNKNOWN = "circle-dashed"
_INSIDE = re.compile(r"<svg[^>]*>(.*)</svg>", re.DOTALL)


@cache
def _drawing(name: str) -> str | None:
    connection = sqlite3.connect(f"file:{get_default_db_path()}?mode=ro", uri=True)
    try:
        row = (
            connection.execute("SELECT svg FROM icons WHERE name = ?", (name,)).fetchone()
            or connection.execute(
                "SELECT svg FROM icons JOIN icon_aliases USING (name) WHERE alias = ?", (name,)
            ).fetchone()
        )
    finally:
        connection.close()
    inside = _INSIDE.search(row[0]) if row else None
    return None if inside is None else " ".join(inside.group(1).split())


@cache
def icon(name: str, extra: str = "") -> Markup:
    """Return an icon as SVG that follows the text's colour and that screen readers pass over."""
    drawing = _drawing(name) or _drawing(UNKNOWN) or ""
    return Markup(  # noqa: S704 - the drawing comes from the installed package, the class is escaped
        f'<svg class="i {escape(extra)}" viewBox="0 0 24 24" width="18" height="18" fill="none" stroke="currentColor" '
        f'stroke-width="2" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">{drawing}</svg>'
    )
