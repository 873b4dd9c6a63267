"""`maille network move`: take a network to another database, or to another folder."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from admin.settings import Settings, from_environment
from models.store import StoreError
from models.stores import Home, home_of, remove_store
from models.transfer import Moved, move

SCHEMES = ("postgres://", "postgresql://")


def add(command: argparse.ArgumentParser) -> None:
    """Add the arguments of `move`."""
    command.description = (
        "Copy a whole network, prove by row counts and checksums that every table arrived, and only then let it be "
        "found in its new place. The old one stays beside, out of sight, unless --remove says otherwise."
    )
    command.add_argument("name", help="the network's name")
    command.add_argument(
        "--to", required=True, metavar="URL|DIR", help="a PostgreSQL database, or a folder of networks"
    )
    command.add_argument("--data", type=Path, help="the folder that it is in (else DATABASE_URL, MAILLE_DATA or data)")
    command.add_argument("--remove", action="store_true", help="remove what it was made of once it has arrived")
    command.add_argument("--format", choices=("text", "json"), default="text", help="how the answer is written (text)")
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Move the network and say what arrived. 1: it cannot be moved, 2: there is no such network."""
    err = Console(stderr=True, highlight=False)
    settings = from_environment()
    if arguments.data is not None:
        settings = replace(settings, data=arguments.data, database_url=None)
    try:
        source = home_of(settings.homes, arguments.name)
        moved = _move(err, source, home_of(_there(settings, arguments.to).homes, arguments.name))
        if arguments.remove:
            asyncio.run(remove_store(moved.aside))
    except LookupError:
        err.print(f"There is no network '{arguments.name}' there.", markup=False, soft_wrap=True)
        return 2
    except StoreError as error:
        err.print(str(error), markup=False, soft_wrap=True)
        return 1
    (_as_json if arguments.format == "json" else _as_text)(moved, removed=arguments.remove)
    return 0


def _there(settings: Settings, to: str) -> Settings:
    """Return the settings of the installation that the network goes to."""
    if to.startswith(SCHEMES):
        return replace(settings, database_url=to)
    return replace(settings, data=Path(to), database_url=None)


def _move(err: Console, source: Home, target: Home) -> Moved:
    if isinstance(target, Path):
        target.parent.mkdir(parents=True, exist_ok=True)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed:.0f}"))
    with Progress(*columns, TimeElapsedColumn(), console=err, transient=True, disable=not err.is_terminal) as bar:
        task = bar.add_task("Looking at the network", total=None)

        def tell(table: str, done: int, total: int) -> None:
            bar.update(task, description=table, completed=done, total=max(total, 1))

        return asyncio.run(move(source, target, tell=tell))


def _as_json(moved: Moved, *, removed: bool) -> None:
    tables = [{"table": each.table, "rows": each.rows, "checksum": each.checksum} for each in moved.tables]
    answer = {"tables": tables, "aside": None if removed else str(moved.aside)}
    sys.stdout.write(json.dumps(answer, ensure_ascii=False, indent=2) + "\n")


def _as_text(moved: Moved, *, removed: bool) -> None:
    out = Console(highlight=False)
    table = Table("Table", "Rows", "Checksum (the same on both sides)", title="Arrived", title_justify="left")
    for each in moved.tables:
        table.add_row(each.table, f"{each.rows:,}", each.checksum[:16])
    out.print(table)
    if not removed:
        out.print(f"What it was made of is kept as {moved.aside}.", markup=False, soft_wrap=True)
