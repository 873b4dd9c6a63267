"""What mails of the house say, in their reader's language."""

from __future__ import annotations

from admin.i18n import catalogue
from definitions.spec.network import Network
from models.message import Message, say
from workflows.letters import Wording


def worded(network: Network, language: str, subject: Message, body: Message) -> Wording:
    """Return what a mail about signing in says, in a language."""
    spoken = catalogue(language)
    kept = say("What this mail says is for its recipient alone.")
    said = [spoken.words(sentence, *network.languages) for sentence in (subject, body, kept)]
    return Wording(said[0], said[1], said[2], language)


def token_ends(network: Network, language: str, name: str) -> Wording:
    """Return what tells a member that the token `name` ends soon."""
    label = network.label.pick(language, *network.languages)
    subject = say("A token for {network} ends soon", network=label)
    body = say(
        "The token “{name}”, with which a program works in your name, ends soon. Make another one in time, under "
        "*My account*, *My tokens*.",
        name=name,
    )
    return worded(network, language, subject, body)
