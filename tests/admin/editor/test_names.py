"""From a name to its definition, to where else it is used, and to what is said of it."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from admin.editor.hover import told_at
from admin.editor.outline import Symbol, every, symbol_of
from admin.editor.packs import Pack
from definitions.pack import PACKS, load, read_folder
from definitions.source import read_documents
from tests.admin.editor.pen import place_of, toolshed

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def shed() -> Pack:
    return toolshed()


@pytest.mark.parametrize(
    ("file", "words", "into", "target"),
    [
        ("automations.yaml", "lending.lent", 2, ("process", "lending")),
        ("automations.yaml", "lending.lent", 9, ("state", "lending", "lent")),
        ("automations.yaml", "record.email)", 8, ("field", "loan", "email")),
        ("automations.yaml", "handed_over", 0, ("template", "handed_over")),
        ("automations.yaml", "entity: loan", 9, ("entity", "loan")),
        ("automations.yaml", "at: due_on", 5, ("field", "loan", "due_on")),
        ("automations.yaml", 'lending == "lent"', 1, ("process", "lending")),
        ("automations.yaml", '== "lent"', 5, ("state", "lending", "lent")),
        ("loans.yaml", "to: tool", 5, ("entity", "tool")),
        ("loans.yaml", "from: asked", 7, ("state", "lending", "asked")),
        ("loans.yaml", "field: due_on", 8, ("field", "loan", "due_on")),
        ("loans.yaml", "search: [borrower, email]", 20, ("field", "loan", "email")),
        ("mails.yaml", "record.tool.name", 8, ("field", "loan", "tool")),
        ("mails.yaml", "record.tool.name", 13, ("field", "tool", "name")),
        ("mails.yaml", "record.due_on | date", 9, ("field", "loan", "due_on")),
        ("mails.yaml", "about: loan", 8, ("entity", "loan")),
        ("levels.yaml", "tool: {read", 1, ("entity", "tool")),
        ("levels.yaml", "email: {read", 1, ("field", "loan", "email")),
        ("levels.yaml", "hand_over", 1, ("transition", "lending", "hand_over")),
        ("screens.yaml", "sort: due_on", 7, ("field", "loan", "due_on")),
        ("screens.yaml", "process: lending", 9, ("process", "lending")),
        ("screens.yaml", "view: late", 6, ("view", "loans", "late")),
        ("screens.yaml", "screen: loans, view", 8, ("screen", "loans")),
        ("screens.yaml", "statistic: loans_by_month}", 12, ("statistic", "loans_by_month")),
        ("demo.yaml", "levels: [volunteer]", 10, ("level", "volunteer")),
        ("loans.yaml", "good: As it was", 1, ("option", "loan", "condition", "good")),
        ("loans.yaml", "hand_over:", 1, ("transition", "lending", "hand_over")),
        ("loans.yaml", "condition: {field", 1, ("question", "lending", "take_back", "condition")),
    ],
)
def test_a_name_stands_for_a_definition(shed: Pack, file: str, words: str, into: int, target: tuple[str, ...]) -> None:
    assert shed.named_at(place_of(shed, file, words, into=into)) == target
    assert target in shed.symbols


def test_what_is_no_name_stands_for_nothing(shed: Pack) -> None:
    assert shed.named_at(place_of(shed, "loans.yaml", "undo: 10m", into=7)) is None
    assert shed.named_at(place_of(shed, "loans.yaml", "As it was", into=3)) is None


@pytest.mark.parametrize(
    "folder", [PACKS / "suivi", *sorted((ROOT / "docs" / "examples").glob("*/"))], ids=lambda p: p.name
)
def test_every_name_that_the_checker_noted_is_written_there_and_defined(folder: Path) -> None:
    pack = Pack(folder, load(read_folder(folder)))
    lines = {name: text.split("\n") for name, text in pack.loaded.files.items()}
    for target, uses in pack.uses.items():
        symbol = pack.symbols.get(target)
        assert symbol is not None or target in {("level", "leader"), ("entity", "member")}, target
        for use in uses:
            place = use.place
            line = lines[place.file][place.line - 1]
            assert line[place.column - 1 :].startswith(use.node.text[use.offset : use.offset + use.length]), place


def test_the_uses_of_a_definition_are_all_of_them(shed: Pack) -> None:
    places = sorted(use.place for use in shed.uses["field", "loan", "due_on"])
    written = [(place.file, shed.loaded.files[place.file].split("\n")[place.line - 1].strip()) for place in places]
    assert [file for file, _ in written] == ["automations.yaml", "loans.yaml", *["mails.yaml"], *["screens.yaml"] * 4]
    assert all("due_on" in line for _, line in written)


def test_the_same_name_twice_in_a_line_of_a_template_is_two_uses() -> None:
    text = (
        'template: t\nchannel: sms\nabout: tool\nbody: "{{ record.name }} or {{ record.name }}, {{ record.price }}"\n'
    )
    pack = toolshed(more=text)
    columns = [use.place.column for use in pack.uses["field", "tool", "name"] if use.place.file == "more.yaml"]
    assert columns == [text.split("\n")[3].index("name") + 1, text.split("\n")[3].rindex("name") + 1]


def test_a_name_behind_one_that_is_built_in_is_the_second_of_its_line() -> None:
    text = 'template: t\nchannel: sms\nabout: tool\nbody: "{{ actor.name }} wants {{ record.name }}"\n'
    pack = toolshed(more=text)
    columns = [use.place.column for use in pack.uses["field", "tool", "name"] if use.place.file == "more.yaml"]
    assert columns == [text.split("\n")[3].rindex("name") + 1]


def test_a_setting_a_question_and_an_option_in_a_condition_are_names() -> None:
    pack = toolshed(
        network="network: toolshed\nlanguages: [en]\nsettings: {least: {type: money, value: 5}}\n"
        "---\nentity: tool\nfields:\n  name: {type: text}\n  price: {type: money}\n"
        "  state: {type: choice, options: {old: Old, new: New}, default: new}\n"
        "---\nprocess: mending\nentity: tool\nstates: {broken: {initial: true}, gone: {final: true}}\ntransitions:\n"
        "  scrap:\n    from: broken\n    to: gone\n    form: {why: {type: text}}\n"
        '    guard: record.price < settings.least && form.why != "x" && record.state == "old"\n    set: {state: old}\n'
    )
    for words, target in {
        "settings.least": ("setting", "least"),
        "form.why": ("question", "mending", "scrap", "why"),
        '== "old"': ("option", "tool", "state", "old"),
        "{state: old": ("option", "tool", "state", "old"),
        "default: new": ("option", "tool", "state", "new"),
    }.items():
        at = place_of(pack, "network.yaml", words, into=len(words) - 2)
        assert pack.named_at(at) == target
        assert target in pack.symbols


@pytest.mark.parametrize(
    ("file", "words", "into", "told"),
    [
        ("automations.yaml", "record.email)", 8, "**field** `loan.email`\n\ntype `email`, personal `contact`"),
        ("automations.yaml", "lending.lent", 9, "**state** `lending.lent`"),
        ("screens.yaml", "lending, card", 1, "**process** `lending`\n\nentity `loan`\n\n`asked`, `lent`"),
        ("loans.yaml", "undo:", 1, "How long the move can be taken back."),
        ("loans.yaml", "on_delete", 1, "What happens to this record when the one it refers to is deleted."),
        ("automations.yaml", "working_days", 1, "`working_days(integer) → duration`"),
        ("network.yaml", "The tool shed", 1, ""),
    ],
)
def test_what_stands_under_the_cursor_is_explained(shed: Pack, file: str, words: str, into: int, told: str) -> None:
    found = told_at(shed, place_of(shed, file, words, into=into), shed.loaded.files[file])
    assert found.startswith(told)
    assert bool(found) is bool(told)


def test_labels_are_told_in_every_language() -> None:
    pack = Pack(PACKS / "suivi", load(read_folder(PACKS / "suivi")))
    use = next(use for target, uses in pack.uses.items() if target[:2] == ("state", "recruiting") for use in uses)
    symbol = pack.symbols[next(target for target, uses in pack.uses.items() if use in uses)]
    label = symbol.written("label")
    told = told_at(pack, use.place, pack.loaded.files[use.place.file])
    assert all(entry.value.text in told for entry in label.entries.values())  # type: ignore[union-attr] # it has both


def shape(symbol: Symbol) -> tuple[str, ...]:
    return tuple(each.name for each in every([symbol]))


def test_the_outline_of_a_document_is_all_that_it_defines() -> None:
    text = (
        "process: p\nentity: e\nstates:\n  a: {initial: true}\n  b: {states: {c: {initial: true}, d: }}\n"
        "transitions:\n  go: {from: a, to: b, form: {why: {type: choice, options: {x: X}}}}\n"
    )
    [document], _ = read_documents("p.yaml", text)
    symbol = symbol_of(document)
    assert symbol is not None
    assert shape(symbol) == ("p", "a", "b", "c", "d", "go", "why", "x")
    targets = [each.target for each in every([symbol])]
    assert ("state", "p", "c") in targets
    assert ("option", "p", "go", "why", "x") in targets
    places = [each.key.place for each in every([symbol])]
    assert all(before <= after for before, after in pairwise(places))


@pytest.mark.parametrize("text", ["nonsense: 1\n", "entity: [a]\n", "entity: {\n", "- a\n", ""])
def test_what_defines_nothing_has_no_outline(text: str) -> None:
    documents, _ = read_documents("x.yaml", text)
    assert [symbol_of(document) for document in documents] in ([None], [])
