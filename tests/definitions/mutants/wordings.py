"""Breaking templates: variables, fields, filters, braces, languages."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tests.definitions.mutants.meaning import LANGUAGES, templates
from tests.definitions.mutants.mutant import Edit, Mutant
from tests.definitions.mutants.written import Pack, Spot

_CODE = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
_VARIABLE = re.compile(r"(?<![.\w\"'|])(record|member|recipient|actor|network|settings|links)(?=\.)")
_FIELD = re.compile(r"(?<=\w)\.([a-z_]\w*)")
_FILTER = re.compile(r"\|\s*([a-z]+)")


def misspelt_variables(pack: Pack) -> Iterator[Mutant]:
    """A variable of a template with a letter too many."""
    return _misspelt(pack, "misspelt variable of a template", _VARIABLE)


def misspelt_fields(pack: Pack) -> Iterator[Mutant]:
    """A field in a template with a letter too many."""
    return _misspelt(pack, "misspelt field of a template", _FIELD)


def misspelt_filters(pack: Pack) -> Iterator[Mutant]:
    """A filter with a letter too many."""
    return _misspelt(pack, "misspelt filter", _FILTER)


def _misspelt(pack: Pack, kind: str, pattern: re.Pattern[str]) -> Iterator[Mutant]:
    for spot in templates(pack):
        for code in _CODE.finditer(spot.raw):
            for match in pattern.finditer(code[0]):
                end = spot.start + code.start() + match.end(1)
                yield Mutant(kind, (Edit(spot.file, end, end, "x"),))


def broken_braces(pack: Pack) -> Iterator[Mutant]:
    """A brace that is missing, a block without an end."""
    for spot in templates(pack):
        for code in _CODE.finditer(spot.raw):
            end = spot.start + code.end()
            later = tuple((spot.file, spot.start + other.start()) for other in _CODE.finditer(spot.raw, code.end()))
            last = (spot.file, spot.end - 1)
            yield Mutant("broken braces", (Edit(spot.file, end - 1, end, ""),), (*later, last), ("template.",))
            if code[0].startswith("{% end"):
                start = spot.start + code.start()
                opened = tuple((spot.file, spot.start + each.start()) for each in _CODE.finditer(spot.raw))
                yield Mutant("broken braces", (Edit(spot.file, start, end, ""),), (*opened, last), ("template.",))


def odd_statements(pack: Pack) -> Iterator[Mutant]:
    """What no message may do: include, call."""
    for spot in templates(pack):
        for code in list(_CODE.finditer(spot.raw))[:1]:
            at = spot.start + code.start()
            for text in ("{% include 'x' %}", "{{ range(3) }}", "{% macro x() %}{% endmacro %}"):
                if not spot.raw.startswith("'"):
                    yield Mutant("statement of no template", (Edit(spot.file, at, at, text),), (), ("template.",))


def in_one_language(pack: Pack) -> Iterator[Mutant]:
    """A variable that one language shows and the other does not."""
    for spot in templates(pack):
        languages = spot.above.children if spot.above and spot.name in LANGUAGES else ()
        if len(languages) < 2 or spot.raw[0] not in "\"'|>":
            continue
        at = _end(spot)
        text = "{{ network.currency }}"
        if not any("network.currency" in each.raw for each in languages):
            yield Mutant("variable in one language", (Edit(spot.file, at, at, text),), (), ("template.one_language",))


def _end(spot: Spot) -> int:
    """Return where the text of a scalar ends, its quote aside."""
    return spot.end - 1 if spot.raw.endswith(('"', "'")) and spot.raw[0] in "\"'" else spot.end
