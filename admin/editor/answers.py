"""What is found, as the editors' protocol says it: diagnostics, completion items, symbols, quick fixes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from lsprotocol import types

from admin.editor.completion import Offer
from admin.editor.names import label_of
from admin.editor.outline import Symbol, last_line
from admin.editor.packs import Pack
from admin.editor.ranges import Text, Texts
from admin.i18n import spoken
from definitions.message import Message
from definitions.problems import Place, Problem

_SEVERITY = {"error": types.DiagnosticSeverity.Error, "warning": types.DiagnosticSeverity.Warning}
_OFFERED: Mapping[str, types.CompletionItemKind] = {
    "key": types.CompletionItemKind.Property,
    "word": types.CompletionItemKind.EnumMember,
    "option": types.CompletionItemKind.EnumMember,
    "name": types.CompletionItemKind.Reference,
    "field": types.CompletionItemKind.Field,
    "function": types.CompletionItemKind.Function,
    "filter": types.CompletionItemKind.Function,
    "method": types.CompletionItemKind.Method,
    "macro": types.CompletionItemKind.Method,
}
_DEFINED: Mapping[str, types.SymbolKind] = {
    "network": types.SymbolKind.Namespace,
    "entity": types.SymbolKind.Class,
    "field": types.SymbolKind.Field,
    "option": types.SymbolKind.EnumMember,
    "process": types.SymbolKind.Enum,
    "state": types.SymbolKind.EnumMember,
    "transition": types.SymbolKind.Method,
    "question": types.SymbolKind.Field,
    "setting": types.SymbolKind.Constant,
    "automation": types.SymbolKind.Event,
    "template": types.SymbolKind.String,
}


def as_diagnostic(problem: Problem, text: Text) -> types.Diagnostic:
    """Return a problem in the language that is spoken, at the word that it is about."""
    said = [spoken(each) if isinstance(each, Message) else each for each in (problem.message, problem.hint) if each]
    near = problem.hint.values.get("near") if isinstance(problem.hint, Message) else None
    return types.Diagnostic(
        text.word(problem.place),
        "\n".join(said),
        _SEVERITY[problem.severity],
        problem.code,
        source="maille",
        data={"near": str(near)} if near else None,
    )


def diagnostics_of(pack: Pack, texts: Texts) -> dict[Path, list[types.Diagnostic]]:
    """Return the problems of a pack by file, in the language that is spoken."""
    found: dict[Path, list[types.Diagnostic]] = {}
    for problem in pack.loaded.problems:
        file = problem.place.file
        found.setdefault(pack.path(file), []).append(as_diagnostic(problem, texts[file]))
    return found


def action_of(diagnostic: types.Diagnostic, uri: str) -> types.CodeAction | None:
    """Return the change that puts the word there that was probably meant, where one is near."""
    near = diagnostic.data.get("near") if isinstance(diagnostic.data, dict) else None
    if not near or diagnostic.source != "maille":
        return None
    edit = types.WorkspaceEdit(changes={uri: [types.TextEdit(diagnostic.range, near)]})
    return types.CodeAction(near, types.CodeActionKind.QuickFix, [diagnostic], is_preferred=True, edit=edit)


def as_item(offer: Offer, number: int, text: Text, place: Place) -> types.CompletionItem:
    """Return something to write; the order is kept, required keys and what the pack defines come first."""
    begin = Place(place.file, place.line, place.column - offer.replaces)
    return types.CompletionItem(
        offer.label,
        kind=_OFFERED[offer.kind],
        detail=offer.detail or None,
        documentation=types.MarkupContent(types.MarkupKind.Markdown, offer.explained) if offer.explained else None,
        sort_text=f"{0 if offer.first else 1}{number:04}",
        text_edit=types.TextEdit(text.span(begin, offer.replaces), offer.insert),
    )


def as_symbol(symbol: Symbol, text: Text) -> types.DocumentSymbol:
    """Return a definition with those inside of it."""
    key, last = symbol.key.place, last_line(symbol.node)
    begin = min(key, symbol.node.place)
    end = text.position(last, len(text.lines[min(last, len(text.lines)) - 1]) + 1)
    return types.DocumentSymbol(
        symbol.name or "?",
        _DEFINED.get(symbol.kind, types.SymbolKind.Object),
        types.Range(text.position(begin.line, begin.column), end),
        text.span(key, len(symbol.key.raw)),
        detail=label_of(symbol) or symbol.kind,
        children=[as_symbol(inner, text) for inner in symbol.inside],
    )
