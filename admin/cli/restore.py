"""`maille restore`: make a network of a backup, or look whether that could be done."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.markup import escape

from admin.cli.errand import CalledWronglyError, Errand, examples, options, refusable
from admin.cli.network import say_made
from admin.cli.tongue import number
from admin.i18n import spoken
from models.stores import NAME

if TYPE_CHECKING:
    from admin.cli.main import Subparsers

IDENTITY = "MAILLE_BACKUP_IDENTITY"
"""Where the path of the file of secret keys stands in the environment."""


def register(subparsers: Subparsers) -> None:
    """Add the command."""
    command = subparsers.add_parser(
        "restore",
        help=spoken("make a network of a backup, or try one out"),
        description=spoken(
            "Make a network of a backup, while all others go on. What is damaged, or sealed to other keys, changes\n"
            "nothing. Mails that were waiting in the backup wait for you, since they may have been sent after it."
        ),
        **examples(
            "maille restore /backups/alba.20261123T031500Z.maille.age --check --identity backup.key",
            "maille restore /backups --network alba --identity backup.key",
            "maille restore /backups --network alba --as alba_before --identity backup.key",
            "maille restore /backups --network alba --replace --identity backup.key",
        ),
    )
    command.add_argument(
        "source", type=Path, help=spoken("the backup, or a folder of them: the newest one of the network is meant")
    )
    command.add_argument(
        "--identity",
        metavar="FILE",
        help=spoken("the file of secret keys, - for standard input (MAILLE_BACKUP_IDENTITY)"),
    )
    command.add_argument(
        "--as", dest="name", metavar="NAME", help=spoken("the name in addresses (the one that it had)")
    )
    command.add_argument(
        "--replace", action="store_true", help=spoken("take the place of the network of that name, which is kept aside")
    )
    command.add_argument(
        "--unread",
        action="store_true",
        help=spoken("replace it even where nobody can read what was erased in it since"),
    )
    command.add_argument(
        "--check", action="store_true", help=spoken("restore on trial, compare everything, and leave nothing of it")
    )
    command.add_argument(
        "--send-waiting", action="store_true", help=spoken("send the mails that were waiting: nobody sent them since")
    )
    options(command)
    command.set_defaults(run=refusable(run))


def run(on: Errand, arguments: argparse.Namespace) -> int:
    """Restore, or try it out."""
    given: dict[str, Any] = {"path": str(arguments.source.resolve()), "identity": _keys(arguments.identity)}
    if arguments.check:
        return _check(on, given)
    if arguments.name is not None and not NAME.fullmatch(arguments.name):
        raise CalledWronglyError(spoken("A network's name has small letters, digits and underscores."))
    given |= {"name": arguments.name, "replace": arguments.replace, "send_waiting": arguments.send_waiting}
    given["unread"] = arguments.unread
    answer = on.ask("restore_network", **given)
    on.show(answer)
    say_made(on, answer)
    _tell(on, answer)
    return 0


def _keys(said: str | None) -> str:
    """Return the secret keys; they go to the server over its socket, and are kept by nobody."""
    named = said or os.environ.get(IDENTITY)
    if not named:
        raise CalledWronglyError(spoken("Say with --identity where the secret key is."))
    try:
        return sys.stdin.read() if named == "-" else Path(named).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CalledWronglyError(spoken("{path} cannot be read: {reason}.", path=named, reason=error)) from None


def _tell(on: Errand, answer: dict[str, Any]) -> None:
    """Say what is another than it was in the backup, and what is left to be done."""
    if answer["held"]:
        on.tell(
            spoken(
                "Mails that were waiting, and may have been sent since: {n}. Nobody sends them but you.",
                n=answer["held"],
            )
        )
    if answer["erased_again"]:
        on.tell(spoken("Records that were erased since, and are erased again: {n}.", n=answer["erased_again"]))
    for entity, record in answer["erased_left"]:
        on.tell(
            spoken(
                "Erased since, and not erased again (another record holds it, or its kind is not in the backup): "
                "{entity} {record}.",
                entity=entity,
                record=record,
            )
        )
    if answer["unread"]:
        on.tell(spoken("What was erased since could not be read: it is back."))
    if answer["aside"]:
        on.tell(spoken("The one that was there is kept as {place}.", place=answer["aside"]))
    _warn(on, answer)


def _warn(on: Errand, answer: dict[str, Any]) -> None:
    if not answer["sealed_here"] and not on.json:
        on.err.print(
            escape(
                spoken(
                    "It was sealed under another secret: put that one into MAILLE_SECRET_BEFORE, or encrypted fields "
                    "and second factors stay closed."
                )
            ),
            soft_wrap=True,
        )


def _check(on: Errand, given: dict[str, Any]) -> int:
    answer = on.ask("check_backup", **given)
    on.show(answer)
    on.tell(
        spoken(
            "{file} can be restored: {network} of {at}. Compared: {n} rows, {files} files, {links} links of the audit.",
            file=Path(answer["file"]).name,
            network=answer["network"],
            at=f"{answer['at'][:19].replace('T', ' ')} UTC",
            n=number(answer["rows"]),
            files=number(answer["files"]),
            links=number(answer["links"]),
        )
    )
    _warn(on, answer)
    if answer["error"] and not on.json:
        on.err.print(escape(answer["error"]), soft_wrap=True)
    return 1 if answer["error"] else 0
