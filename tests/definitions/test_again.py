"""What is loaded again after a change is what a new process would load."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Set
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import pytest

from benchmarks.packs import grown
from definitions.expr import Expression
from definitions.pack import Files, Loaded, Memory, load, read_folder
from tests.running import tries

HERE = Path(__file__).parents[1] / "packs"
LIBRARY = HERE / "library"
PACKS: Mapping[str, Files] = {
    "language": read_folder(HERE / "language"),
    "joining": read_folder(HERE / "joining"),
    "grown": grown(55),
}
EDITS = 15
WORDS = ["lead", "contact_001", "text", "integer", "any", "true", "=now()", "record.calls > 2", "clerk_001", "fr", "[]"]


def everything(made: Any) -> Any:
    """Return all that a definition says and where, as data that can be compared."""
    match made:
        case Expression():
            return "=", made.text, made.place, made.type, sorted(made.reads)
        case Mapping():
            return [(name, everything(value)) for name, value in made.items()]
        case Set():
            return sorted(map(repr, made))
        case tuple() | list():
            return [everything(each) for each in made]
        case _ if is_dataclass(made) and not isinstance(made, type):
            return type(made).__name__, [everything(getattr(made, each.name)) for each in fields(made)]
        case _:
            return made


def told(loaded: Loaded) -> Any:
    """Return all that a load has to say."""
    uses = sorted((use.place, use.length, use.target) for use in loaded.notes.uses)
    asked = sorted(each.node.at(each.offset) for each in loaded.notes.asked)
    return everything(loaded.problems), everything(loaded.network), uses, asked


def lines_of(files: Files) -> list[str]:
    return sorted({line for text in files.values() for line in text.splitlines()})


def edited(files: Files, original: Files, chance: random.Random) -> dict[str, str]:
    """Return the files with one of them changed, gone or as it was at first."""
    name = chance.choice(sorted(original))
    lines = files.get(name, "").splitlines()
    where = chance.randrange(len(lines)) if lines else 0
    match chance.randrange(8):
        case 0:
            return {each: text for each, text in files.items() if each != name}
        case 1 | 2 | 3:
            return {**files, name: original[name]}
        case 4:
            lines[where : where + 1] = []
        case 5:
            lines[where:where] = [chance.choice(lines_of(original))]
        case 6:
            lines[where:where] = ["# a comment, below which everything stands elsewhere"]
        case _:
            words = lines[where].split(" ") if lines else [""]
            words[-1] = chance.choice(WORDS)
            lines[where : where + 1] = [" ".join(words)]
    return {**files, name: "\n".join(lines) + "\n"}


def course(original: Files, chance: random.Random, edits: int = EDITS) -> Iterator[dict[str, str]]:
    files = dict(original)
    for _ in range(edits):
        files = edited(files, original, chance)
        yield files


@pytest.mark.parametrize("pack", PACKS)
@pytest.mark.parametrize("seed", [1, 2])
def test_after_any_change_a_pack_loads_as_if_for_the_first_time(pack: str, seed: int) -> None:
    memory = Memory()
    load(PACKS[pack], library=LIBRARY, memory=memory)
    chance = random.Random(seed)  # noqa: S311 - chance for a test
    for files in course(PACKS[pack], chance, tries(EDITS)):
        again, first = (load(files, library=LIBRARY, memory=each) for each in (memory, Memory()))
        assert told(again) == told(first)
