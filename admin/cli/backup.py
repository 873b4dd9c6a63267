"""`maille backup`: write, prove, list and remove backups of networks."""

from __future__ import annotations

import argparse
import os
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.markup import escape
from rich.table import Table

from admin.cli.errand import CalledWronglyError, Errand, examples, options, refusable
from admin.cli.tongue import number
from admin.i18n import spoken
from admin.settings import Settings, span_of
from models import envelopes
from models.backups import MOST_KEPT

if TYPE_CHECKING:
    from admin.cli.main import Subparsers


def register(subparsers: Subparsers) -> None:
    """Add the command."""
    command = subparsers.add_parser(
        "backup",
        help=spoken("write, prove and list backups of networks"),
        description=spoken(
            "Write a backup of a network, or of all, while people work: one file each, which only the owners of the\n"
            "keys can read. A server does so each day where MAILLE_BACKUPS and MAILLE_BACKUP_KEYS are set."
        ),
        **examples(
            "maille backup --new-key backup.key",
            "maille backup --to /backups --key age1… --verify --keep 30d",
            "maille backup --network alba --to /backups --key age1…",
            "maille backup --to /backups --list",
        ),
    )
    command.add_argument("--to", type=Path, metavar="DIR", help=spoken("the folder of backups (MAILLE_BACKUPS)"))
    command.add_argument(
        "--key",
        action="append",
        default=[],
        metavar="age1…",
        help=spoken("a public key whose owner can read them; may be said several times (MAILLE_BACKUP_KEYS)"),
    )
    command.add_argument(
        "--verify", action="store_true", help=spoken("restore each one on trial, and compare all there is to compare")
    )
    command.add_argument(
        "--keep",
        metavar="SPAN",
        help=spoken("remove those that are older, but the last one of a network (MAILLE_BACKUP_KEEP, else a year)"),
    )
    command.add_argument(
        "--every",
        metavar="SPAN",
        help=spoken("leave out networks that have a younger one: go on after an interruption"),
    )
    command.add_argument("--list", action="store_true", help=spoken("list the backups that are there, and write none"))
    command.add_argument("--after", metavar="FILE", help=spoken("go on with the list behind that file"))
    command.add_argument("--limit", type=int, metavar="N", help=spoken("list so many at most"))
    command.add_argument(
        "--new-key",
        type=Path,
        metavar="FILE",
        help=spoken("draw a key: the secret one into a new file, the public one is printed"),
    )
    options(command)
    command.set_defaults(run=refusable(run))


def run(on: Errand, arguments: argparse.Namespace) -> int:
    """Do what was asked for: draw a key, list, or write."""
    if arguments.new_key is not None:
        return _draw(on, arguments.new_key)
    folder = folder_of(on.settings, arguments.to)
    return _list(on, arguments, folder) if arguments.list else _write(on, arguments, folder)


def folder_of(settings: Settings, said: Path | None) -> Path:
    """Return the folder of backups."""
    folder = said or settings.backups
    if folder is None:
        raise CalledWronglyError(spoken("Say with --to in which folder backups are."))
    return folder.resolve()


def _resolved(path: Path | None) -> Path | None:
    return None if path is None else path.resolve()


def _draw(on: Errand, file: Path) -> int:
    key = envelopes.fresh()
    public = str(key.to_public())
    try:
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as written:
            written.write(f"# public key: {public}\n{key}\n")
    except FileExistsError:
        raise CalledWronglyError(spoken("There is a file at {path} already.", path=file)) from None
    on.show({"public": public, "file": str(file)})
    on.tell(public)
    if not on.json:
        on.err.print(
            escape(spoken("Keep {path} away from the server, and twice: without it no backup can be read.", path=file)),
            soft_wrap=True,
        )
    return 0


def _write(on: Errand, arguments: argparse.Namespace, folder: Path) -> int:
    own = on.settings.backup_keep if folder == _resolved(on.settings.backups) else MOST_KEPT
    keep = _span(arguments.keep) or own
    answer = on.ask(
        "back_up",
        folder=str(folder),
        keys=arguments.key or list(on.settings.backup_keys),
        verify=arguments.verify,
        kept=keep.total_seconds(),
        every=None if arguments.every is None else _seconds(arguments.every),
    )
    on.show(answer)
    for one in answer["backups"]:
        _tell(on, one)
    if answer["left_out"]:
        on.tell(spoken("Left out, for they have a younger one: {n}.", n=number(answer["left_out"])))
    if answer["removed"]:
        on.tell(spoken("Removed, for they were old enough: {n}.", n=number(len(answer["removed"]))))
    return 1 if any(one["error"] for one in answer["backups"]) else 0


def _tell(on: Errand, one: dict[str, Any]) -> None:
    if one["file"] is not None:
        said = spoken(
            "{network}: {n} rows, {size}, {file}",
            network=one["network"],
            n=number(one["rows"]),
            size=_size(one["bytes"]),
            file=one["file"],
        )
        on.tell(said + (", " + spoken("restored and compared") if one["verified"] else ""))
    if one["error"] and not on.json:
        on.err.print(escape(f"{one['network']}: {one['error']}"), soft_wrap=True)


def _size(count: int) -> str:
    return spoken("{n} MB", n=number(round(count / 1_000_000, 1)))


def _span(text: str | None) -> timedelta | None:
    """Return the span of time that was said; a year at most."""
    if text is None:
        return None
    found = span_of(text)
    if found is None or not timedelta(0) < found <= MOST_KEPT:
        raise CalledWronglyError(spoken("'{text}' is no span of time up to a year: 30d, 12h, 4w.", text=text))
    return found


def _seconds(text: str) -> float:
    found = _span(text)
    return 0.0 if found is None else found.total_seconds()


def _list(on: Errand, arguments: argparse.Namespace, folder: Path) -> int:
    answer = on.ask("list_backups", folder=str(folder), after=arguments.after, limit=arguments.limit)
    on.show(answer)
    if on.json:
        return 0
    if not answer["backups"]:
        on.tell(spoken("There is no backup in {folder}.", folder=folder))
        return 0
    table = Table(spoken("Network"), spoken("Moment (UTC)"), spoken("Size"), spoken("File"), box=None)
    for one in answer["backups"]:
        at = f"{datetime.fromisoformat(one['at']):%Y-%m-%d %H:%M}"
        table.add_row(one["network"], at, _size(one["bytes"]), one["file"])
    on.out.print(table)
    if answer["next"]:
        on.tell(spoken("There are more: --after {file}", file=answer["next"]))
    return 0
