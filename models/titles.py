"""What a record is called: its entity's `title`, filled with what the actor may see."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from jinja2 import TemplateError, Undefined
from jinja2.filters import FILTERS

from definitions.build.jinja import TITLE_FILTERS
from definitions.spec.entity import Entity
from models.sandbox import Sandbox

_PLACE = re.compile(r"\{\{\s*record\.([a-z][a-z0-9_]*)\s*\}\}")
_NAMES = re.compile(r"record\.([a-z][a-z0-9_]*)")
LONGEST = 200
Title = Callable[[Mapping[str, Any]], str]


class _Blank(Undefined):
    """What is missing or hidden leaves no trace in a title."""

    __slots__ = ()

    def __getattr__(self, _: str) -> Any:
        return self


_ENVIRONMENT = Sandbox(
    {name: FILTERS[name] for name in TITLE_FILTERS},
    undefined=_Blank,
    finalize=lambda value: "" if value is None else value,
)


def template(entity: Entity) -> str:
    """Return the entity's title, or one made of its first text."""
    if entity.title:
        return entity.title
    first = next((name for name, field in entity.fields.items() if field.type in {"text", "email"}), None)
    return f"{{{{ record.{first} }}}}" if first else ""


@cache
def _compiled(text: str) -> Title:
    """Return a function that fills the title; only what is more than fields side by side needs Jinja."""
    pieces = _PLACE.split(text)
    if not any(mark in piece for piece in pieces[::2] for mark in ("{{", "{%", "{#")):
        first, *rest = pieces
        pairs = tuple(zip(rest[::2], rest[1::2], strict=True))
        return lambda values: first + "".join([_text(values.get(name)) + after for name, after in pairs])
    try:
        compiled = _ENVIRONMENT.from_string(text)
    except (TemplateError, SyntaxError, RecursionError, MemoryError):
        return lambda _: ""

    def title(values: Mapping[str, Any]) -> str:
        """Return the title; one that cannot be made is none, so that a page is shown all the same."""
        try:
            return _ENVIRONMENT.fill(compiled, {"record": values})
        except (TemplateError, ArithmeticError, TypeError, ValueError, AttributeError):
            return ""

    return title


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def compile_title(entity: Entity) -> Title:
    """Return what titles the records of an entity; the id where all of the title is empty or hidden."""
    text = template(entity)
    fill = _compiled(text)
    alone = _PLACE.fullmatch(text)
    only = None if alone is None else alone[1]

    def title(values: Mapping[str, Any]) -> str:
        found = fill(values) if only is None else _text(values.get(only))
        return " ".join(found.split())[:LONGEST] or str(values["id"])

    return title


def title_fields(entity: Entity) -> frozenset[str]:
    """Return the names of the fields that the title reads."""
    return frozenset(_NAMES.findall(template(entity)))
