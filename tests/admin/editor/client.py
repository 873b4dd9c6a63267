"""A real editor's side of the protocol: starts `maille lsp`, and talks with it over standard input and output."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from lsprotocol import types
from pygls.lsp.client import LanguageClient

from tests.admin.editor.pen import cursor

WATCHING = types.DidChangeWatchedFilesClientCapabilities(dynamic_registration=True)
PATIENCE = 60
"""Seconds after which an answer is missed."""


class Editor:
    """An editor with a folder open."""

    def __init__(self, folder: Path) -> None:
        """Be ready to start the server."""
        self.folder = folder
        self.client = LanguageClient("test", "1")
        self.capabilities = types.ServerCapabilities()
        self.registered: list[str] = []
        self._versions: dict[str, int] = {}
        self._told: asyncio.Queue[types.PublishDiagnosticsParams] = asyncio.Queue()

        @self.client.feature(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)  # type: ignore[untyped-decorator] # pygls has no type for it
        def keep(told: types.PublishDiagnosticsParams) -> None:
            self._told.put_nowait(told)

        @self.client.feature(types.CLIENT_REGISTER_CAPABILITY)  # type: ignore[untyped-decorator] # the same
        def register(asked: types.RegistrationParams) -> None:
            self.registered += [each.method for each in asked.registrations]

    async def start(self, locale: str) -> None:
        """Start the server, and say who is there."""
        await self.client.start_io(sys.executable, "-m", "admin.cli.main", "lsp", "--stdio")
        asked = types.InitializeParams(
            types.ClientCapabilities(types.WorkspaceClientCapabilities(did_change_watched_files=WATCHING)),
            locale=locale,
            workspace_folders=[types.WorkspaceFolder(self.folder.as_uri(), "here")],
        )
        answer = await asyncio.wait_for(self.client.initialize_async(asked), PATIENCE)
        self.capabilities = answer.capabilities
        self.client.initialized(types.InitializedParams())

    async def end(self) -> int | None:
        """Leave, and return the server's exit code."""
        await asyncio.wait_for(self.client.shutdown_async(None), PATIENCE)
        self.client.exit(None)
        await asyncio.wait_for(self.client.stop(), PATIENCE)  # type: ignore[no-untyped-call] # the same
        return self.client._server.returncode if self.client._server is not None else None

    def uri(self, file: str) -> str:
        """Return the address of a file of the folder."""
        return (self.folder / file).as_uri()

    def write(self, file: str, text: str) -> None:
        """Open a file, or go on writing in it; nothing is saved."""
        uri = self.uri(file)
        version = self._versions[uri] = self._versions.get(uri, 0) + 1
        if version == 1:
            item = types.TextDocumentItem(uri, "yaml", version, text)
            self.client.text_document_did_open(types.DidOpenTextDocumentParams(item))
            return
        self.client.text_document_did_change(
            types.DidChangeTextDocumentParams(
                types.VersionedTextDocumentIdentifier(version, uri),
                [types.TextDocumentContentChangeWholeDocument(text)],
            )
        )

    def close(self, file: str) -> None:
        """Close a file without saving it."""
        del self._versions[self.uri(file)]
        named = types.TextDocumentIdentifier(self.uri(file))
        self.client.text_document_did_close(types.DidCloseTextDocumentParams(named))

    def changed(self, file: str) -> None:
        """Tell that a file changed on disk."""
        event = types.FileEvent(self.uri(file), types.FileChangeType.Changed)
        self.client.workspace_did_change_watched_files(types.DidChangeWatchedFilesParams([event]))

    async def told(self, file: str, *, something: bool = False) -> list[types.Diagnostic]:
        """Return what is said next of a file: the next problems, where it is to be `something`."""
        while True:
            found = await asyncio.wait_for(self._told.get(), PATIENCE)
            if found.uri == self.uri(file) and (found.diagnostics or not something):
                return list(found.diagnostics)

    def at(self, file: str, text: str) -> tuple[types.TextDocumentIdentifier, types.Position]:
        """Write a text with a cursor, and return where that is."""
        written, line, column = cursor(text)
        self.write(file, written)
        return types.TextDocumentIdentifier(self.uri(file)), types.Position(line - 1, column - 1)


@asynccontextmanager
async def editing(folder: Path, *, locale: str = "en") -> AsyncIterator[Editor]:
    """Be in an editor with a folder open."""
    editor = Editor(folder)
    await editor.start(locale)
    ended: int | None = None
    try:
        yield editor
    finally:
        ended = await editor.end()
    assert ended == 0
