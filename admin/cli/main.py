"""`maille`: the console command."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Protocol, cast

from admin.cli.tongue import language_of, teach_argparse
from admin.i18n import speaking, spoken
from admin.variables import SettingError
from definitions.message import say

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001 - argparse gives it no public name

COMMANDS = {
    "new": say("write a small pack to start from"),
    "check": say("find what is wrong with a pack"),
    "plan": say("say what publishing a pack would change"),
    "apply": say("publish a pack as the next version of a network"),
    "simulate": say("say what a pack would have done in the last days"),
    "history": say("list the versions of a network"),
    "rollback": say("publish an earlier version once more"),
    "network": say("make, list, export, import, move and delete networks"),
    "backup": say("write, prove and list backups of networks"),
    "restore": say("make a network of a backup, or try one out"),
    "member": say("list members, take them in, give them levels, let them go"),
    "worker": say("do what is due in a process of its own (PostgreSQL)"),
    "bounce": say("take a mail that came back from the mail server's pipe"),
    "serve": say("run the server over a folder of networks"),
    "status": say("say how well the installation serves, and what its networks owe"),
    "token": say("make, list and revoke tokens of the API"),
    "audit": say("check the audit of a network"),
    "fmt": say("write the files of a pack in one form"),
    "schema": say("write the JSON Schema that editors check packs with"),
    "lsp": say("help an editor: problems, definitions and completion while typing"),
    "docs": say("write the manual of a network, or the reference of the language"),
    "demo": say("make a demo network out of a pack, unless it is there already"),
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
    with speaking(language_of(os.environ)):
        return _called(given)


def _called(given: list[str]) -> int:
    teach_argparse()
    parser = argparse.ArgumentParser(prog="maille", description=spoken("A low-code server for networks."))
    subparsers = parser.add_subparsers(title=spoken("commands"), metavar="COMMAND", required=True)
    called = next((word for word in given if not word.startswith("-")), "")
    for name, what in COMMANDS.items():
        if name == called:
            cast("Command", import_module(f"admin.cli.{name}")).register(subparsers)
        else:
            subparsers.add_parser(name, help=spoken(what))
    parsed = parser.parse_args(given)
    try:
        return int(parsed.run(parsed))
    except SettingError as error:
        sys.stderr.write(f"{spoken(error.message)}\n")
        return 2


if __name__ == "__main__":
    sys.exit(main())
