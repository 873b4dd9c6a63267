"""`maille demo`: make a network of made-up people out of a pack, to look around in."""

from __future__ import annotations

import argparse
import asyncio
import re
import sys
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from admin.cli.check import no_pack, pack_folder
from admin.cli.errand import add_format, examples, write_json
from admin.cli.reports import REPORTS
from admin.control.answers import sentence
from admin.i18n import in_language, spoken, spoken_language
from admin.settings import from_environment
from definitions.message import say
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
_DOING = {"members": say("Members and their passwords"), "history": say("Living through the history")}


def register(subparsers: Subparsers) -> None:
    """Add the command."""
    command = subparsers.add_parser(
        "demo",
        help=spoken("make a demo network out of a pack, unless it is there already"),
        description=spoken("Make a network of made-up people out of a pack, and say who can sign in."),
        **examples("maille demo suivi --data var/data"),
    )
    command.add_argument("pack", help=spoken("a folder, or the name of a pack that comes with Maille"))
    command.add_argument(
        "--data", type=Path, required=True, help=spoken("the folder of networks (unless DATABASE_URL is set)")
    )
    command.add_argument("--name", default="demo", help=spoken("the network's name in addresses (demo)"))
    add_format(command)
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Make the network, or say that it is there; print who can sign in. 1: the pack is wrong, 2: the call is."""
    out, err = Console(quiet=arguments.format == "json"), Console(stderr=True)
    folder = pack_folder(arguments.pack)
    if not NAME.fullmatch(arguments.name):
        err.print(spoken("A network's name has small letters, digits and underscores."))
        return 2
    if folder is None:
        err.print(no_pack(arguments.pack), soft_wrap=True)
        return 2
    try:
        files = read_folder(folder)
        network, demo = read_demo(files)
        homes = replace(from_environment(), data=Path(arguments.data)).homes
        home = home_of(homes, arguments.name)
        if asyncio.run(exists(home)):
            out.print(
                spoken(
                    "The network '{name}' is there already; remove {home} to make it anew.",
                    name=arguments.name,
                    home=home,
                ),
                soft_wrap=True,
            )
        else:
            if isinstance(homes, Path):
                homes.mkdir(parents=True, exist_ok=True)
            _make(out, home, arguments.name, files)
    except DefinitionError as error:
        sys.stderr.write(REPORTS[arguments.format](error.problems))
        return 1
    except (DemoError, StoreError) as error:
        err.print(spoken(sentence(error)), markup=False, soft_wrap=True)
        return 1
    if arguments.format == "json":
        people = [asdict(person) for person in sign_ins(network, demo, "en")]
        write_json({"network": arguments.name, "password": demo.password, "sign_ins": people})
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
        task = bar.add_task(spoken("Publishing the definitions"), total=1)

        def tell(what: str, done: int, total: int) -> None:
            bar.update(task, description=spoken(_DOING.get(what, what)), completed=done, total=max(total, 1))

        asyncio.run(create_demo(home, name, files, now=datetime.now(UTC), progress=tell, words=in_language))


def _print_sign_ins(out: Console, network: Network, demo: Demo) -> None:
    label = demo.label.pick(spoken_language(), *network.languages)
    table = Table(
        title=spoken("Sign in to {label} with the password {password}", label=label, password=demo.password),
        title_justify="left",
    )
    for heading in ("As", "Name", "E-mail"):
        table.add_column(heading, overflow="fold")  # whole on the narrowest terminal: these are typed
    for person in sign_ins(network, demo, "en"):
        table.add_row(person.level, person.name, person.email)
    out.print(table)
