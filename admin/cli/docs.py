"""`maille docs`: write the reference of the language."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from admin.cli.errand import add_format, as_json, examples
from admin.i18n import spoken
from definitions.problem_page import problem_page
from definitions.reference import reference, schemas

PAGES: Mapping[str, Callable[[], str]] = {"reference": reference, "problems": problem_page}

if TYPE_CHECKING:
    from admin.cli.main import Subparsers


def register(subparsers: Subparsers) -> None:
    """Add the command."""
    command = subparsers.add_parser(
        "docs",
        help=spoken("write the reference of the language"),
        description=spoken("Write the reference of the language, generated from its JSON Schemas, as Markdown."),
        **examples("maille docs --out reference.md", "maille docs --page problems", "maille docs --format json"),
    )
    command.add_argument(
        "--page", choices=sorted(PAGES), default="reference", help=spoken("which page: the reference, or all problems")
    )
    command.add_argument("--out", type=Path, help=spoken("the file to write (standard output)"))
    add_format(command)
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Write the reference: a page, or for programs the JSON Schemas that it is made of."""
    text = as_json(schemas()) if arguments.format == "json" else PAGES[arguments.page]()
    if arguments.out is None:
        sys.stdout.write(text)
    else:
        arguments.out.write_text(text, encoding="utf-8")
    return 0
