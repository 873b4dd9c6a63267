"""`maille docs`: write the reference of the language."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from admin.i18n import spoken
from definitions.reference import reference

if TYPE_CHECKING:
    from admin.cli.main import Subparsers


def register(subparsers: Subparsers) -> None:
    """Add the command."""
    command = subparsers.add_parser(
        "docs",
        help=spoken("write the reference of the language"),
        description=spoken("Write the reference of the language, generated from its JSON Schemas, as Markdown."),
    )
    command.add_argument("--out", type=Path, help=spoken("the file to write (standard output)"))
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Write the reference."""
    text = reference()
    if arguments.out is None:
        sys.stdout.write(text)
    else:
        arguments.out.write_text(text, encoding="utf-8")
    return 0
