"""The order of items in their layers: one in which few wires cross."""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Mapping, Sequence

Link = tuple[str, str]
SWEEPS, FEWEST, LINKS = 16, 4, 30_000
"""How often all layers are sorted anew, at least how often, and so many links are looked at in all."""


def least_crossings(layers: Sequence[Sequence[str]], links: Sequence[Link]) -> list[list[str]]:
    """Return the layers, each sorted anew; of the orders that were tried the one with the fewest crossings."""
    now = [list(layer) for layer in layers]
    before, after = _neighbours(links)
    best, fewest = [list(layer) for layer in now], crossings(now, links)
    for sweep in range(max(FEWEST, min(SWEEPS, LINKS // max(1, len(links))))):
        if fewest == 0:
            break
        forward = sweep % 2 == 0
        order = range(1, len(now)) if forward else range(len(now) - 2, -1, -1)
        for number in order:
            fixed = {name: at for at, name in enumerate(now[number - 1 if forward else number + 1])}
            _sort(now[number], fixed, before if forward else after, turned=sweep % 4 > 1)
        count = crossings(now, links)
        if count < fewest:
            best, fewest = [list(layer) for layer in now], count
    return best


def crossings(layers: Sequence[Sequence[str]], links: Sequence[Link]) -> int:
    """Return how often wires cross."""
    at = {name: (number, place) for number, layer in enumerate(layers) for place, name in enumerate(layer)}
    gaps: dict[int, list[tuple[int, int]]] = {}
    for first, last in links:
        gaps.setdefault(at[first][0], []).append((at[first][1], at[last][1]))
    total = 0
    for pairs in gaps.values():
        seen: list[int] = []
        for _, place in sorted(pairs):
            total += len(seen) - bisect_right(seen, place)
            insort(seen, place)
    return total


def _neighbours(links: Sequence[Link]) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    before: dict[str, list[str]] = {}
    after: dict[str, list[str]] = {}
    for first, last in links:
        before.setdefault(last, []).append(first)
        after.setdefault(first, []).append(last)
    return before, after


def _sort(layer: list[str], fixed: Mapping[str, int], neighbours: Mapping[str, Sequence[str]], *, turned: bool) -> None:
    """Sort a layer by the middle of each item's neighbours; with `turned` those that are equal change places."""
    own = {name: at for at, name in enumerate(layer)}

    def wanted(name: str) -> tuple[float, int]:
        places = [fixed[other] for other in neighbours.get(name, ())]
        middle = sum(places) / len(places) if places else own[name]
        return middle, -own[name] if turned else own[name]

    layer.sort(key=wanted)
