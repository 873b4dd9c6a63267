"""Saved views of a list as its page shows them: tabs beside the pack's views, and what went stale in one."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode

from admin.parts.filters import PREFIX, Address, address
from admin.parts.lists import ALL_BUT_PLACE, COLUMN, Ask, sortable
from admin.parts.subject import Subject
from models.message import say
from workflows.views import SavedView

SAVED = "saved"
"""The parameter that names the view that an address came from."""
EVERYTHING = "-"
"""The view that is none: the whole list, for who has a view of the own that the list opens with."""


@dataclass(frozen=True, slots=True)
class SavedTab:
    """A saved view as a tab."""

    label: str
    href: str
    current: bool
    shared: bool


@dataclass(frozen=True, slots=True)
class Shelf:
    """The saved views of a list; `now` is the one that is open, `query` what a new one would keep.

    `stale` is a sentence about what the open one asks for that is no longer there ("" for nothing).
    """

    tabs: tuple[SavedTab, ...]
    now: SavedView | None
    query: str
    stale: str

    @property
    def changed(self) -> bool:
        """Whether the open view keeps something else than what is shown now."""
        return self.now is not None and sorted(parse_qsl(self.now.query)) != sorted(parse_qsl(self.query))


def shelf(about: Subject, wanted: Ask, views: list[SavedView]) -> Shelf:
    """Return the saved views for the page of a list."""
    now = next((view for view in views if view.id == wanted.at.get(SAVED)), None)
    tabs = tuple(
        SavedTab(view.name, view_address(wanted.at.path, view), view is now, bool(view.levels)) for view in views
    )
    return Shelf(tabs, now, kept_query(wanted.at), "" if now is None else _stale(about, now, wanted))


def first_address(path: str, views: list[SavedView]) -> str | None:
    """Return the address of the view that the list opens with."""
    return next((view_address(path, view) for view in views if view.first), None)


def view_address(path: str, view: SavedView) -> str:
    """Return where a saved view leads: its parameters, and which view they are of."""
    return str(address(path, [*parse_qsl(view.query), (SAVED, view.id)]))


def kept_query(at: Address) -> str:
    """Return what a view keeps of an address."""
    return urlencode(at.only(*ALL_BUT_PLACE).pairs)


def _stale(about: Subject, view: SavedView, wanted: Ask) -> str:
    known = {part.column.name for part in wanted.parts}
    lost = [_named(name, value) for name, value in parse_qsl(view.query) if not _known(about, known, name, value)]
    if not lost:
        return ""
    if not view.mine:  # the names may be of fields that the reader does not know
        return about.reader.words(say("A part of this view is not there any more, or not for you; it is left out."))
    names = ", ".join(dict.fromkeys(lost))
    return about.reader.words(
        say("This view asks for what is not there any more: {names}. It is left out.", names=names)
    )


def _named(name: str, value: str) -> str:
    """Return the field or the view that a parameter is about."""
    return _field(name) if name.startswith(PREFIX) else value.lstrip("-")


def _field(name: str) -> str:
    return name.removeprefix(PREFIX).removesuffix(".from").removesuffix(".to")


def _known(about: Subject, known: set[str], name: str, value: str) -> bool:
    if name == "view":
        return value in about.screen.views or value == EVERYTHING
    if name in ("sort", COLUMN):
        column = about.column(value.lstrip("-"))
        return column is not None and (name == COLUMN or sortable(column))
    return not name.startswith(PREFIX) or _field(name) in known
