"""The smallest pieces of pages, repeated hundreds of times in lists: macros of templates would cost more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup, escape

from admin.icons import icon

if TYPE_CHECKING:
    from collections.abc import Container

    from admin.parts.columns import Column
    from admin.parts.hints import Hint
    from admin.parts.shown import Shown


def pill(label: str, colour: str = "grey", *, plain: bool = False) -> Markup:
    """Return a state or an option: a dot and a word, never colour alone.

    Colours: grey blue green amber red violet brand.
    """
    kind = " plain" if plain else ""
    return Markup(f'<span class="pill c-{escape(colour)}{kind}">{escape(label)}</span>')  # noqa: S704 - escaped


def value(shown: Shown, *, link: bool = True) -> Markup:
    """Return a value as `shown` says, without its link for a place that is one itself."""
    if shown.kind == "state":
        return pill(shown.text, shown.colour)
    if shown.kind == "states":
        return Markup(" ").join(pill(each.text, each.colour) for each in shown.parts)
    if shown.kind == "link" and link:
        away = ' rel="noreferrer" target="_blank"' if shown.href.startswith("http") else ""
        return Markup(f'<a class="direct" href="{escape(shown.href)}"{away}>{escape(shown.text)}</a>')  # noqa: S704 - escaped
    if shown.kind == "picture" and shown.href:
        return _picture(shown, link=link)
    if shown.kind == "file" and shown.href and link:
        return Markup(f'<a class="direct" href="{escape(shown.href)}">{icon("paperclip")}{escape(shown.text)}</a>')  # noqa: S704 - escaped
    if shown.href.startswith("mailto:"):
        return escape(shown.text).replace("@", Markup("<wbr>@"))
    return escape(shown.text)


def _picture(shown: Shown, *, link: bool) -> Markup:
    """Return a picture's small form, which leads to the whole where it may."""
    address, name = escape(shown.href), escape(shown.text)
    small = f'<img class="picture" src="{address}/small" alt="{name}" loading="lazy">'
    return Markup(f'<a href="{address}?shown=1">{small}</a>' if link else small)  # noqa: S704 - escaped


def options(column: Column, chosen: Container[str]) -> Markup:
    """Return what a `select` offers for a column, of which some may be chosen."""
    written = (chosen_tag if name in chosen else tag for name, tag, chosen_tag in column.tags)
    return Markup("".join(written))  # noqa: S704 - tags are escaped


def hint(said: Hint) -> Markup:
    """Return a few words with their icon."""
    return Markup(f'<span class="hint {said.kind}">{icon(said.icon)}{escape(said.text)}</span>')  # noqa: S704 - escaped
