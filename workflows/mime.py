"""Letters as messages: what mail servers take, made without reading again what was written just now."""

from __future__ import annotations

from binascii import b2a_qp
from email.message import EmailMessage, Message
from email.policy import EmailPolicy
from functools import lru_cache
from typing import Any

_BOUNDARY = "=_letter"
"""Stands in no text: quoted-printable has no `=_`."""
_ALTERNATIVE = f'multipart/alternative; boundary="{_BOUNDARY}"'
_LONGEST = 900
"""So many letters a header has at most that cannot be broken: a line of a mail has 998."""


class _Written(EmailPolicy):
    """Keeps headers that are plain words as they are; others are parsed and encoded, and bad ones refused."""

    def header_store_parse(self, name: str, value: Any) -> tuple[str, Any]:
        """Return what is kept of a header that is set."""
        if type(value) is str and value.isascii() and value.isprintable():
            return name, value
        return super().header_store_parse(name, value)

    def header_fetch_parse(self, name: str, value: Any) -> Any:
        """Return a header; those about the content as they were written."""
        return value if name.lower().startswith("content-") else super().header_fetch_parse(name, value)

    def header_max_count(self, name: str) -> int | None:
        """Return how often a message may have a header."""
        return _most(name.lower())

    def fold_binary(self, name: str, value: Any) -> bytes:
        """Return a header as lines; what is plain words and fits on one is that line."""
        if type(value) is str and value.isascii() and value.isprintable():
            line = f"{name}: {value}{self.linesep}"
            if len(line) <= (self.max_line_length or 0) or (" " not in value and len(value) <= _LONGEST):
                return line.encode("ascii")
        return super().fold_binary(name, value)


@lru_cache(maxsize=64)
def _most(name: str) -> int | None:
    return EmailPolicy().header_max_count(name)


WRITTEN = _Written()
SMTP = WRITTEN.clone(linesep="\r\n")
"""How messages are said to mail servers."""
SMTP_UTF8 = SMTP.clone(utf8=True)
"""The same to those that take addresses in any script."""


def letter() -> EmailMessage:
    """Return a message without headers or words."""
    return EmailMessage(policy=WRITTEN)


def fill(message: EmailMessage, text: str, html: str) -> None:
    """Give a message its words, as text and as HTML."""
    message["MIME-Version"] = "1.0"
    message["Content-Type"] = _ALTERNATIVE
    message.set_payload([_part(text, "plain"), _part(html, "html")])


def _part(text: str, subtype: str) -> EmailMessage:
    part = EmailMessage(policy=WRITTEN)
    part["Content-Type"] = f'text/{subtype}; charset="utf-8"'
    part["Content-Transfer-Encoding"] = "quoted-printable"
    lines = "\n".join(text.splitlines()) + "\n"
    part.set_payload(b2a_qp(lines.encode("utf-8", "replace"), istext=True).decode("ascii"))
    return part


def content(message: EmailMessage, how: EmailPolicy) -> bytes:
    """Return a message as it is said to a mail server: `how` is `SMTP` or `SMTP_UTF8`."""
    if written(message, "Content-Type") != [_ALTERNATIVE]:  # files go along, or it is none of ours
        return message.as_bytes(policy=how)
    lines = [_headers(message, how), b"\r\n"]
    for part in message.iter_parts():
        words = str(part.get_payload()).encode("ascii").replace(b"\n", b"\r\n")
        lines += [b"--", _BOUNDARY.encode(), b"\r\n", _headers(part, how), b"\r\n", words, b"\r\n"]
    return b"".join((*lines, b"--", _BOUNDARY.encode(), b"--\r\n"))


def _headers(message: Message[str, str], how: EmailPolicy) -> bytes:
    return b"".join([how.fold_binary(name, value) for name, value in message.raw_items()])


def written(message: EmailMessage, header: str) -> list[str]:
    """Return all values of a header, as they are written."""
    wanted = header.lower()
    return [str(value) for name, value in message.raw_items() if name.lower() == wanted]
