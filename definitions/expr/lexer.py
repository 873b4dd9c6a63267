"""The words of an expression."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Literal

from definitions.expr.nodes import UInt
from definitions.message import say

TokenKind = Literal["name", "quoted", "value", "symbol", "end"]

RESERVED = frozenset(
    (
        *("as", "break", "const", "continue", "else", "for", "function", "if", "import", "let", "loop", "package"),
        *("namespace", "return", "var", "void", "while"),
    )
)
_SPACE = re.compile(r"(?:[ \t\n\f\r]+|//[^\n]*)+")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NUMBER = re.compile(r"0[xX][0-9a-fA-F]+[uU]?|[0-9]*\.[0-9]+(?:[eE][+-]?[0-9]+)?|[0-9]+[eE][+-]?[0-9]+|[0-9]+[uU]?")
_QUOTE = re.compile(r"([rR]?[bB]?|[bB][rR])(\"\"\"|'''|\"|')")
_SYMBOL = re.compile(r"\|\||&&|==|!=|<=|>=|[<>+\-*/%!?:.,()\[\]{}]")
_QUOTED_NAME = re.compile(r"`([A-Za-z0-9_.\-/ ]+)`")
_ESCAPE = re.compile(
    r"\\(?:([abfnrtv\\?\"'`])|[xX]([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-3][0-7]{2}))"
)
_PLAIN = dict(zip("abfnrtv\\?\"'`", "\a\b\f\n\r\t\v\\?\"'`", strict=True))
_CONSTANTS: dict[str, bool | None] = {"true": True, "false": False, "null": None}


@dataclass(frozen=True, slots=True)
class Token:
    """A word: `text` is the name or symbol, `value` what a literal stands for."""

    kind: TokenKind
    text: str
    start: int
    end: int
    value: bool | int | UInt | Decimal | str | bytes | None = None


class SyntaxProblem(Exception):  # noqa: N818 - it becomes a Problem; it never leaves this package
    """The text is not an expression; `offset` is the character where that shows."""

    def __init__(self, offset: int, message: str, hint: str = "") -> None:
        """Keep where, what and the way out."""
        self.offset = offset
        self.message = message
        self.hint = hint
        super().__init__(message)


def tokens(text: str) -> list[Token]:
    """Return the words of a text, with an `end` behind the last; raises `SyntaxProblem`."""
    found: list[Token] = []
    position = 0
    while True:
        space = _SPACE.match(text, position)
        position = space.end() if space else position
        if position == len(text):
            return [*found, Token("end", "", position, position)]
        token = _token(text, position)
        found.append(token)
        position = token.end


def _token(text: str, start: int) -> Token:
    if quote := _QUOTE.match(text, start):
        return _string(text, start, quote)
    if number := _NUMBER.match(text, start):
        return Token("value", number[0], start, number.end(), _number(number[0], start))
    if name := _NAME.match(text, start):
        word = name[0]
        kind: TokenKind = "value" if word in _CONSTANTS else "name"
        return Token(kind, word, start, name.end(), _CONSTANTS.get(word))
    if symbol := _SYMBOL.match(text, start):
        return Token("symbol", symbol[0], start, symbol.end())
    if quoted := _QUOTED_NAME.match(text, start):
        return Token("quoted", quoted[1], start, quoted.end())
    raise SyntaxProblem(start, say("'{text}' has no meaning here", text=text[start]), _MEANT.get(text[start], ""))


_MEANT = {
    "=": say("to compare, write '=='"),
    "&": say("write '&&'"),
    "|": say("write '||'"),
    "“": say('write straight quotes: "'),
    "”": say('write straight quotes: "'),
    "‘": say("write straight quotes: '"),
    "’": say("write straight quotes: '"),
    "«": say('write straight quotes: "'),
    "»": say('write straight quotes: "'),
    "≠": say("write '!='"),
    "≤": say("write '<='"),
    "≥": say("write '>='"),
}


def _number(text: str, start: int) -> int | UInt | Decimal:
    if text[-1] in "uU":
        value = int(text[:-1], 0) if text[:2] in {"0x", "0X"} else int(text[:-1])
        if value >= 1 << 64:
            raise SyntaxProblem(start, say("{text} is too large", text=text))
        return UInt(value)
    if text[:2] in {"0x", "0X"}:
        return int(text, 16)
    if text.isdigit():
        if len(text) > 40:
            raise SyntaxProblem(start, say("this number is too large"))
        return int(text)
    try:
        return Decimal(text)
    except InvalidOperation:
        raise SyntaxProblem(start, say("this number is too large")) from None


def _string(text: str, start: int, quote: re.Match[str]) -> Token:
    prefix, mark = quote[1].lower(), quote[2]
    end = _closing(text, quote.end(), mark, raw="r" in prefix)
    if end is None:
        raise SyntaxProblem(start, say("the text that begins here has no end"), say("close it with {mark}", mark=mark))
    body = text[quote.end() : end]
    if len(mark) == 1 and ("\n" in body or "\r" in body):
        raise SyntaxProblem(
            start,
            say("a text in single marks ends on its line"),
            say("write {mark} around several lines", mark=mark * 3),
        )
    stop = end + len(mark)
    if "b" in prefix:
        return Token("value", "", start, stop, _bytes(body, quote.end(), raw="r" in prefix))
    return Token("value", "", start, stop, body if "r" in prefix else _unescape(body, quote.end()))


def _closing(text: str, position: int, mark: str, *, raw: bool) -> int | None:
    while position < len(text):
        if text.startswith(mark, position):
            return position
        position += 2 if text[position] == "\\" and not raw else 1
    return None


def _escapes(body: str, offset: int) -> list[re.Match[str]]:
    found = []
    position = body.find("\\")
    while position >= 0:
        match = _ESCAPE.match(body, position)
        if match is None:
            shown = body[position : position + 2]
            raise SyntaxProblem(offset + position, say("'{shown}' is no escape", shown=shown), say("write \\\\ for \\"))
        found.append(match)
        position = body.find("\\", match.end())
    return found


def _unescape(body: str, offset: int) -> str:
    parts: list[str] = []
    done = 0
    for match in _escapes(body, offset):
        code = _code(match)
        if code > 0x10FFFF or 0xD800 <= code <= 0xDFFF:
            raise SyntaxProblem(offset + match.start(), say("'{match}' is no character", match=match[0]))
        parts += (body[done : match.start()], chr(code))
        done = match.end()
    return "".join(parts) + body[done:]


def _bytes(body: str, offset: int, *, raw: bool) -> bytes:
    parts: list[bytes] = []
    done = 0
    for match in [] if raw else _escapes(body, offset):
        if match[3] or match[4]:
            raise SyntaxProblem(
                offset + match.start(), say("'{match}' stands for a character, not for a byte", match=match[0])
            )
        parts += (body[done : match.start()].encode(), bytes([_code(match)]))
        done = match.end()
    return b"".join(parts) + body[done:].encode()


def _code(match: re.Match[str]) -> int:
    if match[1]:
        return ord(_PLAIN[match[1]])
    if match[5]:
        return int(match[5], 8)
    return int(match[2] or match[3] or match[4], 16)
