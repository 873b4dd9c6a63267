"""Values of `encrypted` fields: sealed before they reach a database, a history or a file, opened only in memory."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any

from definitions.spec.entity import Field
from models.columns import codec
from models.secrets import CLOSED, SealedError, Vault

_LOG = logging.getLogger(__name__)


class Safe:
    """Seals values for one place: the row and the field, or the field's part of a history."""

    def __init__(self, vault: Callable[[], Vault] = lambda: CLOSED) -> None:
        """Keep where the vault comes from: it is there only once the network was opened."""
        self._vault = vault

    def seal(self, field: Field, record: str, value: Any) -> str:
        """Return what a column holds for a value; it opens in this row and field alone."""
        return self._vault().seal(_written(field, value), _of_row(field, record))

    def open(self, field: Field, record: str, stored: str) -> Any:
        """Return the value of a column, None for one that no key opens: the log says so, and it stays as it is."""
        return self._opened(field, stored, _of_row(field, record))

    def keep(self, field: Field, value: Any) -> str:
        """Return what stands for a value in JSON (history, runs)."""
        return self._vault().seal(_written(field, value), _of_history(field))

    def kept(self, field: Field, stored: str) -> Any:
        """Return the value that was kept; see `open`."""
        return self._opened(field, stored, _of_history(field))

    def _opened(self, field: Field, stored: str, purpose: str) -> Any:
        try:
            return codec(field).decoded(json.loads(self._vault().open(stored, purpose)))
        except SealedError as error:
            _LOG.warning("a value of %s cannot be opened: %s", field.name, error)
            return None


def _written(field: Field, value: Any) -> str:
    return json.dumps(codec(field).encoded(value), ensure_ascii=False)


def _of_row(field: Field, record: str) -> str:
    return f"record {record} {field.name}"


def _of_history(field: Field) -> str:
    return f"history {field.name}"
