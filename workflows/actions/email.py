"""`email`: write to members and addresses, each in their own language, what they may read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from definitions.expr.expression import Names
from definitions.spec.automation import Email
from definitions.spec.network import Network
from definitions.spec.value import Value
from definitions.text import Text
from models.actor import Actor
from models.members import load_actor, members_of_level
from models.message import say
from workflows import markdown
from workflows.posting import Letter, post
from workflows.reading import Reader
from workflows.scene import Done, Scene, Skipped
from workflows.shown import Bag, Shown
from workflows.templates import TemplateSet, template_set


@dataclass(frozen=True, slots=True)
class Recipient:
    """Somebody to write to; `actor` is set for a member."""

    address: str
    actor: Actor | None = None

    @property
    def member(self) -> str | None:
        """The member's id."""
        return None if self.actor is None else self.actor.id


FOR = Text({"fr": "{name} pour {member}", "en": "{name} for {member}"})
"""Who writes in the office of somebody else is named too."""


@dataclass(frozen=True, slots=True)
class Sender:
    """In whose name is written, and where answers go."""

    name: str
    reply_to: str | None = None


async def email(scene: Scene, step: Email) -> Done | Skipped:
    """Keep a mail for each recipient; a member that may not read the record is left out, and the trace says so."""
    names = await scene.names(*step.to, *step.cc)
    wanted = await _wanted(scene, step.to, step.to_level, names)
    copies = await _wanted(scene, step.cc, step.cc_level, names)
    inputs = {"template": step.template, "to": wanted, "cc": copies}
    members = [copy for copy in copies if not isinstance(copy, str)]  # they get a letter of their own
    recipients = await _recipients(scene, [*wanted, *members])
    if not recipients:
        return Skipped(say("There is nobody to write to."), inputs)
    addresses = tuple(copy for copy in copies if isinstance(copy, str))
    writer = Writer(scene, step, await _sender(scene, step), addresses)
    mails: list[str] = []
    left_out: list[str] = []
    for recipient in recipients:
        mail = await writer.write(recipient, first=not mails)
        if mail is None:
            left_out.append(recipient.member or recipient.address)
        else:
            mails.append(mail)
    if not mails:
        return Skipped(say("Nobody it would go to may read the record."), {**inputs, "left_out": left_out})
    return Done(inputs, {"mails": mails, "left_out": left_out})


def _label(network: Network, language: str) -> str:
    return network.label.pick(language, *network.languages)


def _flat(value: Any) -> list[Any]:
    """Return addresses and members, one by one; nothing for null."""
    if value is None or value == "":
        return []
    if isinstance(value, list | tuple):
        return [single for item in value for single in _flat(item)]
    return [value]


async def _wanted(scene: Scene, values: tuple[Value, ...], level: str | None, names: Names) -> list[Any]:
    """Return addresses and members (anything with their id): those of the values, then those of the level."""
    found = _flat([value.compute(names, scene.unit.context) for value in values])
    if level is not None:
        found += [{"id": member} for member in await members_of_level(scene.unit.tx, level)]
    return found


async def _recipients(scene: Scene, wanted: list[Any]) -> list[Recipient]:
    """Return whom to write to, each once: members must be active and have an address."""
    found: dict[str, Recipient] = {}
    for item in wanted:
        if isinstance(item, str):
            found.setdefault(item.lower(), Recipient(item))
            continue
        actor = await load_actor(scene.unit.published, scene.unit.tx, item["id"])
        if actor is not None and actor.member is not None and actor.member.get("email"):
            address = str(actor.member["email"])
            found.setdefault(address.lower(), Recipient(address, actor))
    return list(found.values())


async def _sender(scene: Scene, step: Email) -> Sender | None:
    """Return the record's owner as the sender, when the owner may send messages; None: the network."""
    owner = scene.record.full.get("owner") if scene.record is not None and step.sender == "owner" else None
    if owner is None:
        return None
    actor = await load_actor(scene.unit.published, scene.unit.tx, owner["id"])
    if actor is None or actor.member is None:
        return None
    if "communicate" not in scene.unit.published.access.functions(actor):
        return None
    name, acts = str(actor.member.get("name") or ""), scene.unit.actor
    if acts.through is not None and acts.id == actor.id:
        really = (await scene.unit.records.system.labels("member", {acts.through})).get(acts.through, "")
        name = FOR.pick(actor.language, *scene.unit.network.languages).format(name=really, member=name)
    return Sender(name, actor.member.get("email"))


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes the letters of one step."""

    scene: Scene
    step: Email
    sender: Sender | None
    copies: tuple[str, ...]

    async def write(self, recipient: Recipient, *, first: bool) -> str | None:
        """Keep the mail and return its id; None for who may not read the record. Copies go with the first."""
        unit, run = self.scene.unit, self.scene.run
        templates = template_set(self.scene.version)
        language = templates.language(self._language(recipient))
        names = await self._names(templates, recipient, language)
        if names is None:
            return None
        label = _label(self.scene.version.network, language)
        mail = unit.new_id()
        letter = Letter(
            recipient=recipient.address,
            member=recipient.member,
            language=language,
            template=self.step.template,
            rendered=templates.render(self.step.template, language, names, markdown.escape(label)),
            sender=self.sender.name if self.sender else label,
            reply_to=self.sender.reply_to if self.sender else None,
            cc=self.copies if first else (),
            entity=run.entity,
            record=run.record,
            run=run.id,
        )
        backoff = self.step.retry.backoff if self.step.retry else None
        await post(unit, mail, letter, backoff=backoff.exact if backoff else None)
        return mail

    def _language(self, recipient: Recipient) -> str | None:
        """Return the member's language; an address has that of the record's field of this type."""
        if recipient.actor is not None:
            return recipient.actor.language
        record = self.scene.record
        if record is None:
            return None
        fields = self.scene.unit.network.entities[record.entity].fields.values()
        found = (record.full.get(field.name) for field in fields if field.type == "language")
        return next((language for language in found if language), None)

    async def _names(self, templates: TemplateSet, recipient: Recipient, language: str) -> dict[str, Any] | None:
        """Return what the template may use; None when the recipient may not read the record."""
        unit, record = self.scene.unit, self.scene.record
        eye = templates.tongue(language).eye
        reader = Reader(unit, recipient.actor)
        names: dict[str, Any] = {
            "recipient": self._recipient(recipient, language, templates),
            "actor": Shown(await self._cause(reader), "member", eye),
            "network": Bag({"name": eye.network.name, "label": _label(eye.network, language)}),
            "settings": Bag(await unit.records.settings()),
            "links": Bag(self._links(recipient)),
        }
        if record is None:
            return names
        paths = {path[1:] for path in templates.reads(self.step.template) if path[0] == "record"}
        seen = await reader.values(record, paths)
        if seen is None:
            return None
        names["record"] = Shown(seen, record.entity, eye)
        owner = record.full.get("owner")
        member = None if owner is None else await reader.member(owner["id"])
        return names | {"member": Shown(member or {}, "member", eye)}

    async def _cause(self, reader: Reader) -> Mapping[str, Any]:
        """Return what the reader sees of the member who caused it; nothing when it was nobody."""
        actor = self.scene.unit.actor
        return (await reader.member(actor.id) or {}) if actor.member is not None and actor.id is not None else {}

    def _recipient(self, recipient: Recipient, language: str, templates: TemplateSet) -> Any:
        if recipient.actor is not None and recipient.actor.member is not None:
            return Shown(recipient.actor.member, "member", templates.tongue(language).eye)
        return Bag({"email": recipient.address, "name": recipient.address, "language": language})

    def _links(self, recipient: Recipient) -> dict[str, str]:
        """Return the addresses of pages. Who is no member has no account: unsubscribing is a mail to who wrote."""
        base, run = self.scene.unit.house.url, self.scene.run
        account = f"{base}/account"
        reply_to = self.sender.reply_to if self.sender else None
        by_mail = f"mailto:{quote(reply_to, safe='@')}?subject={quote('unsubscribe')}" if reply_to else f"{base}/"
        return {
            "record": f"{base}/e/{run.entity}/{run.record}" if run.record else f"{base}/",
            "account": account,
            "unsubscribe": account if recipient.member else by_mail,
        }
