"""Score Maille against the cases that others wrote: `python -m tests.conformance`.

The cases are not part of the repository: they are looked for in `CONFORMANCE_DIR`, else beside it.
"""

from __future__ import annotations

import base64
import json
import math
import os
import sys
from pathlib import Path
from typing import Any

from definitions.expr.nodes import UInt
from definitions.expr.parse import parse
from definitions.expr.strict import run
from definitions.expr.strict_functions import TYPES
from definitions.expr.strict_values import SECOND, Map, Span, StrictError, Timestamp, equal
from definitions.problems import DefinitionError, Place

ROOT = Path(__file__).parents[1]
PLACE = Place("case", 1, 1)


def folder() -> Path | None:
    """Return where the cases are, None where they are not."""
    named = os.environ.get("CONFORMANCE_DIR")
    found = Path(named) if named else ROOT.parent / "shared" / "conformance"
    return found if found.is_dir() else None


def cel_cases() -> list[dict[str, Any]]:
    """Return the cases of CEL, none where the folder is absent."""
    found = folder()
    return json.loads((found / "cel" / "cases.json").read_text("utf-8")) if found else []


def untagged(tagged: dict[str, Any]) -> Any:
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
    """Whether a result is the one wanted: of its type, and NaN is itself."""
    if isinstance(found, float) and isinstance(wanted, float) and math.isnan(wanted):
        return math.isnan(found)
    return type(found) is type(wanted) and equal(found, wanted)


def passes(case: dict[str, Any]) -> bool:
    """Whether a case comes out as it should."""
    names = {name: untagged(value) for name, value in case.get("bindings", {}).items()}
    try:
        found = run(parse(case["expr"], PLACE, strict=True), names)
    except (StrictError, DefinitionError):
        return "error" in case
    return "value" in case and same(found, untagged(case["value"]))


def main() -> int:
    """Print the score and the cases that fail; return 1 where there are no cases."""
    cases = cel_cases()
    if not cases:
        sys.stdout.write("cel: no cases found (set CONFORMANCE_DIR)\n")
        return 1
    failed = [case["id"] for case in cases if not passes(case)]
    for name in failed:
        sys.stdout.write(f"cel: failed {name}\n")
    sys.stdout.write(f"cel: {len(cases) - len(failed)}/{len(cases)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
