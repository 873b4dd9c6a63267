"""Jinja for texts of a pack: nothing in it costs much more than the text that it makes, whoever wrote it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from jinja2 import Template, Undefined, nodes, pass_context
from jinja2.exceptions import SecurityError
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

from models import sandbox_absent as absent
from models.sandbox_numbers import exact, round_to, small
from models.sandbox_tree import COUNTED, EXACT, PART, SHORT, WRITTEN, bounded

LONGEST = 200_000
"""So many letters has a text at most, and anything that is put together on the way to it."""
TURNS = 10_000
"""So many turns all loops of a text take together."""
BITS = 4_096
_BUDGET = "_turns"
_TOO_LONG = "this makes too long a text"


class Turns:
    """The turns of loops that are left."""

    __slots__ = ("left",)

    def __init__(self) -> None:
        """Begin with all."""
        self.left = TURNS

    def take(self) -> None:
        """Take one; `SecurityError` when there is none."""
        self.left -= 1
        if self.left < 0:
            raise SecurityError("the loops of this text take too many turns")


_NEIGHBOURS = frozenset({"previtem", "nextitem"})


class Sandbox(ImmutableSandboxedEnvironment):
    """Jinja without functions, with these filters, and with bounds. Use `fill`, which counts."""

    intercepted_binops = frozenset(["*", "**", "%", "+", "-", "/", "//"])
    intercepted_unops = frozenset(["+", "-"])

    def __init__(self, filters: Mapping[str, Callable[..., Any]], **options: Any) -> None:
        """Nothing is computed while a text is compiled: only `fill` has bounds."""
        super().__init__(optimized=False, **options)
        own: Mapping[str, Callable[..., Any]] = {
            "replace": replace,
            "join": join,
            "round": round_to,
            "first": absent.first,
            "last": absent.last,
        }
        self.filters = {
            **{name: absent.filtering(name, own.get(name, function)) for name, function in filters.items()},
            **_INNER,
        }
        tests: dict[str, Any] = dict(self.tests)
        self.tests = tests | {name: absent.testing(tests[name]) for name in absent.TESTS}
        self.globals = {}

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        return bounded(super()._parse(source, name, filename))

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Add texts within bounds; multiply numbers only, and only small ones; no powers.

        Nothing comes of nothing, nor of a division by zero.
        """
        if left is None or right is None or (operator in _DIVISIONS and right == 0):
            return None
        texts = isinstance(left, str | list | tuple) or isinstance(right, str | list | tuple)
        if operator == "**" or (texts and operator != "+"):
            raise SecurityError(f"'{operator}' is for numbers.")
        whole = isinstance(left, int) and isinstance(right, int)
        if operator == "*" and whole and left.bit_length() + right.bit_length() > BITS:
            raise SecurityError("this number is too big")
        divided = Decimal(left) if operator == "/" and whole else exact(left)
        return short(small(super().call_binop(context, operator, divided, exact(right))))

    def call_unop(self, context: Context, operator: str, arg: Any) -> Any:
        """Change the sign of a number; nothing comes of nothing."""
        return None if arg is None else super().call_unop(context, operator, exact(arg))

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Return a field; nothing of what is absent, and before the first turn of a loop or behind the last."""
        if absent.holds_nothing(obj, attribute):
            return None
        found = super().getattr(obj, attribute)
        return None if attribute in _NEIGHBOURS and isinstance(found, Undefined) else found

    def getitem(self, obj: Any, argument: Any) -> Any:
        """Return an item; nothing of what is absent, or behind the end."""
        return None if absent.holds_nothing(obj, argument) else super().getitem(obj, argument)

    def fill(self, template: Template, names: Mapping[str, Any]) -> str:
        """Return the text of a template; `SecurityError` where it would cost too much."""
        pieces: list[str] = []
        room = LONGEST
        for piece in template.generate({**names, _BUDGET: Turns()}):
            pieces.append(piece)
            room -= len(piece)
            if room < 0:
                raise SecurityError(_TOO_LONG)
        return "".join(pieces)


_DIVISIONS = frozenset({"/", "//", "%"})


def short(value: Any) -> Any:
    """Return the value; `SecurityError` for a text or a list that is too long."""
    if isinstance(value, str | list | tuple) and len(value) > LONGEST:
        raise SecurityError(_TOO_LONG)
    return value


@pass_context
def counted(context: Context, values: Iterable[Any] | None) -> Iterator[Any]:
    """Yield the values of a loop, each for a turn of the text's budget."""
    turns = context.resolve(_BUDGET)
    for value in () if values is None else values:
        turns.take()
        yield value


def replace(value: Any, old: str | None = None, new: str = "", count: int | None = None) -> str:
    """Return the text with `old` replaced by `new`; as it is without an `old`."""
    text, old, new = str(value), None if old is None else str(old), str(new)
    if old is None:
        return text
    if len(text) + (text.count(old) + 1) * len(new) > LONGEST:
        raise SecurityError(_TOO_LONG)
    return text.replace(old, new, -1 if count is None else count)


def join(value: Iterable[Any], between: str = "") -> str:
    """Return the values as one text."""
    texts = [str(absent.written(each)) for each in value]
    if sum(map(len, texts)) + len(texts) * len(str(between)) > LONGEST:
        raise SecurityError(_TOO_LONG)
    return str(between).join(texts)


_INNER: Mapping[str, Callable[..., Any]] = {
    SHORT: short,
    COUNTED: counted,
    EXACT: exact,
    PART: absent.part,
    WRITTEN: absent.written,
    **{f"_{name}": compare for name, compare in absent.COMPARISONS.items()},
}
"""What the product itself puts in (`models.sandbox_tree`)."""
