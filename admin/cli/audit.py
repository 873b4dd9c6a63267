"""`maille audit`: whether the audit of a network holds, and its newest link for keeping elsewhere."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from rich.markup import escape

from admin.cli.errand import Errand, Parser, examples, options, refusable
from admin.i18n import spoken

if TYPE_CHECKING:
    from admin.cli.main import Subparsers


def register(subparsers: Subparsers) -> None:
    """Add the command with the commands below it."""
    command = subparsers.add_parser(
        "audit",
        help=spoken("check the audit of a network"),
        description=spoken(
            "Check that nobody changed, removed, added or reordered what the audit of a network says. Keep the head "
            "elsewhere\nfrom time to time: with it, a chain that was cut off or made anew is found too."
        ),
        **examples(
            "maille audit verify",
            "maille audit verify alba --head 1042:9f86d081…",
            "maille audit head alba",
        ),
    )
    below = command.add_subparsers(title=spoken("commands"), metavar="COMMAND", required=True)
    _verify(below.add_parser("verify", help=spoken("check the whole chain; the exit code is 1 where it is broken")))
    _head(below.add_parser("head", help=spoken("print the newest link, for keeping elsewhere")))


def _verify(parser: Parser) -> None:
    parser.add_argument("name", nargs="?", help=spoken("the network's name (where there is only one: that)"))
    parser.add_argument("--head", help=spoken("a head that was kept: the chain must go on from it"))
    options(parser, network=False)
    parser.set_defaults(run=refusable(verify))


def _head(parser: Parser) -> None:
    parser.add_argument("name", nargs="?", help=spoken("the network's name (where there is only one: that)"))
    options(parser, network=False)
    parser.set_defaults(run=refusable(head))


def verify(on: Errand, arguments: argparse.Namespace) -> int:
    """Check the chain and say where it is broken first."""
    found = on.ask("verify_audit", network=arguments.name, head=arguments.head)
    on.show(found)
    on.tell(spoken("{count} links hold.", count=found["rows"]))
    if found["purged"]:
        on.tell(spoken("{count} of their rows are gone by the rules of retention.", count=found["purged"]))
    if found["erased"]:
        on.tell(spoken("{count} are about records that were erased since.", count=found["erased"]))
    if found["elsewhere"]:
        on.tell(spoken("{count} were made by the installation before an import.", count=found["elsewhere"]))
    broken = found["broken"]
    if broken is None:
        on.tell(spoken("Head: {head}", head=found["head"]))
        return 0
    if not on.json:
        said = spoken("Broken at {seq}: {why}.", seq=broken["seq"], why=broken["why"])
        on.err.print(escape(said if broken["row"] is None else f"{said} ({broken['row']})"), soft_wrap=True)
    return 1


def head(on: Errand, arguments: argparse.Namespace) -> int:
    """Print the newest link."""
    found = on.ask("audit_head", network=arguments.name)
    on.show(found)
    on.tell(found["head"])
    return 0
