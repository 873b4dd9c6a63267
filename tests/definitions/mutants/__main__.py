"""Break every pack in every way: `python -m tests.definitions.mutants [--pack NAME] [--kind NAME] [--every N]`."""

from __future__ import annotations

import argparse
import sys

from tests.definitions.mutants.score import packs, score


def main() -> int:
    """Print what was caught by kind and what was not; 1 where less than 99 of 100 mutants were caught."""
    parser = argparse.ArgumentParser(prog="mutants", description=__doc__)
    parser.add_argument("--pack", help="break this pack only")
    parser.add_argument("--kind", help="break it in ways that begin so")
    parser.add_argument("--every", type=int, default=1, help="take every so manieth mutant")
    parser.add_argument("--jobs", type=int, default=1, help="how many processes work")
    asked = parser.parse_args()
    chosen = [pack for pack in packs() if asked.pack in {None, pack.name}]
    result = score(chosen, kind=asked.kind or "", every=asked.every, jobs=asked.jobs, tell=_tell)
    sys.stdout.write(result.text())
    return 0 if result.share >= 0.99 else 1


def _tell(line: str) -> None:
    sys.stdout.write(line)
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
