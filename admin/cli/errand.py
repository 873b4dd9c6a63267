"""What the commands share: which folder and network, asking the control door, and saying what came of it."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import wraps
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from admin.cli.check import no_pack, pack_folder
from admin.cli.reports import REPORTS
from admin.control.answers import Refusal, RefusedError, plain
from admin.control.client import ask
from admin.i18n import SOURCE_LANGUAGE, speaking, spoken, spoken_language
from admin.settings import Settings, from_environment
from definitions.message import say
from definitions.pack import Files, read_folder

YES, NO = say("yes"), say("no")
DOING = {
    "rows": say("Rows"),
    "verify": say("Checking the rows"),
    "rewind": say("Going back"),
    "simulate": say("Living through it again"),
}
Parser = argparse.ArgumentParser


class CalledWronglyError(Exception):
    """The command was called wrongly; the sentence says how to call it."""


def examples(*lines: str) -> dict[str, Any]:
    """Return the part of a parser that ends its help with examples."""
    text = spoken("examples:") + "\n" + "\n".join(f"  {line}" for line in lines)
    return {"epilog": text, "formatter_class": argparse.RawDescriptionHelpFormatter}


FOLDER = say("the folder of networks (MAILLE_DATA, else data)")


def options(parser: Parser, *, network: bool = True, data: str = FOLDER) -> None:
    """Add what every command takes that asks for something."""
    if network:
        parser.add_argument("--network", help=spoken("the network's name (where there is only one: that)"))
    parser.add_argument("--data", type=Path, help=spoken(data))
    add_format(parser)


def add_format(parser: Parser) -> None:
    """Add `--format`, which every command has."""
    parser.add_argument(
        "--format", choices=("text", "json"), default="text", help=spoken("how the answer is written (text)")
    )


def as_json(answer: Any) -> str:
    """Return an answer for programs."""
    return json.dumps(answer, ensure_ascii=False, indent=2) + "\n"


def write_json(answer: Any) -> None:
    """Write an answer for programs on standard output, at once."""
    sys.stdout.write(as_json(answer))
    sys.stdout.flush()


def pack(name: str) -> Files:
    """Return the files of a pack: a folder, or one that comes with Maille."""
    folder = pack_folder(name)
    if folder is None:
        raise CalledWronglyError(no_pack(name))
    return read_folder(folder)


@dataclass(frozen=True, slots=True)
class Errand:
    """One call of a command."""

    settings: Settings
    json: bool
    network: str | None
    out: Console
    err: Console

    def ask(self, operation: str, **given: Any) -> Any:
        """Return the answer to an operation; `RefusedError` when it is not done. Long work has a bar on a terminal."""
        if self.network is not None:
            given.setdefault("network", self.network)
        columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed:.0f}"))
        shown = self.err.is_terminal and not self.json
        with Progress(*columns, TimeElapsedColumn(), console=self.err, transient=True, disable=not shown) as bar:
            task = bar.add_task(spoken("Working"), total=None)

            def progress(what: str, done: int, total: int) -> None:
                bar.update(task, description=spoken(DOING.get(what, what)), completed=done, total=max(total, 1))

            return asyncio.run(ask(self.settings, operation, given, progress))

    def tell(self, text: str) -> None:
        """Write a line for people, on standard output."""
        if not self.json:
            self.out.print(escape(text), soft_wrap=True)

    def show(self, answer: Any) -> None:
        """Write an answer as JSON when that was asked for."""
        if self.json:
            write_json(answer)

    def agrees(self, question: str) -> bool:
        """Whether somebody at the terminal says yes; without a terminal nobody does."""
        if not sys.stdin.isatty():
            return False
        self.err.print(escape(question) + f" [{spoken(YES)[0]}/{spoken(NO)[0].upper()}] ", end="")
        return sys.stdin.readline().strip().lower() in {spoken(YES), spoken(YES)[0]}


def errand(arguments: argparse.Namespace) -> Errand:
    """Return the errand of a call."""
    settings = from_environment()
    if arguments.data is not None:
        settings = replace(settings, data=arguments.data)
    network = getattr(arguments, "network", None)
    out, err = Console(highlight=False), Console(stderr=True, highlight=False)
    return Errand(settings, arguments.format == "json", network, out, err)


Run = Callable[[argparse.Namespace], int]


def refusable(run: Callable[[Errand, argparse.Namespace], int]) -> Run:
    """Return a command that says what refused it (1) or how it is called (2)."""

    @wraps(run)
    def called(arguments: argparse.Namespace) -> int:
        on = errand(arguments)
        with speaking(SOURCE_LANGUAGE if on.json else spoken_language()):
            return answered(on, arguments)

    def answered(on: Errand, arguments: argparse.Namespace) -> int:
        try:
            return run(on, arguments)
        except RefusedError as error:
            _report(on, error.refusal)
            return 1
        except CalledWronglyError as error:
            on.err.print(escape(str(error)), soft_wrap=True)
            return 2
        except KeyboardInterrupt:
            on.err.print(
                spoken("Interrupted. What was being published is there in full or not at all: 'maille history' tells.")
            )
            return 1

    return called


def _report(on: Errand, refusal: Refusal) -> None:
    on.show({"refused": plain(refusal)})
    if on.json:
        return
    if refusal.problems:
        sys.stderr.write(REPORTS["text"](refusal.problems))
    on.err.print(escape(spoken(refusal.message)), soft_wrap=True)
    for name, said in refusal.values.items():
        on.err.print(escape(f"  {name}: {said}" if name else f"  {said}"), soft_wrap=True)
    for version in refusal.between:
        on.err.print(escape(f"  {version_line(version)}"), soft_wrap=True)


def version_line(version: Mapping[str, Any]) -> str:
    """Return a version in a line: number, time, who, what."""
    who = " " + spoken("by {author}", author=version["author"]) if version["author"] else ""
    note = f": {version['note']}" if version["note"] else ""
    at = str(version["at"])[:19].replace("T", " ")
    files = ", ".join(version["files"])
    return f"{version['version']:>4}  {at} UTC  {version['hash'][:10]}{who}{note}  ({files})"
