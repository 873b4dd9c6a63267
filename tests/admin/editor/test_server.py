"""`maille lsp`, as an editor meets it: a process, and the protocol over its standard input and output."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from lsprotocol import types
from pygls.exceptions import JsonRpcException

from tests.admin.editor.client import Editor, editing
from tests.admin.editor.pen import TOOLSHED

pytestmark = [pytest.mark.anyio, pytest.mark.slow]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with two packs, and a file of somebody else's."""
    shutil.copytree(TOOLSHED, tmp_path / "shed")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "network.yaml").write_text("network: other\nlanguages: [en]\n", "utf-8")
    (tmp_path / "compose.yaml").write_text("services: {web: {image: x}}\n", "utf-8")
    return tmp_path


def read(folder: Path, file: str) -> str:
    return (folder / file).read_text("utf-8")


def piece(text: str, found: types.Range) -> str:
    """Return the text of a range on one line, which counts in units of UTF-16."""
    line = text.split("\n")[found.start.line].encode("utf-16-le")
    return line[2 * found.start.character : 2 * found.end.character].decode("utf-16-le")


async def complete(editor: Editor, file: str, text: str) -> Sequence[types.CompletionItem]:
    answer = await editor.client.text_document_completion_async(types.CompletionParams(*editor.at(file, text)))
    assert isinstance(answer, types.CompletionList)
    return answer.items


async def test_problems_are_told_of_unsaved_texts_where_they_are_and_are_over_when_they_are_mended(
    folder: Path,
) -> None:
    loans = read(folder, "shed/loans.yaml")
    async with editing(folder) as editor:
        broken = loans.replace("to: lent", "to: lnet")
        editor.write("shed/loans.yaml", broken)
        [told] = await editor.told("shed/loans.yaml")
        assert (told.code, told.severity, told.source) == (
            "process.unknown_state",
            types.DiagnosticSeverity.Error,
            "maille",
        )
        assert piece(broken, told.range) == "lnet"
        assert told.message.endswith("did you mean 'lent'?")
        asked = types.CodeActionParams(
            types.TextDocumentIdentifier(editor.uri("shed/loans.yaml")), told.range, types.CodeActionContext([told])
        )
        [action] = await editor.client.text_document_code_action_async(asked) or ()
        assert isinstance(action, types.CodeAction)
        assert action.edit is not None
        [edit] = (action.edit.changes or {})[editor.uri("shed/loans.yaml")]
        assert (edit.new_text, edit.range) == ("lent", told.range)
        editor.write("shed/loans.yaml", loans)
        assert await editor.told("shed/loans.yaml") == []
        editor.write("shed/loans.yaml", loans.replace("  due_on: {type: date", "  due_by: {type: date"))
        assert {each.code for each in await editor.told("shed/mails.yaml")} == {"template.unknown_field"}
        editor.close("shed/loans.yaml")
        assert await editor.told("shed/mails.yaml") == []
        assert read(folder, "shed/loans.yaml") == loans
        assert editor.registered == [types.WORKSPACE_DID_CHANGE_WATCHED_FILES]
        (folder / "shed" / "loans.yaml").write_text(broken, "utf-8")
        editor.changed("shed/loans.yaml")
        [there] = await editor.told("shed/loans.yaml", something=True)
        assert (there.code, there.range) == (told.code, told.range)


async def test_each_pack_is_its_own_in_the_editors_language_and_units(folder: Path) -> None:
    async with editing(folder, locale="fr-BE") as editor:
        editor.write("compose.yaml", "services: {web: {image: y}}\n")
        editor.write("other/more.yaml", "entity: nets\nfields: {a: {type: txt}}\n")
        told = await editor.told("other/more.yaml")
        choice = next(each for each in told if each.code == "schema.choice")
        assert choice.message.endswith("vouliez-vous dire «\u00a0text\u00a0»\u202f?")
        text = "entity: note\nlabel: 😀😀\nfields: {a: {type: text}}\ntitle: '😀 {{ record.b }}'\n"
        editor.write("shed/note.yaml", text)
        there = next(each for each in await editor.told("shed/note.yaml") if each.code == "template.unknown_field")
        assert piece(text, there.range) == "b"


async def test_names_lead_to_their_definitions_and_back_and_are_offered_as_edits(folder: Path) -> None:
    async with editing(folder) as editor:
        where = editor.at(
            "shed/automations.yaml", read(folder, "shed/automations.yaml").replace("lending.lent", "lending.le|nt", 1)
        )
        found = await editor.client.text_document_definition_async(types.DefinitionParams(*where))
        assert isinstance(found, types.Location)
        assert found.uri == editor.uri("shed/loans.yaml")
        assert piece(read(folder, "shed/loans.yaml"), found.range) == "lent"
        asked = types.ReferenceParams(types.ReferenceContext(include_declaration=True), *where)
        uses = await editor.client.text_document_references_async(asked) or ()
        files = {use.uri.rpartition("/")[2] for use in uses}
        assert files == {"automations.yaml", "loans.yaml", "screens.yaml"}
        assert all(piece(read(folder, f"shed/{use.uri.rpartition('/')[2]}"), use.range) == "lent" for use in uses)
        told = await editor.client.text_document_hover_async(types.HoverParams(*where))
        assert told is not None
        assert isinstance(told.contents, types.MarkupContent)
        assert told.contents.value.startswith("**state** `lending.lent`")
        other = await editor.client.text_document_rename_async(types.RenameParams(*where, "handed_out"))
        assert other is not None
        assert set(other.changes or {}) == {editor.uri(f"shed/{file}") for file in files}
        there = await editor.client.text_document_prepare_rename_async(types.PrepareRenameParams(*where))
        assert isinstance(there, types.Range)
        assert piece(read(folder, "shed/automations.yaml"), there) == "lent"
        start = "process: mending\nentity: tool\nstates: {whole: {initial: true}, broken: }\n"
        items = await complete(editor, "shed/mending.yaml", f"{start}transitions:\n  mend: {{from: broken, to: wh|}}\n")
        assert [item.label for item in items] == ["whole", "broken"]
        edit = items[0].text_edit
        assert isinstance(edit, types.TextEdit)
        assert (edit.new_text, edit.range.end.character - edit.range.start.character) == ("whole", 2)
        items = await complete(
            editor, "shed/mending.yaml", f"{start}transitions:\n  mend: {{from: broken, to: whole, guard: record.|}}\n"
        )
        assert {"name", "price", "mending"} <= {item.label for item in items}


async def test_an_editor_is_told_why_a_definition_keeps_its_name(folder: Path) -> None:
    text = "entity: note\nfields:\n  one: &shared {type: text}\n  t|wo: *shared\n"
    async with editing(folder, locale="fr") as editor:
        where = editor.at("shed/note.yaml", text)
        for answer in (
            editor.client.text_document_prepare_rename_async(types.PrepareRenameParams(*where)),
            editor.client.text_document_rename_async(types.RenameParams(*where, "other")),
        ):
            with pytest.raises(JsonRpcException, match=r"la ligne 3 de note\.yaml appartient aussi à") as refused:
                await answer
            assert refused.value.code == types.LSPErrorCodes.RequestFailed


async def test_the_editor_is_told_what_it_can_ask_the_outline_and_the_form_of_a_file_too(folder: Path) -> None:
    async with editing(folder) as editor:
        can = editor.capabilities
        assert can.completion_provider is not None
        assert "." in (can.completion_provider.trigger_characters or ())
        for answer in ("definition", "references", "hover", "document_symbol", "code_action", "document_formatting"):
            assert getattr(can, f"{answer}_provider"), answer
        text = read(folder, "shed/loans.yaml")
        editor.write("shed/loans.yaml", text.replace("\n  ", "\n      "))
        named = types.TextDocumentIdentifier(editor.uri("shed/loans.yaml"))
        found = await editor.client.text_document_document_symbol_async(types.DocumentSymbolParams(named)) or ()
        assert [(each.name, each.kind) for each in found] == [
            ("loan", types.SymbolKind.Class),
            ("lending", types.SymbolKind.Enum),
        ]
        inside = [each.name for each in getattr(found[1], "children", ())]
        assert inside == ["asked", "lent", "returned", "declined", "hand_over", "take_back", "decline"]
        options = types.FormattingOptions(2, insert_spaces=True)
        [edit] = (
            await editor.client.text_document_formatting_async(types.DocumentFormattingParams(named, options)) or ()
        )
        assert edit.new_text == text


def test_the_server_goes_with_its_editor() -> None:
    command = [sys.executable, "-m", "admin.cli.main", "lsp"]
    ended = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False)  # noqa: S603 - ours
    assert (ended.returncode, ended.stdout) == (0, b"")
