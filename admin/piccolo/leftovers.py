"""What is left of a back office in the process once nobody needs it: FastAPI's memory of the functions it looked at."""

from __future__ import annotations

from collections.abc import Iterator
from functools import _lru_cache_wrapper
from types import ModuleType
from typing import Any

import fastapi._compat.v2
import fastapi.dependencies.models

MODULES: tuple[ModuleType, ...] = (fastapi.dependencies.models, fastapi._compat.v2)  # noqa: SLF001 # where it caches


def caches() -> Iterator[_lru_cache_wrapper[Any]]:
    """Return the caches of FastAPI: they remember thousands of functions, and the applications that these are of."""
    for module in MODULES:
        yield from (each for each in vars(module).values() if isinstance(each, _lru_cache_wrapper))


def sweep() -> None:
    """Empty them; what is still needed is found out again when it is asked for."""
    for cache in caches():
        cache.cache_clear()
