"""What is said of something under the cursor: what a key is for, what a name stands for, how a function is called."""

from __future__ import annotations

import re

from admin.editor.expressions import signature_of
from admin.editor.names import label_of
from admin.editor.outline import Symbol
from admin.editor.packs import Pack
from admin.editor.shapes import shape_at
from admin.editor.spot import spot_at
from definitions.expr import Target
from definitions.problems import Place
from definitions.source import Scalar

_TELLING = (
    "type",
    "to",
    "required",
    "unique",
    "encrypted",
    "personal",
    "initial",
    "final",
    "parallel",
    "entity",
    "from",
)
"""Keys of definitions that are shown where they are written, in this order."""


def describe(pack: Pack, target: Target) -> str:
    """Return a definition in Markdown: kind, name, label, and what is written about it; "" for none of the pack's."""
    symbol = pack.symbols.get(target)
    if symbol is None:
        return ""
    if symbol.kind == "parent":
        symbol = pack.symbols.get(("entity", symbol.key.text), symbol)
    lines = [f"**{symbol.kind}** `{'.'.join(symbol.target[1:])}`"]
    label = label_of(symbol)
    if label:
        lines[0] += f": {label}"
    told = ", ".join(f"{key} {written}" for key in _TELLING if (written := _shown(symbol, key)))
    names = ", ".join(f"`{inner.name}`" for inner in symbol.inside)
    return "\n\n".join(filter(None, (lines[0], told, names, f"*{symbol.key.place}*")))


def _shown(symbol: Symbol, key: str) -> str:
    written = symbol.written(key)
    return f"`{written.text}`" if isinstance(written, Scalar) else ""


def told_at(pack: Pack, place: Place, text: str) -> str:
    """Return in Markdown what is said of what stands at a place of a file, "" for nothing."""
    target = pack.named_at(place)
    if target is not None:
        return describe(pack, target)
    spot = spot_at(pack.documents(place.file), place)
    if spot is None:
        return ""
    if spot.role == "key":
        shape = shape_at(spot.kind, spot.way[:-1])
        described = shape.get("properties", {}).get(spot.scalar.text, {}).get("description")
        return str(described or shape_at(spot.kind, spot.way).get("description", ""))
    called = signature_of(_word_at(text, place))
    return f"`{called}`" if called and "x-is" in shape_at(spot.kind, spot.way) else ""


def _word_at(text: str, place: Place) -> str:
    line = text.split("\n")[place.line - 1]
    return next(
        (found[0] for found in re.finditer(r"\w+", line) if found.start() < place.column <= found.end() + 1), ""
    )
