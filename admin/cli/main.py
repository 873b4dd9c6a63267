"""`maille`: the console command."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Protocol, cast

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001 - argparse gives it no public name

COMMANDS = {
    "new": "write a small pack to start from",
    "check": "find what is wrong with a pack",
    "plan": "say what publishing a pack would change",
    "apply": "publish a pack as the next version of a network",
    "history": "list the versions of a network",
    "rollback": "publish an earlier version once more",
    "network": "make, list, export, import, move and delete networks",
    "member": "list members, take them in, give them levels, let them go",
    "worker": "do what is due in a process of its own (PostgreSQL)",
    "serve": "run the server over a folder of networks",
    "token": "make, list and revoke tokens of the API",
    "docs": "write the reference of the language",
    "demo": "make a demo network out of a pack, unless it is there already",
}
"""Each command is a module of this package; only the one that is called is imported."""


class Command(Protocol):
    """A module of a command; its parser's default `run` takes the arguments and returns the exit code."""

    def register(self, subparsers: Subparsers) -> None:
        """Add the command."""
        ...


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code: 0 done, 1 refused, 2 called wrongly."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    parser = argparse.ArgumentParser(prog="maille", description="A low-code server for networks.")
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    called = next((word for word in given if not word.startswith("-")), "")
    for name, what in COMMANDS.items():
        if name == called:
            cast("Command", import_module(f"admin.cli.{name}")).register(subparsers)
        else:
            subparsers.add_parser(name, help=what)
    parsed = parser.parse_args(given)
    return int(parsed.run(parsed))


if __name__ == "__main__":
    sys.exit(main())
