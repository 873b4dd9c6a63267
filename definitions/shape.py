"""JSON Schemas as predicates of nodes: whether a document has its shape, without saying what is wrong where not.

Almost every document has; the few that do not go through `jsonschema`, which finds all that is wrong. What these
predicates do not know, they do not let pass.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from definitions.problems import NOWHERE
from definitions.source import Entry, Node, Scalar, Sequence
from definitions.source import Mapping as Keys

Fits = Callable[[Node], bool]
Schema = Mapping[str, Any] | bool
Find = Callable[[str, str], tuple[Schema, str]]
"""Returns what a reference in a file means, and the file that this stands in."""

MANY = 1 << 30
_SAID = frozenset({"$schema", "$id", "$defs", "title", "description", "markdownDescription", "default", "examples"})
_TYPES: Mapping[str, Callable[[Node], bool]] = {
    "string": lambda node: isinstance(node, Scalar) and isinstance(node.value, str),
    "integer": lambda node: isinstance(node, Scalar) and type(node.value) is int,
    "number": lambda node: isinstance(node, Scalar) and type(node.value) in (int, float),
    "boolean": lambda node: isinstance(node, Scalar) and isinstance(node.value, bool),
    "null": lambda node: isinstance(node, Scalar) and node.value is None,
    "array": lambda node: isinstance(node, Sequence),
    "object": lambda node: isinstance(node, Keys),
}


def predicate(schema: Schema, home: str, find: Find) -> Fits:
    """Return the predicate of a schema that stands in the file `home`."""
    return _Compiler(find).fits(schema, home)


class _Compiler:
    """Makes predicates, one for each schema that is referred to."""

    def __init__(self, find: Find) -> None:
        self.find = find
        self.referred: dict[tuple[str, str], list[Fits]] = {}

    def fits(self, schema: Schema, home: str) -> Fits:
        """Return the predicate of a schema: all of what its keywords say."""
        if isinstance(schema, bool):
            return lambda _: schema
        parts = [part for part in (_mapping(self, schema, home), _list(self, schema, home)) if part is not None]
        for word, value in schema.items():
            if word in _SIMPLE:
                parts.append(_SIMPLE[word](value))
            elif word not in _SAID and word not in _TOGETHER and not word.startswith("x-"):
                parts.append(self.composed(word, schema, home))
        if len(parts) == 1:
            return parts[0]
        every = tuple(parts)
        return lambda node: all([part(node) for part in every])  # noqa: C419 - a list is quicker than a generator

    def composed(self, word: str, schema: Mapping[str, Any], home: str) -> Fits:
        """Return the predicate of a keyword that holds other schemas; what is unknown holds for nothing."""
        if word == "$ref":
            return self.reference(schema[word], home)
        if word == "anyOf":
            ways = [self.fits(each, home) for each in schema[word]]
            return lambda node: any(way(node) for way in ways)
        if word == "if":
            asked, then, otherwise = (self.fits(schema.get(each, True), home) for each in ("if", "then", "else"))
            return lambda node: then(node) if asked(node) else otherwise(node)
        return lambda _: False

    def reference(self, target: str, home: str) -> Fits:
        """Return the predicate of a reference, which may lead into itself."""
        known = self.referred.get((home, target))
        if known is None:
            known = self.referred[home, target] = []
            known.append(self.fits(*self.find(target, home)))
        return lambda node: known[0](node)  # noqa: PLW0108 - it may be known only once the whole is compiled


_OF_MAPPINGS = frozenset(
    {"properties", "required", "additionalProperties", "propertyNames", "minProperties", "maxProperties"}
    | {"dependentRequired"}
)
_OF_LISTS = frozenset({"items", "minItems", "maxItems", "uniqueItems"})
_TOGETHER = _OF_MAPPINGS | _OF_LISTS | {"then", "else"}
"""Keywords that are looked at together with others."""


def _mapping(compiler: _Compiler, schema: Mapping[str, Any], home: str) -> Fits | None:
    """Return what a schema says of mappings; anything else fits it."""
    if not schema.keys() & _OF_MAPPINGS:
        return None
    known = {key: compiler.fits(each, home) for key, each in schema.get("properties", {}).items()}
    other = compiler.fits(schema.get("additionalProperties", True), home)
    named = compiler.fits(schema["propertyNames"], home) if "propertyNames" in schema else None
    least, most = schema.get("minProperties", 0), schema.get("maxProperties", MANY)
    together = [(key, set(needed)) for key, needed in schema.get("dependentRequired", {}).items()]
    required = set(schema.get("required", ()))

    def complete(entries: Mapping[str, Entry]) -> bool:
        if not least <= len(entries) <= most or not required <= entries.keys():
            return False
        return not any(key in entries and not needed <= entries.keys() for key, needed in together)

    def fits(node: Node) -> bool:
        if not isinstance(node, Keys):
            return True
        if not complete(node.entries):
            return False
        if named is not None and not all(named(Scalar(NOWHERE, key, key)) for key in node.entries):
            return False
        return all([known.get(key, other)(entry.value) for key, entry in node.entries.items()])  # noqa: C419 - the same

    return fits


def _list(compiler: _Compiler, schema: Mapping[str, Any], home: str) -> Fits | None:
    """Return what a schema says of lists; anything else fits it."""
    if not schema.keys() & _OF_LISTS:
        return None
    each = compiler.fits(schema.get("items", True), home)
    least, most, once = schema.get("minItems", 0), schema.get("maxItems", MANY), schema.get("uniqueItems", False)

    def fits(node: Node) -> bool:
        if not isinstance(node, Sequence):
            return True
        fitting = least <= len(node.items) <= most and all(each(item) for item in node.items)
        return fitting and not (once and _repeats(node))

    return fits


def _repeats(node: Sequence) -> bool:
    """Whether something stands twice in a list; lists of anything but texts are not looked into."""
    texts = {item.value for item in node.items if isinstance(item, Scalar) and isinstance(item.value, str)}
    return len(texts) < len(node.items)


def _type(value: str | list[str]) -> Fits:
    kinds = [_TYPES[name] for name in ([value] if isinstance(value, str) else value)]
    return kinds[0] if len(kinds) == 1 else lambda node: any([kind(node) for kind in kinds])  # noqa: C419 - the same


def _enum(values: Iterable[Any]) -> Fits:
    known = {(type(value), value) for value in values}
    return lambda node: isinstance(node, Scalar) and (type(node.value), node.value) in known


def _pattern(value: str) -> Fits:
    search = re.compile(value).search
    return lambda node: not isinstance(node, Scalar) or not isinstance(node.value, str) or bool(search(node.value))


def _compared(holds: Callable[[Any, Any], bool]) -> Callable[[Any], Fits]:
    def compared(bound: Any) -> Fits:
        def fits(node: Node) -> bool:
            number = isinstance(node, Scalar) and type(node.value) in (int, float)
            return not number or holds(node.value, bound)  # type: ignore[union-attr] # a number is a scalar

        return fits

    return compared


def _least_length(value: int) -> Fits:
    return lambda node: not isinstance(node, Scalar) or not isinstance(node.value, str) or len(node.value) >= value


_SIMPLE: Mapping[str, Callable[[Any], Fits]] = {
    "type": _type,
    "enum": _enum,
    "const": lambda value: _enum([value]),
    "pattern": _pattern,
    "minimum": _compared(lambda value, bound: value >= bound),
    "maximum": _compared(lambda value, bound: value <= bound),
    "exclusiveMinimum": _compared(lambda value, bound: value > bound),
    "minLength": _least_length,
}
