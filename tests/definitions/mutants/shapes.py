"""Breaking the shape of documents: keys, values, names, languages, YAML itself."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tests.definitions.mutants.meaning import documents, has_own_keys, is_free, is_named, is_text, names_something
from tests.definitions.mutants.mutant import Mutant, add, around, drop, mutants, put, rename
from tests.definitions.mutants.written import Pack, Spot

REQUIRED: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = (
    ("entity", ("fields/*",), ("type",)),
    ("network", ("settings/*",), ("type",)),
    ("process", ("",), ("entity", "states", "transitions")),
    ("process", ("transitions/*",), ("from", "to")),
    ("process", ("transitions/*/approval",), ("by",)),
    ("automation", ("",), ("do", "when")),
    ("automation", ("when/stays", "when/*/stays"), ("state", "for")),
    ("automation", ("when/due", "when/*/due"), ("entity", "at")),
    ("automation", ("when/changed", "when/*/changed"), ("entity",)),
    ("automation", ("when/every", "when/*/every"), ("cron",)),
    ("automation", ("**/(email|sms|notify)",), ("template", "to")),
    ("automation", ("**/document",), ("template", "to_field")),
    ("automation", ("**/create",), ("entity", "values")),
    ("automation", ("**/task",), ("title",)),
    ("automation", ("**/choose/*",), ("if", "do")),
    ("template", ("",), ("channel", "body")),
    ("terms", ("",), ("version", "body")),
    ("statistic", ("",), ("entity", "measure")),
    ("screen", ("",), ("entity",)),
    ("screen", ("board", "board/*"), ("process",)),
)
"""By kind of document, the keys without which values at a place mean nothing."""


def unknown_keys(pack: Pack) -> Iterator[Mutant]:
    """A key that no place knows."""
    for spot in _everything(pack):
        if spot.mapping and not has_own_keys(spot):
            codes = ("schema.unknown_key", "automation.")
            yield from mutants("unknown key", [add(spot, "colouring: red")], codes=codes)


def misspelt_keys(pack: Pack) -> Iterator[Mutant]:
    """A key with a letter too many."""
    for spot in _everything(pack):
        fixed = spot.key is not None and spot.above is not None and not has_own_keys(spot.above)
        if fixed and spot.name != spot.document.kind and not _text_key(spot):
            yield from mutants("misspelt key", [rename(spot, f"{spot.name}x")])


def misspelt_kinds(pack: Pack) -> Iterator[Mutant]:
    """A kind of document with a letter too many."""
    for document in documents(pack):
        yield from mutants("misspelt kind", [rename(document.root.children[0], f"{document.kind}x")])


def bad_names(pack: Pack) -> Iterator[Mutant]:
    """A name with what no name has."""
    for spot in _everything(pack):
        if is_named(spot) and spot.document.kind != "automation":
            yield from mutants("bad name", [rename(spot, f"{spot.name.title()}-1")], codes=("schema.name",))
    for document in documents(pack):
        name = document.root.children[0]
        yield from mutants("bad name", [put(name, f"{name.text.title()}-1")])


def duplicate_keys(pack: Pack) -> Iterator[Mutant]:
    """A key that stands twice."""
    for spot in _everything(pack):
        if spot.mapping:
            for child in spot.children:
                if child.name != child.document.kind:
                    yield from mutants("duplicate key", [add(spot, f"{child.name}: 1")], *_key(child))


def _key(spot: Spot) -> tuple[tuple[str, int], ...]:
    return ((spot.file, spot.begin),)


def missing_keys(pack: Pack) -> Iterator[Mutant]:
    """A value without what it must say."""
    for kind, places, keys in REQUIRED:
        for document in pack.of(kind):
            spots = [document.root] if places == ("",) else [each for place in places for each in document.at(place)]
            for spot in spots:
                for key in keys:
                    child = spot.get(key)
                    if child is not None and spot.mapping:
                        yield from mutants("missing key", [drop(child)], *around(spot))


def missing_languages(pack: Pack) -> Iterator[Mutant]:
    """A text for people without one of its languages."""
    for spot in _everything(pack):
        if is_text(spot) and len(spot.children) > 1:
            for child in spot.children:
                yield from mutants("missing language", [drop(child)], *around(spot), codes=("text.missing_language",))


def misspelt_values(pack: Pack) -> Iterator[Mutant]:
    """A word, number or reference with a letter too many."""
    for spot in _everything(pack):
        if spot.scalar and not is_free(spot) and spot.text == spot.raw and not _is_expression(spot):
            yield from mutants("misspelt value", [put(spot, f"{spot.raw}x")])


def _is_expression(spot: Spot) -> bool:
    return (
        not spot.text or spot.text.startswith("=") or any(sign in spot.text for sign in "(. &|<>") or spot.name == "by"
    )


def misspelt_references(pack: Pack) -> Iterator[Mutant]:
    """The key of a value that is named elsewhere, with a letter too many."""
    for spot in _everything(pack):
        if names_something(spot):
            yield from mutants("misspelt reference", [rename(spot, f"{spot.name}x")])


def wrong_shapes(pack: Pack) -> Iterator[Mutant]:
    """Keys and values where one value stands, one value where keys and values or a list stand."""
    for spot in _everything(pack):
        if not spot.way or spot.way == (spot.document.kind,) or _json(spot):
            continue
        if spot.scalar and not _is_one_text(spot):
            yield from mutants("keys in the place of a value", [put(spot, "{wrong: shape}")])
        elif (spot.mapping or spot.sequence) and not is_text(spot) and not is_free(spot):
            text = "wrong" if spot.flow else "wrong\n"
            yield from mutants("a value in the place of keys", [put(spot, text)], *around(spot), *_repeated(spot))


def _repeated(spot: Spot) -> Iterator[tuple[str, int]]:
    """Yield where aliases repeat what is written inside of a value."""
    for anchor in re.findall(r"&(\w+)", spot.raw):
        for match in re.finditer(rf"\*{anchor}\b", spot.document.text):
            yield spot.file, match.start()


def _is_one_text(spot: Spot) -> bool:
    """Whether a scalar is a text for people, which may be keys and values too."""
    return spot.way[-1] in {"label", "plural", "help", "unit", "purpose", "message", "subject", "body", "title", "text"}


def _json(spot: Spot) -> bool:
    return "body" in spot.way and spot.document.kind == "automation"


def wrong_durations(pack: Pack) -> Iterator[Mutant]:
    """A span of time in a unit that there is not."""
    places = {
        "process": ("**/stale_after", "transitions/*/undo"),
        "automation": ("when/**/(for|before|after)", "do/**/wait/(for|timeout)", "do/**/backoff"),
        "entity": ("retention/(after|warn)",),
    }
    for kind, patterns in places.items():
        for spot in pack.at(kind, *patterns):
            if spot.scalar and not spot.text.startswith("="):
                yield from mutants("wrong duration", [put(spot, "3 fortnights")])
    for spot in pack.at("network", "settings/*"):
        value = spot.get("value")
        if value is not None and (kind_ := spot.get("type")) is not None and kind_.text == "duration":
            yield from mutants("wrong duration", [put(value, "3 fortnights")])


def broken_yaml(pack: Pack) -> Iterator[Mutant]:
    """A tag, an alias of nothing, a bracket that is not closed: of each document's first values."""
    for document in documents(pack):
        for spot in document.root.children[1:4]:
            if spot.flow:
                yield from mutants("broken YAML", [put(spot, spot.raw[:-1])], *around(document.root), *_following(spot))
            elif spot.scalar:
                yield from mutants("broken YAML", [put(spot, f"!odd {spot.raw}"), put(spot, "*nothing")])


def _following(spot: Spot) -> tuple[tuple[str, int], ...]:
    """Return the line after a spot: there its bracket is missed."""
    after = spot.document.text.find("\n", spot.end) + 1
    return ((spot.file, after),)


def _everything(pack: Pack) -> Iterator[Spot]:
    for document in documents(pack):
        yield from document.spots


def _text_key(spot: Spot) -> bool:
    return spot.above is not None and is_text(spot.above)
