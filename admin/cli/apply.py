"""`maille apply`: publish a pack as the next version of a network."""

from __future__ import annotations

import argparse
import getpass
from typing import TYPE_CHECKING, Any

from admin.cli.errand import Errand, Parser, examples, options, pack, refusable
from admin.cli.plan import lines, show
from admin.i18n import spoken

if TYPE_CHECKING:
    from admin.cli.main import Subparsers


def register(subparsers: Subparsers) -> None:
    """Add the command."""
    command = subparsers.add_parser(
        "apply",
        help=spoken("publish a pack as the next version of a network"),
        description=spoken(
            "Publish a pack as the next version of a network, in one transaction: all of it or nothing. A "
            "running server\nhas it at once. On a terminal the plan is shown first. Exit code: 0 published, 1 refused, "
            "2 called wrongly."
        ),
        **examples(
            'maille apply ./my_pack --note "A state for second calls"',
            "maille apply ./my_pack --network demo --base 12 --yes --author claire@example.org",
        ),
    )
    command.add_argument("pack", help=spoken("a folder, or the name of a pack that comes with Maille"))
    terms(command)
    options(command)
    command.set_defaults(run=refusable(run))


def terms(command: Parser) -> None:
    """Add what is said with a publication."""
    command.add_argument("--note", default="", help=spoken("what changes and why, for the history"))
    command.add_argument(
        "--author", help=spoken("the e-mail of the member who publishes (you, by the name of your account)")
    )
    command.add_argument(
        "--base", type=int, help=spoken("the version that this was made for: refused when it is not current")
    )
    command.add_argument("--allow-loss", action="store_true", help=spoken("do not refuse what would lose data"))
    command.add_argument("--yes", action="store_true", help=spoken("do not ask"))


def run(on: Errand, arguments: argparse.Namespace) -> int:
    """Show the plan, ask, publish for the version that the plan was made for."""
    return publish(on, arguments, dict(pack(arguments.pack)), arguments.note)


def publish(on: Errand, arguments: argparse.Namespace, files: dict[str, str], note: str) -> int:
    """Publish files as `apply` does."""
    found = on.ask("plan", files=files, allow_loss=arguments.allow_loss)
    base: int = found["base"] if arguments.base is None else arguments.base
    if base == found["base"]:
        if found["refused"]:
            return show(on, found)
        for line in lines(found):
            on.tell(line)
        if found["unchanged"]:
            on.show({"version": found["base"], "hash": found["hash"], "changed": False})
            return 0
        if not arguments.yes and on.out.is_terminal and not on.agrees("\n" + spoken("Publish this?")):
            on.tell(spoken("Nothing was changed."))
            return 1
    return _apply(on, arguments, {"files": files, "note": note, "base": base})


def _apply(on: Errand, arguments: argparse.Namespace, given: dict[str, Any]) -> int:
    author = arguments.author or getpass.getuser()
    answer = on.ask("apply", author=author, allow_loss=arguments.allow_loss, **given)
    on.show(answer)
    on.tell(
        "\n" + spoken("Version {version} is published ({hash}).", version=answer["version"], hash=answer["hash"][:10])
    )
    return 0
