"""What Piccolo's engines over our stores share: single statements, and no transactions of their own."""

from __future__ import annotations

import contextvars
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, NoReturn

from piccolo.engine.base import BaseAtomic, BaseBatch, BaseTransaction, Engine
from piccolo.engine.exceptions import TransactionError
from piccolo.query.base import Query
from piccolo.querystring import QueryString

_CLOSED = (
    "Use store.write and tx.query: a transaction of the engine would hold up other writers, and could not run again "
    "when it collides with them."
)


class SingleStatements(Engine[BaseTransaction]):
    """Runs each query by itself: an engine's transaction would last for whatever a request awaits in between.

    What belongs together is written with `store.write` and `tx.query`.
    """

    def __init__(self, engine_type: str, min_version_number: float) -> None:
        """Speak a database's dialect."""
        self.current_transaction = contextvars.ContextVar("maille_piccolo_transaction", default=None)
        super().__init__(engine_type=engine_type, min_version_number=min_version_number)

    @abstractmethod
    async def _run(self, sql: str, values: Sequence[Any]) -> list[dict[str, Any]]:
        """Run a statement, in the transaction that it is called in if there is one, and return its rows."""

    async def prep_database(self) -> None:
        """Do nothing: the store prepares its connections."""

    async def run_querystring(self, querystring: QueryString, in_pool: bool = True) -> list[dict[str, Any]]:  # noqa: ARG002, FBT001, FBT002 - Piccolo's signature
        """Run a query and return its rows as dictionaries."""
        sql, values = querystring.compile_string(engine_type=self.engine_type)
        return await self._run(sql, values)

    async def run_ddl(self, ddl: str, in_pool: bool = True) -> list[dict[str, Any]]:  # noqa: ARG002, FBT001, FBT002 - Piccolo's signature
        """Run a statement that changes tables."""
        return await self._run(ddl, [])

    def transaction(self, *args: object, **kwargs: object) -> NoReturn:  # noqa: ARG002 - Piccolo's signature
        """Refuse: see the class."""
        raise TransactionError(_CLOSED)

    def atomic(self, *args: object, **kwargs: object) -> BaseAtomic:  # noqa: ARG002 - Piccolo's signature
        """Refuse: see the class."""
        raise TransactionError(_CLOSED)

    async def batch(self, query: Query[Any, Any], batch_size: int = 100, node: str | None = None) -> BaseBatch:  # noqa: ARG002 - Piccolo's signature
        """Refuse: read page by page instead."""
        raise TransactionError("A batch would keep a connection between requests: read page by page.")
