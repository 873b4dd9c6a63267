"""Texts of the runtime that may tell values of encrypted fields: sealed in networks that have such fields."""

from __future__ import annotations

from workflows.unit import Unit

SEALED = "sealed:"
"""What stands before a sealed text; JSON begins otherwise."""


def sealed(unit: Unit, text: str, purpose: str) -> str:
    """Return what is kept of a text: itself, where the network has no encrypted field."""
    fields = (field for entity in unit.network.entities.values() for field in entity.fields.values())
    if not any(field.encrypted for field in fields):
        return text
    return SEALED + unit.vault.seal(text, purpose)


def opened(unit: Unit, kept: str, purpose: str) -> str:
    """Return a text as it was; `SealedError` when no key of the installation opens it."""
    return unit.vault.open(kept.removeprefix(SEALED), purpose) if kept.startswith(SEALED) else kept
