"""Sentences that piccolo-admin has written into its script in English: `back-office.js` puts ours in their place."""

from __future__ import annotations

import json
from html import escape

from admin.assets import static
from admin.i18n import catalogue
from models.message import say

LITERALS = (
    say("Add sort column"),
    say("All"),
    say("An error happened on the server."),
    say("Are you sure you want to delete the selected rows?"),
    say("Are you sure you want to delete this row?"),
    say("Are you sure you want to logout?"),
    say("Bulk Update"),
    say("Click for more info"),
    say("Click to toggle children."),
    say("Columns"),
    say("Delete Row"),
    say("Delete selected Rows"),
    say("Downloaded file"),
    say("Edit Row"),
    say("Equals"),
    say("Error"),
    say("False"),
    say("Greater Than"),
    say("Greater Than or Equal To"),
    say("Hide forms"),
    say("Hide links"),
    say("Hide tables"),
    say("Include readable"),
    say("Less Than"),
    say("Less Than or Equal To"),
    say("Load more"),
    say("Method not supported - running in read only mode."),
    say("None"),
    say("Not Equal"),
    say("Null"),
    say("Page not found"),
    say("Please select at least one column."),
    say("Remove"),
    say("Set null:"),
    say("Show forms"),
    say("Show links"),
    say("Show tables"),
    say("Successfully added row"),
    say("Successfully applied filter"),
    say("Successfully cleared filters"),
    say("Successfully deleted row"),
    say("Successfully deleted rows"),
    say("Successfully saved row"),
    say("Successfully submitted form"),
    say("Successfully updated rows"),
    say("The form has errors."),
    say("The server can't be reached - please try later."),
    say("Toggle all"),
    say("Translations"),
    say("True"),
    say("Type here to filter"),
    say("Unable to delete the row."),
    say("contains"),
    say("exact"),
    # What follows is ours, or has a name or a number in it.
    say("A file is added or taken away on the record's own screen: open the record."),
    say("A state changes by a transition: open the record."),
    say("Are you sure you want to delete this row?"),
    say("Open the record"),
    say("Open the list"),
    say("Select a record: {name}"),
    say("of {count}"),
    say("{count} per page"),
)


def script(language: str, timezone: str) -> str:
    """Return what a page's head has for it: our script with its sentences, and where moments are told."""
    spoken = catalogue(language)
    words = {each.text: spoken.gettext(each.text) for each in LITERALS}
    content = escape(json.dumps(words, ensure_ascii=False), quote=True)
    return (
        f'<meta name="back-office" content="{content}" data-timezone="{escape(timezone)}">'
        f'<script type="module" src="{static("back-office.js")}"></script>'
    )
