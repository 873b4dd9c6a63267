"""What stands where in a pack, as LANGUAGE.md says it: texts for people, names, references, conditions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache

from tests.definitions.mutants.written import Document, Pack, Spot

KINDS = ("network", "entity", "process", "automation", "template", "level", "terms", "statistic", "screen", "home")
"""The kinds of document that are broken; a demo is no part of the language."""

LANGUAGES = frozenset({"fr", "en", "de"})
"""The languages of the packs."""

TEXTS = r"label|plural|help|unit|purpose|message|subject|body|title|text"
"""Keys of texts for people."""

NAMED: Mapping[str, tuple[str, ...]] = {
    "network": ("settings", "settings/*/options"),
    "entity": ("fields", "fields/*/options"),
    "process": ("**/states", "transitions", "transitions/*/form", "transitions/*/form/*/options", "moved"),
    "screen": ("views",),
    "automation": ("**/webhook/body", "**/webhook/body/**"),
}
"""Where the keys are names that are made up there."""

REFERRING: Mapping[str, tuple[str, ...]] = {
    "process": ("transitions/*/set",),
    "automation": ("**/set", "**/values", "**/move/form"),
    "level": ("entities", "entities/*/fields"),
}
"""Where the keys are names of what is defined elsewhere."""

CONDITIONS: Mapping[str, tuple[str, ...]] = {
    "entity": ("retention/unless",),
    "process": ("transitions/*/guard",),
    "automation": ("if", "when/every/for_each/where", "when/*/every/for_each/where", "do/**/if", "else/**/if",
                   "do/**/cancel_if", "do/**/where", "do/**/among"),
    "level": ("entities/*/(read|create|update|delete)", "entities/*/fields/*/(read|write)"),
    "statistic": ("where",),
    "screen": ("views/*/where",),
}  # fmt: skip
"""Where conditions stand."""

QUERIES: Mapping[str, tuple[str, ...]] = {
    "entity": ("retention/unless",),
    "automation": ("when/every/for_each/where", "when/*/every/for_each/where", "do/**/where", "do/**/among"),
    "level": CONDITIONS["level"],
    "statistic": ("where",),
    "screen": ("views/*/where",),
}
"""Where conditions run in the database."""

FREE: Mapping[str, tuple[str, ...]] = {
    "*": (
        rf"**/({TEXTS})",
        rf"**/({TEXTS})/[a-z][a-z](-[A-Za-z]+)?",
        "**/was",
        "**/options/*",
        "**/options/*/[a-z][a-z]",
    ),
    "network": ("settings/*/value", "extends", "extends/*"),
    "entity": ("fields/*/(default|pattern)", "as"),
    "process": ("transitions/*/set/*", "moved/*", "transitions/*/form/*/pattern"),
    "automation": (
        "**/values/*", "**/set/*", "**/id", "**/as", "key", "**/url", "**/webhook/**", "**/webhook", "webhook",
        "**/form/*", "**/to", "**/cc", "**/to/[0-9]+", "**/cc/[0-9]+",
    ),
    "terms": ("version",),
    "home": ("tiles/*/text/*",),
}  # fmt: skip
"""Where anything may stand, as far as one can tell without types."""

REACHES = {"all", "mine", "downline", "none", "true", "false"}


_TABLES = {"named": NAMED, "referring": REFERRING, "conditions": CONDITIONS, "queries": QUERIES, "free": FREE}


@cache
def _matching(document: Document, table: str) -> frozenset[tuple[str, ...]]:
    patterns = _TABLES[table]
    found = (*patterns.get("*", ()), *patterns.get(document.kind, ()))
    return frozenset(spot.way for pattern in found for spot in document.at(pattern))


def is_free(spot: Spot) -> bool:
    """Whether a value may be anything."""
    return spot.way in _matching(spot.document, "free") or spot.way == (spot.document.kind,)


def has_own_keys(spot: Spot) -> bool:
    """Whether the keys inside are names, or languages, and not words of the language."""
    tables = ("named", "referring")
    return any(spot.way in _matching(spot.document, table) for table in tables) or is_text(spot) or is_free(spot)


def names_something(spot: Spot) -> bool:
    """Whether the key before a value is the name of something that is defined elsewhere."""
    return spot.above is not None and spot.above.way in _matching(spot.document, "referring")


def is_named(spot: Spot) -> bool:
    """Whether the key before a value is a name that is made up there."""
    return spot.above is not None and spot.above.way in _matching(spot.document, "named")


def is_text(spot: Spot) -> bool:
    """Whether keys and values are a text for people in several languages."""
    return spot.mapping and bool(spot.children) and all(child.name in LANGUAGES for child in spot.children)


def conditions(pack: Pack, *, queries: bool = False) -> Iterator[Spot]:
    """Yield the conditions of a pack."""
    for document in pack.of(*KINDS):
        known = _matching(document, "queries" if queries else "conditions")
        for spot in document.spots:
            if spot.scalar and spot.way in known and not (document.kind == "level" and spot.text in REACHES):
                yield spot


def computed(pack: Pack) -> Iterator[Spot]:
    """Yield the values that are expressions behind an `=`."""
    for document in pack.of(*KINDS):
        for spot in document.spots:
            if spot.scalar and spot.text.startswith("=") and not _is_condition(spot):
                yield spot


def _is_condition(spot: Spot) -> bool:
    return spot.way in _matching(spot.document, "conditions")


def measures(pack: Pack) -> Iterator[Spot]:
    """Yield the expressions of statistics that are no conditions."""
    for document in pack.of("statistic"):
        yield from (spot for spot in document.spots if spot.scalar and spot.way[:1] in {("measure",), ("by",)})


def expressions(pack: Pack) -> Iterator[Spot]:
    """Yield every expression of a pack."""
    yield from conditions(pack)
    yield from computed(pack)
    yield from measures(pack)


def templates(pack: Pack) -> Iterator[Spot]:
    """Yield the texts in which Jinja may stand."""
    for spot in pack.at("template", "(subject|body)", "(subject|body)/*"):
        if spot.scalar:
            yield spot
    yield from pack.at("entity", "title")


def documents(pack: Pack) -> tuple[Document, ...]:
    """Return the documents that are broken."""
    return tuple(pack.of(*KINDS))


def fields_of(pack: Pack, entity: str) -> Mapping[str, Spot]:
    """Return the fields that a pack gives an entity."""
    document = pack.document("entity", entity)
    fields = document.root.get("fields") if document else None
    return {spot.name: spot for spot in fields.children} if fields else {}


def entity_of(pack: Pack, document: Document) -> str:
    """Return the entity that a document is about, "" where it is about none (automations by their first trigger)."""
    for key in ("entity", "about"):
        found = document.root.get(key)
        if found is not None and found.way != (document.kind,):
            return found.text
    if document.kind == "entity":
        return document.name
    return _started(pack, document) if document.kind == "automation" else ""


def _started(pack: Pack, document: Document) -> str:
    for spot in document.at("when/**/(created|deleted|entity)"):
        if spot.scalar:
            return spot.text
    for spot in document.at("when/**/(entered|left|moved|state)"):
        process = pack.document("process", spot.text.partition(".")[0])
        if process is not None:
            return entity_of(pack, process)
    return ""


def states_of(process: Document) -> Iterator[Spot]:
    """Yield the states of a process, nested ones too."""
    for states in process.at("**/states"):
        yield from states.children


def words(pack: Pack) -> frozenset[str]:
    """Return the names of all states and options."""
    found = {spot.name for process in pack.of("process") for spot in states_of(process)}
    for spot in pack.at("entity", "fields/*/options/*"):
        found.add(spot.name)
    return frozenset(found)
