"""`maille network`: make, list, export, import, move and delete networks."""

from __future__ import annotations

import argparse
import getpass
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.markup import escape
from rich.table import Table

from admin.cli import moving
from admin.cli.errand import CalledWronglyError, Errand, Parser, examples, options, pack, refusable

if TYPE_CHECKING:
    from admin.cli.main import Subparsers

NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")


def register(subparsers: Subparsers) -> None:
    """Add the command with the commands below it."""
    command = subparsers.add_parser(
        "network",
        help="make, list, export, import, move and delete networks",
        description="Make, list, export, import, move and delete networks.",
        **examples(
            "maille network create alba ./my_pack --leader claire.alba@example.org",
            "maille network list",
            "maille network export --network alba alba.zip",
            "maille network import alba.zip --name alba_copy",
            "maille network delete alba",
        ),
    )
    below = command.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _create(below.add_parser("create", help="make a network out of a pack, with its leader"))
    _list(below.add_parser("list", help="list the networks"))
    _export(below.add_parser("export", help="write a whole network into one file"))
    _import(below.add_parser("import", help="make a network out of such a file"))
    _delete(below.add_parser("delete", help="delete a network for good"))
    moving.add(below.add_parser("move", help="take a network to another database or folder"))


def _create(parser: Parser) -> None:
    parser.add_argument("name", help="the name in addresses: small letters, digits, underscores")
    parser.add_argument("pack", help="a folder, or the name of a pack that comes with Maille")
    parser.add_argument("--leader", required=True, metavar="EMAIL", help="the e-mail address of who runs the network")
    person(parser)
    options(parser, network=False)
    parser.set_defaults(run=refusable(create))


def _list(parser: Parser) -> None:
    options(parser, network=False)
    parser.set_defaults(run=refusable(show))


def _export(parser: Parser) -> None:
    parser.add_argument("file", type=Path, help="the archive to write (a ZIP that only you can read)")
    options(parser)
    parser.set_defaults(run=refusable(export))


def _import(parser: Parser) -> None:
    parser.add_argument("file", type=Path, help="the archive")
    parser.add_argument("--name", help="the name in addresses (the one that it had)")
    options(parser, network=False)
    parser.set_defaults(run=refusable(take_in))


def _delete(parser: Parser) -> None:
    parser.add_argument("name", help="the network's name")
    parser.add_argument("--confirm", metavar="NAME", help="the name once more, instead of being asked for it")
    options(parser, network=False)
    parser.set_defaults(run=refusable(delete))


def person(parser: Parser) -> None:
    """Add what is said of somebody who joins."""
    parser.add_argument("--name", dest="person", metavar="NAME", help="first and last name (from the e-mail address)")
    parser.add_argument("--language", help="the language that the person is spoken to in (the network's first)")
    parser.add_argument("--set", action="append", default=[], metavar="FIELD=VALUE", help="another field of the member")
    parser.add_argument(
        "--password", action="store_true", help="ask for a password here instead of printing a link to choose one"
    )


def values(arguments: argparse.Namespace, email: str, levels: list[str]) -> dict[str, Any]:
    """Return the member that the arguments describe."""
    words = (arguments.person or re.sub(r"[._-]+", " ", email.partition("@")[0]).title()).split(maxsplit=1)
    if "@" not in email or len(words) < 2:
        raise CalledWronglyError("Say the e-mail address, and the first and last name with --name 'Claire Alba'.")
    found: dict[str, Any] = {"email": email, "first_name": words[0], "last_name": words[1], "levels": levels}
    if arguments.language:
        found["language"] = arguments.language
    for pair in arguments.set:
        field, equals, value = pair.partition("=")
        if not equals:
            raise CalledWronglyError(f"'{pair}' is not FIELD=VALUE.")
        found[field] = value
    return found


def password(arguments: argparse.Namespace) -> str | None:
    """Ask for a password twice, when that is wanted; from a pipe one line is read."""
    if not arguments.password:
        return None
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    first = getpass.getpass("Password: ")
    if getpass.getpass("Once more: ") != first:
        raise CalledWronglyError("These were two different passwords.")
    return first


def create(on: Errand, arguments: argparse.Namespace) -> int:
    """Make a network and its leader."""
    _refuse_name(arguments.name)
    leader = values(arguments, arguments.leader, ["leader"])
    files, author = dict(pack(arguments.pack)), getpass.getuser()
    secret = password(arguments)
    made = on.ask("create_network", name=arguments.name, files=files, author=author, leader=leader, password=secret)
    on.show(made)
    on.tell(f"The network '{made['name']}' is made: {made['url']}")
    say_link(on, made, arguments.leader)
    return 0


def say_link(on: Errand, made: dict[str, Any], email: str) -> None:
    """Print the link that lets somebody in."""
    if made["link"]:
        on.tell(f"With this link, good once and for a week, {email} chooses a password:\n{made['link']}")


def _refuse_name(name: str) -> None:
    if not NAME.fullmatch(name):
        raise CalledWronglyError("A network's name has small letters, digits and underscores.")


def show(on: Errand, _: argparse.Namespace) -> int:
    """List the networks."""
    found = on.ask("networks")
    on.show(found)
    if not found:
        on.tell(f"There is no network in {on.settings.data}.")
    elif not on.json:
        table = Table("Network", "Version", "Size", "Address", box=None)
        for one in found:
            size = "" if one["bytes"] is None else f"{one['bytes'] / 1_000_000:,.1f} MB"
            table.add_row(one["name"], str(one["version"] or "–"), size, one["url"] or escape(one["error"]))
        on.out.print(table)
    return 0


def export(on: Errand, arguments: argparse.Namespace) -> int:
    """Write a network into an archive."""
    answer = on.ask("export_network", path=str(arguments.file.resolve()))
    on.show(answer)
    on.tell(f"{answer['rows']:,} rows of {answer['network']}, version {answer['version']}, are in {arguments.file}.")
    on.tell("Whoever has this file has all data of the network: keep it accordingly.")
    return 0


def take_in(on: Errand, arguments: argparse.Namespace) -> int:
    """Make a network out of an archive."""
    if arguments.name is not None:
        _refuse_name(arguments.name)
    answer = on.ask("import_network", path=str(arguments.file.resolve()), name=arguments.name)
    on.show(answer)
    on.tell(f"{answer['rows']:,} rows are in the network '{answer['name']}', counted and summed up: {answer['url']}")
    return 0


def delete(on: Errand, arguments: argparse.Namespace) -> int:
    """Delete a network whose name was said twice."""
    said = arguments.confirm
    if said is None and sys.stdin.isatty():
        on.err.print(f"All data of '{arguments.name}' will be gone. Write its name to delete it: ", end="")
        said = sys.stdin.readline().strip()
    if said != arguments.name:
        raise CalledWronglyError(f"Nothing was deleted: write the name once more, or say --confirm {arguments.name}.")
    answer = on.ask("delete_network", network=arguments.name)
    on.show(answer)
    on.tell(f"The network '{answer['name']}' is deleted.")
    return 0
