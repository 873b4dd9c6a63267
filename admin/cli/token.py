"""`maille token`: make, list and revoke the tokens of a member."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from rich.markup import escape
from rich.table import Column, Table

from admin.cli.errand import Errand, Parser, examples, options, refusable
from admin.i18n import spoken

if TYPE_CHECKING:
    from admin.cli.main import Subparsers


def register(subparsers: Subparsers) -> None:
    """Add the command with the commands below it."""
    command = subparsers.add_parser(
        "token",
        help=spoken("make, list and revoke tokens of the API"),
        description=spoken("Make, list and revoke tokens with which programs act for a member."),
        **examples(
            "maille token create camille@example.org --name import --days 30 --level distributor",
            "maille token list camille@example.org --format json",
            "maille token revoke camille@example.org 0192f6f0-7d3a-7c4e-9a7e-3f6c1b2a4d5e",
        ),
    )
    below = command.add_subparsers(title=spoken("commands"), metavar="COMMAND", required=True)
    _create(below.add_parser("create", help=spoken("make a token, and print it this once")))
    _list(below.add_parser("list", help=spoken("list the tokens of a member")))
    _revoke(below.add_parser("revoke", help=spoken("end a token")))


def _create(parser: Parser) -> None:
    parser.add_argument("email", help=spoken("the member's e-mail address"))
    parser.add_argument("--name", required=True, help=spoken("what it is for"))
    parser.add_argument("--days", type=int, default=90, help=spoken("how long it is valid (%(default)s)"))
    parser.add_argument(
        "--level", action="append", default=[], help=spoken("a level it is narrowed to (several times)")
    )
    parser.add_argument(
        "--entity", action="append", default=[], help=spoken("an entity it is narrowed to (several times)")
    )
    parser.add_argument("--read-only", action="store_true", help=spoken("it changes nothing"))
    options(parser)
    parser.set_defaults(run=refusable(create))


def _list(parser: Parser) -> None:
    parser.add_argument("email", help=spoken("the member's e-mail address"))
    options(parser)
    parser.set_defaults(run=refusable(show))


def _revoke(parser: Parser) -> None:
    parser.add_argument("email", help=spoken("the member's e-mail address"))
    parser.add_argument("token", help=spoken("the token's id, as `list` shows it"))
    options(parser)
    parser.set_defaults(run=refusable(revoke))


def create(on: Errand, arguments: argparse.Namespace) -> int:
    """Make a token and print it, alone on its line, for scripts to take."""
    narrowed = {"levels": arguments.level, "entities": arguments.entity, "reads_only": arguments.read_only}
    made = on.ask("create_token", email=arguments.email, name=arguments.name, days=arguments.days, **narrowed)
    on.show(made)
    on.tell(made["token"])
    return 0


def show(on: Errand, arguments: argparse.Namespace) -> int:
    """List the tokens."""
    found = on.ask("list_tokens", email=arguments.email)
    on.show(found)
    if not on.json:
        on.out.print(_table(found))
    return 0


def revoke(on: Errand, arguments: argparse.Namespace) -> int:
    """End a token."""
    answer = on.ask("revoke_token", email=arguments.email, token=arguments.token)
    on.show(answer)
    on.tell(spoken("The token {token} is revoked.", token=answer["revoked"]))
    return 0


def _table(found: list[dict[str, Any]]) -> Table:
    table = Table(
        Column("Id", no_wrap=True),
        spoken("Name"),
        spoken("Levels"),
        spoken("Valid until"),
        spoken("Last used"),
        box=None,
    )
    for token in found:
        levels = ", ".join(token["levels"]) if token["levels"] else spoken("all of the member")
        used = (token["last_used_at"] or "")[:10] or spoken("never")
        table.add_row(token["id"], escape(token["name"]), levels, token["expires_at"][:10], used)
    return table
