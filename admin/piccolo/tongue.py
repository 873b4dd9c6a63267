"""What piccolo-admin says in the visitor's language: its own translation, with our words where they are better."""

from __future__ import annotations

from piccolo_admin.translations.data import ENGLISH, TRANSLATIONS
from piccolo_admin.translations.models import Translation

from admin.formats import own_name
from admin.i18n import catalogue
from models.message import say

SENTENCES = (
    say("Add Row"),
    say("Back to home page"),
    say("Clear filters"),
    say("Days"),
    say("Delete"),
    say("Edit"),
    say("Export CSV"),
    say("Filter"),
    say("Form submitted"),
    say("Hide Filters"),
    say("Hide referencing tables"),
    say("Light Mode"),
    say("of"),
    say("Save"),
    say("selected result(s) on"),
    say("Set Timezone"),
    say("Show Filters"),
    say("Show referencing tables"),
    say("Showing"),
    say("Submit"),
    say("Tables"),
    say("Thanks for using Piccolo Admin."),
    say("Update"),
    say("Use again"),
    say("Welcome to"),
    say("with a matching"),
)
"""Sentences that piccolo-admin looks up; its translations into other languages are a machine's here and there."""


def translation(language: str) -> Translation:
    """Return the one translation that its pages are offered: who reads them has chosen a language with us."""
    spoken = catalogue(language)
    theirs = next((each for each in TRANSLATIONS if each.language_code.lower() == language), ENGLISH)
    ours = {each.text: spoken.gettext(each.text) for each in SENTENCES if each.text in spoken.sentences}
    return Translation(
        language_name=own_name(language),
        language_code=language,
        translations={**ENGLISH.translations, **theirs.translations, **ours},
    )
