"""Breaking expressions: names, functions, values, types, what no database computes, and what is always so."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tests.definitions.mutants.meaning import (
    computed,
    conditions,
    entity_of,
    expressions,
    fields_of,
    measures,
    words,
)
from tests.definitions.mutants.mutant import Edit, Mutant, mutants, put
from tests.definitions.mutants.written import Pack, Spot

_FIELD = re.compile(r"(?<=[\w)\]])\.\s*([a-z_]\w*)\b(?!\s*\()")
_METHOD = re.compile(r"(?<=[\w)\]\"'])\.\s*([a-zA-Z_]\w*)\s*\(")
_FUNCTION = re.compile(r"(?<![.\w])([a-z_]\w*)\s*\(")
_ROOT = re.compile(r"(?<![.\w\"'])(record|actor|settings|before|form|network)(?=\.)")
_WORD = re.compile(r"\"([^\"]*)\"|'([a-z_]+)'")
_COMPARED = re.compile(r"(?:[=!<>]=?|\bin)\s*\[?\s*$")
_NUMBER = re.compile(r"(?<![\w.\"])\d+(?![\w.\"])")
_TEXTS = {"text", "long_text", "email", "phone", "url", "country", "language"}
_QUOTED = re.compile(r"\"[^\"]*\"|(?<=[=(,\[ ])'[^']*'")


def misspelt_fields(pack: Pack) -> Iterator[Mutant]:
    """A field in an expression with a letter too many."""
    for spot in expressions(pack):
        yield from _tokens("misspelt field of an expression", spot, _FIELD)


def misspelt_functions(pack: Pack) -> Iterator[Mutant]:
    """A function of an expression with a letter too many."""
    for spot in expressions(pack):
        for pattern in (_FUNCTION, _METHOD):
            yield from _tokens("misspelt function", spot, pattern)


def misspelt_variables(pack: Pack) -> Iterator[Mutant]:
    """A variable of an expression with a letter too many."""
    for spot in expressions(pack):
        yield from _tokens("misspelt variable", spot, _ROOT)


def absent_words(pack: Pack) -> Iterator[Mutant]:
    """A comparison with an option or state that there is not."""
    known = words(pack)
    for spot in expressions(pack):
        for match in _WORD.finditer(spot.raw):
            group = 1 if match[1] is not None else 2
            if match[group] in known:
                yield from _token("comparison with what there is not", spot, match, group, f"{match[group]}x")


def wrong_literals(pack: Pack) -> Iterator[Mutant]:
    """A number where a text is compared, a text where a number is."""
    for spot in conditions(pack):
        for match in _NUMBER.finditer(spot.raw):
            if not _inside_a_text(spot.raw, match) and not spot.raw.startswith('"'):
                yield from _token("literal of another type", spot, match, 0, '"many"')
        for match in _WORD.finditer(spot.raw):
            if _COMPARED.search(spot.raw[: match.start()]) and match[1] is not None and not spot.raw.startswith('"'):
                yield from _token("literal of another type", spot, match, 0, "4.5")


def _inside_a_text(raw: str, match: re.Match[str]) -> bool:
    return any(quoted.start() < match.start() < quoted.end() for quoted in _QUOTED.finditer(raw))


def no_conditions(pack: Pack) -> Iterator[Mutant]:
    """A number, a text or a record where a condition stands."""
    for spot in conditions(pack):
        for text in ("1 + 1", '"word".size()', "actor"):
            yield _written("no condition", spot, text)


def unreadable(pack: Pack) -> Iterator[Mutant]:
    """An expression that ends too early, or with a bracket too many."""
    for spot in conditions(pack):
        yield _written("expression that can't be read", spot, f"{spot.text.strip()} &&")
        yield _written("expression that can't be read", spot, f"({spot.text.strip()}")
    for spot in computed(pack):
        yield _written("expression that can't be read", spot, f"{spot.text.strip()} )")
        yield _written("expression that can't be read", spot, f"{spot.text.strip()} +")


def settled(pack: Pack) -> Iterator[Mutant]:
    """A condition that always, or never, holds."""
    for spot in conditions(pack):
        text = spot.text.strip()
        for whole in (f"({text}) && !({text})", f"({text}) || 1 < 2", "1 > 2", '"a" == "a"'):
            yield _written("condition that nothing changes", spot, whole, "expression.constant")
        if re.search(r"\bas\b", "/".join(spot.way)) is None and "record" in text:
            never = f"({text}) && record.id == null"
            yield _written("condition that nothing changes", spot, never, "expression.constant")


def outside_of_queries(pack: Pack) -> Iterator[Mutant]:
    """What no database computes, in a condition that one must."""
    for spot in conditions(pack, queries=True):
        row = _row(spot)
        if f"{row}." not in spot.text:
            continue
        for odd in (f'{row}.id.matches("a+")', f"{row}.created_at + working_days(3) > now()"):
            yield _written("no part of queries", spot, f"({spot.text.strip()}) && {odd}", "expression.")


def _row(spot: Spot) -> str:
    """Return what the row of a query is called."""
    loop = spot.above.above if spot.above and spot.name == "where" else None
    name = loop.get("as") if loop else None
    if name is not None and f"{name.text}." in spot.text:
        return name.text
    return "member" if spot.name == "among" else "record"


def wrong_equals(pack: Pack) -> Iterator[Mutant]:
    """An `=` before what is always an expression."""
    for spot in (*conditions(pack), *measures(pack)):
        if spot.way[0] != "measure":
            yield _written("'=' before a condition", spot, f"={spot.text.strip()}", "expression.equals")


def wrong_values(pack: Pack) -> Iterator[Mutant]:
    """A value of another type than the field that it is put into."""
    for spot, kind in _given(pack):
        for text in _misfits(kind):
            yield Mutant("value of another type", (put(spot, text),))


def _given(pack: Pack) -> Iterator[tuple[Spot, str]]:
    """Yield the values that are put into fields, each with the field's type."""
    for document in pack.of("process"):
        known = fields_of(pack, entity_of(pack, document))
        for spot in document.at("transitions/*/set/*"):
            yield from _typed(spot, known.get(spot.name))
    for create in pack.at("automation", "**/create"):
        about, values = create.get("entity"), create.get("values")
        known = fields_of(pack, about.text) if about else {}
        for spot in values.children if values else ():
            yield from _typed(spot, known.get(spot.name))
    yield from _beginning(pack)


def _beginning(pack: Pack) -> Iterator[tuple[Spot, str]]:
    """Yield the values that fields and settings begin with."""
    for document in pack.of("entity"):
        known = fields_of(pack, document.name)
        for spot in document.at("fields/*/default"):
            yield from _typed(spot, known.get(spot.way[1]))
    for spot in pack.at("network", "settings/*/value"):
        yield from _typed(spot, spot.above)


def _typed(spot: Spot, field: Spot | None) -> Iterator[tuple[Spot, str]]:
    kind = field.get("type") if field else None
    if kind is not None and spot.scalar:
        yield spot, kind.text


def _misfits(kind: str) -> tuple[str, ...]:
    """Return values that no field of a type takes."""
    if kind == "json":
        return ()
    if kind in _TEXTS:
        return ("15", "[a, b]") if kind in {"phone", "text", "long_text"} else ("15", "[a, b]", "no such thing")
    if kind == "boolean":
        return ("maybe", "15", '"=1 + 1"')
    return ("true", "no such thing", '"=true"', "'=\"word\"'")


def wrong_results(pack: Pack) -> Iterator[Mutant]:
    """An expression of a type that its place does not take."""
    places = (
        ("task", "for", ("=1 + 1", "=now()")),
        ("task", "due", ("=true", "=1 + 1")),
        ("wait", "until", ("=true", "=1 + 1")),
        ("wait", "for", ("=true", "=now()")),
        ("assign", "to", ("=true", "=now()")),
        ("(email|sms|notify)", "to", ("=true", "=now()")),
        ("for_each", "in", ("=true", "=now()")),
    )
    for step, key, texts in places:
        for spot in pack.at("automation", f"do/**/{step}/{key}", f"do/**/{step}/{key}/[0-9]+"):
            if spot.scalar:
                yield from mutants("result of another type", [put(spot, text) for text in texts])
    for spot in pack.at("entity", "retention/after"):
        yield from mutants("result of another type", [put(spot, "=true"), put(spot, "=network.name")])
    for spot in pack.at("entity", "fields/*/compute"):
        kind = spot.above.get("type") if spot.above else None
        if kind is not None and kind.text != "json":
            yield from mutants("result of another type", [put(spot, "'={1: 2}'")])


# Changes of expressions -------------------------------------------------------------------------------------------


def _tokens(kind: str, spot: Spot, pattern: re.Pattern[str]) -> Iterator[Mutant]:
    for match in pattern.finditer(spot.raw):
        if not _inside_a_text(spot.raw, match) or spot.raw[0] in "\"'":
            yield from _token(kind, spot, match, 1, f"{match[1]}x")


def _token(kind: str, spot: Spot, match: re.Match[str], group: int, text: str) -> Iterator[Mutant]:
    start = spot.start + match.start(group)
    yield Mutant(kind, (Edit(spot.file, start, spot.start + match.end(group), text),))


def _written(kind: str, spot: Spot, text: str, *codes: str) -> Mutant:
    """Return the mutant with another expression in the place of one."""
    quoted = "'" + " ".join(text.split()).replace("'", "''") + "'"
    return Mutant(kind, (put(spot, quoted),), codes=codes)
