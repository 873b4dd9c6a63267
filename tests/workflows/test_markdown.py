from __future__ import annotations

import re
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflows.layout import brand, compile_layout
from workflows.markdown import escape, to_html, to_text

NASTY = (
    *("<b>Paul</b>", "**Roy**", "[a](javascript:alert(1))", "# Title", "1. one", "- x", "> q", "`c`", "a_b_c", "&amp;"),
    *("<script>", "\\*", "| a | b |", "~~no~~", "![x](http://x)", "http://evil.example", "a\n\n# b", "    code"),
)


@pytest.mark.parametrize("value", NASTY)
def test_a_value_stays_the_text_that_it_is(value: str) -> None:
    html = to_html(f"Bonjour **{escape(value)}**,\n\n{escape(value)}\n\nfin")
    assert set(re.findall(r"<(\w+)", html)) <= {"p", "strong", "br"}
    said = [unescape(re.sub(r"<[^>]+>", "", line)) for line in html.splitlines()]
    shown = [line.strip() for line in value.splitlines() if line.strip()]
    assert said[-1 - len(shown) : -1] == shown


@given(value=st.text(max_size=200))
def test_no_text_of_anybody_becomes_markup(value: str) -> None:
    html = to_html(f"Bonjour {escape(value)}.")
    assert set(re.findall(r"<(\w+)", html)) <= {"p", "br"}


@pytest.mark.parametrize(
    ("markdown", "html"),
    [
        ("<script>alert(1)</script>", "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>"),
        ("[x](javascript:alert(1))", "<p>[x](javascript:alert(1))</p>"),
        ("[x](https://e.example/?a=1&b=2)", '<p><a href="https://e.example/?a=1&amp;b=2">x</a></p>'),
        ("![x](https://e.example/p.png)", "<p></p>"),
        ("[x](/relative)", '<p><a href="/relative">x</a></p>'),
        ("one\ntwo", "<p>one<br>\ntwo</p>"),
    ],
)
def test_only_known_markup_gets_through(markdown: str, html: str) -> None:
    assert to_html(markdown).strip() == html


def test_the_text_part_reads_like_a_letter() -> None:
    markdown = (
        "# Bonjour\n\nVoici **deux** choses :\n\n- un\n- [la fiche](https://e.example)\n\n3. trois\n4. quatre\n\n"
        "---\n\n> cité\n\n    code\n\nUne ligne\nune autre, <lea@e.example>\n"
    )
    assert to_text(markdown) == (
        "Bonjour\n\nVoici deux choses :\n\n- un\n- la fiche (https://e.example)\n\n3. trois\n4. quatre\n\n\n"
        "cité\n\ncode\n\nUne ligne\nune autre, lea@e.example\n"
    )


def test_the_layout_inlines_its_styles_and_escapes_the_name() -> None:
    page = compile_layout("Réseau <Démo>", 172, "fr").page("<p>Bonjour <a href='https://e.example'>là</a></p>", "pied")
    assert "Réseau &lt;Démo&gt;" in page
    assert 'lang="fr"' in page
    assert '<p style="margin: 0 0 16px;">' in page
    assert f"color: {brand(172)}" in page
    assert "<style" not in page
    assert "pied" in page
    assert compile_layout("x", 1, "en").page("", "").count("<body") == 1


@pytest.mark.parametrize("hue", range(0, 360, 30))
def test_the_brand_colour_is_readable_on_white(hue: int) -> None:
    red, green, blue = (int(brand(hue)[at : at + 2], 16) / 255 for at in (1, 3, 5))
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in (red, green, blue)]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    assert 1.05 / (luminance + 0.05) > 4.5
