"""`maille docs`: write the manual of a network, or the reference of the language."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from admin.cli.check import no_pack, pack_folder
from admin.cli.errand import add_format, as_json, examples
from admin.cli.reports import REPORTS
from admin.i18n import spoken
from definitions.pack import load, read_folder
from definitions.problem_page import problem_page
from definitions.reference import reference, schemas
from definitions.spec.network import Network

PAGES: Mapping[str, Callable[[], str]] = {"reference": reference, "problems": problem_page}
FOLDER = Path("manual")
FILE = "index.html"

if TYPE_CHECKING:
    from admin.cli.main import Subparsers


def register(subparsers: Subparsers) -> None:
    """Add the command."""
    command = subparsers.add_parser(
        "docs",
        help=spoken("write the manual of a network, or the reference of the language"),
        description=spoken(
            "With a pack: write the manual of its network, one page of HTML with a picture of each process. "
            "Without one: write the reference of the language, as Markdown. "
            "Exit code: 0 done, 1 the pack has errors or the manual can't be written, 2 called wrongly."
        ),
        **examples(
            "maille docs my_network --out manual --language fr",
            "maille docs --out reference.md",
            "maille docs --page problems",
            "maille docs --format json",
        ),
    )
    command.add_argument("pack", nargs="?", help=spoken("a folder, or the name of a pack that comes with Maille"))
    command.add_argument("--page", choices=sorted(PAGES), help=spoken("without a pack: the reference, or all problems"))
    command.add_argument("--language", help=spoken("with a pack: one of the network's languages (its first)"))
    command.add_argument(
        "--out", type=Path, help=spoken("the file to write (standard output); with a pack the folder (manual)")
    )
    add_format(command)
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Write what was asked for."""
    if arguments.pack is not None:
        return _manual(arguments)
    if arguments.language is not None:
        return _wrongly(spoken("--language is for the manual of a network: name its pack."))
    text = as_json(schemas()) if arguments.format == "json" else PAGES[arguments.page or "reference"]()
    if arguments.out is None:
        sys.stdout.write(text)
    else:
        arguments.out.write_text(text, encoding="utf-8")
    return 0


def _wrongly(sentence: str) -> int:
    sys.stderr.write(sentence + "\n")
    return 2


def _manual(arguments: argparse.Namespace) -> int:
    folder = pack_folder(arguments.pack)
    if folder is None:
        return _wrongly(no_pack(arguments.pack))
    if arguments.page is not None:
        return _wrongly(spoken("--page is for the language: leave the pack out."))
    loaded = load(read_folder(folder))
    if loaded.network is None:
        sys.stderr.write(REPORTS["text"](loaded.problems))
        return 1
    network = loaded.network
    language = arguments.language or network.languages[0]
    if language not in network.languages:
        spoken_there = ", ".join(network.languages)
        return _wrongly(
            spoken("The network does not speak '{language}': {languages}.", language=language, languages=spoken_there)
        )
    return _write(network, language, arguments)


def _write(network: Network, language: str, arguments: argparse.Namespace) -> int:
    from admin.manual.book import manual  # noqa: PLC0415 - it takes long, and the reference does not need it

    file = (arguments.out or FOLDER) / FILE
    text = manual(network, language, now=datetime.now(UTC))
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        sys.stderr.write(spoken("{path} can't be written: {reason}", path=file, reason=error.strerror) + "\n")
        return 1
    if arguments.format == "json":
        sys.stdout.write(as_json({"file": str(file), "language": language}))
    else:
        sys.stdout.write(f"{file}\n")
    return 0
