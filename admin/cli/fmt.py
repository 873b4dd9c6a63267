"""`maille fmt`: write the files of a pack in one form."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from admin.cli.errand import add_format, examples, write_json
from admin.cli.reports import text as report
from admin.editor.formatting import UnreadableError, formatted
from admin.i18n import spoken
from definitions.pack import SUFFIXES

if TYPE_CHECKING:
    from admin.cli.main import Subparsers


def register(subparsers: Subparsers) -> None:
    """Add the command."""
    command = subparsers.add_parser(
        "fmt",
        help=spoken("write the files of a pack in one form"),
        description=spoken(
            "Move each line of YAML files where its depth puts it; comments, quotes and order stay. Files that can't "
            "be read are reported and left alone. Exit code: 0 done, 1 some can't be read (or, with --check, would "
            "change), 2 called wrongly."
        ),
        **examples("maille fmt my_network", "maille fmt --check my_network"),
    )
    command.add_argument("path", type=Path, nargs="+", help=spoken("a folder, or a file"))
    command.add_argument("--check", action="store_true", help=spoken("only say which files would change"))
    add_format(command)
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Write each file that is not in its form; say which."""
    missing = next((path for path in arguments.path if not path.exists()), None)
    if missing is not None:
        sys.stderr.write(spoken("There is no file or folder '{path}'.", path=missing) + "\n")
        return 2
    changed: list[Path] = []
    broken: list[Path] = []
    for path in _files(arguments.path):
        try:
            if _format(path, write=not arguments.check):
                changed.append(path)
        except UnreadableError as error:
            broken.append(path)
            sys.stderr.write(report(error.problems) if error.problems else _as_it_is(path))
        except (OSError, UnicodeError) as error:
            broken.append(path)
            sys.stderr.write(spoken("{path} can't be read: {reason}", path=path, reason=str(error)) + "\n")
    if arguments.format == "json":
        write_json({"changed": list(map(str, changed)), "broken": list(map(str, broken))})
    else:
        sys.stdout.write("".join(f"{path}\n" for path in changed))
    return 1 if broken or (arguments.check and changed) else 0


def _as_it_is(path: Path) -> str:
    return spoken("{path} can't be moved into form without saying something else: it is left alone.", path=path) + "\n"


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    """Yield the files that are named, and the YAML files below folders that are; hidden ones aside."""
    for path in paths:
        if path.is_file():
            yield path
        for file in sorted(path.rglob("*")) if path.is_dir() else ():
            hidden = any(part.startswith(".") for part in file.relative_to(path).parts)
            if file.suffix in SUFFIXES and file.is_file() and not hidden:
                yield file


def _format(path: Path, *, write: bool) -> bool:
    """Return whether a file is not in its form, and write it in it: whole, or not at all. Ends of lines stay."""
    before = path.read_bytes().decode("utf-8")
    ends = "\r\n" if "\r\n" in before else "\n"
    after = formatted(before.replace("\r\n", "\n"), str(path)).replace("\n", ends)
    if after != before and write:
        _replace(path.resolve(), after.encode("utf-8"))
    return after != before


def _replace(path: Path, content: bytes) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(path.stat().st_mode & 0o7777)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
