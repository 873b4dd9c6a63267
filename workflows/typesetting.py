"""Documents as Typst's source: Markdown as the templates write it, every text as a string that Typst never reads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from markdown_it.token import Token

from workflows import markdown

MOST_PAGES = 100
"""So many pages a document has at most."""
TOO_LONG = "too many pages"
"""What Typst says of one that has more."""
_SCHEMES = frozenset({"http", "https", "mailto", "tel"})

_HEAD = """#set document(title: {title}, author: {author})
#set page(paper: "a4", margin: (x: 25mm, top: 24mm, bottom: 26mm), footer: context {{
  set text(size: 8.5pt, fill: luma(90))
  {author}
  h(1fr)
  counter(page).display("1 / 1", both: true)
}})
#set text(font: "Libertinus Serif", size: 11pt, lang: {language}, hyphenate: true)
#set par(justify: true, leading: 0.66em, spacing: 1.05em)
#set table(stroke: (x: none, y: 0.5pt + luma(200)), inset: (x: 0pt, y: 5pt), column-gutter: 12pt)
#set line(stroke: 0.5pt + luma(180))
#show heading: set text(fill: rgb({colour}))
#show heading: set block(above: 1.5em, below: 0.8em)
#show heading: set par(justify: false)
#show table: set par(justify: false)
#show table.header: set text(weight: "bold")
#show link: set text(fill: rgb({colour}))
#show quote: set text(style: "italic")
#context if counter(page).final().first() > {most} {{ panic({too_long}) }}
#text(size: 9.5pt, weight: "semibold", fill: rgb({colour}), {author})
#v(6mm)
"""


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a document is set with: its title, whose it is, its language and the network's colour (`#rrggbb`)."""

    title: str
    author: str
    language: str
    colour: str


def source_of(body: str, sheet: Sheet) -> str:
    """Return the source of a document; `body` is Markdown."""
    head = _HEAD.format(
        title=_string(sheet.title),
        author=_string(sheet.author),
        language=_string(sheet.language.partition("-")[0]),
        colour=_string(sheet.colour),
        most=MOST_PAGES,
        too_long=_string(TOO_LONG),
    )
    return head + "".join(_Setter().blocks(markdown.tokens(body)))


def _string(text: str) -> str:
    """Return a text as Typst's string: nothing in it means anything."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    plain = "".join(letter if letter.isprintable() else f"\\u{{{ord(letter):x}}}" for letter in escaped)
    return f'"{plain}"'


_OPEN = {
    "paragraph_open": "",
    "bullet_list_open": "#list(",
    "list_item_open": "[",
    "blockquote_open": "#quote(block: true)[",
    "strong_open": "#strong[",
    "em_open": "#emph[",
    "s_open": "#strike[",
    "thead_open": "table.header(",
    "th_open": "[",
    "td_open": "[",
}
_CLOSE = {
    "paragraph_close": "\n\n",
    "heading_close": "]\n",
    "bullet_list_close": ")\n",
    "ordered_list_close": ")\n",
    "list_item_close": "],",
    "blockquote_close": "]\n",
    "strong_close": "]",
    "em_close": "]",
    "s_close": "]",
    "table_close": ")\n",
    "thead_close": "),",
    "th_close": "],",
    "td_close": "],",
}
_LEFT_OUT = frozenset({"tbody_open", "tbody_close", "tr_open", "tr_close", "html_inline", "html_block"})


@dataclass(slots=True)
class _Setter:
    """Writes tokens of Markdown one after the other."""

    links: list[bool] = field(default_factory=list)

    def blocks(self, tokens: Sequence[Token]) -> Iterator[str]:
        """Yield the source of tokens."""
        for place, token in enumerate(tokens):
            if token.type == "inline":
                yield from self.blocks(token.children or ())
            elif token.type == "table_open":
                yield f"#table(columns: {_columns(tokens[place:])},"
            elif token.type in _OPEN:
                yield _OPEN[token.type]
            elif token.type in _CLOSE:
                yield _CLOSE[token.type]
            elif token.type not in _LEFT_OUT:
                yield self._other(token)

    def _other(self, token: Token) -> str:  # noqa: C901, PLR0911 - one line for each kind of token
        match token.type:
            case "heading_open":
                return f"#heading(level: {int(token.tag[1:])})["
            case "ordered_list_open":
                return f"#enum(start: {int(token.attrGet('start') or 1)},"
            case "link_open":
                return self._link(str(token.attrGet("href") or ""))
            case "link_close":
                return "]" if self.links.pop() else ""
            case "softbreak" | "hardbreak":
                return "#linebreak()"
            case "hr":
                return "#line(length: 100%)\n"
            case "code_inline":
                return f"#raw({_string(token.content)})"
            case "fence" | "code_block":
                return f"#raw({_string(token.content.rstrip())}, block: true)\n"
            case _:
                return f"#text({_string(token.content)})"

    def _link(self, address: str) -> str:
        """Return the beginning of a link where it leads out of the document, else of nothing."""
        known = urlsplit(address).scheme in _SCHEMES
        self.links.append(known)
        return f"#link({_string(address)})[" if known else ""


def _columns(tokens: Sequence[Token]) -> int:
    """Return how many columns the table has with which the tokens begin."""
    end = next(place for place, token in enumerate(tokens) if token.type == "thead_close")
    return sum(token.type == "th_open" for token in tokens[:end])
