"""Mails of the house itself about signing in: what they say is for their recipient alone, so it is kept sealed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from models import resets
from models.actor import SYSTEM
from models.secrets import Vault
from models.tenant import Tenant
from models.tries import Try
from workflows import markdown, outbox
from workflows.posting import OF_THE_HOUSE, OPEN_OF_THE_HOUSE, Letter, post
from workflows.templates import Rendered, template_set
from workflows.unit import Unit, write

LINK = "%LINK%"
"""What stands in a wording where the link of a reset will be."""
_ASKED = "a reset that was asked for"


@dataclass(frozen=True, slots=True)
class Wording:
    """What a mail says, in its reader's language: `body` is Markdown, `kept` what stands for it where others look."""

    subject: str
    body: str
    kept: str
    language: str


def purpose(mail: str) -> str:
    """Return what the text of a mail is sealed for."""
    return f"the text of mail {mail}"


async def tell(tenant: Tenant, member: str, recipient: str, wording: Wording) -> None:
    """Send a member a letter of the house."""
    await write(tenant, SYSTEM, lambda unit: send(unit, member, recipient, wording))


async def ask_for_reset(tenant: Tenant, attempt: Try, wording: Wording, url: str) -> None:
    """Have a link to a new password sent to the e-mail of `attempt`, if it is somebody's; `url` is the network's.

    Here nothing depends on whether it is: a worker finds that out, later.
    """

    async def work(unit: Unit) -> None:
        if not await resets.may_ask(unit.tx, attempt):
            return
        said = [attempt.email, url, wording.subject, wording.body, wording.kept, wording.language]
        await outbox.enqueue(unit, "reset", {"sealed": unit.vault.seal(json.dumps(said), _ASKED)})

    await write(tenant, SYSTEM, work)


async def send_reset(unit: Unit, payload: Mapping[str, Any]) -> None:
    """Send what was asked for, to whom there is."""
    email, url, subject, body, kept, language = json.loads(unit.vault.open(payload["sealed"], _ASKED))
    begun = await resets.begin(unit.tx, email, unit.now)
    if begun is None:
        return
    found, token = begun
    wording = Wording(subject, body.replace(LINK, f"{url}sign-in/reset/{token}"), kept, language)
    await send(unit, found.member, found.email, wording)


async def send(unit: Unit, member: str, recipient: str, wording: Wording, *, secret: bool = True) -> str:
    """Do the same inside a transaction, and return the mail's id; what is not `secret` is kept as it is sent."""
    mail = unit.new_id()
    network = unit.network
    pages = _pages(unit, wording.body, wording.language)
    sealed = unit.vault.seal(json.dumps(pages), purpose(mail)) if secret else None
    html, text = _pages(unit, wording.kept, wording.language) if secret else pages
    sender = network.label.pick(wording.language, *network.languages)
    template, said = OF_THE_HOUSE if secret else OPEN_OF_THE_HOUSE, Rendered(wording.subject, html, text)
    letter = Letter(recipient, member, wording.language, template, said, sender, sealed=sealed)
    await post(unit, mail, letter)
    return mail


def _pages(unit: Unit, body: str, language: str) -> tuple[str, str]:
    templates = template_set(unit.published)
    layout = templates.tongue(templates.language(language)).layout
    return layout.page(markdown.to_html(body), ""), markdown.to_text(body)


def opened(vault: Vault, mail: str, payload: Mapping[str, Any], kept: tuple[str, str]) -> tuple[str, str]:
    """Return the HTML and the text that a mail leaves with: what was sealed for it, else what is kept."""
    if "sealed" not in payload:
        return kept
    html, text = json.loads(vault.open(payload["sealed"], purpose(mail)))
    return html, text
