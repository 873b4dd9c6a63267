"""`maille plan`: say what publishing a pack would change, and change nothing."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from admin.cli.errand import Errand, examples, options, pack, refusable
from admin.cli.reports import REPORTS
from admin.control.answers import read_problem
from admin.i18n import spoken, spoken_number

if TYPE_CHECKING:
    from admin.cli.main import Subparsers

SIGNS = {"added": "+", "gained": "+", "removed": "-", "lost": "-", "changed": "~", "renamed": "~"}


def register(subparsers: Subparsers) -> None:
    """Add the command."""
    command = subparsers.add_parser(
        "plan",
        help=spoken("say what publishing a pack would change"),
        description=spoken(
            "Say what publishing a pack would change in a network: definitions, tables, states and the records "
            "in them,\nruns under way, rights. Exit code: 0 it can be published, 1 it is refused, 2 called wrongly."
        ),
        **examples("maille plan ./my_pack", "maille plan ./my_pack --network demo --format json"),
    )
    command.add_argument("pack", help=spoken("a folder, or the name of a pack that comes with Maille"))
    command.add_argument("--allow-loss", action="store_true", help=spoken("do not refuse what would lose data"))
    options(command)
    command.set_defaults(run=refusable(run))


def run(on: Errand, arguments: argparse.Namespace) -> int:
    """Ask for the plan and write it."""
    found = on.ask("plan", files=dict(pack(arguments.pack)), allow_loss=arguments.allow_loss)
    return show(on, found)


def show(on: Errand, found: Mapping[str, Any]) -> int:
    """Write a plan; return 1 when it is refused."""
    on.show(found)
    if on.json:
        return 1 if found["refused"] else 0
    for line in lines(found):
        on.tell(line)
    if found["refused"]:
        sys.stderr.write(REPORTS["text"]([read_problem(problem) for problem in found["refused"]]))
        return 1
    return 0


def lines(found: Mapping[str, Any]) -> Iterator[str]:
    """Yield a plan as lines for people."""
    if found["unchanged"]:
        yield spoken("Nothing changes: these are the definitions of version {n}.", n=found["base"])
        return
    yield spoken("From version {base} to version {next}:", base=found["base"], next=found["base"] + 1)
    yield from _section(spoken("Definitions"), map(_definition, found["definitions"]))
    yield from _section(spoken("Tables"), (line for table in found["tables"] for line in _table(table)))
    yield from _section(spoken("States"), map(_state, found["states"]))
    yield from _section(spoken("Runs under way"), map(_run, found["runs"]))
    yield from _section(spoken("Timers"), map(_timer, found["timers"]))
    yield from _section(spoken("Retention"), map(_retention, found["retentions"]))
    yield from _section(spoken("Rights"), map(_right, found["rights"]))
    yield from _section(spoken("What does not come back"), iter(found["gone"]))


def _section(title: str, rows: Iterator[str]) -> Iterator[str]:
    found = list(rows)
    if found:
        yield f"\n{title}"
        yield from (f"  {row}" for row in found)


def _definition(one: Mapping[str, Any]) -> str:
    was = " " + spoken("(was {name})", name=one["was"]) if one["was"] else ""
    return f"{SIGNS[one['change']]} {one['kind']} {one['name']}{was}"


def _table(one: Mapping[str, Any]) -> Iterator[str]:
    yield f"{SIGNS[one['change']]} {one['entity']}: {_records(one)}"
    yield from (f"    {sentence}" for sentence in one["details"])


def _state(one: Mapping[str, Any]) -> str:
    where = spoken("to {state}", state=one["goes_to"]) if one["goes_to"] else spoken("nowhere to go")
    return f"{SIGNS[one['change']]} {one['process']}.{one['state']}: {_records(one)}, {where}"


def _run(one: Mapping[str, Any]) -> str:
    count: int = one["active"]
    match one["fate"]:
        case "cancel":
            said = spoken_number("{n} run, which ends now", "{n} runs, which end now", count)
        case "migrate":
            said = spoken_number("{n} run, which goes over to it", "{n} runs, which go over to it", count)
        case _:
            said = spoken_number("{n} run, which finishes as it began", "{n} runs, which finish as they began", count)
    return f"{SIGNS[one['change']]} {one['automation']}: {said}"


def _timer(one: Mapping[str, Any]) -> str:
    count: int = one["waiting"]
    said = (
        spoken_number("{n} timer, which goes", "{n} timers, which go", count)
        if one["change"] == "removed"
        else spoken_number("{n} timer, planned anew", "{n} timers, planned anew", count)
    )
    return f"{SIGNS[one['change']]} {one['automation']}: {said}"


def _retention(one: Mapping[str, Any]) -> str:
    count: int = one["due"]
    said = spoken_number("{n} record is due by it", "{n} records are due by it", count)
    if one["at_most"]:
        said = spoken("{said} at most", said=said)
    held = spoken("announced anew before anything goes") if one["held"] else spoken("erased with the next hour")
    return f"{SIGNS[one['change']]} {one['entity']}" + (f": {said}, {held}" if one["change"] != "removed" else "")


def _right(one: Mapping[str, Any]) -> str:
    return f"{SIGNS[one['change']]} {one['says']}"


def _records(one: Mapping[str, Any]) -> str:
    return spoken_number("{n} record", "{n} records", one["records"])
