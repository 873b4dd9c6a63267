"""`maille network move`: take a network to another database, or to another folder."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.table import Table

from admin.cli.errand import Errand, options, refusable
from admin.cli.tongue import number
from admin.i18n import spoken
from models.stores import DATABASES


def add(command: argparse.ArgumentParser) -> None:
    """Add the arguments of `move`."""
    command.description = spoken(
        "Copy a whole network, prove by row counts and checksums that every table arrived, and only then let it be "
        "found in its new place. The old one stays beside, out of sight, unless --remove says otherwise. A server that "
        "has the network open lets go of it for that time."
    )
    command.add_argument("name", help=spoken("the network's name"))
    command.add_argument(
        "--to", required=True, metavar="URL|DIR", help=spoken("a PostgreSQL database, or a folder of networks")
    )
    command.add_argument("--remove", action="store_true", help=spoken("remove what it was made of once it has arrived"))
    options(command, network=False, data=spoken("the folder that it is in (else DATABASE_URL, MAILLE_DATA or data)"))
    command.set_defaults(run=refusable(run))


def run(on: Errand, arguments: argparse.Namespace) -> int:
    """Move the network and say what arrived."""
    if arguments.data is not None:
        on = replace(on, settings=replace(on.settings, database_url=None))
    to = arguments.to if arguments.to.startswith(DATABASES) else str(Path(arguments.to).resolve())
    prefix = on.settings.schema_prefix
    moved = on.ask("move_network", network=arguments.name, to=to, prefix=prefix, remove=arguments.remove)
    on.show(moved)
    if not on.json:
        on.out.print(_table(moved["tables"]))
    if moved["aside"] is not None:
        on.tell(spoken("What it was made of is kept as {place}.", place=moved["aside"]))
    return 0


def _table(found: list[dict[str, Any]]) -> Table:
    table = Table(
        spoken("Table"),
        spoken("Rows"),
        spoken("Checksum (the same on both sides)"),
        title=spoken("Arrived"),
        title_justify="left",
    )
    for each in found:
        table.add_row(each["table"], number(each["rows"]), each["checksum"][:16])
    return table
