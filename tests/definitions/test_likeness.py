from __future__ import annotations

import pytest

from definitions.likeness import alike
from definitions.pack import load
from definitions.spec.network import Network
from tests.admin.office import FILES
from tests.networks import SMALL, edited


def network(*edits: tuple[str, str]) -> Network:
    loaded = load(edited(SMALL, *edits))
    assert loaded.network is not None
    return loaded.network


@pytest.mark.parametrize(
    ("edit", "same"),
    [
        (("automation: welcome", "# moved down\n\nautomation: welcome"), True),
        (("automation: welcome", "automation: hello\nwas: welcome"), True),
        (("if: has(record.email)", "if: has(record.email) && record.calls > 1"), False),
        (("when: {entered: recruiting.contacted}", "when: {entered: recruiting.signed}"), False),
        (("to: =record.email, from: owner", "to: =record.email, from: network"), False),
        (("label: {fr: Message de bienvenue, en: Welcome message}", "label: {fr: Accueil, en: Welcome}"), False),
    ],
)
def test_definitions_are_alike_when_they_say_the_same(edit: tuple[str, str], same: bool) -> None:
    was, now = network().automations["welcome"], next(iter(network(edit).automations.values()))
    assert alike(was, now) is same


PARTS = ("entities", "processes", "automations", "templates", "levels", "screens", "statistics", "homes")


@pytest.mark.parametrize("before", ["", "# moved down\n\n", "---\n"])
def test_every_part_of_a_network_is_like_itself_read_again_wherever_it_stands(before: str) -> None:
    one = load(FILES).network
    two = load({name: before + text for name, text in FILES.items()}).network
    assert one is not None
    assert two is not None
    for part in PARTS:
        pairs = zip(getattr(one, part).values(), getattr(two, part).values(), strict=True)
        assert all(alike(was, now) for was, now in pairs), part
