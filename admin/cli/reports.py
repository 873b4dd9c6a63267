"""Problems as text, JSON, SARIF 2.1.0 and GitHub's workflow commands."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

from admin.i18n import spoken, spoken_number
from definitions.message import Message
from definitions.problems import Problem

Report = Callable[[Sequence[Problem]], str]
PACK = "PACK"
"""What SARIF logs call the folder that their files are relative to."""


def text(problems: Sequence[Problem]) -> str:
    """Return a line a problem, its hint below, and a last line that counts."""
    lines = []
    for problem in problems:
        kind = "" if problem.severity == "error" else spoken("warning") + ": "
        lines.append(f"{problem.place}: {kind}{problem.code}: {_said(problem.message)}")
        if problem.hint:
            lines.append(f"    {_said(problem.hint)}")
    errors = sum(problem.severity == "error" for problem in problems)
    warnings = len(problems) - errors
    found = (
        spoken_number("{n} error", "{n} errors", errors) if errors else spoken("no errors"),
        spoken_number("{n} warning", "{n} warnings", warnings) if warnings else spoken("no warnings"),
    )
    lines.append(", ".join(found))
    return "\n".join(lines) + "\n"


def _said(message: str) -> str:
    return spoken(message) if isinstance(message, Message) else message


def as_json(problems: Sequence[Problem]) -> str:
    """Return the problems as a list of objects: what programs read."""
    return json.dumps([_plain(problem) for problem in problems], ensure_ascii=False, indent=2) + "\n"


def _plain(problem: Problem) -> dict[str, Any]:
    return {
        "code": problem.code,
        "severity": problem.severity,
        "file": problem.place.file,
        "line": problem.place.line,
        "column": problem.place.column,
        "message": problem.message,
        "hint": problem.hint,
    }


def sarif(problems: Sequence[Problem], folder: Path | None = None) -> str:
    """Return a SARIF log with one run; `folder` is where the files are, which the log names relative to it."""
    run: dict[str, Any] = {
        "tool": {"driver": {"name": "Maille", "rules": [_rule(code) for code in _codes(problems)]}},
        "columnKind": "unicodeCodePoints",
        "results": [_result(problem) for problem in problems],
    }
    if folder is not None:
        run["originalUriBaseIds"] = {PACK: {"uri": f"{folder.resolve().as_uri()}/"}}
    log = {"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": [run]}
    return json.dumps(log, ensure_ascii=False, indent=2) + "\n"


def _codes(problems: Sequence[Problem]) -> list[str]:
    return sorted({problem.code for problem in problems})


def _rule(code: str) -> dict[str, Any]:
    from definitions.codes import codes  # noqa: PLC0415 - it knows the checker, which takes long

    known = codes().get(code)
    return {"id": code} if known is None else {"id": code, "shortDescription": {"text": known.says}}


def _result(problem: Problem) -> dict[str, Any]:
    place = problem.place
    return {
        "ruleId": problem.code,
        "level": problem.severity,
        "message": {"text": f"{problem.message} {problem.hint}".rstrip()},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": quote(place.file, errors="surrogateescape"), "uriBaseId": PACK},
                    "region": {"startLine": place.line, "startColumn": place.column},
                },
            },
        ],
    }


def github(problems: Sequence[Problem], folder: Path | None = None) -> str:
    """Return a workflow command a problem, so that GitHub shows it at its line.

    GitHub looks for files from the current folder on; those of a pack (in `folder`) below it are named from there.
    """
    here = Path.cwd()
    if folder is not None and folder.resolve().is_relative_to(here):
        within = folder.resolve().relative_to(here)
        problems = [
            replace(each, place=replace(each.place, file=(within / each.place.file).as_posix())) for each in problems
        ]
    return "".join(_command(problem) + "\n" for problem in problems)


def _command(problem: Problem) -> str:
    place = problem.place
    where = f"file={_property(place.file)},line={place.line},col={place.column},title={_property(problem.code)}"
    return f"::{problem.severity} {where}::{_escaped(f'{problem.message} {problem.hint}'.rstrip())}"


def _escaped(written: str) -> str:
    return written.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(written: str) -> str:
    return _escaped(written).replace(":", "%3A").replace(",", "%2C")


REPORTS: dict[str, Report] = {"text": text, "json": as_json, "sarif": sarif, "github": github}
IN_PLACE: dict[str, Callable[[Sequence[Problem], Path | None], str]] = {"sarif": sarif, "github": github}
"""The reports that say where on this machine the files are."""
