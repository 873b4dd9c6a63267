"""What a record is called: its entity's `title`, filled with what the actor may see.

A title may show other records; what they are called themselves is no field, so that no title waits for another.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, TemplateError, Undefined, nodes
from jinja2.filters import FILTERS

from definitions.spec.entity import Entity
from definitions.spec.network import Network
from models.formats import Formats, locale_of
from models.sandbox import Sandbox
from models.shown import Eye, Shown

LONGEST = 200
TEXT_FILTERS = (
    *("abs", "capitalize", "first", "int", "join", "last", "length", "lower", "replace", "round", "striptags"),
    *("title", "trim", "truncate", "upper", "wordcount"),
)
"""Jinja's own filters that texts of a pack may use: those whose cost is that of their text."""
SPOKEN = frozenset({"phone", "date", "datetime", "money", "label"})
"""The filters that write a value in somebody's language."""
Title = Callable[[Mapping[str, Any]], str]
Path = tuple[str, ...]
_KEPT = "\u00a0\u202f"
_SPACES = re.compile(r"[^\S\u00a0\u202f]+")
"""What becomes a single space; those that keep an amount together stay."""
_BROKEN = (TemplateError, SyntaxError, RecursionError, MemoryError)


class _Blank(Undefined):
    """What is missing or hidden leaves no trace in a title."""

    __slots__ = ()

    def __getattr__(self, _: str) -> Any:
        return self


def template(entity: Entity) -> str:
    """Return the entity's title, or one made of its first text."""
    if entity.title:
        return entity.title
    first = next((name for name, field in entity.fields.items() if field.type in {"text", "email"}), None)
    return f"{{{{ record.{first} }}}}" if first else ""


@cache
def _tree(text: str) -> nodes.Template:
    try:
        return Environment(autoescape=False, optimized=False).parse(text)  # noqa: S701 (a title is escaped where it is shown)
    except _BROKEN:
        return nodes.Template([])


@cache
def _reads(text: str) -> frozenset[Path]:
    """Return the paths that a title selects of its record: `("event", "title")`."""
    chains = (_path(node) for node in _tree(text).find_all((nodes.Getattr, nodes.Getitem)))
    return frozenset(path[1:] for path in chains if path[:1] == ("record",) and path[1:])


def _path(node: nodes.Node) -> Path:
    match node:
        case nodes.Name(name=name):
            return (name,)
        case nodes.Getattr(node=inner, attr=name) | nodes.Getitem(node=inner, arg=nodes.Const(value=str(name))):
            before = _path(inner)
            return (*before, name) if before else ()
        case _:
            return ()


@cache
def _fields(text: str) -> tuple[tuple[str, str], ...] | None:
    """Return the fields of a title that shows nothing but own fields side by side, each with the text before it.

    The last one has no name. None for any other title: that takes Jinja.
    """
    found: list[tuple[str, str]] = []
    before = ""
    for output in _tree(text).body:
        for node in output.nodes if isinstance(output, nodes.Output) else (output,):
            path = _path(node)
            if isinstance(node, nodes.TemplateData):
                before += node.data
            elif len(path) == 2 and path[0] == "record":
                found.append((before, path[1]))
                before = ""
            else:
                return None
    return (*found, (before, "")) if found or before or not text else None


@lru_cache(maxsize=256)
def _sandbox(language: str, countries: tuple[str, ...], timezone: str, currency: str) -> Sandbox:
    formats = Formats(locale_of(language, countries), ZoneInfo(timezone), currency)
    filters = {name: FILTERS[name] for name in TEXT_FILTERS} | dict(formats.filters())
    return Sandbox(filters, undefined=_Blank, finalize=_text)


def _text(value: Any) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(_text, value))
    return "" if value is None else str(value)


def compile_title(network: Network, entity: Entity, language: str = "") -> Title:
    """Return what titles the records of an entity; the id where all of the title is empty or hidden.

    It is given values in which the references that it follows are loaded. `language` is that of the reader, where the
    title is `spoken`.
    """
    text = template(entity)
    fields = _fields(text)
    fill = _jinja(text, network, entity, language) if fields is None else _side_by_side(fields)

    def title(values: Mapping[str, Any]) -> str:
        found = fill(values)
        keeps = not found.isascii() and any(map(found.__contains__, _KEPT))
        joined = _SPACES.sub(" ", found).strip() if keeps else " ".join(found.split())
        return joined[:LONGEST] or str(values["id"])

    return title


def _side_by_side(fields: tuple[tuple[str, str], ...]) -> Title:
    if len(fields) == 2 and not fields[0][0] and not fields[1][0]:
        only = fields[0][1]
        return lambda values: _text(values.get(only))
    return lambda values: "".join([before + _text(values.get(name)) for before, name in fields])


def _jinja(text: str, network: Network, entity: Entity, language: str) -> Title:
    sandbox = _sandbox(language, network.countries, network.timezone, network.currency)
    eye = Eye(network, language, locale_of(language, network.countries))
    try:
        compiled = sandbox.from_string(text)
    except _BROKEN:
        return lambda _: ""

    def fill(values: Mapping[str, Any]) -> str:
        """Return the title; one that cannot be made is none, so that a page is shown all the same."""
        try:
            return sandbox.fill(compiled, {"record": Shown(values, entity.name, eye)})
        except (TemplateError, ArithmeticError, TypeError, ValueError, AttributeError):
            return ""

    return fill


def title_reads(entity: Entity) -> frozenset[Path]:
    """Return the paths that the title selects of the record."""
    return _reads(template(entity))


def title_fields(entity: Entity) -> frozenset[str]:
    """Return the names of the record's own fields that the title reads."""
    return frozenset(path[0] for path in title_reads(entity))


def spoken(entity: Entity) -> bool:
    """Whether the title says something in the reader's language."""
    return _says(template(entity))


@cache
def _says(text: str) -> bool:
    return any(node.name in SPOKEN for node in _tree(text).find_all(nodes.Filter))
