"""Wherever the cursor is, in whatever half-written text, there is an answer."""

from __future__ import annotations

from contextlib import suppress

from hypothesis import given, settings
from hypothesis import strategies as st

from admin.editor.completion import offers
from admin.editor.formatting import UnreadableError, formatted
from admin.editor.hover import told_at
from admin.editor.outline import every
from admin.editor.packs import Desk
from admin.editor.renaming import renamed
from definitions.problems import Place
from tests.admin.editor.pen import TOOLSHED

FILES = {path.name: path.read_text("utf-8") for path in sorted(TOOLSHED.glob("*.yaml"))}
SCRAPS = st.sampled_from(
    [
        "",
        "",
        "{{ record.",
        "=",
        "{",
        "[",
        '"',
        "'",
        ": ",
        "- ",
        "|",
        "\n",
        "\t",
        "&a",
        "*a",
        "é😀",
        "record.",
        "!x",
        "? ",
    ]
)


@st.composite
def pens(draw: st.DrawFn) -> tuple[str, str, Place]:
    """Return a file, its text with a scrap written in it (and perhaps what follows left out), and the cursor."""
    name = draw(st.sampled_from(sorted(FILES)))
    text = FILES[name]
    at = draw(st.integers(0, len(text)))
    before = text[:at] + draw(SCRAPS)
    after = draw(st.sampled_from([text[at:], "", text[text.find("\n", at) :]]))
    return name, before + after, Place(name, before.count("\n") + 1, len(before) - before.rfind("\n"))


@given(pens())
@settings(max_examples=60, deadline=None)
def test_everything_can_be_asked_everywhere(pen: tuple[str, str, Place]) -> None:
    file, text, place = pen
    desk = Desk((TOOLSHED,), {TOOLSHED / file: FILES[file]})
    assert desk.folder_of(TOOLSHED / file) == TOOLSHED
    desk.texts[TOOLSHED / file] = text
    assert desk.folder_of(TOOLSHED / file) == TOOLSHED
    made = offers(desk, TOOLSHED, file, place)
    assert all(0 <= offer.replaces < place.column for offer in made)
    pack = desk.pack(TOOLSHED)
    told_at(pack, place, text)
    target = pack.named_at(place)
    assert target is None or pack.spans(target)
    assert isinstance(renamed(pack, target or (), "other"), list)
    assert all(symbol.key.place.file in pack.loaded.files for symbol in every(pack.symbols.values()))
    with suppress(UnreadableError):
        assert formatted(formatted(text)) == formatted(text)
