"""`email`: write to members and addresses, each in their own language, what they may read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from definitions.spec.automation import Email
from definitions.text import Text
from models.attachment import Attachment
from models.members import load_actor
from models.message import say
from workflows import markdown, preferences
from workflows.actions.audience import Recipient, as_written, recipients, wanted
from workflows.actions.wording import Wording, label_of
from workflows.posting import Letter, post
from workflows.reading import Reader
from workflows.scene import Done, Scene, Skipped, StepError

LARGEST = 15 * 1024 * 1024
"""So many bytes of files go along with a mail at most: what mail servers take, a third more on its way."""
FOR = Text({"fr": "{name} pour {member}", "en": "{name} for {member}"})
"""Who writes in the office of somebody else is named too."""


@dataclass(frozen=True, slots=True)
class Sender:
    """In whose name is written, and where answers go."""

    name: str
    reply_to: str | None = None


async def email(scene: Scene, step: Email) -> Done | Skipped:
    """Keep a mail for each recipient.

    A member that may not read the record is left out, and so is who wants no more of such mails; the trace says so.
    """
    names = await scene.names(*step.to, *step.cc)
    found = await wanted(scene, step.to, step.to_level, names)
    copies = await wanted(scene, step.cc, step.cc_level, names)
    inputs = {"template": step.template, "to": found, "cc": copies}
    members = [copy for copy in copies if not isinstance(copy, str)]  # they get a letter of their own
    people = await recipients(scene, [*found, *members], "email", as_written)
    if not people:
        return Skipped(say("There is nobody to write to."), inputs)
    writer = Writer(scene, step, await _sender(scene, step), await _copies(scene, step, copies))
    mails: list[str] = []
    left_out: list[str] = []
    for recipient in people:
        mail = await writer.write(recipient, first=not mails)
        if mail is None:
            left_out.append(recipient.member or recipient.address)
        else:
            mails.append(mail)
    if not mails:
        why = say("Nobody it would go to may read the record, or wants such mails.")
        return Skipped(why, {**inputs, "left_out": left_out})
    return Done(inputs, {"mails": mails, "left_out": left_out})


async def _copies(scene: Scene, step: Email, copies: list[Any]) -> tuple[str, ...]:
    """Return the addresses that get a copy, without those that want no more of such mails."""
    addresses = [copy for copy in copies if isinstance(copy, str)]
    if not Wording(scene, step.template).can_be_ended:
        return tuple(addresses)
    return tuple([each for each in addresses if not await preferences.unsubscribed(scene.unit.tx, each)])


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
        """Keep the mail and return its id; None for who may not have it. Copies go with the first."""
        unit, run = self.scene.unit, self.scene.run
        wording = Wording(self.scene, self.step.template)
        language = wording.language(recipient)
        who = recipient.member or recipient.address
        if wording.can_be_ended and await preferences.unsubscribed(unit.tx, who):
            return None
        ends = preferences.link(unit, who) if wording.can_be_ended else None
        names = await wording.names(recipient, language, ends or "")
        if names is None:
            return None
        label = label_of(self.scene.version.network, language)
        mail = unit.new_id()
        letter = Letter(
            recipient=recipient.address,
            member=recipient.member,
            language=language,
            template=self.step.template,
            rendered=wording.templates.render(self.step.template, language, names, markdown.escape(label)),
            sender=self.sender.name if self.sender else label,
            reply_to=self.sender.reply_to if self.sender else None,
            cc=self.copies if first else (),
            entity=self.scene.topic[0],
            record=self.scene.topic[1],
            run=run.id,
            attached=await self._attached(recipient),
            unsubscribe=ends,
        )
        backoff = self.step.retry.backoff if self.step.retry else None
        await post(unit, mail, letter, backoff=backoff.exact if backoff else None)
        return mail

    async def _attached(self, recipient: Recipient) -> tuple[Attachment, ...]:
        """Return the files that go along: of those that are there, those that the recipient may read."""
        record = self.scene.record
        if record is None or not self.step.attach:
            return ()
        seen: Mapping[str, Any] = await Reader(self.scene.unit, recipient.actor).values(record, ()) or {}
        seen = self.scene.earlier.view(record.entity, seen)
        files = tuple(found for name in self.step.attach if isinstance(found := seen.get(name), Attachment))
        if sum(int(file["size"]) for file in files) > LARGEST:
            raise StepError(say("The files are larger than {count} MB together.", count=LARGEST // 1024**2))
        return files
