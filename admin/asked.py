"""What forms and addresses of a browser say, read with care."""

from __future__ import annotations

from starlette.datastructures import FormData

from admin.visit import Visit


def text(form: FormData, name: str) -> str:
    """Return a text field of a form, trimmed; "" when it is missing."""
    value = form.get(name)
    return value.strip() if isinstance(value, str) else ""


def number(given: str) -> int:
    """Return a number from 0 on that an address says; 0 for what is none, or has more than seven digits."""
    return int(given) if given.isascii() and given.isdigit() and len(given) < 8 else 0


def inside(visit: Visit, target: str) -> str:
    """Return the address when it is a page of this network, else the network's start."""
    dots = target.lower().replace("%2e", ".")
    safe = target.startswith(visit.url()) and target.isprintable() and "\\" not in target and ".." not in dots
    return target if safe else visit.url()
