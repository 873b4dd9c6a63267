"""`maille network`: what is done with a network as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from admin.cli import moving

if TYPE_CHECKING:
    from admin.cli.main import Subparsers


def register(subparsers: Subparsers) -> None:
    """Add the command with the commands below it."""
    command = subparsers.add_parser("network", help="move networks")
    below = command.add_subparsers(title="commands", metavar="COMMAND", required=True)
    moving.add(below.add_parser("move", help="take a network to another database or folder"))
