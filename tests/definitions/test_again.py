"""What is loaded again after a change is what a new process would load."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping, Set
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import pytest

from benchmarks.packs import grown
from definitions.expr import Expression
from definitions.files import RecentFiles
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
            found = [*re.finditer(r"[\w.]+", "\n".join(lines))]
            if found:
                word, other = chance.choice(found), chance.choice([*WORDS, *(each[0] for each in found)])
                text = word.string[: word.start()] + other + word.string[word.end() :]
                lines = text.split("\n")
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


Edit = tuple[str, str, str]
"""A file of the grown pack, a text in it, and what it is replaced with."""
AREA = "area_001/"
PROCESS, LEVEL = (f"{AREA}{name}.yaml" for name in ("contacts_2", "access_1"))
ENTITY, ORDER, DELIVERY, TEMPLATE = (
    f"{AREA}{name}.yaml" for name in ("contacts_1", "orders_1", "orders_3", "templates_1")
)
UNKNOWN_STEP = (LEVEL, "call_001, meet_001", "col_001, meet_001")
ASKED: Mapping[str, tuple[tuple[Edit, ...], tuple[Edit, ...]]] = {
    "fields of an entity": ((), ((ENTITY, "Prochain appel", "Autre appel"),)),
    "records of an entity": ((), ((ENTITY, "next_call_at: {", "following_at: {"),)),
    "whether there are records": (((ENTITY, "entity: contact_001", "entity: other"),), ((ENTITY, "", ""),)),
    "states of a process": ((), ((PROCESS, "  met: {", "  seen: {"),)),
    "whether states are parallel": (
        ((PROCESS, "met: {", "met: {states: {a: {initial: true}, b: {}}, "),),
        ((PROCESS, "met: {states", "met: {parallel: true, states"),),
    ),
    "groups of a state": (
        ((PROCESS, "  met: {", "  met: {states: {a: {initial: true}, b: {}}, "),),
        ((PROCESS, "  met: {states", "  seen: {states"),),
    ),
    "an entity as built": ((), ((ORDER, "record.number", "record.ordered_on"),)),
    "processes of an entity": ((), ((DELIVERY, "entity: order_001", "entity: ticket_001"),)),
    "transitions of a process": ((), ((PROCESS, "  meet_001:", "  see_001:"),)),
    "who has a transition": (
        ((DELIVERY, "entity: order_001", "entity: contact_001"),),
        ((DELIVERY, "  pack_001:", "  meet_001:"),),
    ),
    "a document": ((), ((TEMPLATE, "channel: email", "channel: notification"),)),
    "whether there is a document": ((), ((LEVEL, "level: clerk_001", "level: clerk"),)),
    "all names": (
        ((TEMPLATE, "about: contact_001", "about: contatt"),),
        ((ENTITY, "entity: contact_001", "entity: contat"),),
    ),
    "holes": ((UNKNOWN_STEP,), ((DELIVERY, "initial: true", "initial: 3"),)),
    "fields of members": ((), ((LEVEL, "fr: Agent", "fr: Autre"),)),
    "languages": ((), (("network.yaml", "[fr, en]", "[fr, en, de]"),)),
}


def after(files: Files, edits: tuple[Edit, ...]) -> Files:
    """Return the files with each text replaced; with the file as it was at first where there is none."""
    for name, old, new in edits:
        assert old in files[name]
        files = {**files, name: files[name].replace(old, new) if old else PACKS["grown"][name]}
    return files


@pytest.mark.parametrize("question", ASKED)
def test_what_one_document_asks_another_is_asked_again(question: str) -> None:
    before, edits = ASKED[question]
    files, memory = after(PACKS["grown"], before), Memory()
    was = told(load(files, memory=memory))
    changed = after(files, edits)
    now = told(load(changed, memory=memory))
    assert now == told(load(changed, memory=Memory()))
    assert now != was


def test_files_are_forgotten_that_no_pack_asked_for_lately() -> None:
    recent = RecentFiles(characters=100)
    for number in range(10):
        recent.read(f"{number}.yaml", "a" * 30)
    recent.forget({"9.yaml": "a" * 30})
    assert len(recent) == 3
    recent.read("0.yaml", "a" * 1000)
    recent.forget({"0.yaml": "a" * 1000})
    assert len(recent) == 1
