"""What a template may use when it is written for somebody: only what its reader may read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from definitions.spec.network import Network
from models.members import MEMBER
from models.shown import Bag, Eye, Shown
from workflows.actions.audience import Recipient
from workflows.reading import Reader
from workflows.scene import Scene
from workflows.templates import TemplateSet, template_set


def label_of(network: Network, language: str) -> str:
    """Return what the network is called."""
    return network.label.pick(language, *network.languages)


@dataclass(frozen=True, slots=True)
class Wording:
    """Words one template of a step for its recipients."""

    scene: Scene
    template: str

    @property
    def templates(self) -> TemplateSet:
        """The templates of the version that the run began with."""
        return template_set(self.scene.version)

    @property
    def can_be_ended(self) -> bool:
        """Whether its reader can end such messages: the template shows `links.unsubscribe`."""
        return ("links", "unsubscribe") in self.templates.reads(self.template)

    def language(self, recipient: Recipient) -> str:
        """Return the member's language; an address has that of the record's field of this type."""
        return self.templates.language(self._language(recipient))

    def _language(self, recipient: Recipient) -> str | None:
        if recipient.actor is not None:
            return recipient.actor.language
        record = self.scene.record
        if record is None:
            return None
        fields = self.scene.unit.network.entities[record.entity].fields.values()
        found = (record.full.get(field.name) for field in fields if field.type == "language")
        return next((language for language in found if language), None)

    async def names(self, recipient: Recipient, language: str, unsubscribe: str = "") -> dict[str, Any] | None:
        """Return what the template may use; None when the recipient may not read the record."""
        unit, record = self.scene.unit, self.scene.record
        eye = self.templates.tongue(language).eye
        reader = Reader(unit, recipient.actor)
        names: dict[str, Any] = {
            "recipient": self._recipient(recipient, language),
            "actor": self._member(await self._cause(reader), eye),
            "network": Bag({"name": eye.network.name, "label": label_of(eye.network, language)}),
            "settings": Bag(await unit.records.settings()),
            "links": Bag(self._links(unsubscribe)),
        }
        if record is None:
            return names | {"member": Shown({}, "member", eye)}
        paths = {path[1:] for path in self.templates.reads(self.template) if path[0] == "record"}
        earlier = self.scene.earlier
        seen = await reader.values(record, earlier.paths(record.entity, paths))
        if seen is None:
            return None
        names["record"] = Shown(earlier.view(record.entity, seen), earlier.entity(record.entity), eye)
        owner = record.full.get("owner")
        member = None if owner is None else await reader.member(owner["id"])
        return names | {"member": self._member(member or {}, eye)}

    def _member(self, values: Mapping[str, Any], eye: Eye) -> Shown:
        return Shown(self.scene.earlier.view(MEMBER, values), MEMBER, eye)

    async def _cause(self, reader: Reader) -> Mapping[str, Any]:
        """Return what the reader sees of the member who caused it; nothing when it was nobody."""
        actor = self.scene.unit.actor
        return (await reader.member(actor.id) or {}) if actor.member is not None and actor.id is not None else {}

    def _recipient(self, recipient: Recipient, language: str) -> Shown:
        eye = self.templates.tongue(language).eye
        if recipient.actor is not None and recipient.actor.member is not None:
            return self._member(recipient.actor.member, eye)
        field = "email" if "@" in recipient.address else "phone"
        return Shown({field: recipient.address, "name": recipient.address, "language": language}, "member", eye)

    def _links(self, unsubscribe: str) -> dict[str, str]:
        """Return the addresses of pages."""
        base, (entity, record) = self.scene.unit.house.url, self.scene.topic
        account = f"{base}/account"
        return {
            "record": f"{base}/e/{entity}/{record}" if record else f"{base}/",
            "account": account,
            "unsubscribe": unsubscribe or account,
        }
