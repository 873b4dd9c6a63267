"""What is promised beside what is reached, and what others reach: a page and a picture of figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from benchmarks.figure import Figure, number
from benchmarks.report import Found, medians

SQLITE_HTTP, SQLITE = ("SQLite", "over HTTP"), ("SQLite", "in the process")


@dataclass(frozen=True, slots=True)
class Share:
    """A target of a rate that is measured beside raw: at least this share of it, and at most so much CPU."""

    where: tuple[str, str]
    what: str
    least: float


SHARES = (
    Share(SQLITE_HTTP, "transition", 0.30),
    Share(SQLITE_HTTP, "list of 50", 0.40),
    Share(SQLITE_HTTP, "one record", 0.40),
    Share(SQLITE, "transition", 0.50),
)
CPU = {"transition": 1.0}
"""Milliseconds that one over HTTP costs at most."""
ROWS = 10_000
PEERS: Mapping[str, tuple[str, str]] = {
    "transition": ("52–77/s (13–18 ms)", "176–271/s (3.7–5.9 ms)"),
    "list of 50": ("140/s (6.6 ms)", "152–230/s (4.3–7.3 ms)"),
    "one record": ("195–262/s", "386–528/s"),
    "import, rows": ("845/s", "3,778/s"),
}
"""What Directus, and Django REST framework with django-fsm, reach on such a machine, one process, 100,000 records."""
MEMORY = ("639 MB", "105 MB")
"""What they hold in memory under load."""
HEAD = """
## Targets

What issue 6 asks for, beside what this run reached. *Met* compares wall time as it was: on a machine with other work
shares and CPU say more than rates. Each row can be measured alone: `python -m benchmarks.bulk`, `mails`, `growth`,
`latency`, `networks`, `timers`.

![Reached, as a share of the target](targets.svg)

| what | reached | target | met | raw | of raw | CPU | raw, CPU |
|---|---:|---:|---|---:|---:|---:|---:|
"""
BESIDE = """
## Beside others

One process over HTTP, 100,000 records, row rules and history on; SQLite.

| what | Maille | Directus | Django REST framework with django-fsm |
|---|---:|---:|---:|
"""


def of_rates(found: Found) -> list[Figure]:
    """Return the targets of what is measured beside raw: shares of it, CPU and rows a second."""
    figures = []
    for share in SHARES:
        rounds = found.get((*share.where, share.what))
        if rounds:
            ours, raw = medians(rounds)
            what, how = f"{share.what}, {share.where[1]}", "ours as a share of the bare limit, 8 callers"
            reached = ours.second / raw.second * 100
            figures.append(Figure(what, reached, "% of raw", share.least * 100, how, cpu=ours.cpu, raw_cpu=raw.cpu))
            if share.where == SQLITE_HTTP and share.what in CPU:
                how = "milliseconds of CPU of the server for each"
                figures.append(
                    Figure(f"CPU of a {share.what}", ours.cpu, "ms", CPU[share.what], how, raw.cpu, most=True)
                )
    rounds = found.get((*SQLITE, "import, rows"))
    if rounds:
        ours, raw = medians(rounds)
        how = "500 rows a transaction, in the process: validated, looked for among the caller's, history and audit"
        figures.append(Figure("import", ours.second, "rows/s", ROWS, how, raw.second, ours.cpu, raw.cpu))
    return [*figures, *_beside(found)]


def _beside(found: Found) -> list[Figure]:
    """Return what others are compared with: rates without a target of their own."""
    figures = []
    for what in PEERS:
        rounds = found.get((*SQLITE_HTTP, what))
        if rounds:
            ours, raw = medians(rounds)
            figures.append(Figure(named(what), ours.second, "/s", None, "", raw.second, ours.cpu, raw.cpu))
    return figures


def named(what: str) -> str:
    """Return what a figure is called that stands beside others'."""
    return f"beside others: {what}"


def page(figures: Sequence[Figure]) -> str:
    """Return the figures as Markdown."""
    promised = [each for each in figures if each.target is not None]
    text = HEAD + "".join(map(_line, promised)) + "\n"
    text += "".join(f"- {each.what}: {each.how}.\n" for each in promised)
    by_name = {each.what: each for each in figures}
    text += BESIDE
    for what, others in PEERS.items():
        ours = by_name.get(named(what))
        if ours is not None:
            text += f"| {what} | {ours.reached:,.0f}/s ({ours.cpu or 0:.2f} ms) | {' | '.join(others)} |\n"
    memory = by_name.get(named("memory"))
    if memory is not None:
        text += f"| memory under load | {memory.reached:,.0f} MB | {' | '.join(MEMORY)} |\n"
    return text


def _line(figure: Figure) -> str:
    sign = "≤" if figure.most else "≥"
    cells = [
        figure.what,
        f"{number(figure.reached)} {figure.unit}",
        f"{sign} {number(figure.target or 0)}",
        "yes" if figure.met else "**no**",
        "" if figure.raw is None else number(figure.raw),
        "" if figure.ratio is None else f"{figure.ratio:.0%}",
        "" if figure.cpu is None else f"{figure.cpu:.3f} ms",
        "" if figure.raw_cpu is None else f"{figure.raw_cpu:.3f} ms",
    ]
    return f"| {' | '.join(cells)} |\n"


ROW, LEFT, WIDE, RIGHT = 22, 260, 400, 180
GOAL = 250
"""Where the target stands on every line."""
_BAR = '<rect x="{x}" y="{y}" width="{width:.0f}" height="14" fill="{colour}"/>'
_WORD = '<text x="{x:.0f}" y="{y}"{anchor}>{text}</text>'


def picture(figures: Sequence[Figure], day: datetime) -> str:
    """Return bars as SVG: each figure against its target, longer is better."""
    lines = []
    promised = [each for each in figures if each.target]
    for place, each in enumerate(promised):
        target, y = each.target or 1.0, 40 + place * ROW
        share = target / each.reached if each.most else each.reached / target
        width = min(share * GOAL, WIDE)
        colour = "#2f6f9f" if each.met else "#c2703d"
        said = f"{number(each.reached)} {each.unit}"
        lines += [
            _WORD.format(x=LEFT - 8, y=y + 11, anchor=' text-anchor="end"', text=each.what),
            _BAR.format(x=LEFT, y=y, width=width, colour=colour),
            _WORD.format(x=LEFT + max(width, 0) + 6, y=y + 11, anchor="", text=said),
        ]
    height, wide = 52 + len(promised) * ROW, LEFT + WIDE + RIGHT
    goal = LEFT + GOAL
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {height}" width="{wide}" height="{height}" '
        'font-family="sans-serif" font-size="12">\n'
        f'<rect width="{wide}" height="{height}" fill="white"/>\n'
        f'<text x="8" y="22" font-size="14">Reached beside the target, the upright line ({day:%Y-%m-%d})</text>\n'
        f'<line x1="{goal}" y1="34" x2="{goal}" y2="{height - 10}" stroke="#444444"/>\n'
        + "\n".join(lines)
        + "\n</svg>\n"
    )
