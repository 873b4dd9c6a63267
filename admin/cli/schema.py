"""`maille schema`: the JSON Schema of definitions, for editors."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from admin.cli.errand import add_format, as_json, examples
from admin.i18n import spoken
from definitions.editor_schema import editor_schema

if TYPE_CHECKING:
    from admin.cli.main import Subparsers

SCHEMA = "maille.schema.json"
"""What the schema is called beside a pack."""
MODELINE = f"# yaml-language-server: $schema={SCHEMA}\n"
"""The line by which editors find the schema of a file beside it."""


def register(subparsers: Subparsers) -> None:
    """Add the command."""
    command = subparsers.add_parser(
        "schema",
        help=spoken("write the JSON Schema that editors check packs with"),
        description=spoken(
            "Write the JSON Schema (draft 7) of definitions: editors complete keys with it, say what they are for, and "
            "find what is wrong by its shape."
        ),
        **examples("maille schema --out maille.schema.json"),
    )
    command.add_argument("--out", type=Path, help=spoken("the file to write (standard output)"))
    add_format(command)
    command.set_defaults(run=run)


def schema_text() -> str:
    """Return the schema as its file has it."""
    return as_json(editor_schema())


def run(arguments: argparse.Namespace) -> int:
    """Write the schema."""
    if arguments.out is None:
        sys.stdout.write(schema_text())
        return 0
    try:
        arguments.out.write_text(schema_text(), encoding="utf-8")
    except OSError as error:
        sys.stderr.write(spoken("{path} can't be written: {reason}", path=arguments.out, reason=error.strerror) + "\n")
        return 2
    return 0
