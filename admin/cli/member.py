"""`maille member`: list the members of a network, take them in, give them levels, let them go."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from rich.table import Table

from admin.cli.errand import NO, YES, CalledWronglyError, Errand, Parser, examples, options, refusable
from admin.cli.network import password, person, say_link, values
from admin.i18n import spoken

if TYPE_CHECKING:
    from admin.cli.main import Subparsers


def register(subparsers: Subparsers) -> None:
    """Add the command with the commands below it."""
    command = subparsers.add_parser(
        "member",
        help=spoken("list members, take them in, give them levels, let them go"),
        description=spoken("List the members of a network, take them in, give them levels, let them go."),
        **examples(
            "maille member list",
            "maille member add camille.roux@example.org --level distributor --sponsor claire@example.org",
            "maille member invite camille.roux@example.org",
            "maille member levels camille.roux@example.org --add leader --remove distributor",
            "maille member forget-factors camille.roux@example.org",
            "maille member deactivate camille.roux@example.org",
        ),
    )
    below = command.add_subparsers(title=spoken("commands"), metavar="COMMAND", required=True)
    _list(below.add_parser("list", help=spoken("list the members")))
    _add(below.add_parser("add", help=spoken("take a member in")))
    _invite(below.add_parser("invite", help=spoken("print a link with which a member chooses a password anew")))
    _levels(below.add_parser("levels", help=spoken("set, give or take levels")))
    _activity(below.add_parser("deactivate", help=spoken("let a member out: sessions end, records stay")), active=False)
    _factors(
        below.add_parser(
            "forget-factors", help=spoken("let a member in by the password alone, who has lost the second factor")
        )
    )
    _activity(below.add_parser("activate", help=spoken("let a member in again")), active=True)


def _list(parser: Parser) -> None:
    options(parser)
    parser.set_defaults(run=refusable(show))


def _add(parser: Parser) -> None:
    parser.add_argument("email", help=spoken("the e-mail address to sign in with"))
    parser.add_argument("--level", action="append", default=[], help=spoken("a level (several times for several)"))
    parser.add_argument("--sponsor", metavar="EMAIL", help=spoken("the member above"))
    person(parser)
    options(parser)
    parser.set_defaults(run=refusable(add))


def _invite(parser: Parser) -> None:
    parser.add_argument("email", help=spoken("the member's e-mail address"))
    options(parser)
    parser.set_defaults(run=refusable(invite))


def _levels(parser: Parser) -> None:
    parser.add_argument("email", help=spoken("the member's e-mail address"))
    parser.add_argument("levels", nargs="*", help=spoken("all levels to have (left out: those that the member has)"))
    parser.add_argument("--add", action="append", default=[], metavar="LEVEL", help=spoken("a level to give"))
    parser.add_argument("--remove", action="append", default=[], metavar="LEVEL", help=spoken("a level to take"))
    options(parser)
    parser.set_defaults(run=refusable(change))


def _activity(parser: Parser, *, active: bool) -> None:
    parser.add_argument("email", help=spoken("the member's e-mail address"))
    options(parser)
    parser.set_defaults(run=refusable(_activate if active else _deactivate))


def _factors(parser: Parser) -> None:
    parser.add_argument("email", help=spoken("the member's e-mail address"))
    options(parser)
    parser.set_defaults(run=refusable(forget_factors))


def show(on: Errand, _: argparse.Namespace) -> int:
    """List the members."""
    found = on.ask("members")
    on.show(found)
    if not on.json:
        table = Table(
            spoken("Name"), spoken("E-mail"), spoken("Levels"), spoken("Signs in"), spoken("Active"), box=None
        )
        for one in found:
            signs_in = spoken(YES) if one["signs_in"] else spoken("not yet")
            table.add_row(
                one["name"],
                one["email"],
                ", ".join(one["levels"]),
                signs_in,
                spoken(YES) if one["active"] else spoken(NO),
            )
        on.out.print(table)
    return 0


def add(on: Errand, arguments: argparse.Namespace) -> int:
    """Take a member in."""
    given = values(arguments, arguments.email, arguments.level)
    joined = on.ask("add_member", values=given, sponsor=arguments.sponsor, password=password(arguments))
    on.show(joined)
    on.tell(spoken("{email} is a member.", email=arguments.email))
    say_link(on, joined, arguments.email)
    return 0


def invite(on: Errand, arguments: argparse.Namespace) -> int:
    """Print a link for a member."""
    invited = on.ask("invite_member", email=arguments.email)
    on.show(invited)
    say_link(on, invited, arguments.email)
    return 0


def change(on: Errand, arguments: argparse.Namespace) -> int:
    """Set, give or take levels."""
    wanted = {"levels": arguments.levels, "more": arguments.add, "less": arguments.remove}
    if not any(wanted.values()):
        raise CalledWronglyError(spoken("Say all levels to have, or which to --add and to --remove."))
    member = on.ask("change_levels", email=arguments.email, **wanted)
    on.show(member)
    on.tell(f"{member['email']}: {', '.join(member['levels']) or spoken('no level')}")
    return 0


def forget_factors(on: Errand, arguments: argparse.Namespace) -> int:
    """Take the second factors of a member away."""
    member = on.ask("forget_factors", email=arguments.email)
    on.show(member)
    on.tell(spoken("{email} signs in by the password alone, and is signed out everywhere.", email=member["email"]))
    return 0


def _activate(on: Errand, arguments: argparse.Namespace) -> int:
    return _set(on, arguments, active=True)


def _deactivate(on: Errand, arguments: argparse.Namespace) -> int:
    return _set(on, arguments, active=False)


def _set(on: Errand, arguments: argparse.Namespace, *, active: bool) -> int:
    member: dict[str, Any] = on.ask("set_active", email=arguments.email, active=active)
    on.show(member)
    said = (
        spoken("{email} can sign in.", email=member["email"])
        if active
        else spoken("{email} cannot sign in any more, and is signed out everywhere.", email=member["email"])
    )
    on.tell(said)
    return 0
