"""What answers are compared by."""

from __future__ import annotations

import httpx


def headers_of(answer: httpx.Response) -> list[tuple[str, str]]:
    """Return the headers that tell something; each answer has an id of its own, which tells nothing."""
    return sorted(pair for pair in answer.headers.multi_items() if pair[0] != "x-request-id")
