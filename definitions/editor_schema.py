"""One JSON Schema for files of documents of any kind: what editors read for completion, hover and a first check.

It is written in draft 7, which all of them know. The kind of a document shows in its keys: a schema knows no order of
keys, so kinds whose name is a key of others (a process has an `entity`) are asked for last.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from definitions.validate import kinds, schema

DRAFT = "http://json-schema.org/draft-07/schema#"
SHARED = "parts"
_OURS = "x-"
"""How the keys begin that only our own editor support reads."""


def editor_schema() -> dict[str, Any]:
    """Return the schema of a document of any kind."""
    parts: dict[str, Any] = {}
    for name in (SHARED, *kinds()):
        read = dict(schema(name))
        parts |= {f"{name}.{key}": _moved(part, name) for key, part in read.pop("$defs", {}).items()}
        if name != SHARED:
            parts[name] = _moved({key: value for key, value in read.items() if key != "$schema"}, name)
    return {
        "$schema": DRAFT,
        "title": "Maille",
        "description": "A definition of a network. The first key says its kind and its name.",
        **_chosen(_in_order()),
        "definitions": parts,
    }


def _in_order() -> list[str]:
    """Return the kinds so that each stands before those whose name is one of its keys."""
    keys = {kind: set(schema(kind)["properties"]) - {kind} for kind in kinds()}
    found: list[str] = []
    while len(found) < len(keys):
        left = [kind for kind in keys if kind not in found]
        found += [kind for kind in left if not any(kind in keys[other] for other in left)]
    return found


def _chosen(ordered: list[str]) -> dict[str, Any]:
    chosen: dict[str, Any] = {
        "type": ["object", "null"],
        "minProperties": 1,
        "additionalProperties": False,
        "properties": {
            kind: {"description": schema(kind)["description"], "type": "string"} for kind in sorted(ordered)
        },
    }
    for kind in reversed(ordered):
        chosen = {
            "if": {"type": "object", "required": [kind]},
            "then": {"$ref": f"#/definitions/{kind}"},
            "else": chosen,
        }
    return chosen


def _moved(node: Any, home: str) -> Any:
    """Return a part of a schema in the words of draft 7, its references leading into the one schema."""
    if isinstance(node, list):
        return [_moved(item, home) for item in node]
    if not isinstance(node, Mapping):
        return node
    moved = {key: _moved(value, home) for key, value in node.items() if not key.startswith(_OURS)}
    if "dependentRequired" in moved:
        moved["dependencies"] = moved.pop("dependentRequired")
    target = moved.get("$ref")
    if isinstance(target, str):
        file, _, name = target.partition("#/$defs/")
        moved["$ref"] = f"#/definitions/{file.removesuffix('.json') or home}.{name}"
    return moved
