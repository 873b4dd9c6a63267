"""`maille history`: list the versions of a network."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from admin.cli.errand import Errand, examples, options, refusable, version_line
from admin.i18n import spoken

if TYPE_CHECKING:
    from admin.cli.main import Subparsers


def register(subparsers: Subparsers) -> None:
    """Add the command."""
    command = subparsers.add_parser(
        "history",
        help=spoken("list the versions of a network"),
        description=spoken(
            "List the versions of a network, the newest first: number, time, hash, author, note, and the files "
            "that differ\nfrom the version before."
        ),
        **examples("maille history", "maille history --network demo --before 40 --format json"),
    )
    command.add_argument("--before", type=int, help=spoken("go on below this version (50 are listed at once)"))
    options(command)
    command.set_defaults(run=refusable(run))


def run(on: Errand, arguments: argparse.Namespace) -> int:
    """Ask for the versions and list them."""
    up_to = None if arguments.before is None else arguments.before - 1
    found = on.ask("history", up_to=up_to)
    on.show(found)
    for version in found:
        on.tell(version_line(version) + (" *" if version["current"] else ""))
    return 0
