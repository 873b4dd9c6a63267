"""The broken packs, and what the checker says of each: found once a process."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from definitions.pack import load, read_folder
from definitions.problems import Problem

CASES = sorted(path for path in (Path(__file__).parent / "broken_packs").iterdir() if path.is_dir())


@cache
def problems_of_case(case: Path) -> tuple[Problem, ...]:
    """Return what is wrong with a broken pack."""
    return tuple(load(read_folder(case)).problems)
