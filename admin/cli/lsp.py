"""`maille lsp`: the language server, for editors."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from admin.cli.errand import examples
from admin.i18n import spoken

if TYPE_CHECKING:
    from admin.cli.main import Subparsers


def register(subparsers: Subparsers) -> None:
    """Add the command."""
    command = subparsers.add_parser(
        "lsp",
        help=spoken("help an editor: problems, definitions and completion while typing"),
        description=spoken("Speak with an editor over standard input and output, in the Language Server Protocol."),
        **examples("maille lsp"),
    )
    command.add_argument("--stdio", action="store_true", help=spoken("what it does anyway; many editors say it"))
    command.set_defaults(run=run)


def run(_: argparse.Namespace) -> int:
    """Serve until the editor leaves."""
    from admin.editor.server import make_server  # noqa: PLC0415 - the protocol's types take long to load

    make_server().start_io()
    return 0
