"""The part of a kind's JSON Schema that a way through a document leads to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from admin.editor.spot import Way
from definitions.validate import kinds, schema

Schema = Mapping[str, Any]
SHARED = "parts"
_HANDED_DOWN = "x-is"
"""What is said of a list or of texts by language holds for each of them."""


def shape_at(kind: str, way: Way) -> Schema:
    """Return the schema at a way; empty where nothing may stand, or anything."""
    if kind not in kinds():
        return {}
    found = _Part(kind, schema(kind))
    for step in way:
        found = found.below(step)
    return found.schema


class _Part:
    """A part of a schema, and the file whose definitions its references name; references are followed."""

    def __init__(self, home: str, written: Schema) -> None:
        self.home, self.schema = home, dict(written)
        while "$ref" in self.schema:
            file, _, name = str(self.schema.pop("$ref")).partition("#/$defs/")
            self.home = file.removesuffix(".json") or self.home
            self.schema = {**schema(self.home)["$defs"][name], **self.schema}

    def below(self, step: str | int) -> _Part:
        """Return the part behind a key, or of an item."""
        own = self.schema.get("properties", {})
        if isinstance(step, int):
            inner = self.schema.get("items")
        else:
            inner = own.get(step) or self.schema.get("additionalProperties")
        if not isinstance(inner, Mapping):
            inner = {}
        part = _Part(self.home, inner)
        if _HANDED_DOWN in self.schema and step not in own:
            part.schema.setdefault(_HANDED_DOWN, self.schema[_HANDED_DOWN])
        return part
