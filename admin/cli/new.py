"""`maille new`: a small pack with comments, to start from."""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from admin.cli.errand import add_format, examples, write_json
from admin.cli.schema import MODELINE, SCHEMA, schema_text
from admin.i18n import spoken

if TYPE_CHECKING:
    from admin.cli.main import Subparsers

STARTER = Path(__file__).parent / "starter"
PLACE = "my_network"
"""The name that the starter has, where the pack's own goes."""


def register(subparsers: Subparsers) -> None:
    """Add the command."""
    command = subparsers.add_parser(
        "new",
        help=spoken("write a small pack to start from"),
        description=spoken("Write a small pack with comments: an entity, a process, an e-mail, a level and a screen."),
        **examples("maille new my_network", "maille check my_network"),
    )
    command.add_argument("pack", type=Path, help=spoken("the folder to make; its name becomes the network's"))
    add_format(command)
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Write the files; a folder with something in it is left alone."""
    folder: Path = arguments.pack
    name = re.sub(r"[^a-z0-9]+", "_", folder.resolve().name.lower()).strip("_")
    if not re.match(r"[a-z]", name):
        sys.stderr.write(spoken("The folder's name becomes the network's: let it begin with a letter.") + "\n")
        return 2
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        sys.stderr.write(spoken("{folder} is there already, and not empty: nothing was written.", folder=folder) + "\n")
        return 1
    folder.mkdir(parents=True, exist_ok=True)
    starter = [file.name for file in sorted(STARTER.glob("*.yaml"))]
    for each in starter:
        text = (STARTER / each).read_text("utf-8").replace(PLACE, name)
        (folder / each).write_text(MODELINE + text, encoding="utf-8")
    (folder / SCHEMA).write_text(schema_text(), encoding="utf-8")
    written = [folder / each for each in (*starter, SCHEMA)]
    if arguments.format == "json":
        write_json({"network": name, "files": [str(file) for file in written]})
        return 0
    sys.stdout.write("".join(f"{file}\n" for file in written))
    sys.stdout.write(
        spoken(
            "Next: maille check {folder}, then maille network create {name} {folder} --leader YOUR@E-MAIL",
            folder=folder,
            name=name,
        )
        + "\n"
    )
    return 0
