"""The only door to data: what an actor may see and change."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from definitions.expr.expression import Context, Expression
from definitions.spec.network import Network
from models import changes, entitling, lines, lists, references, removal
from models.access import Access, Rights
from models.actor import Actor
from models.attachment import Attachment
from models.audit import Event, Kind
from models.errors import NotFoundError, RefusedError, RequestError
from models.filters import Finder
from models.message import say
from models.query import Query
from models.readings import seen_fields
from models.record import Change, LineChange, Page, Record
from models.rules import ALWAYS, CLOSED, OPEN, Condition, Path, holds, plain, reads
from models.settings import load_settings
from models.sight import Sight
from models.statement import Statement
from models.titles import spoken
from models.tx import Tx
from models.visible import ROOT

if TYPE_CHECKING:
    from models.published import Published

NOWHERE: frozenset[Path] = frozenset()
SINGLE: frozenset[Kind] = frozenset({"read", "download"})
"""Readings of one record."""

__all__ = ["Change", "Page", "Query", "Record", "Records"]


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
        self.exporting = False
        """Whether what is read leaves as a file: the audit says so."""
        self._settings: Mapping[str, Any] | None = None
        self._actor: Mapping[str, Any] | None = None
        self._closed: dict[str, bool] = {}
        self._sights: dict[str, Sight] = {}

    @property
    def network(self) -> Network:
        """The definitions."""
        return self.published.network

    @property
    def access(self) -> Access:
        """The rights of the network."""
        return self.published.access

    @cached_property
    def language(self) -> str:
        """The language that titles are said in: the actor's where the network has it, else its first."""
        languages = self.network.languages
        known = self.actor.kind != "system" and self.actor.language in languages
        return self.actor.language if known else languages[0]

    @cached_property
    def rights(self) -> Rights:
        """The rights of the actor."""
        return self.published.access.rights(self.actor)

    @cached_property
    def loader(self) -> references.Loader:
        """What loads references for expressions."""
        if self.actor.kind != "system":
            return self.system.loader
        return references.Loader(self.network, self.published.tables, self.tx)

    @cached_property
    def system(self) -> Records:
        """The same transaction without any rule, for the runtime."""
        if self.actor.kind == "system":
            return self
        acts = self.actor
        actor = Actor("system", member=acts.member, levels=(), ip=acts.ip, run=acts.run, through=acts.through)
        return Records(self.published, self.tx, actor, self.context, new_id=self.new_id)

    async def get(self, entity: str, record_id: str) -> Record:
        """Return the record. `NotFoundError` when there is none that the actor may read."""
        record = await self.find(entity, record_id)
        self._note("read", (record,))
        return record

    async def find(self, entity: str, record_id: str) -> Record:
        """Do `get` for what is no reading by a person: what is about to be changed is in the audit for that."""
        if entity not in self.network.entities:
            raise NotFoundError
        sight = self.sight(entity)
        selection = sight.select()
        statement = Statement(await self.rule_names(), self.context).add("SELECT ", selection.template)
        statement.add(f' FROM {sight.table.quoted} AS "{ROOT}" WHERE "{ROOT}"."id" = ').value(record_id)
        statement.add(" AND ", sight.read)
        row = await self.tx.row(statement.text, statement.values)
        if row is None:
            raise NotFoundError
        return (await entitling.entitled(self, [sight.from_row(row, selection)]))[0]

    async def download(self, entity: str, record_id: str, field: str) -> Attachment:
        """Return the file in a field of a record, for somebody who takes it away, whatever it holds: the audit says so.

        `NotFoundError` when there is none that the actor may read.
        """
        record = await self.find(entity, record_id)
        found = record.values.get(field)
        if not isinstance(found, Attachment):
            raise NotFoundError
        self._note("download", (record,), names=(field,))
        return found

    def took(self, record: Record, what: str) -> None:
        """Note that a file was taken away that belongs to the record and is no field of it."""
        if self.published.readings is None or self.actor.kind == "system":
            return
        owner = record.belongs_to
        self.published.readings.take(
            Event(
                "download",
                self.context.now,
                self.actor,
                record.entity,
                record=record.id,
                total=1,
                fields=(what,),
                owners=() if owner is None else (owner,),
            )
        )

    def _note(
        self, kind: Kind, records: Sequence[Record], query: Query | None = None, *, names: tuple[str, ...] = ()
    ) -> None:
        """Note for the audit that a person saw data of others: these fields, or those that hold personal data.

        What is one's own is not noted.
        """
        readings, actor = self.published.readings, self.actor
        if readings is None or actor.kind == "system" or not records:
            return
        entity = records[0].entity
        names = names or self.sight(entity).personal
        if not names:
            return
        own = None if actor.through is not None else actor.id
        others = {each.id: owner for each in records if (owner := each.belongs_to) != own or own is None}
        fields = seen_fields(names, records) if others else ()
        if not fields:
            return
        ids, owners = tuple(others), set(others.values())
        readings.take(
            Event(
                "exported" if self.exporting else kind,
                self.context.now,
                actor,
                entity,
                record=ids[0] if kind in SINGLE else None,
                records=() if kind in SINGLE else ids,
                total=len(ids),
                fields=fields,
                owners=tuple(sorted(owner for owner in owners if owner is not None)),
                detail="" if query is None else query.told,
            )
        )

    async def create_many(
        self, entity: str, given: Sequence[Mapping[str, Any] | RequestError]
    ) -> Sequence[Record | RequestError]:
        """Do `create` for each, with few statements; what one is refused with stands at its place and hinders no other.

        A refusal that is given stands for a record that was wrong before. Members are created one by one.
        """
        return await changes.create_many(self, entity, given)

    async def list(self, entity: str, query: Query = Query()) -> Page:  # noqa: B008 (frozen)
        """Return one page of the records that the actor may read."""
        found = await lists.page(self, entity, query)
        self._note("searched" if query.q else "listed", found.records, query)
        return found

    async def count(self, entity: str, query: Query = Query(), *, most: int | None = None) -> int:  # noqa: B008 (frozen)
        """Return how many records the whole list has.

        With `most` counting ends at `most + 1`, "more than that": what a page counts must not cost as much as there is.
        """
        return await lists.count(self, entity, query, most)

    async def group_count(self, entity: str, process: str, query: Query = Query()) -> Mapping[str, int]:  # noqa: B008 (frozen)
        """Return how many records of the list are in each state of the process (states with none are left out)."""
        return await lists.group_count(self, entity, process, query)

    async def create(self, entity: str, values: Mapping[str, Any]) -> Record:
        """Validate and insert. `InvalidError` by field; `RefusedError` when the actor may not create such a record.

        Values are those of memory or the text of a form. `owner` (an id or a record) is the actor when left out. The
        system may give states and `created_at` too. Lines are lists of values by the name that the entity has for them.
        """
        return await lines.create(self, entity, values)

    async def update(self, entity: str, record_id: str, version: int | None, values: Mapping[str, Any]) -> Change:
        """Change some fields. `version` is the one that was read (`ConflictError` when it is not now); None skips that.

        Raises `NotFoundError`, `RefusedError` (the rule must hold before and after), `InvalidError`. The state of a
        process is changed here by the system only. Nothing is written when nothing differs. Lists of lines take the
        place of those that the actor sees: one with an `id` is changed, one without is new, one left out is deleted.
        """
        return await lines.update(self, entity, record_id, version, values)

    async def rewrite(self, record: Record, values: Mapping[str, Any]) -> Change:
        """Change a record that this transaction has read already, through whatever eyes: for the system alone."""
        if self.actor.kind != "system":
            raise RefusedError(say("You may not change this record."))
        return await changes.rewrite(self, self.sight(record.entity).record(record.full, ()), values)

    async def delete(self, entity: str, record_id: str, version: int | None = None) -> Record:
        """Delete the record and return what it was. Raises like `update`."""
        return await removal.delete(self, entity, record_id, version)

    async def settle(self, line: Record) -> Change:
        """Have what a line is a line of follow a change of it: computed again, in its next version."""
        return await lines.settle(self, line)

    async def parts(self, entity: str, record_id: str) -> tuple[LineChange, ...]:
        """Return all lines of a record and theirs, whoever sees them, as if they were new."""
        return await lines.parts(self.system, entity, record_id)

    async def lines(self, record: Record) -> Mapping[str, Sequence[Record]]:
        """Return the lines of a record that was read here, in their order, by what the record calls them."""
        found = {}
        for name, entity in self.network.lines(record.entity).items():
            found[name] = await lines.below(self, entity, record.id)
            if self.actor.through is not None or record.belongs_to != self.actor.id:
                self._note("listed", found[name])
        return found

    async def may_move(self, record: Record, process: str, transition: str) -> bool:
        """Whether the actor's levels grant this move of a record that was read here (the guard is another matter)."""
        rule = self.rights.transition(process, transition)
        return await self.holds(record.entity, rule, record.full)

    async def env(self, record: Record | None, expressions: Iterable[Expression], **names: Any) -> dict[str, Any]:
        """Return the names in scope of the expressions, for evaluation: no rule applies to definitions.

        `record` with all its values and the references that the expressions read, `actor`, `network`, `settings`, and
        `names` as given; `before` (values of the same entity) and those that are a `Record` bring their references too.
        """
        given = {**names} if record is None else {"record": record, **names}
        wanted = tuple(expressions)
        found = await self.names_for(*wanted)
        paths = references.selected(wanted)
        for name, value in given.items():
            followed = paths.get(name, NOWHERE)
            if isinstance(value, Record):
                found[name] = await self.loader.follow(value.entity, value.full, followed)
            elif name == "before" and record is not None:
                found[name] = await self.loader.follow(record.entity, value, followed)
            else:
                found[name] = value
        return found

    async def labels(self, entity: str, ids: Iterable[str]) -> Mapping[str, str]:
        """Return the titles of those of the records that the actor may read, by id."""
        found = await entitling.titled(self, entity, ids)
        self.note_shown(found, self.sight(entity).entitling)
        return {record.id: record.title for record in found}

    def note_shown(self, found: Sequence[Record], names: Iterable[str]) -> None:
        """Note for the audit that a title showed these fields of records, those that hold personal data."""
        shown = tuple(name for name in self.sight(found[0].entity).personal if name in names) if found else ()
        if shown and found[0].entity != "member":  # a colleague's name is no secret: it signs what the colleague did
            self._note("listed", found, names=shown)

    async def reference_labels(self, records: Iterable[Record]) -> Mapping[str, Mapping[str, str]]:
        """Return the titles of all records that these refer to, by entity and id: one query an entity."""
        wanted = references.referred(self, records)
        return {entity: await self.labels(entity, ids) for entity, ids in wanted.items()}

    # What the rooms behind the door use ---------------------------------------------------------------------------

    async def rule_names(self) -> dict[str, Any]:
        """Return the names that rules are bound to: the actor, with the references that its levels' rules follow."""
        if self._actor is None and self.actor.member is not None:
            paths = self.access.actor_paths(self.actor.levels)
            self._actor = await self.loader.follow("member", self.actor.member, paths) if paths else self.actor.member
        return {"actor": self._actor}

    async def names_for(self, *expressions: Expression | None) -> dict[str, Any]:
        """Return the names that are in scope everywhere, as far as the expressions read them."""
        names = await self.rule_names()
        names["network"] = self._network_record
        names["settings"] = {}
        if not expressions:
            return names
        paths = references.selected(expressions)
        if names["actor"] is not None and "actor" in paths:
            names["actor"] = await self.loader.follow("member", names["actor"], paths["actor"])
        if "settings" in paths:
            names["settings"] = await self.settings()
        return names

    async def settings(self) -> Mapping[str, Any]:
        """Return the values of the network's settings, read once in this transaction."""
        if self._settings is None:
            self._settings = await load_settings(self.tx, self.network)
        return self._settings

    @cached_property
    def _network_record(self) -> Mapping[str, Any]:
        network = self.network
        return {
            "name": network.name,
            "label": network.label.pick(self.actor.language, *network.languages),
            "timezone": network.timezone,
            "currency": network.currency,
            "languages": network.languages,
            "countries": network.countries,
        }

    async def holds(self, entity: str, rule: Condition, values: Mapping[str, Any]) -> bool:
        """Whether a rule holds for a record in hand, with what it reads of other records."""
        if plain(rule) is ALWAYS:
            return True
        return holds(rule, await self.names_of(entity, rule, values), self.context)

    async def names_of(self, entity: str, rule: Condition, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return the names that deciding a rule for a record in hand takes."""
        names = await self.rule_names()
        paths = self.sight(entity).followed(rule)
        names["record"] = await self.loader.follow(entity, values, paths) if paths else values
        if self.rights.leads and CLOSED in reads(rule):
            owner = _topmost(names["record"]).get("owner")
            names["closed"] = () if owner is None or not await self._has_closed(owner["id"]) else (owner["id"],)
        return names

    async def reads_everything(self) -> bool:
        """Whether the actor may read every record of every entity, with all of its fields."""
        sights = [self.sight(entity) for entity in self.network.entities]
        if not all(sight.whole for sight in sights):
            return False
        closable = any(sight.known == OPEN for sight in sights)  # lines belong to what can be closed itself
        return not closable or await self.tx.row('SELECT 1 FROM "_closed" LIMIT 1') is None

    async def _has_closed(self, member: str) -> bool:
        """Whether a member closed the own data to the leader; asked once in this transaction."""
        if member not in self._closed:
            row = await self.tx.row('SELECT 1 FROM "_closed" WHERE "member" = ?', (member,))
            self._closed[member] = row is not None
        return self._closed[member]

    def sight(self, entity: str) -> Sight:
        """Return how the actor sees an entity's records."""
        found = self._sights.get(entity)
        if found is not None:
            return found
        if entity not in self.network.entities:
            raise NotFoundError
        language = self.language if spoken(self.network.entities[entity]) else ""
        key, kept = (entity, self.tx.dialect, language), self.rights.sights
        if key not in kept:
            kept[key] = Sight(self.network, self.published.tables, self.rights, entity, self.tx.dialect, language)
        found = self._sights[entity] = kept[key]
        return found

    def finder(self, entity: str) -> Finder:
        """Return what finds the columns that queries of the actor name."""
        return self.sight(entity).finder


def _topmost(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the values of what a line is a line of, however deep; of a record that is no line its own."""
    parent = values.get("parent")
    return _topmost(parent) if isinstance(parent, Mapping) and "version" in parent else values
