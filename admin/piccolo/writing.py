"""What piccolo-admin's forms send, turned into what changes: they send every field, changed or not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from admin.api.horizon import Seen
from definitions.spec.entity import Field
from definitions.spec.network import Network
from models.errors import ConflictError, InvalidError
from models.filters import system_fields
from models.message import Message, say
from models.record import Record
from models.records import Records
from models.uploads import FILES
from models.validation import all_fields
from models.values import Locality, ValueRefusedError, convert

VERSION = "version"
_BY_TRANSITION = say("A state changes by a transition: open the record.")
_BY_SCREEN = say("A file is added or taken away on the record's own screen: open the record.")
_NOT_HERE = say("You may not change this.")
_UNKNOWN = say("There is no such field.")


@dataclass(frozen=True, slots=True)
class Form:
    """The form of an entity as some levels see it."""

    network: Network
    seen: Seen

    def changes(self, record: Record, sent: Mapping[str, Any]) -> dict[str, Any]:
        """Return the fields that the form changes of a record.

        `ConflictError` when the form was made of another version of the record; `InvalidError` by field for what
        cannot be changed and would be: what stands in the form as it stood in the record is no change.
        """
        version = sent.get(VERSION)
        if version not in (None, "") and str(version) != str(record.version):
            raise ConflictError(record.version)
        return self._changes(record.values, sent, lambda name: name in record.writable)

    def first(self, begun: Mapping[str, Any], sent: Mapping[str, Any]) -> dict[str, Any]:
        """Return the fields that the form gives a new record; `begun` is what stood in it (see `blank`)."""
        fields = self.seen.entity.fields
        files = {name for name, field in fields.items() if field.type in FILES}
        left = {name for name, field in fields.items() if field.follows and sent.get(name) in (None, "")}
        given = {name: value for name, value in sent.items() if name in self.seen.new and name not in files | left}
        self._changes(begun, {name: value for name, value in sent.items() if name not in given}, lambda _: False)
        return given

    async def blank(self, records: Records) -> dict[str, Any]:
        """Return the values that a new record begins with: the defaults, its owner and its states."""
        entity = self.seen.entity
        fields = (field for field in entity.fields.values() if not field.follows)
        defaults = {field.name: field.default for field in fields if field.default is not None}
        names = await records.names_for(*(each.expression for each in defaults.values() if each.expression))
        found = {name: each.compute(names, records.context) for name, each in defaults.items() if name in self.seen.new}
        states = {name: self.network.processes[name].initial for name in entity.processes}
        owner = {"owner": {"id": records.actor.id}} if entity.owner and records.actor.id else {}
        return {**states, **owner, **found}

    def _changes(
        self, now: Mapping[str, Any], sent: Mapping[str, Any], writable: Callable[[str], bool]
    ) -> dict[str, Any]:
        known = {**system_fields(self.network, self.seen.entity), **all_fields(self.seen.entity)}
        changed: dict[str, Any] = {}
        wrong: dict[str, Message] = {}
        for name, value in sent.items():
            if name == VERSION:
                continue
            if name not in known or not (name in self.seen.fields or name in self.seen.writes):
                wrong[name[:100]] = _UNKNOWN
            elif not self._same(known[name], value, now.get(name)):
                if known[name].type in FILES:
                    wrong[name] = _BY_SCREEN
                elif writable(name):
                    changed[name] = value
                else:
                    wrong[name] = _BY_TRANSITION if name in self.seen.entity.processes else _NOT_HERE
        if wrong:
            raise InvalidError(wrong)
        return changed

    def _same(self, field: Field, sent: Any, now: Any) -> bool:
        """Whether a form's value is the record's: its moments have no parts of a second, its files only their names."""
        if field.type in FILES:
            return (sent or None) == (now["name"] if now else None)
        locality = Locality(ZoneInfo(self.network.timezone), next(iter(self.network.countries), None))
        try:
            found = convert(field, sent, locality)
        except ValueRefusedError:
            return False
        if field.type == "reference" and found is not None and now is not None:
            return bool(found["id"] == now["id"])
        if isinstance(found, datetime) and isinstance(now, datetime):
            return found.replace(microsecond=0) == now.replace(microsecond=0)
        return bool((found or None) == (now or None)) if field.type in {"choices", "json"} else bool(found == now)
