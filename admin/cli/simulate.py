"""`maille simulate`: say what a pack would have done in the last days, writing and sending nothing."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from admin.cli.errand import Errand, examples, options, pack, refusable
from admin.i18n import spoken, spoken_number
from definitions.message import say
from workflows.simulation import HEADS, LONGEST, RESULTS

if TYPE_CHECKING:
    from admin.cli.main import Subparsers

DAYS = 30
NOTHING = say("Nothing would have happened.")


def register(subparsers: Subparsers) -> None:
    """Add the command."""
    command = subparsers.add_parser(
        "simulate",
        help=spoken("say what a pack would have done in the last days"),
        description=spoken(
            "Replay the history of the last days on a copy of the network, with the definitions of a pack: what its "
            "automations\nwould have done (mails to whom, tasks, moves), which moves a process would have refused. "
            "Nothing is written or sent.\nExit code: 0 done, 1 refused, 2 called wrongly."
        ),
        **examples(
            "maille simulate ./my_pack --automation welcome --days 30",
            "maille simulate ./my_pack --network demo --process upkeep --format json",
        ),
    )
    command.add_argument("pack", help=spoken("a folder, or the name of a pack that comes with Maille"))
    command.add_argument("--automation", help=spoken("only this automation (those that are new or other ones)"))
    command.add_argument("--process", help=spoken("ask for each move of this process again"))
    command.add_argument(
        "--days", type=int, default=DAYS, help=spoken("how far to go back, {most} at most (30)", most=LONGEST)
    )
    options(command)
    command.set_defaults(run=refusable(run))


def run(on: Errand, arguments: argparse.Namespace) -> int:
    """Ask for the simulation and write what came of it."""
    asked = {"automation": arguments.automation, "process": arguments.process, "days": arguments.days}
    found = on.ask("simulate", files=dict(pack(arguments.pack)), **asked)
    on.show(found)
    for line in lines(found):
        on.tell(line)
    return 0


def lines(found: Mapping[str, Any]) -> Iterator[str]:
    """Yield a simulation as lines for people."""
    tried = ", ".join((*found["automations"], *found["processes"]))
    yield spoken(
        "{tried}, from {since} to {until}:", tried=tried, since=_day(found["since"]), until=_day(found["until"])
    )
    yield spoken_number(
        "{n} thing that happened was replayed.", "{n} things that happened were replayed.", found["replayed"]
    )
    if not found["lines"]:
        yield spoken(NOTHING)
    for kind, head in HEADS.items():
        of_kind = [line for line in found["lines"] if line["kind"] == kind]
        if of_kind:
            yield f"\n{spoken(head)}: {found['totals'][kind]:,}"
            yield from map(_line, of_kind)
        if kind in found["more"]:
            yield "  " + spoken_number("… and {n} line more", "… and {n} lines more", found["more"][kind])
    if found["unfit"]:
        yield "\n" + spoken("What happened and has no place in these definitions")
        yield from (f"  {count:>6}  {why}" for why, count in found["unfit"].items())


def _line(line: Mapping[str, Any]) -> str:
    result = line["result"]
    said = spoken(RESULTS[result]) if result in RESULTS else result or spoken("(not for you to see)")
    why = f": {line['reason']}" if line["reason"] else ""
    return f"  {line['count']:>6}  {line['what']}  {said}{why}"


def _day(moment: str) -> str:
    return moment[:16].replace("T", " ")
