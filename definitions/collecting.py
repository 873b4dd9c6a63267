"""The garbage collector, while much is made that stays."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

_lock = Lock()
_pausing = 0
_before = True


@contextmanager
def paused() -> Iterator[None]:
    """Keep the collector from looking again and again through all that is being made; anybody may ask at once."""
    global _pausing, _before  # noqa: PLW0603 - the collector is one for the whole process, too
    with _lock:
        if _pausing == 0:
            _before = gc.isenabled()
            gc.disable()
        _pausing += 1
    try:
        yield
    finally:
        with _lock:
            _pausing -= 1
            if _pausing == 0 and _before:
                gc.enable()
