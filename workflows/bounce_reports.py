"""What comes back of mails, as it is written: answers of mail servers, reports of non-delivery, complaints."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import Message as Letter
from email.utils import getaddresses
from typing import Literal

Kind = Literal["hard", "soft", "complaint"]
LONGEST = 500
MOST = 100
"""So many recipients of a report are read."""
_ENHANCED = re.compile(r"\b5\.(\d{1,3})\.(\d{1,3})\b")
_NOBODY = frozenset({(1, 1), (1, 2), (1, 3), (1, 6), (1, 10), (2, 1)})
"""What RFC 3463 has for: no such mailbox or domain, no address at all, moved, takes no mail at all, switched off."""
_PLAIN = frozenset({550, 551, 553})
_ADDRESSED = ("Delivered-To", "X-Original-To", "Envelope-To", "To")


@dataclass(frozen=True, slots=True)
class Report:
    """What came back: `hard` (there is no such address), `soft` (not this time), or a complaint of who got it.

    `address` is whom it is about, "" where the report does not say; `to` are addresses that the report was sent to.
    """

    kind: Kind
    reason: str
    address: str = ""
    to: tuple[str, ...] = ()


def says_nobody(code: int, text: str) -> bool:
    """Whether an answer of a mail server (`550`, its words) says that there is no such address.

    One that has a reason of its own (`5.7.1`) for not taking a mail says nothing about the address.
    """
    found = _ENHANCED.search(text)
    return code in _PLAIN if found is None else (int(found[1]), int(found[2])) in _NOBODY


def read_reports(raw: bytes) -> tuple[Report, ...]:
    """Return what a mail reports, recipient by recipient; () for one that reports no end: a delay, a letter."""
    letter = message_from_bytes(raw, policy=policy.compat32)
    to = tuple(address for name in _ADDRESSED for _, address in getaddresses(list(map(str, letter.get_all(name, [])))))
    for part in letter.walk():
        if part.get_content_type() == "message/feedback-report":
            return tuple(_complaint(part, to))
        if part.get_content_type() == "message/delivery-status":
            ends = [block for block in _blocks(part) if str(block.get("Action", "")).strip().casefold() == "failed"]
            return tuple(_failed(block, to) for block in ends[:MOST])
    return ()


def _complaint(part: Letter, to: tuple[str, ...]) -> Iterator[Report]:
    fields = next(_blocks(part), part)
    kind = str(fields.get("Feedback-Type", "")).strip().casefold()
    if kind in {"abuse", "fraud", "opt-out"}:
        yield Report("complaint", kind, "", to)


def _blocks(part: Letter) -> Iterator[Letter]:
    """Yield the groups of fields of a part: parsed already, or to be read from its text."""
    payload = part.get_payload()
    if isinstance(payload, list):
        yield from (block for block in payload if isinstance(block, Letter))
        return
    content = part.get_payload(decode=True)
    if isinstance(content, bytes):
        for block in re.split(rb"\r?\n\r?\n", content):
            yield message_from_bytes(block, policy=policy.compat32)


def _failed(block: Letter, to: tuple[str, ...]) -> Report:
    status, said = str(block.get("Status", "")).strip(), _value(block, "Diagnostic-Code")
    code = re.search(r"\b5\d\d\b", said)
    hard = says_nobody(int(code[0]) if code else 0, f"{status} {said}")
    reason = " ".join((said or status).split())[:LONGEST]
    return Report("hard" if hard else "soft", reason, _value(block, "Final-Recipient"), to)


def _value(block: Letter, name: str) -> str:
    """Return a field without what it says of its kind: `rfc822; ida@example.org`."""
    return str(block.get(name, "")).partition(";")[2].strip()
