"""Throw made-up expressions and YAML files at the parsers: `make fuzz`.

Whatever is written is either built or refused with problems: no other exception, nothing that takes longer than
`SECONDS`, no more memory than `MEGABYTES`. Each case depends on its number alone, so that one that fails comes again.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import resource
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from definitions.expr import compile_expression, to_sql
from definitions.expr.outcomes import settled_parts
from definitions.expr.parse import parse
from definitions.expr.strict import run
from definitions.expr.strict_check import deduce
from definitions.expr.strict_values import StrictError
from definitions.pack import load
from definitions.problems import DefinitionError
from tests.definitions.expr.grammar import LEAVES, ORDERS, SPANS
from tests.definitions.expr.world import CONTEXT, PLACE, SCOPE, DealColumns

ROOT = Path(__file__).parents[1]
SECONDS = 5
MEGABYTES = 200
ROW = {"record": {"name": "a", "calls": 2, "tags": ("red",), "lines": ()}, "form": {"x": [1]}, "settings": {}}
WORDS = [
    *(word for kind in LEAVES.values() for word in kind),
    *SPANS,
    *ORDERS,
    *("&&", "||", "!", "-", "+", "*", "/", "%", "==", "!=", "in", "?", ":", ".", ",", "(", ")", "[", "]", "{", "}"),
    *("record", "actor", "form.x", "record.lines", "record.extra", "x", "true", "null", "9223372036854775807", "1e400"),
    *(
        "has(",
        "size(",
        "age(",
        "round(",
        "min(",
        "is_in(record.stage, ",
        "sum(record.lines, l, l.amount)",
        "5u",
        "b'a'",
    ),
    *(".all(x, ", ".map(x, ", ".filter(x, ", ".exists(x, ", ".matches(", ".replace(", ".split(", ".substring("),
    *('"', "'", '"""', "\\", "`", "é", "\u202f", "\ud800", "\x00", "0x", "//", "\n", "'(a+)+$'", "'%s'.format([", " "),
]
LINES = [
    *("---", "key: [", "  - {", "&a", "*a", "<<: *a", "!!python/object:os.system {}", "? ", "|", ">-", "\t", "#", "'"),
    *("if: record.x == 1", "guard: '=='", "entity: lead", "states: {a: {initial: true}}", "\ufeff", "\x85", "..."),
]  # fmt: skip


class HangError(Exception):
    """A case took longer than it may."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A case that was neither built nor refused."""

    number: int
    text: str
    reason: str


def expression(chance: random.Random, known: Sequence[str]) -> str:
    """Return something like an expression: words in a row, expressions put into each other, or one that is damaged."""
    kind = chance.random()
    if kind < 0.4:
        return chance.choice(["", " "]).join(chance.choices(WORDS, k=chance.randint(1, 14)))
    if kind < 0.5:
        opened, closed = chance.choice([("(", ")"), ("[", "]"), ("!", ""), ("-", ""), ("size(", ")"), ("{1: ", "}")])
        depth = chance.choice([3, 30, 79, 81, 500])
        return opened * depth + chance.choice(known) + closed * depth
    if kind < 0.6:
        return chance.choice([" && ", " || ", " + ", ", "]).join(chance.choices(known, k=chance.choice([2, 20, 400])))
    return _damaged(chance, chance.choice(known), WORDS)


def file(chance: random.Random, known: Sequence[str]) -> str:
    """Return something like a file of a pack: lines of several files, or one that is damaged in a few places."""
    lines = chance.choice(known).split("\n")
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(lines))
        match chance.randrange(6):
            case 0:
                del lines[at : at + chance.randint(1, 3)]
            case 1:
                lines[at:at] = chance.choice(known).split("\n")[: chance.randint(1, 8)]
            case 2:
                lines[at] = " " * chance.randint(0, 6) + lines[at].strip()
            case 3:
                lines[at:at] = lines[at : at + chance.randint(1, 5)] * chance.choice([1, 2, 50])
            case _:
                lines[at] = _damaged(chance, lines[at], [*LINES, *WORDS])
        lines = lines or [""]
    return "\n".join(lines)


def _damaged(chance: random.Random, text: str, words: Sequence[str]) -> str:
    for _ in range(chance.randint(1, 3)):
        start = chance.randint(0, len(text))
        end = chance.choice([start, start + 1, start + chance.randint(0, 10)])
        text = text[:start] + chance.choice(["", chance.choice(words), text[end:start:-1]]) + text[end:]
    return text


def try_expression(text: str) -> None:
    """Check, prove, run and translate an expression, and read it as strict CEL."""
    try:
        found = compile_expression(text, PLACE, SCOPE)
    except DefinitionError:
        pass
    else:
        found.evaluate(ROW, CONTEXT)
        list(settled_parts(found))
        _translate(found.text)
    try:
        tree = parse(text, PLACE, strict=True)
        deduce(tree, {})
        run(tree, {})
    except (DefinitionError, StrictError):
        pass


def _translate(text: str) -> None:
    try:
        found = compile_expression(text, PLACE, SCOPE, query=True)
    except DefinitionError:
        return
    to_sql(found, "sqlite", DealColumns())


def try_file(text: str) -> None:
    """Load a pack of one file."""
    load({"pack.yaml": text})


Attempt = tuple[Callable[[random.Random, Sequence[str]], str], Callable[[str], None]]
ATTEMPTS: dict[str, Attempt] = {"expressions": (expression, try_expression), "files": (file, try_file)}


def seeds(name: str) -> list[str]:
    """Return what cases are made of: expressions of the tests, files of packs."""
    if name == "expressions":
        return [text for kind in LEAVES.values() for text in kind]
    folders = (ROOT / "tests" / "golden" / "broken_packs", ROOT / "definitions" / "packs", ROOT / "docs" / "examples")
    return [path.read_text("utf-8") for folder in folders for path in sorted(folder.rglob("*.yaml"))]


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Raise `HangError` where the body takes longer."""

    def stop(*_: object) -> None:
        raise HangError

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def fuzz(attempt: Attempt, known: Sequence[str], numbers: range, *, seconds: float = SECONDS) -> Iterator[Failure]:
    """Yield the cases of these numbers that are neither built nor refused."""
    make, take = attempt
    for number in numbers:
        digest = hashlib.sha256(str(number).encode()).digest()
        text = make(random.Random(digest), known)  # noqa: S311 - cases, no secrets
        try:
            with within(seconds):
                take(text)
        except HangError:
            yield Failure(number, text, f"it takes longer than {seconds} s")
        except Exception:  # noqa: BLE001 - whatever it is, it is what is looked for
            yield Failure(number, text, traceback.format_exc(limit=-3))


def megabytes() -> float:
    """Return the most memory that the process has had."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (1 << 20 if sys.platform == "darwin" else 1 << 10)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the cases asked for; print what fails and the figures; return 1 where something does."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("--expressions", type=int, default=0)
    parser.add_argument("--files", type=int, default=0)
    parser.add_argument("--first", type=int, default=0, help="the number of the first case")
    options = parser.parse_args(arguments)
    failed = False
    for name, attempt in ATTEMPTS.items():
        count: int = getattr(options, name)
        if not count:
            continue
        begun, found = time.monotonic(), 0
        for failure in fuzz(attempt, seeds(name), range(options.first, options.first + count)):
            found += 1
            sys.stdout.write(f"{name} {failure.number}: {failure.text!r}\n{failure.reason}\n")
        took, most = time.monotonic() - begun, megabytes()
        sys.stdout.write(f"{name}: {count} in {took:.0f} s, {found} failed, {most:.0f} MB\n")
        failed |= found > 0 or most > MEGABYTES
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
