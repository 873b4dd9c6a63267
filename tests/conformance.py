"""Score Maille against the cases that others wrote: `make conformance`.

The cases are not part of the repository: they are looked for in `CONFORMANCE_DIR`, else beside it.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests import cel, scxml

Score = Callable[[Sequence[Mapping[str, Any]]], tuple[int, list[tuple[str, str]]]]

ROOT = Path(__file__).parents[1]
SCORES: Mapping[str, Score] = {"cel": cel.score, "scxml": scxml.score}


def folder() -> Path:
    """Return where the cases should be."""
    named = os.environ.get("CONFORMANCE_DIR")
    return Path(named) if named else ROOT.parent / "shared" / "conformance"


def main() -> int:
    """Print the misses with their reasons, then the scores; return 1 where there are no cases."""
    cases = folder()
    absent = [name for name in SCORES if not (cases / name / "cases.json").is_file()]
    if absent:
        sys.stderr.write(f"conformance: no cases of {' and '.join(absent)} (say where with CONFORMANCE_DIR=…)\n")
        return 1
    totals = []
    for name, score in SCORES.items():
        listed = json.loads((cases / name / "cases.json").read_text("utf-8"))
        passed, misses = score(listed)
        sys.stdout.writelines(f"{name}: {case}: {reason}\n" for case, reason in misses)
        totals.append(f"{name}: {passed}/{len(listed)}\n")
    sys.stdout.writelines(totals)
    return 0


if __name__ == "__main__":
    sys.exit(main())
