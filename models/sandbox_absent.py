"""What texts of a pack make of a value that is absent: no message fails for one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from itertools import takewhile
from operator import ge, gt, le, lt
from typing import Any

OF_NOTHING: Mapping[str, Any] = {
    **dict.fromkeys(("capitalize", "join", "lower", "replace", "striptags", "title", "trim", "truncate", "upper"), ""),
    **dict.fromkeys(("length", "wordcount"), 0),
    **dict.fromkeys(("abs", "first", "last", "round")),
}
"""What filters make of a value that is absent; the others know by themselves."""
TESTS = (
    *("divisibleby", "even", "in", "odd", "ge", "gt", "greaterthan", "le", "lessthan", "lt"),
    *("<", "<=", ">", ">="),
)
"""Jinja's tests that hold for nothing that is absent."""


def filtering(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a filter that makes nothing of nothing, and takes no notice of arguments that are absent."""
    if name not in OF_NOTHING:
        return function
    own = 1 + int(hasattr(function, "jinja_pass_arg"))

    @wraps(function)
    def filtered(*given: Any, **more: Any) -> Any:
        if given[own - 1] is None:
            return OF_NOTHING[name]
        asked = takewhile(lambda each: each is not None, given[own:])
        return function(*given[:own], *asked, **{key: value for key, value in more.items() if value is not None})

    return filtered


def testing(test: Callable[..., Any]) -> Callable[..., bool]:
    """Return a test that does not hold where a side is absent."""
    return lambda *sides: all(side is not None for side in sides) and bool(test(*sides))


def within(item: Any, values: Any) -> bool:
    """Whether an item is in a list or a text: nothing is in what is absent."""
    return item is not None and values is not None and item in values


def without(item: Any, values: Any) -> bool:
    """Whether an item is not in a list or a text: everything is missing in what is absent, as in conditions."""
    return not within(item, values)


COMPARISONS: Mapping[str, Callable[..., bool]] = {
    "lt": testing(lt),
    "lteq": testing(le),
    "gt": testing(gt),
    "gteq": testing(ge),
    "in": within,
    "notin": without,
}
"""Comparisons by Jinja's names of their operators: orderings are false where a side is absent, as in conditions."""


def part(value: Any, start: int | None, stop: int | None, step: int | None) -> Any:
    """Return a part of a text or a list; nothing of nothing."""
    return None if value is None else value[start:stop:step]


def written(value: Any) -> Any:
    """Return what is put between other texts: nothing is the empty text."""
    return "" if value is None else value


def first(values: Iterable[Any]) -> Any:
    """Return the first value; None of an empty list."""
    return next(iter(values), None)


def last(values: Iterable[Any]) -> Any:
    """Return the last value; None of an empty list."""
    return next(reversed([*values]), None)


def holds_nothing(owner: Any, key: Any) -> bool:
    """Whether there is nothing at a place: of nothing, behind the end of a list, in a map without the key."""
    if owner is None or key is None:
        return True
    if isinstance(owner, str | list | tuple):
        return isinstance(key, int) and not -len(owner) <= key < len(owner)
    return isinstance(owner, dict) and key not in owner and not (isinstance(key, str) and hasattr(owner, key))
