"""`maille rollback`: publish an earlier version once more."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from admin.cli.apply import publish, terms
from admin.cli.errand import Errand, examples, options, refusable
from admin.i18n import spoken

if TYPE_CHECKING:
    from admin.cli.main import Subparsers


def register(subparsers: Subparsers) -> None:
    """Add the command."""
    command = subparsers.add_parser(
        "rollback",
        help=spoken("publish an earlier version once more"),
        description=spoken(
            "Publish the definitions of an earlier version once more, as a new version: by the same plan and "
            "the same\nchecks as any other. Exit code: 0 published, 1 refused, 2 called wrongly."
        ),
        **examples("maille rollback 11", "maille rollback 11 --network demo --yes --allow-loss"),
    )
    command.add_argument("version", type=int, help=spoken("the number of the version, from 'maille history'"))
    terms(command)
    options(command)
    command.set_defaults(run=refusable(run))


def run(on: Errand, arguments: argparse.Namespace) -> int:
    """Take the version's files and publish them."""
    files = on.ask("files", version=arguments.version)
    return publish(
        on, arguments, files, arguments.note or spoken("Back to version {version}", version=arguments.version)
    )
