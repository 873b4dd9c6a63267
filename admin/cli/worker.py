"""`maille worker`: on SQLite, say where the workers are."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from admin.cli.errand import examples

if TYPE_CHECKING:
    from admin.cli.main import Subparsers


def register(subparsers: Subparsers) -> None:
    """Add the command."""
    command = subparsers.add_parser(
        "worker",
        help="run a worker beside the server",
        description="Run a worker beside the server. On SQLite one process opens a network, and its workers run inside "
        "the server.",
        **examples("maille worker"),
    )
    command.set_defaults(run=run)


def run(_: argparse.Namespace) -> int:
    """Say that the server has them."""
    sys.stderr.write("On SQLite the workers of a network run inside the server: 'maille serve' is all it takes.\n")
    return 1
