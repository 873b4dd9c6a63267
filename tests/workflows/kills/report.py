"""What `make kills` has done, as a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

HEAD = """# Kills

Written by `make kills` out of what it did ({parts} parts); what the words mean stands in `tests/workflows/kills`.

## Every point between two writes

A scene is played with a death at each of its points (a statement that writes, a commit, a mail, call or message that is
handed over, a file that is put in its place, a document that is set), and what is there in the end is compared with a
play without a death: all rows of all tables as sets, mails and calls received one by one. Each point three times:
*before* it, *after* it and before its answer (of a commit: before its acknowledgement), and *twice*: after it, and once
more at a point of the life that follows. *killed*: every 25th point in a process of its own that is killed with -9.
Where there is “–” nothing was done yet, and fewer deaths than points are a sample: `make kills` goes on.

| database | scene | points | before | after | twice | killed | unknown | calls repeated | wrong |
|---|---|---|---|---|---|---|---|---|---|
"""
STORM = """
## kill -9 under load

`maille serve` (and `maille worker`: two of each on PostgreSQL), killed at random times while eight people move records
over HTTP.
Afterwards: each move once in the history and in its record, each run, mail and call of an automation once, each mail
received that is *sent*, extra or missing ones only where it is *unknown*.

| database | storms | seeds | kills | moves acknowledged | requests broken off | mails | unknown | wrong |
|---|---|---|---|---|---|---|---|---|
"""
Done = Sequence[Mapping[str, Any]]


def write_report(done: Done, path: Path) -> None:
    """Write the page."""
    swept = [each for each in done if each["kind"] != "storm"]
    storms = [each for each in done if each["kind"] == "storm"]
    rows = [_scene(swept, *key) for key in dict.fromkeys((each["database"], each["name"]) for each in swept)]
    raged = [_storm(storms, database) for database in dict.fromkeys(each["database"] for each in storms)]
    text = HEAD.format(parts=len(done)) + "".join(rows) + _total(swept) + STORM + "".join(raged)
    path.write_text(text, encoding="utf-8")


def _scene(swept: Done, database: str, name: str) -> str:
    of_it = [each for each in swept if (each["database"], each["name"]) == (database, name)]
    deaths = {each["kind"]: each["deaths"] for each in of_it}
    told = (str(deaths.get(kind, "–")) for kind in ("before", "after", "twice", "killed"))
    points = max(each["points"] for each in of_it)
    sums = (str(_sum(of_it, what)) for what in ("unknown", "repeated"))
    return _row(database, name, str(points), *told, *sums, str(_wrong(of_it)))


def _total(swept: Done) -> str:
    deaths = {kind: str(_sum([e for e in swept if e["kind"] == kind], "deaths")) for kind in _kinds()}
    return _row(
        "**all**",
        "",
        "",
        *deaths.values(),
        str(_sum(swept, "unknown")),
        str(_sum(swept, "repeated")),
        str(_wrong(swept)),
    )


def _kinds() -> tuple[str, ...]:
    return ("before", "after", "twice", "killed")


def _storm(storms: Done, database: str) -> str:
    of_it = [each for each in storms if each["database"] == database]
    seeds = ", ".join(sorted((str(each["seed"]) for each in of_it), key=int))
    sums = (str(_sum(of_it, what)) for what in ("kills", "acknowledged", "broken", "mails", "unknown"))
    return _row(database, str(len(of_it)), seeds, *sums, str(_wrong(of_it)))


def _sum(done: Done, what: str) -> int:
    return sum(each[what] for each in done)


def _wrong(done: Done) -> int:
    return sum(len(each["wrong"]) for each in done)


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |\n"
