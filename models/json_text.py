"""JSON as it is kept: as short as it can be, letters as they are, what JSON has no form for as its text."""

from __future__ import annotations

import json
from collections.abc import Callable
from json import encoder
from typing import Any


def _writer(*, sort: bool) -> Callable[[Any], str]:
    """Return what writes a value; the standard library's own encoder makes itself anew for each."""
    options = {"ensure_ascii": False, "separators": (",", ":"), "default": str, "sort_keys": sort}
    whole: Callable[[Any], str] = json.JSONEncoder(**options).encode  # type: ignore[arg-type] # what it takes
    make = getattr(encoder, "c_make_encoder", None)
    if make is None:  # a Python without its C parts
        return whole
    skip_keys, allow_nan = False, True
    parts = make(None, str, encoder.encode_basestring, None, ":", ",", sort, skip_keys, allow_nan)

    def write(value: Any) -> str:
        return "".join(parts(value, 0)) if isinstance(value, dict | list) else whole(value)

    return write


written = _writer(sort=False)
"""Return JSON text."""
in_order = _writer(sort=True)
"""Return JSON text with the keys of objects sorted: the same for equal values."""
