from __future__ import annotations

from email.message import EmailMessage
from typing import Any

import pytest

from tests.workflows.conftest import Mailbox
from workflows.mail import SendError, SmtpTransport

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("url", "read"),
    [
        ("smtp://mail.example", ("mail.example", None, None, None, False, "auto", "maille@mail.example")),
        ("smtp://u:p%40ss@h:587", ("h", 587, "u", "p@ss", False, "auto", "maille@h")),
        ("smtps://lea%40e.example:p@h", ("h", None, "lea@e.example", "p", True, "auto", "lea@e.example")),
        ("smtp://h?starttls=required&from=a@b.example", ("h", None, None, None, False, "required", "a@b.example")),
    ],
)
def test_a_url_says_how_to_reach_the_server(url: str, read: tuple[Any, ...]) -> None:
    made = SmtpTransport(url)
    assert (made.host, made.port, made.user, made.password, made.tls, made.starttls, made.address) == read
    assert "p@ss" not in repr(made)
    assert "p%40ss" not in repr(made)


@pytest.mark.parametrize("url", ["", "http://h", "smtp://", "smtp://h?starttls=maybe"])
def test_a_url_that_is_none_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(ValueError, match="SMTP_URL is"):
        SmtpTransport(url)


def letter(to: str = "paul@exemple.fr", **headers: str) -> EmailMessage:
    """Return a small message."""
    message = EmailMessage()
    message["From"] = "Office <office@reseau.example>"
    message["To"] = to
    message["Subject"] = "Ça va ?"
    for name, value in headers.items():
        message[name] = value
    message.set_content("Bonjour\n.\nÉlodie")
    return message


async def test_several_letters_go_over_one_connection(mailbox: Mailbox) -> None:
    async with SmtpTransport(mailbox.url).open() as session:
        await session.send(letter())
        await session.send(letter("ida@exemple.fr", Cc="chef@exemple.fr"))
    assert mailbox.recipients == [["paul@exemple.fr"], ["ida@exemple.fr", "chef@exemple.fr"]]
    assert mailbox.letters[0]["Subject"] == "Ça va ?"
    assert mailbox.letters[0].get_content().splitlines() == ["Bonjour", ".", "Élodie"]


async def test_a_refused_copy_does_not_keep_the_letter_back(mailbox: Mailbox) -> None:
    mailbox.refuse["chef@exemple.fr"] = "550 no"
    async with SmtpTransport(mailbox.url).open() as session:
        await session.send(letter(Cc="chef@exemple.fr"))
    assert mailbox.recipients == [["paul@exemple.fr"]]


@pytest.mark.parametrize(("answer", "permanent"), [("550 no", True), ("451 later", False)])
async def test_a_refusal_says_whether_trying_again_would_help(mailbox: Mailbox, answer: str, permanent: bool) -> None:
    mailbox.refuse["paul@exemple.fr"] = answer
    async with SmtpTransport(mailbox.url).open() as session:
        with pytest.raises(SendError, match=answer) as refused:
            await session.send(letter())
        assert (refused.value.permanent, refused.value.uncertain) == (permanent, False)
        await session.send(letter("ida@exemple.fr"))
    assert mailbox.recipients == [["ida@exemple.fr"]]


async def test_an_address_with_accents_is_sent_as_such(mailbox: Mailbox) -> None:
    async with SmtpTransport(mailbox.url).open() as session:
        await session.send(letter("élodie@exemple.fr"))
    assert mailbox.recipients == [["élodie@exemple.fr"]]


async def test_a_server_that_is_not_there_is_no_reason_to_give_up() -> None:
    with pytest.raises(SendError) as away:
        async with SmtpTransport("smtp://127.0.0.1:1").open():
            pass
    assert not away.value.permanent
