"""`maille demo`: make a network of made-up people out of a pack, to look around in."""

from __future__ import annotations

import argparse
import asyncio
import re
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from admin.cli.check import pack_folder
from admin.cli.reports import REPORTS
from admin.settings import from_environment
from definitions.pack import Files, read_folder
from definitions.problems import DefinitionError
from definitions.spec.demo import Demo
from definitions.spec.network import Network
from models.store import StoreError
from models.stores import Home, exists, home_of
from workflows.demo import create_demo, read_demo, sign_ins
from workflows.stage import DemoError

if TYPE_CHECKING:
    from admin.cli.main import Subparsers

NAME = re.compile(r"[a-z][a-z0-9_]*")
_DOING = {"members": "Members and their passwords", "history": "Living through the history"}


def register(subparsers: Subparsers) -> None:
    """Add the command."""
    command = subparsers.add_parser("demo", help="make a demo network out of a pack, unless it is there already")
    command.add_argument("pack", help="a folder, or the name of a pack that comes with Maille")
    command.add_argument("--data", type=Path, required=True, help="the folder of networks (unless DATABASE_URL is set)")
    command.add_argument("--name", default="demo", help="the network's name in addresses (demo)")
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Make the network, or say that it is there; print who can sign in. 1: the pack is wrong, 2: the call is."""
    out, err = Console(), Console(stderr=True)
    folder = pack_folder(arguments.pack)
    if not NAME.fullmatch(arguments.name):
        err.print("A network's name has small letters, digits and underscores.")
        return 2
    if folder is None:
        err.print(
            f"There is no pack '{arguments.pack}': neither a folder nor a pack that comes with Maille.", soft_wrap=True
        )
        return 2
    try:
        files = read_folder(folder)
        network, demo = read_demo(files)
        homes = replace(from_environment(), data=Path(arguments.data)).homes
        home = home_of(homes, arguments.name)
        if asyncio.run(exists(home)):
            out.print(
                f"The network '{arguments.name}' is there already; remove {home} to make it anew.", soft_wrap=True
            )
        else:
            if isinstance(homes, Path):
                homes.mkdir(parents=True, exist_ok=True)
            _make(out, home, arguments.name, files)
    except DefinitionError as error:
        sys.stderr.write(REPORTS["text"](error.problems))
        return 1
    except (DemoError, StoreError) as error:
        err.print(str(error), markup=False, soft_wrap=True)
        return 1
    _print_sign_ins(out, network, demo)
    return 0


def _make(out: Console, home: Home, name: str, files: Files) -> None:
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:.0f}/{task.total:.0f}"),
    )
    with Progress(*columns, TimeElapsedColumn(), console=out, transient=True) as bar:
        task = bar.add_task("Publishing the definitions", total=1)

        def tell(what: str, done: int, total: int) -> None:
            bar.update(task, description=_DOING.get(what, what), completed=done, total=max(total, 1))

        asyncio.run(create_demo(home, name, files, now=datetime.now(UTC), progress=tell))


def _print_sign_ins(out: Console, network: Network, demo: Demo) -> None:
    label = demo.label.pick("en", *network.languages)
    table = Table(title=f"Sign in to {label} with the password {demo.password}", title_justify="left")
    for heading in ("As", "Name", "E-mail"):
        table.add_column(heading, overflow="fold")  # whole on the narrowest terminal: these are typed
    for person in sign_ins(network, demo, "en"):
        table.add_row(person.level, person.name, person.email)
    out.print(table)
