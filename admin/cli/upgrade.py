"""`maille network check`: whether this Maille understands what the networks of an installation live by."""

from __future__ import annotations

import argparse
import asyncio
import sys
from dataclasses import dataclass

from admin.cli.errand import CalledWronglyError, Errand, options, refusable
from admin.cli.reports import REPORTS
from admin.control.answers import UNPUBLISHED, RefusedError, refusal, sentence, text
from admin.i18n import spoken
from definitions.pack import load
from definitions.problems import Problem
from models.store import StoreError
from models.stored import newest_files
from models.stores import exists, home_of, names_in


@dataclass(frozen=True, slots=True)
class Found:
    """What this Maille finds in a network's current version: `opens` says whether the network is served with it.

    `reason` says why there is no version to look at.
    """

    network: str
    opens: bool
    problems: tuple[Problem, ...] = ()
    reason: str = ""


def add(command: argparse.ArgumentParser) -> None:
    """Add the arguments of `check`."""
    command.description = spoken(
        "Check the published definitions of every network with this Maille, beside the server that has them open: "
        "before an upgrade, run it from the new version.\nRules that the new version adds are told and stop nothing; "
        "a file that it does not understand is mended first, with the version that is running. Exit code: 0 every "
        "network opens, 1 one does not, 2 called wrongly."
    )
    command.add_argument("names", nargs="*", metavar="NAME", help=spoken("the networks to check (all)"))
    options(command, network=False)
    command.set_defaults(run=refusable(run))


def run(on: Errand, arguments: argparse.Namespace) -> int:
    """Check each network and say what was found."""
    found = asyncio.run(_check(on, arguments.names))
    on.show([_plain(one) for one in found])
    for one in found:
        on.tell(_line(one))
        if one.problems and not on.json:
            sys.stdout.flush()
            sys.stderr.write(REPORTS["text"](one.problems))
    return 0 if all(one.opens for one in found) else 1


async def _check(on: Errand, names: list[str]) -> list[Found]:
    try:
        known = names or await names_in(on.settings.homes)
    except StoreError as error:
        raise RefusedError(refusal(error)) from error
    return [await _one(on, name) for name in known]


async def _one(on: Errand, name: str) -> Found:
    there, files = False, None
    try:
        home = home_of(on.settings.homes, name)
        there = await exists(home)
        files = await newest_files(home) if there else None
    except LookupError:
        pass
    except StoreError as error:
        return Found(name, opens=False, reason=text(sentence(error)))
    if not there:
        raise CalledWronglyError(spoken("There is no network '{name}'.", name=name))
    if files is None:
        return Found(name, opens=False, reason=text(UNPUBLISHED))
    loaded = await asyncio.to_thread(load, files)
    return Found(name, loaded.whole is not None, loaded.errors)


def _line(found: Found) -> str:
    if found.reason:
        return f"{found.network}: {found.reason}"
    if not found.opens:
        return spoken("{network}: does not open with this Maille", network=found.network)
    if found.problems:
        return spoken("{network}: opens; this Maille has rules that it breaks", network=found.network)
    return spoken("{network}: fine", network=found.network)


def _plain(found: Found) -> dict[str, object]:
    problems = [
        {"code": one.code, "file": one.place.file, "line": one.place.line, "message": one.message, "hint": one.hint}
        for one in found.problems
    ]
    return {"network": found.network, "opens": found.opens, "problems": problems, "reason": found.reason}
