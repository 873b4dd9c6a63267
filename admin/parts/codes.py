"""What an authenticator app is given: a picture to scan, or a key to type."""

from __future__ import annotations

from typing import TypedDict

import segno
from markupsafe import Markup

from models import second_factor


class Pictured(TypedDict):
    """What the templates show: the picture as SVG, the key in groups of four."""

    picture: Markup
    key: str


def pictured(key: str, email: str, network: str) -> Pictured:
    """Return a key as templates show it; the picture is dark on white, whatever the theme."""
    drawn = segno.make(second_factor.address(key, email, network), error="m", micro=False)
    svg = drawn.svg_inline(scale=4, border=3, dark="#000", light="#fff", svgclass="qr", lineclass=None)
    groups = " ".join(key[at : at + 4] for at in range(0, len(key), 4))
    return Pictured(picture=Markup(svg), key=groups)  # noqa: S704 - squares drawn by the library, nobody's text
