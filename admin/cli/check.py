"""`maille check`: find what is wrong with a pack, without a database."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from admin.cli.reports import IN_PLACE, REPORTS
from admin.i18n import spoken
from definitions.folders import PACKS, Files, read_folder
from definitions.problems import Problem
from definitions.verdicts import Verdicts, usual_folder

if TYPE_CHECKING:
    from admin.cli.main import Subparsers


def register(subparsers: Subparsers) -> None:
    """Add the command."""
    command = subparsers.add_parser(
        "check",
        help=spoken("find what is wrong with a pack"),
        description=spoken(
            "Find what is wrong with a pack. Exit code: 0 clean or warnings only, 1 errors, 2 called wrongly."
        ),
    )
    command.add_argument("pack", help=spoken("a folder, or the name of a pack that comes with Maille"))
    command.add_argument(
        "--format", choices=list(REPORTS), default="text", help=spoken("how problems are written (text)")
    )
    command.add_argument(
        "--no-cache", action="store_true", help=spoken("check again what was checked before, and remember nothing")
    )
    command.set_defaults(run=run)


def pack_folder(name: str) -> Path | None:
    """Return the folder of a pack: itself, or that of a pack that comes with Maille; None for none."""
    for folder in (Path(name), PACKS / name):
        if folder.is_dir():
            return folder
    return None


def no_pack(name: str) -> str:
    """Return the sentence that there is no such pack."""
    if Path(name).is_file():
        return spoken("'{name}' is a file; a pack is a folder.", name=name)
    return spoken("There is no pack '{name}': neither a folder nor a pack that comes with Maille.", name=name)


def run(arguments: argparse.Namespace) -> int:
    """Check the pack and write the report."""
    folder = pack_folder(arguments.pack)
    if folder is None:
        sys.stderr.write(no_pack(arguments.pack) + "\n")
        return 2
    try:
        files = read_folder(folder)
    except OSError as error:
        sys.stderr.write(spoken("{path} can't be read: {reason}", path=error.filename, reason=error.strerror) + "\n")
        return 2
    cache = None if arguments.no_cache else usual_folder(os.environ)
    problems = _checked(files) if cache is None else _known(files, Verdicts(cache))
    in_place = IN_PLACE.get(arguments.format)
    said = REPORTS[arguments.format](problems) if in_place is None else in_place(problems, folder)
    sys.stdout.write(said.encode("utf-8", "backslashreplace").decode())  # a file's name may be no text
    return 1 if any(problem.severity == "error" for problem in problems) else 0


def _known(files: Files, verdicts: Verdicts) -> tuple[Problem, ...]:
    found = verdicts.recall(files)
    if found is None:
        found = _checked(files)
        verdicts.keep(files, found)
    return found


def _checked(files: Files) -> tuple[Problem, ...]:
    from definitions.pack import load  # noqa: PLC0415 - it takes long, and what is known needs it not

    return load(files).problems
