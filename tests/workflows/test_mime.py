"""Letters as messages: every word arrives, and no value makes a header of its own."""

from __future__ import annotations

from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workflows import mime

HTML = "<p>Grüße, “à bientôt”</p>"
words = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=300)


def arrived(message: EmailMessage, how: policy.EmailPolicy = mime.SMTP) -> EmailMessage:
    """Return a message as its reader has it."""
    content = mime.content(message, how)
    assert all(len(line) <= 998 for line in content.split(b"\r\n"))
    found = message_from_bytes(content, policy=policy.default)
    assert isinstance(found, EmailMessage)
    return found


def said(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n").rstrip("\n")


@given(st.lists(words, max_size=5), words)
def test_what_is_written_arrives_word_for_word(lines: list[str], subject: str) -> None:
    message = mime.letter()
    message["Subject"] = subject
    text = "\n".join(lines)
    mime.fill(message, text, HTML)
    found = arrived(message)
    assert said(found, "plain") == "\n".join(text.splitlines()).rstrip("\n")
    assert said(found, "html") == HTML
    assert found.get_content_type() == "multipart/alternative"
    assert found.defects == []


@settings(deadline=None)
@given(words, st.sampled_from(["a@exemple.fr", "Léa Roux <lea@exemple.fr>", "x" * 300, "two words, " * 20]))
def test_what_is_said_is_what_python_would_have_said(subject: str, other: str) -> None:
    message = mime.letter()
    message["Subject"], message["X-Said"] = subject, other
    mime.fill(message, subject, HTML)
    assert mime.content(message, mime.SMTP) == message.as_bytes(policy=mime.SMTP)


@pytest.mark.parametrize("value", ["a@exemple.fr\r\nBcc: b@exemple.fr", "a@exemple.fr\nBcc: b@exemple.fr"])
def test_no_value_makes_a_header_of_its_own(value: str) -> None:
    message = mime.letter()
    with pytest.raises(ValueError, match="linefeed"):
        message["To"] = value


def test_names_in_other_letters_and_files_beside_the_words_arrive() -> None:
    message = mime.letter()
    message["From"], message["To"] = "Léa Roux <lea@exemple.fr>", "zoé@exemple.fr"
    mime.fill(message, "Voilà", HTML)
    message.add_attachment(b"\x00\xff", maintype="application", subtype="pdf", filename="Été.pdf")
    found = arrived(message, mime.SMTP_UTF8)
    (file,) = found.iter_attachments()
    assert (found["From"], found["To"]) == ("Léa Roux <lea@exemple.fr>", "zoé@exemple.fr")
    assert (file.get_filename(), file.get_content()) == ("Été.pdf", b"\x00\xff")
    assert (said(found, "plain"), said(found, "html")) == ("Voilà", HTML)
