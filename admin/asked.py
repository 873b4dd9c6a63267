"""What forms of a browser say, read with care."""

from __future__ import annotations

from starlette.datastructures import FormData

from admin.visit import Visit


def text(form: FormData, name: str) -> str:
    """Return a text field of a form, trimmed; "" when it is missing."""
    value = form.get(name)
    return value.strip() if isinstance(value, str) else ""


def inside(visit: Visit, target: str) -> str:
    """Return the address when it is a page of this network, else the network's start."""
    dots = target.lower().replace("%2e", ".")
    safe = target.startswith(visit.url()) and target.isprintable() and "\\" not in target and ".." not in dots
    return target if safe else visit.url()
