"""The language server: what editors ask in their protocol (LSP), answered out of the pack as it stands there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.lsp.server import LanguageServer

from admin.editor.answers import action_of, as_item, as_symbol, diagnostics_of
from admin.editor.completion import offers
from admin.editor.formatting import UnreadableError, formatted
from admin.editor.hover import told_at
from admin.editor.outline import symbol_of
from admin.editor.packs import Desk, Pack, covers
from admin.editor.ranges import Text, Texts, path_of, uri_of
from admin.editor.renaming import hindrance, renamed
from admin.i18n import SOURCE_LANGUAGE, languages, speaking, spoken
from definitions.expr import Target
from definitions.problems import Place
from definitions.source import read_documents

PAUSE = 0.2
"""Seconds without typing after which a pack is checked."""
TRIGGERS = (".", '"', "{", "|")


class Asking(Protocol):
    """A question about a position of a file."""

    text_document: types.TextDocumentIdentifier
    position: types.Position


class Server(LanguageServer):
    """A language server with its desk: the texts that are open, and what was last said of which pack."""

    def __init__(self, *, pause: float = PAUSE) -> None:
        """Begin with an empty desk."""
        super().__init__("maille", version("maille"), text_document_sync_kind=types.TextDocumentSyncKind.Full)
        self.desk = Desk()
        self.language = SOURCE_LANGUAGE
        self._pause = pause
        self._addresses: dict[Path, str] = {}
        self._waiting: dict[Path, asyncio.TimerHandle] = {}
        self._told: dict[Path, set[Path]] = {}

    def begin(self, params: types.InitializeParams) -> None:
        """Take the folders and the language of the editor."""
        roots = [folder.uri for folder in params.workspace_folders or ()] or [params.root_uri or ""]
        self.desk.roots = tuple(path for uri in roots if (path := path_of(uri)) is not None)
        language = (params.locale or "")[:2].lower()
        self.language = language if language in languages() else SOURCE_LANGUAGE

    def put(self, uri: str, text: str | None) -> None:
        """Take a text as it now is in the editor (None: it was closed there), and check its pack when typing pauses."""
        path = path_of(uri)
        if path is None:
            return
        self._addresses[path] = uri
        if text is None:
            self.desk.texts.pop(path, None)
        else:
            self.desk.texts[path] = text.replace("\r\n", "\n")
        self.look(path)

    def look(self, path: Path) -> None:
        """Check the pack of a file when typing pauses."""
        folder = self.desk.folder_of(path)
        if folder is None:
            return
        if folder in self._waiting:
            self._waiting[folder].cancel()
        self._waiting[folder] = asyncio.get_running_loop().call_later(self._pause, self._check, folder)

    def _check(self, folder: Path) -> None:
        """Say what is wrong with a pack, and of files that have nothing any more that all is well."""
        self._waiting.pop(folder, None)
        pack = self.desk.pack(folder)
        found: dict[Path, list[types.Diagnostic]] = {path: [] for path in self._told.get(folder, ())}
        with speaking(self.language):
            found |= diagnostics_of(pack, self.texts(pack))
        for path, diagnostics in found.items():
            self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(self.address(path), diagnostics))
        self._told[folder] = {path for path, diagnostics in found.items() if diagnostics}

    def text(self, text: str) -> Text:
        """Return a text with the units of the editor."""
        return Text(text, self.workspace.position_codec)

    def texts(self, pack: Pack) -> Texts:
        """Return the texts of a pack's files."""
        return Texts(pack.loaded.files, self.text)

    def address(self, path: Path) -> str:
        """Return the address of a file, as the editor wrote it where it did."""
        return self._addresses.get(path) or uri_of(path)

    def asked(self, uri: str) -> tuple[Pack, str, Text] | None:
        """Return the pack of a file, the file's name in it and its text; None for what is in no pack."""
        path = path_of(uri)
        folder = None if path is None else self.desk.folder_of(path)
        if path is None or folder is None:
            return None
        pack = self.desk.pack(folder)
        name = path.relative_to(folder).as_posix()
        return (pack, name, self.text(pack.loaded.files[name])) if name in pack.loaded.files else None

    def spot(self, params: Asking) -> tuple[Pack, Place, Text] | None:
        """Return the pack, the place and the text that a question is about."""
        found = self.asked(params.text_document.uri)
        if found is None:
            return None
        pack, name, text = found
        return pack, text.place(name, params.position), text

    def locations(self, pack: Pack, spans: Iterable[tuple[Place, int]]) -> list[types.Location]:
        """Return so many characters each at places of a pack as locations."""
        texts = self.texts(pack)
        return [
            types.Location(self.address(pack.path(place.file)), texts[place.file].span(place, length))
            for place, length in spans
        ]


def make_server(*, pause: float = PAUSE) -> Server:
    """Return a server; `pause`: the seconds without typing after which it checks."""
    server = Server(pause=pause)
    for feature, options, answer in _FEATURES:
        server.feature(feature, options)(answer)
    return server


def _begin(server: Server, params: types.InitializeParams) -> None:
    server.begin(params)


def _ready(server: Server, _: types.InitializedParams) -> None:
    """Ask to be told of files that change outside of the editor, where the editor wants to be asked."""
    workspace = server.client_capabilities.workspace
    watching = workspace.did_change_watched_files if workspace is not None else None
    if watching is not None and watching.dynamic_registration:
        options = types.DidChangeWatchedFilesRegistrationOptions([types.FileSystemWatcher("**/*.{yaml,yml}")])
        asked = types.Registration("packs", types.WORKSPACE_DID_CHANGE_WATCHED_FILES, options)
        server.client_register_capability(types.RegistrationParams([asked]))


def _opened(server: Server, params: types.DidOpenTextDocumentParams) -> None:
    server.put(params.text_document.uri, params.text_document.text)


def _changed(server: Server, params: types.DidChangeTextDocumentParams) -> None:
    for change in params.content_changes[-1:]:
        server.put(params.text_document.uri, change.text)


def _closed(server: Server, params: types.DidCloseTextDocumentParams) -> None:
    server.put(params.text_document.uri, None)


def _saved(server: Server, params: types.DidSaveTextDocumentParams) -> None:
    path = path_of(params.text_document.uri)
    if path is not None:
        server.look(path)


def _moved(server: Server, params: types.DidChangeWatchedFilesParams) -> None:
    for path in filter(None, (path_of(change.uri) for change in params.changes)):
        server.look(path)


def _definition(server: Server, params: types.DefinitionParams) -> types.Location | None:
    found = server.spot(params)
    target = found[0].named_at(found[1]) if found is not None else None
    symbol = found[0].symbols.get(target) if found is not None and target is not None else None
    if found is None or symbol is None:
        return None
    return server.locations(found[0], [(symbol.key.place, len(symbol.key.raw))])[0]


def _references(server: Server, params: types.ReferenceParams) -> list[types.Location]:
    found = server.spot(params)
    target = found[0].named_at(found[1]) if found is not None else None
    if found is None or target is None:
        return []
    pack = found[0]
    return server.locations(pack, pack.spans(target, defined=params.context.include_declaration))


def _hover(server: Server, params: types.HoverParams) -> types.Hover | None:
    found = server.spot(params)
    told = told_at(found[0], found[1], found[0].loaded.files[found[1].file]) if found is not None else ""
    return types.Hover(types.MarkupContent(types.MarkupKind.Markdown, told)) if told else None


def _completion(server: Server, params: types.CompletionParams) -> types.CompletionList:
    found = server.spot(params)
    if found is None:
        return types.CompletionList(is_incomplete=False, items=[])
    pack, place, text = found
    made = offers(server.desk, pack.folder, place.file, place)
    items = [as_item(offer, number, text, place) for number, offer in enumerate(made)]
    return types.CompletionList(is_incomplete=False, items=items)


def _symbols(server: Server, params: types.DocumentSymbolParams) -> list[types.DocumentSymbol]:
    path = path_of(params.text_document.uri)
    written = server.desk.texts.get(path) if path is not None else None
    if path is None or written is None:
        return []
    documents, _ = read_documents(path.name, written)
    found = (symbol_of(document) for document in documents)
    return [as_symbol(symbol, server.text(written)) for symbol in found if symbol is not None]


def _renamable(server: Server, params: types.PrepareRenameParams) -> types.Range | None:
    found = server.spot(params)
    target = found[0].named_at(found[1]) if found is not None else None
    if found is None or target is None:
        return None
    pack, place, text = found
    _refuse(server, pack, target)
    return next((text.span(*each) for each in pack.spans(target) if covers(*each, place)), None)


def _refuse(server: Server, pack: Pack, target: Target) -> None:
    """Say why a definition can't have another name."""
    reason = hindrance(pack, target)
    if reason is not None:
        with speaking(server.language):
            raise JsonRpcException(spoken(reason), types.LSPErrorCodes.RequestFailed)


def _renaming(server: Server, params: types.RenameParams) -> types.WorkspaceEdit | None:
    found = server.spot(params)
    if found is None:
        return None
    pack, place, _ = found
    target = pack.named_at(place) or ()
    _refuse(server, pack, target)
    changes: dict[str, list[types.TextEdit]] = {}
    edits = renamed(pack, target, params.new_name)
    for edit, location in zip(edits, server.locations(pack, [(e.place, e.length) for e in edits]), strict=True):
        changes.setdefault(location.uri, []).append(types.TextEdit(location.range, edit.text))
    return types.WorkspaceEdit(changes=changes) if changes else None


def _actions(_: Server, params: types.CodeActionParams) -> list[types.CodeAction]:
    uri = params.text_document.uri
    return [action for each in params.context.diagnostics if (action := action_of(each, uri)) is not None]


def _formatting(server: Server, params: types.DocumentFormattingParams) -> list[types.TextEdit] | None:
    path = path_of(params.text_document.uri)
    written = server.desk.texts.get(path) if path is not None else None
    if written is None:
        return None
    try:
        text = formatted(written)
    except UnreadableError:
        return None
    lines = server.text(written).lines
    whole = types.Range(types.Position(0, 0), server.text(written).position(len(lines), len(lines[-1]) + 1))
    return [types.TextEdit(whole, text)] if text != written else []


Feature = tuple[str, Any, Callable[..., Any]]
_FEATURES: Sequence[Feature] = (
    (types.INITIALIZE, None, _begin),
    (types.INITIALIZED, None, _ready),
    (types.TEXT_DOCUMENT_DID_OPEN, None, _opened),
    (types.TEXT_DOCUMENT_DID_CHANGE, None, _changed),
    (types.TEXT_DOCUMENT_DID_CLOSE, None, _closed),
    (types.TEXT_DOCUMENT_DID_SAVE, None, _saved),
    (types.WORKSPACE_DID_CHANGE_WATCHED_FILES, None, _moved),
    (types.TEXT_DOCUMENT_DEFINITION, None, _definition),
    (types.TEXT_DOCUMENT_REFERENCES, None, _references),
    (types.TEXT_DOCUMENT_PREPARE_RENAME, None, _renamable),
    (types.TEXT_DOCUMENT_RENAME, types.RenameOptions(prepare_provider=True), _renaming),
    (types.TEXT_DOCUMENT_HOVER, None, _hover),
    (types.TEXT_DOCUMENT_COMPLETION, types.CompletionOptions(trigger_characters=list(TRIGGERS)), _completion),
    (types.TEXT_DOCUMENT_DOCUMENT_SYMBOL, None, _symbols),
    (types.TEXT_DOCUMENT_CODE_ACTION, types.CodeActionOptions([types.CodeActionKind.QuickFix]), _actions),
    (types.TEXT_DOCUMENT_FORMATTING, None, _formatting),
)
