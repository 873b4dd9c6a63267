"""What every HTML mail looks like: one column, the network's name and colour, inlined once a version."""

from __future__ import annotations

import math
from dataclasses import dataclass
from html import escape

import css_inline

BODY = "<!-- body -->"
FOOT = "<!-- foot -->"

_PAGE = """<!doctype html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{name}</title>
<style>
body {{ margin: 0; padding: 24px 12px; background: #f4f5f5; color: #1d2223;
  font: 16px/1.55 -apple-system, "Segoe UI", Roboto, Helvetica, Arial, sans-serif; }}
.sheet {{ max-width: 580px; margin: 0 auto; background: #ffffff; border-top: 4px solid {colour}; border-radius: 6px; }}
.head {{ padding: 20px 28px 0; font-weight: 600; color: {colour}; }}
.body {{ padding: 8px 28px 24px; }}
.foot {{ max-width: 580px; margin: 0 auto; padding: 16px 28px; font-size: 13px; color: #626b6c; }}
.foot a {{ color: #626b6c; }}
</style>
</head>
<body>
<div class="sheet"><div class="head">{name}</div><div class="body">{body}</div></div>
<div class="foot">{foot}</div>
</body>
</html>
"""

_CONTENT = """
p, ul, ol, table, blockquote, pre {{ margin: 0 0 16px; }}
h1, h2, h3, h4 {{ margin: 24px 0 8px; line-height: 1.25; font-size: 19px; }}
h1 {{ font-size: 23px; }}
a {{ color: {colour}; }}
li {{ margin: 0 0 4px; }}
blockquote {{ padding: 0 0 0 14px; border-left: 3px solid {colour}; color: #4b5354; }}
hr {{ margin: 24px 0; border: 0; border-top: 1px solid #dde1e1; }}
td, th {{ padding: 4px 12px 4px 0; text-align: left; vertical-align: top; }}
"""


def brand(hue: int) -> str:
    """Return the colour of a hue (OKLCH, lightness 0.48, chroma 0.09) as `#rrggbb`, which mail programs know.

    The matrices are those of the OKLab definition.
    """
    a, b = 0.09 * math.cos(math.radians(hue)), 0.09 * math.sin(math.radians(hue))
    light = 0.48
    long = (light + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (light - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (light - 0.0894841775 * a - 1.2914855480 * b) ** 3
    linear = (
        4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
    )
    return "#" + "".join(f"{_gamma(channel):02x}" for channel in linear)


def _gamma(channel: float) -> int:
    clipped = min(max(channel, 0.0), 1.0)
    curved = 12.92 * clipped if clipped <= 0.0031308 else 1.055 * clipped ** (1 / 2.4) - 0.055
    return round(curved * 255)


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """The layout of one network in one version and language, its styles inlined, with two places to fill."""

    before: str
    between: str
    after: str
    content: str
    inliner: css_inline.CSSInliner

    def page(self, body: str, foot: str) -> str:
        """Return the whole mail: `body` and `foot` are clean HTML."""
        return self.around(self.styled(body), foot)

    def styled(self, body: str) -> str:
        """Return clean HTML with the layout's styles in it."""
        return self.inliner.inline_fragment(body, self.content) if body else ""

    def around(self, styled: str, foot: str) -> str:
        """Return the whole mail around what has its styles."""
        return f"{self.before}{styled}{self.between}{foot}{self.after}"


def compile_layout(name: str, hue: int, language: str) -> Layout:
    """Return the layout for mails of the network called `name`."""
    colour = brand(hue)
    inliner = css_inline.CSSInliner(load_remote_stylesheets=False, keep_style_tags=False)
    page = _PAGE.format(name=escape(name), language=escape(language), colour=colour, body=BODY, foot=FOOT)
    before, rest = inliner.inline(page).split(BODY)
    between, after = rest.split(FOOT)
    return Layout(before, between, after, _CONTENT.format(colour=colour), inliner)
