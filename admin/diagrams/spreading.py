"""How far beside the flow each item stands: near to what it is wired to, and never over its neighbour."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

ROUNDS, FEWEST, LINKS = 24, 4, 40_000
"""How often all places are made better, at least how often, and so many links are looked at in all."""
BETWEEN = 12.0
"""Room between two items of a layer."""

Link = tuple[str, str, float]


def spread(layers: Sequence[Sequence[str]], sizes: Mapping[str, float], links: Sequence[Link]) -> dict[str, float]:
    """Return the middle of each item, from 0; layers keep their order, heavy links become straight first."""
    near: dict[str, list[tuple[str, float]]] = {}
    for first, last, weight in links:
        near.setdefault(first, []).append((last, weight))
        near.setdefault(last, []).append((first, weight))
    places: dict[str, float] = {}
    for layer in layers:
        places |= _apart(layer, sizes, dict.fromkeys(layer, 0.0), dict.fromkeys(layer, 1.0))
    for turn in range(max(FEWEST, min(ROUNDS, LINKS // max(1, len(links))))):
        for layer in layers if turn % 2 == 0 else reversed(layers):
            weights = {name: sum(weight for _, weight in near.get(name, ())) or 0.1 for name in layer}
            wanted = {
                name: sum(places[other] * weight for other, weight in near[name]) / weights[name]
                if name in near
                else places[name]
                for name in layer
            }
            places |= _apart(layer, sizes, wanted, weights)
    lowest = min((places[name] - sizes[name] / 2 for name in places), default=0.0)
    return {name: place - lowest for name, place in places.items()}


def _apart(
    layer: Sequence[str], sizes: Mapping[str, float], wanted: Mapping[str, float], weights: Mapping[str, float]
) -> dict[str, float]:
    """Return the places nearest to the wanted ones (least squares) that leave each item its room, in this order."""
    offsets: list[float] = []
    for number, name in enumerate(layer):
        before = layer[number - 1] if number else None
        room = 0.0 if before is None else (sizes[before] + sizes[name]) / 2 + BETWEEN
        offsets.append(room + (offsets[-1] if offsets else 0.0))
    blocks: list[list[float]] = []  # middle, weight, how many
    for name, offset in zip(layer, offsets, strict=True):
        blocks.append([wanted[name] - offset, weights[name], 1])
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            middle, weight, count = blocks.pop()
            total = blocks[-1][1] + weight
            blocks[-1] = [(blocks[-1][0] * blocks[-1][1] + middle * weight) / total, total, blocks[-1][2] + count]
    middles = [middle for middle, _, count in blocks for _ in range(int(count))]
    return {name: middle + offset for name, middle, offset in zip(layer, middles, offsets, strict=True)}
