"""One level of a picture: items in layers along the flow, wires between them that cross no item (Sugiyama's method).

Everything is measured *along* the flow and *beside* it; whether that is from left to right or from top to bottom is
for who draws.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from admin.diagrams.crossings import least_crossings
from admin.diagrams.spreading import spread

Point = tuple[float, float]
"""Along, beside."""

GAP, CROWDED, WIDEST = 26.0, 2.5, 64.0
"""Between two layers: at least, more with each wire, at most."""
SLOT = 12.0
"""How much room a wire has that passes a layer."""
PORTS = 13.0
"""How far apart wires end at an item, where there is room."""


@dataclass(frozen=True, slots=True)
class Item:
    """Something to place; `odd` items stand in the layers between those of the others."""

    name: str
    along: float
    beside: float
    odd: bool = False


@dataclass(frozen=True, slots=True)
class Wire:
    """A line from an item of an earlier layer to one of a later; `back`: what flows there flows the other way."""

    first: str
    last: str
    weight: float = 1.0
    back: bool = False


@dataclass(frozen=True, slots=True)
class Route:
    """The way of a wire: points that are joined by straight lines and curves in turn, beginning with a straight one."""

    wire: Wire
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Level:
    """The centres of the items, the ways of the wires, and how much room all of it takes."""

    centres: Mapping[str, Point]
    routes: tuple[Route, ...]
    along: float
    beside: float


def arrange(items: Sequence[Item], wires: Sequence[Wire]) -> Level:
    """Return a level; the wires lead from earlier to later items in the order of `items`, labels aside."""
    ranks = _ranks(items, wires)
    chains = [_chain(number, wire, ranks) for number, wire in enumerate(wires)]
    sizes = {item.name: item.beside for item in items}
    sizes |= {name: SLOT for chain in chains for name in chain[1:-1]}
    links = [
        (before, after, _weight(wire, chain, number))
        for wire, chain in zip(wires, chains, strict=True)
        for number, (before, after) in enumerate(pairwise(chain))
    ]
    layers = least_crossings(_layers(items, chains, ranks), [link[:2] for link in links])
    beside = spread(layers, sizes, links)
    spans = _spans(layers, items, links)
    rank = {name: number for number, layer in enumerate(layers) for name in layer}
    along = {name: sum(spans[number]) / 2 for name, number in rank.items()}
    ends = _Ends(items, along, beside, chains)
    routes = (_route(number, wire, chains[number], spans, rank, ends) for number, wire in enumerate(wires))
    centres = {item.name: (along[item.name], beside[item.name]) for item in items}
    highest = max((beside[name] + size / 2 for name, size in sizes.items()), default=0.0)
    return Level(centres, tuple(routes), spans[-1][1] if spans else 0.0, highest)


def _ranks(items: Sequence[Item], wires: Sequence[Wire]) -> dict[str, int]:
    """Return the layer of each item: as early as its wires allow; what nothing leads to right before what follows."""
    ranks = {item.name: int(item.odd) for item in items}
    for _ in items:
        late = [wire for wire in wires if ranks[wire.last] <= ranks[wire.first]]
        if not late:
            break
        for wire in late:
            ranks[wire.last] = max(ranks[wire.last], ranks[wire.first] + 1)
    _pull(items, wires, ranks)
    lowest = min(ranks.values(), default=0)
    return {name: rank - lowest for name, rank in ranks.items()}


def _pull(items: Sequence[Item], wires: Sequence[Wire], ranks: dict[str, int]) -> None:
    """Put labels that nothing leads to right before what follows them; where nothing follows that, both to the end."""
    ends = max((ranks[item.name] for item in items if not item.odd), default=0)
    led_to = {wire.last for wire in wires}
    free = {item.name for item in items if item.odd and item.name not in led_to}
    wired = {wire.last for wire in wires if wire.first not in free} | {wire.first for wire in wires}
    for name in (item.name for item in items if item.name in free):
        following = [wire.last for wire in wires if wire.first == name]
        ranks |= dict.fromkeys((each for each in following if each not in wired), ends)
        if following:
            ranks[name] = min(ranks[each] for each in following) - 1


def _chain(number: int, wire: Wire, ranks: Mapping[str, int]) -> tuple[str, ...]:
    """Return what a wire passes: its ends, and a slot of its own in each layer between."""
    between = range(ranks[wire.first] + 1, ranks[wire.last])
    return (wire.first, *(f"~{number}@{rank}" for rank in between), wire.last)


def _weight(wire: Wire, chain: tuple[str, ...], number: int) -> float:
    """Return how much a piece of a wire wants to be straight; most between two slots."""
    return 6.0 if 0 < number < len(chain) - 2 else wire.weight


def _layers(items: Sequence[Item], chains: Iterable[tuple[str, ...]], ranks: Mapping[str, int]) -> list[list[str]]:
    layers: list[list[str]] = [[] for _ in range(max(ranks.values(), default=-1) + 1)]
    for item in items:
        layers[ranks[item.name]].append(item.name)
    for chain in chains:
        for rank, name in enumerate(chain[1:-1], ranks[chain[0]] + 1):
            layers[rank].append(name)
    return layers


def _spans(
    layers: Sequence[Sequence[str]], items: Sequence[Item], links: Sequence[tuple[str, str, float]]
) -> list[tuple[float, float]]:
    """Return where each layer begins and ends."""
    sizes = {item.name: item.along for item in items}
    rank = {name: number for number, layer in enumerate(layers) for name in layer}
    leaving = Counter(rank[before] for before, _, _ in links)
    spans: list[tuple[float, float]] = []
    start = 0.0
    for number, layer in enumerate(layers):
        end = start + max((sizes.get(name, 0.0) for name in layer), default=0.0)
        spans.append((start, end))
        start = end + min(WIDEST, GAP + CROWDED * max(0, leaving[number] - 3))
    return spans


class _Ends:
    """Where wires begin and end at items: side by side, in the order of where they come from or go to."""

    def __init__(
        self,
        items: Sequence[Item],
        along: Mapping[str, float],
        beside: Mapping[str, float],
        chains: Sequence[tuple[str, ...]],
    ) -> None:
        self.beside = beside
        self.sizes = {item.name: item for item in items}
        self.along = along
        self._starts: dict[int, float] = {}
        self._stops: dict[int, float] = {}
        for name in self.sizes:
            self._place(name, {at: chain[1] for at, chain in enumerate(chains) if chain[0] == name}, self._starts)
            self._place(name, {at: chain[-2] for at, chain in enumerate(chains) if chain[-1] == name}, self._stops)

    def _place(self, name: str, others: Mapping[int, str], ports: dict[int, float]) -> None:
        room = self.sizes[name].beside - 14.0
        step = min(PORTS, room / (len(others) - 1)) if len(others) > 1 and room > 0 else 0.0
        for number, wire in enumerate(sorted(others, key=lambda wire: self.beside[others[wire]])):
            ports[wire] = self.beside[name] + (number - (len(others) - 1) / 2) * step

    def leaves(self, wire: int, name: str) -> Point:
        """Return where a wire begins at an item."""
        return self.along[name] + self.sizes[name].along / 2, self._starts[wire]

    def reaches(self, wire: int, name: str) -> Point:
        """Return where a wire ends at an item."""
        return self.along[name] - self.sizes[name].along / 2, self._stops[wire]


def _route(
    number: int,
    wire: Wire,
    chain: tuple[str, ...],
    spans: Sequence[tuple[float, float]],
    rank: Mapping[str, int],
    ends: _Ends,
) -> Route:
    first, last = ends.leaves(number, wire.first), ends.reaches(number, wire.last)
    points = [first, (spans[rank[wire.first]][1], first[1])]
    for name in chain[1:-1]:
        start, end = spans[rank[name]]
        points += [(start, ends.beside[name]), (end, ends.beside[name])]
    points += [(spans[rank[wire.last]][0], last[1]), last]
    return Route(wire, tuple(points))
