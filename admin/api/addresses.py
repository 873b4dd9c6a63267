"""Which addresses are the API's."""

from __future__ import annotations

import re

VERSION = "v1"
_WITHIN = re.compile(r"/n/[^/]+/api/v\d+(?:/|\Z)")


def within(path: str) -> bool:
    """Whether an address is the API's, which does its own asking who calls."""
    return _WITHIN.match(path) is not None
