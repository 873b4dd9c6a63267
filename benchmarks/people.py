"""Leads that are imported: no two alike."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import count

BATCH = 500
"""So many of them a request."""
_NUMBERS = count(1)


def batches() -> Iterator[list[dict[str, str]]]:
    """Yield lists of leads without end."""
    while True:
        yield [_lead(next(_NUMBERS)) for _ in range(BATCH)]


def _lead(number: int) -> dict[str, str]:
    return {
        "first_name": "Zoé",
        "last_name": f"Martin{number}",
        "email": f"zoe{number}@exemple.fr",
        "phone": f"+336{number % 100_000_000:08}",
        "country": "FR",
    }


def known_and_kept(items: Sequence[dict[str, str]]) -> tuple[str, list[str]]:
    """Return what the raw import gives to the database: the addresses as JSON, and each lead's values for history."""
    return json.dumps([item["email"] for item in items]), [json.dumps(item) for item in items]
