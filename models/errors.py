"""What a request can be refused with. Each carries sentences that a door translates and shows."""

from __future__ import annotations

from collections.abc import Mapping

from definitions.text import Text
from models.message import Message, say


class RequestError(Exception):
    """A request that cannot be done; nothing was changed."""

    def __init__(self, message: Message | Text) -> None:
        """Keep the sentence: the product's (`Message`) or the pack's (`Text`)."""
        self.message = message
        super().__init__(str(message))


class NotFoundError(RequestError):
    """There is no such record for this actor: absent and not readable are the same."""

    def __init__(self) -> None:
        """Say the one sentence that gives nothing away."""
        super().__init__(say("This page does not exist, or you may not see it."))


class RefusedError(RequestError):
    """The actor can see the record but may not do this, or a guard does not hold."""


class ConflictError(RequestError):
    """Somebody changed the record since it was read; `current` is its version now."""

    def __init__(self, current: int) -> None:
        """Say what to do about it."""
        self.current = current
        super().__init__(say("Somebody changed this record meanwhile. Look at it again, then repeat your change."))


class InvalidError(RequestError):
    """Values that do not fit; `fields` maps a field's name to what is wrong with it (`""`: the whole)."""

    def __init__(self, fields: Mapping[str, Message | Text]) -> None:
        """Keep one sentence a field."""
        self.fields = fields
        super().__init__(say("Some values need your attention."))


class PublishedMeanwhileError(RequestError):
    """Definitions were made for version `base`, and `current` is another one by now.

    `changed` names the definitions that differ between the two, where that is known: `entity lead`.
    """

    def __init__(self, base: int, current: int, changed: tuple[str, ...] = ()) -> None:
        """Say which versions these are, and what is another one."""
        self.base = base
        self.current = current
        self.changed = changed
        sentence = say(
            "This was made for version {base}; meanwhile version {current} was published. Look at what changed.",
            base=base,
            current=current,
        )
        if changed:
            sentence = say(
                "This was made for version {base}; meanwhile version {current} was published, and changed: {names}.",
                base=base,
                current=current,
                names=", ".join(changed),
            )
        super().__init__(sentence)
