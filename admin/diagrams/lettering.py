"""How wide a text is when it is drawn, as nearly as can be said without a font."""

from __future__ import annotations

NARROW, WIDE = frozenset("iljtfrI.,;:!'’|()[]- "), frozenset("mwMWœŒæÆ@%")
SHARES = {"narrow": 0.36, "wide": 0.9, "capital": 0.7, "other": 0.585, "square": 1.02}
"""The widths of letters in ems, rather more than less: of a bold face without serifs."""
SQUARE = 0x2E80
"""From here on letters are as wide as they are high."""


def _share(letter: str) -> float:
    if letter in NARROW:
        return SHARES["narrow"]
    if letter in WIDE:
        return SHARES["wide"]
    if ord(letter) >= SQUARE:
        return SHARES["square"]
    return SHARES["capital" if letter.isupper() else "other"]


def width(text: str, size: float) -> float:
    """Return how wide a text is, in the unit of the font's size."""
    return size * sum(map(_share, text))


def wrap(text: str, most: float, size: float, *, lines: int = 3) -> tuple[str, ...]:
    """Return a text in lines no wider than `most`; what is longer than all of them together ends with `…`."""
    found: list[str] = []
    for word in text.split():
        joined = f"{found[-1]} {word}" if found else word
        if found and width(joined, size) <= most:
            found[-1] = joined
        else:
            found.append(word)
    kept = [_cut(line, most, size) for line in found[:lines]]
    if len(found) > lines:
        kept[-1] = _cut(f"{kept[-1]} {found[lines]}…", most, size) if not kept[-1].endswith("…") else kept[-1]
        kept[-1] = kept[-1] if kept[-1].endswith("…") else f"{kept[-1]}…"
    return tuple(kept) or ("",)


def _cut(line: str, most: float, size: float) -> str:
    if width(line, size) <= most:
        return line
    while line and width(f"{line}…", size) > most:
        line = line[:-1]
    return f"{line.rstrip()}…"
