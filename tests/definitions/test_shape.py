"""The quick look at a document's shape agrees with JSON Schema: what it lets pass has no error."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.packs import grown
from definitions.documents import Source
from definitions.files import read_file
from definitions.pack import PACKS, read_folder
from definitions.shape import predicate
from definitions.source import Entry, Mapping, Node, Scalar, Sequence, data
from definitions.validate import fits, validator

TESTS = Path(__file__).parents[1] / "packs"
ODD: tuple[Any, ...] = ("", "x", "any", "Ä", 0, -1, 7, 3.5, 1.0, True, False, None)


def documents() -> Iterator[Source]:
    folders = sorted(path for place in (PACKS, TESTS) for path in place.iterdir() if path.is_dir())
    packs = [read_folder(folder) for folder in folders if folder.name != "__pycache__"]
    for files in [*packs, grown(55)]:
        for name, text in files.items():
            yield from read_file(name, text).sources


SOUND = [source for source in documents() if source.node is not None and not source.damaged]


def test_every_sound_document_passes_at_once() -> None:
    assert len(SOUND) > 100
    assert [source.place for source in SOUND if source.node is not None and not fits(source.kind)(source.node)] == []


def changed(node: Node, chance: random.Random) -> Node:
    """Return a node of which something is left out, said twice, or something else."""
    if isinstance(node, Mapping) and node.entries and chance.random() < 0.9:
        key = chance.choice(list(node.entries))
        entries = dict(node.entries)
        if chance.random() < 0.1:
            del entries[key]
        elif chance.random() < 0.1:
            entries[chance.choice(["zzz", "Not a name", "fr", *entries])] = entries[key]
        else:
            entries[key] = Entry(entries[key].key, changed(entries[key].value, chance))
        return Mapping(node.place, entries)
    if isinstance(node, Sequence) and node.items and chance.random() < 0.8:
        where = chance.randrange(len(node.items))
        if chance.random() < 0.3:
            return Sequence(node.place, (*node.items, node.items[where]))
        return Sequence(node.place, (*node.items[:where], changed(node.items[where], chance), *node.items[where + 1 :]))
    odd = chance.choice(ODD)
    others: list[Node] = [Scalar(node.place, str(odd), odd), Sequence(node.place), Sequence(node.place, (node,))]
    return chance.choice([*others, Mapping(node.place)])


def test_what_passes_at_once_has_no_error_by_json_schema() -> None:
    chance = random.Random(5)  # noqa: S311 - the same cases each time
    verdicts = {True: 0, False: 0}
    for _ in range(1500):
        source = chance.choice(SOUND)
        node = changed(source.node, chance) if source.node is not None else Mapping(source.place)
        passes = fits(source.kind)(node)
        sound = validator(source.kind).is_valid(data(node))
        assert sound or not passes, data(node)
        verdicts[sound] += passes == sound
    assert min(verdicts.values()) > 100


@pytest.mark.parametrize("schema", [False, {"contains": {}}, {"not": {}}, {"type": "string", "format": "date"}])
def test_what_is_not_known_does_not_pass(schema: Any) -> None:
    passes = predicate(schema, "here", lambda target, home: ({target: home}, home))
    assert not passes(Scalar(SOUND[0].place, "x", "x"))
