"""Letters as messages: what mail servers take, made without reading again what was written just now."""

from __future__ import annotations

from binascii import b2a_qp
from email.message import EmailMessage
from email.policy import EmailPolicy
from typing import Any

_BOUNDARY = "=_letter"
"""Stands in no text: quoted-printable has no `=_`."""


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
    message["Content-Type"] = f'multipart/alternative; boundary="{_BOUNDARY}"'
    message.set_payload([_part(text, "plain"), _part(html, "html")])


def _part(text: str, subtype: str) -> EmailMessage:
    part = EmailMessage(policy=WRITTEN)
    part["Content-Type"] = f'text/{subtype}; charset="utf-8"'
    part["Content-Transfer-Encoding"] = "quoted-printable"
    lines = "\n".join(text.splitlines()) + "\n"
    part.set_payload(b2a_qp(lines.encode("utf-8", "replace"), istext=True).decode("ascii"))
    return part


def written(message: EmailMessage, header: str) -> list[str]:
    """Return all values of a header, as they are written."""
    wanted = header.lower()
    return [str(value) for name, value in message.raw_items() if name.lower() == wanted]
