"""The cases of CEL that others wrote, run by the strict dialect; `tests.conformance` says where they are."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping, Sequence
from typing import Any

from definitions.expr.nodes import UInt
from definitions.expr.parse import parse
from definitions.expr.strict import run
from definitions.expr.strict_check import deduce
from definitions.expr.strict_functions import TYPES
from definitions.expr.strict_signatures import TYPE_NAMES
from definitions.expr.strict_values import SECOND, Map, Span, StrictError, Timestamp, equal
from definitions.expr.types import DATETIME, DURATION, DYN, NULL, ListOf, MapOf, Type
from definitions.problems import DefinitionError, Place

Case = Mapping[str, Any]
PLACE = Place("case", 1, 1)
_TYPES = {**TYPE_NAMES, "null": NULL, "dyn": DYN, "timestamp": DATETIME, "duration": DURATION}


def score(cases: Sequence[Case]) -> tuple[int, list[tuple[str, str]]]:
    """Return how many cases come out as they should, and of each other one its id and the reason."""
    misses = [(str(case["id"]), reason) for case in cases if (reason := miss(case)) is not None]
    return len(cases) - len(misses), misses


def miss(case: Case) -> str | None:
    """Return in what a case comes out otherwise than it should, None when it is right."""
    try:
        tree = parse(case["expr"], PLACE, strict=True)
        bindings = {name: untagged(value) for name, value in case.get("bindings", {}).items()}
        kind = DYN if case.get("unchecked") else deduce(tree, _declared(case))
        if "type" in case and kind != type_named(case["type"]):
            return f"its type is {kind}"
        if "type" in case and "value" not in case:
            return None
        found = run(tree, bindings)
    except (StrictError, DefinitionError) as error:
        return None if "error" in case else f"it is refused: {error}"
    except Exception as error:  # noqa: BLE001 - a case that breaks the evaluation is a miss, not the end of the score
        return f"it breaks the evaluation: {error!r}"
    if "error" in case:
        return f"it gives {found!r} and no error"
    return None if same(found, untagged(case["value"])) else f"it gives {found!r}"


def _declared(case: Case) -> dict[str, Type]:
    declared = {name: type_named(kind) for name, kind in case.get("declared", {}).items()}
    return {**dict.fromkeys(case.get("bindings", {}), DYN), **declared}


def type_named(written: Any) -> Type:
    """Return the type that a case names: a name, or a list of `list` or `map` and what they are made of."""
    match written:
        case ["list", of]:
            return ListOf(type_named(of))
        case ["map", key, value]:
            return MapOf(type_named(key), type_named(value))
        case _:
            return _TYPES[written]


def untagged(tagged: Mapping[str, Any]) -> Any:
    """Return the value of strict CEL that a case writes with its type."""
    ((kind, value),) = tagged.items()
    match kind:
        case "int":
            return int(value)
        case "uint":
            return UInt(int(value))
        case "double":
            return float(value)
        case "bytes":
            return base64.b64decode(value)
        case "list":
            return tuple(untagged(each) for each in value)
        case "map":
            return Map([(untagged(key), untagged(each)) for key, each in value])
        case _:
            return _untagged(kind, value)


def _untagged(kind: str, value: Any) -> Any:
    match kind:
        case "duration":
            return Span(value[0] * SECOND + value[1])
        case "timestamp":
            return Timestamp(value[0] * SECOND + value[1])
        case "type":
            return TYPES[value]
        case _:
            return value


def same(found: Any, wanted: Any) -> bool:
    """Whether a result is the one wanted: of its type, all the way down, and NaN is itself."""
    if type(found) is not type(wanted):
        return False
    if isinstance(found, tuple):
        return len(found) == len(wanted) and all(map(same, found, wanted))
    if isinstance(found, float) and math.isnan(wanted):
        return math.isnan(found)
    return equal(found, wanted)
