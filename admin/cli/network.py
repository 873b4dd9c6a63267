"""`maille network`: make, list, export, import, move and delete networks."""

from __future__ import annotations

import argparse
import getpass
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.markup import escape
from rich.table import Table

from admin.cli import moving, upgrade
from admin.cli.errand import CalledWronglyError, Errand, Parser, examples, options, pack, refusable
from admin.cli.tongue import number
from admin.i18n import spoken

if TYPE_CHECKING:
    from admin.cli.main import Subparsers

NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")


def register(subparsers: Subparsers) -> None:
    """Add the command with the commands below it."""
    command = subparsers.add_parser(
        "network",
        help=spoken("make, list, export, import, move and delete networks"),
        description=spoken("Make, list, export, import, move and delete networks."),
        **examples(
            "maille network create alba ./my_pack --leader claire.alba@example.org",
            "maille network list",
            "maille network export --network alba alba.zip",
            "maille network import alba.zip --name alba_copy",
            "maille network delete alba",
            "maille network check",
        ),
    )
    below = command.add_subparsers(title=spoken("commands"), metavar="COMMAND", required=True)
    _create(below.add_parser("create", help=spoken("make a network out of a pack, with its leader")))
    _list(below.add_parser("list", help=spoken("list the networks")))
    _export(below.add_parser("export", help=spoken("write a whole network into one file")))
    _import(below.add_parser("import", help=spoken("make a network out of such a file")))
    _delete(below.add_parser("delete", help=spoken("delete a network for good")))
    upgrade.add(below.add_parser("check", help=spoken("check what is published with this Maille, before an upgrade")))
    moving.add(below.add_parser("move", help=spoken("take a network to another database or folder")))


def _create(parser: Parser) -> None:
    parser.add_argument("name", help=spoken("the name in addresses: small letters, digits, underscores"))
    parser.add_argument("pack", help=spoken("a folder, or the name of a pack that comes with Maille"))
    parser.add_argument(
        "--leader", required=True, metavar="EMAIL", help=spoken("the e-mail address of who runs the network")
    )
    person(parser)
    options(parser, network=False)
    parser.set_defaults(run=refusable(create))


def _list(parser: Parser) -> None:
    options(parser, network=False)
    parser.set_defaults(run=refusable(show))


def _export(parser: Parser) -> None:
    parser.add_argument("file", type=Path, help=spoken("the archive to write (a ZIP that only you can read)"))
    options(parser)
    parser.set_defaults(run=refusable(export))


def _import(parser: Parser) -> None:
    parser.add_argument("file", type=Path, help=spoken("the archive"))
    parser.add_argument("--name", help=spoken("the name in addresses (the one that it had)"))
    options(parser, network=False)
    parser.set_defaults(run=refusable(take_in))


def _delete(parser: Parser) -> None:
    parser.add_argument("name", help=spoken("the network's name"))
    parser.add_argument("--confirm", metavar="NAME", help=spoken("the name once more, instead of being asked for it"))
    options(parser, network=False)
    parser.set_defaults(run=refusable(delete))


def person(parser: Parser) -> None:
    """Add what is said of somebody who joins."""
    parser.add_argument(
        "--name", dest="person", metavar="NAME", help=spoken("first and last name (from the e-mail address)")
    )
    parser.add_argument("--language", help=spoken("the language that the person is spoken to in (the network's first)"))
    parser.add_argument(
        "--set", action="append", default=[], metavar="FIELD=VALUE", help=spoken("another field of the member")
    )
    parser.add_argument(
        "--password",
        action="store_true",
        help=spoken("ask for a password here instead of printing a link to choose one"),
    )


def values(arguments: argparse.Namespace, email: str, levels: list[str]) -> dict[str, Any]:
    """Return the member that the arguments describe."""
    words = (arguments.person or re.sub(r"[._-]+", " ", email.partition("@")[0]).title()).split(maxsplit=1)
    if "@" not in email or len(words) < 2:
        raise CalledWronglyError(
            spoken("Say the e-mail address, and the first and last name with --name 'Claire Alba'.")
        )
    found: dict[str, Any] = {"email": email, "first_name": words[0], "last_name": words[1], "levels": levels}
    if arguments.language:
        found["language"] = arguments.language
    for pair in arguments.set:
        field, equals, value = pair.partition("=")
        if not equals:
            raise CalledWronglyError(spoken("'{pair}' is not FIELD=VALUE.", pair=pair))
        found[field] = value
    return found


def password(arguments: argparse.Namespace) -> str | None:
    """Ask for a password twice, when that is wanted; from a pipe one line is read."""
    if not arguments.password:
        return None
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    first = getpass.getpass(spoken("Password") + ": ")
    if getpass.getpass(spoken("Once more") + ": ") != first:
        raise CalledWronglyError(spoken("These were two different passwords."))
    return first


def create(on: Errand, arguments: argparse.Namespace) -> int:
    """Make a network and its leader."""
    _refuse_name(arguments.name)
    leader = values(arguments, arguments.leader, ["leader"])
    files, author = dict(pack(arguments.pack)), getpass.getuser()
    secret = password(arguments)
    made = on.ask("create_network", name=arguments.name, files=files, author=author, leader=leader, password=secret)
    on.show(made)
    on.tell(spoken("The network '{name}' is made: {address}", name=made["name"], address=made["url"]))
    say_link(on, made, arguments.leader)
    return 0


def say_link(on: Errand, made: dict[str, Any], email: str) -> None:
    """Print the link that lets somebody in."""
    if made["link"]:
        on.tell(
            spoken("With this link, good once and for a week, {email} chooses a password:", email=email)
            + "\n"
            + made["link"]
        )


def _refuse_name(name: str) -> None:
    if not NAME.fullmatch(name):
        raise CalledWronglyError(spoken("A network's name has small letters, digits and underscores."))


def show(on: Errand, _: argparse.Namespace) -> int:
    """List the networks."""
    found = on.ask("networks")
    on.show(found)
    if not found:
        on.tell(spoken("There is no network in {folder}.", folder=on.settings.data))
    elif not on.json:
        table = Table(spoken("Network"), spoken("Version"), spoken("Size"), spoken("Address"), box=None)
        for one in found:
            size = "" if one["bytes"] is None else spoken("{n} MB", n=number(round(one["bytes"] / 1_000_000, 1)))
            table.add_row(one["name"], str(one["version"] or "–"), size, one["url"] or escape(one["error"]))
        on.out.print(table)
    return 0


def export(on: Errand, arguments: argparse.Namespace) -> int:
    """Write a network into an archive."""
    answer = on.ask("export_network", path=str(arguments.file.resolve()))
    on.show(answer)
    on.tell(
        spoken(
            "{n} rows of {network}, version {version}, are in {file}.",
            n=number(answer["rows"]),
            network=answer["network"],
            version=answer["version"],
            file=arguments.file,
        )
    )
    on.tell(spoken("Whoever has this file has all data of the network: keep it accordingly."))
    return 0


def take_in(on: Errand, arguments: argparse.Namespace) -> int:
    """Make a network out of an archive."""
    if arguments.name is not None:
        _refuse_name(arguments.name)
    answer = on.ask("import_network", path=str(arguments.file.resolve()), name=arguments.name)
    on.show(answer)
    say_made(on, answer)
    return 0


def say_made(on: Errand, answer: Mapping[str, Any]) -> None:
    """Print which network was made of a file, and how much is in it."""
    on.tell(
        spoken(
            "{n} rows are in the network '{network}', counted and summed up: {address}",
            n=number(answer["rows"]),
            network=answer["name"],
            address=answer["url"],
        )
    )


def delete(on: Errand, arguments: argparse.Namespace) -> int:
    """Delete a network whose name was said twice."""
    said = arguments.confirm
    if said is None and sys.stdin.isatty():
        on.err.print(
            spoken("All data of '{name}' will be gone. Write its name to delete it:", name=arguments.name) + " ", end=""
        )
        said = sys.stdin.readline().strip()
    if said != arguments.name:
        raise CalledWronglyError(
            spoken("Nothing was deleted: write the name once more, or say --confirm {name}.", name=arguments.name)
        )
    answer = on.ask("delete_network", network=arguments.name)
    on.show(answer)
    on.tell(spoken("The network '{name}' is deleted.", name=answer["name"]))
    return 0
