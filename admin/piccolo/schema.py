"""The description of a table that piccolo-admin builds its lists and forms from, as one visitor may have it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from admin.api.horizon import Seen
from admin.piccolo.descriptors import Descriptor
from admin.piccolo.writing import VERSION
from models.uploads import FILES

_NAMED = ("visible_column_names", "visible_filter_names", "visible_fields_options")


def seen_schema(
    schema: dict[str, Any],
    descriptor: Descriptor,
    descriptors: Mapping[str, Descriptor],
    seen: Seen,
    readable: Collection[str],
) -> dict[str, Any]:
    """Return `schema` (which it changes) with what `seen` lets be seen; `readable` are entities that have pickers."""
    columns = {name: column for name, column in schema["properties"].items() if name in seen.fields}
    for name, column in columns.items():
        described = descriptor.columns[name]
        column["title"] = described.label
        if described.choices:  # pydantic puts them into the order of their names; the definition has a better one
            options = described.choices.items()
            column["extra"]["choices"] = {name: {"display_name": label, "value": name} for name, label in options}
        declared = seen.entity.fields.get(name)
        file = declared is not None and declared.type in FILES
        written, given = name in seen.writes and not file, name in seen.new and not file
        # What is "unique" is left out by piccolo-admin where it changes many records at once.
        column["extra"] |= {"written": written, "given": given, "unique": not written or name == VERSION}
        column["extra"] |= {"state": name in seen.entity.processes, "file": file}
        if described.to in readable:
            column["extra"]["foreign_key"] = {"to": descriptors[str(described.to)].title, "target_column": "id"}
    extra = schema["extra"]
    for key in _NAMED:
        extra[key] = [name for name in extra[key] if name in seen.fields]
    if extra["link_column_name"] not in extra["visible_column_names"]:
        extra["link_column_name"] = extra["primary_key_name"]
        extra["visible_column_names"] = [
            extra["primary_key_name"],
            *(each for each in extra["visible_column_names"] if each != extra["primary_key_name"]),
        ]
    extra["order_by"] = [order for order in extra["order_by"] if order["column"] in seen.fields]
    extra["key_label"] = descriptor.label(extra["primary_key_name"])
    extra |= {"creates": seen.creates, "updates": seen.updates, "deletes": seen.deletes}
    return {
        **schema,
        "properties": columns,
        "required": [name for name in schema.get("required", ()) if name in columns],
    }
