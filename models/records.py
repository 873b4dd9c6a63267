"""The only door to data: what an actor may see and change."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from definitions.expr.expression import Context, Expression, Names
from models.actor import Actor
from models.query import Query
from models.record import Change, Page, Record
from models.tx import Tx

if TYPE_CHECKING:
    from models.published import Published


class Records:
    """The records of a network as one actor sees them, in one transaction.

    A record that the actor may not read is to every method exactly like one that does not exist.
    """

    def __init__(
        self,
        published: Published,
        tx: Tx,
        actor: Actor,
        context: Context,
        *,
        new_id: Callable[[], str],
    ) -> None:
        """Open the door for `actor`; `new_id` gives the ids of records that are created."""
        self.published = published
        self.tx = tx
        self.actor = actor
        self.context = context
        self.new_id = new_id

    @property
    def system(self) -> Records:
        """The same transaction without any rule, for the runtime."""
        raise NotImplementedError

    async def get(self, entity: str, record_id: str) -> Record:
        """Return the record. `NotFoundError` when there is none that the actor may read."""
        raise NotImplementedError

    async def list(self, entity: str, query: Query = Query()) -> Page:
        """Return one page of the records that the actor may read."""
        raise NotImplementedError

    async def count(self, entity: str, query: Query = Query()) -> int:
        """Return how many records the whole list has."""
        raise NotImplementedError

    async def group_count(self, entity: str, process: str, query: Query = Query()) -> Mapping[str, int]:
        """Return how many records of the list are in each state of the process (states with none are left out)."""
        raise NotImplementedError

    async def create(self, entity: str, values: Mapping[str, Any]) -> Record:
        """Validate and insert. `InvalidError` by field; `RefusedError` when the actor may not create such a record.

        Values are those of memory or the text of a form. `owner` (an id or a record) is the actor when left out.
        """
        raise NotImplementedError

    async def update(self, entity: str, record_id: str, version: int | None, changes: Mapping[str, Any]) -> Change:
        """Change some fields. `version` is the one that was read (`ConflictError` when it is not now); None skips that.

        Raises `NotFoundError`, `RefusedError` (the rule must hold before and after), `InvalidError`. The state of a process
        is changed here by the system only. Nothing is written when nothing differs.
        """
        raise NotImplementedError

    async def delete(self, entity: str, record_id: str, version: int | None = None) -> Record:
        """Delete the record and return what it was. Raises like `update`."""
        raise NotImplementedError

    async def env(self, record: Record | Mapping[str, Any], expressions: Iterable[Expression], **names: Any) -> Names:
        """Return the names in scope of the expressions: `record` with the references that they read, `actor`,
        `network`, `settings`, and `names` as given. A `Record` brings its full values; no rule applies.
        """
        raise NotImplementedError

    async def labels(self, entity: str, ids: Iterable[str]) -> Mapping[str, str]:
        """Return the titles of those of the records that the actor may read, by id."""
        raise NotImplementedError

    async def reference_labels(self, records: Iterable[Record]) -> Mapping[str, Mapping[str, str]]:
        """Return the titles of all records that these refer to, by entity and id: one query an entity."""
        raise NotImplementedError
