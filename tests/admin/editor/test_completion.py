"""What is offered at a place is what may stand there."""

from __future__ import annotations

import pytest

from definitions.build.jinja import FILTERS
from definitions.build.steps import ACTIONS
from definitions.validate import every_key, kinds
from tests.admin.editor.pen import offered, words

PROCESS = "process: mending\nentity: tool\nstates: {whole: {initial: true}, broken: }\n"
AUTOMATION = "automation: a\nwhen: {entered: lending.lent}\n"
TEMPLATE = "template: t\nchannel: sms\nabout: loan\nbody: "


def test_a_document_begins_with_a_kind() -> None:
    for text in ("|", "ent|", "entity: x\n---\n|", "# a comment\n\npro|"):
        assert words(text) == [f"{kind}: " for kind in kinds()], text


def test_keys_are_those_of_the_schema_that_are_not_there_yet_the_required_ones_first() -> None:
    found = {offer.label: offer for offer in offered(f"{PROCESS}transitions:\n  mend:\n    from: broken\n    |\n")}
    assert {"to", "guard", "undo"} <= set(found)
    assert "from" not in found
    assert [name for name, offer in found.items() if offer.first] == ["to"]
    assert found["undo"].explained == "How long the move can be taken back."
    assert set(words("entity: x\n|")) == {f"{key}: " for key in every_key("entity")} - {"entity: "}


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("entity: x\nfields:\n  name: {ty|", "type: "),
        ("entity: x\nfields:\n  name: {type: text, req|}\n", "required: "),
        ("entity: x\nfields:\n  name:\n    |\n  other: {type: text}\n", "type: "),
        ("entity: x\nfields:\n  name:\n    ty|\nsearch: [name]\n", "type: "),
        (f"{AUTOMATION}do:\n  - |\n", "email: "),
        (f"{AUTOMATION}do:\n  - em|\n", "email: "),
        (f"{AUTOMATION}do: [{{em|", "email: "),
        ("screen: s\nentity: loan\nrecord: {sections: [{fi|}]}", "fields: "),
    ],
)
def test_keys_are_offered_in_texts_that_are_no_yaml_yet(text: str, first: str) -> None:
    assert first in words(text)


def test_a_key_that_has_its_colon_gets_no_other() -> None:
    assert "type" in words("entity: x\nfields: {name: {ty|: text}}\n")


def test_every_action_is_a_step() -> None:
    assert {f"{action}: " for action in ACTIONS} <= set(words(f"{AUTOMATION}do:\n  - |\n"))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("entity: x\nfields: {a: {type: reference, to: |}}\n", ["loan", "tool", "x", "member"]),
        ("process: p\nentity: |\n", ["loan", "tool", "member"]),
        (f"{PROCESS}transitions: {{mend: {{from: broken, to: |}}}}\n", ["whole", "broken"]),
        (f"{PROCESS}transitions: {{mend: {{from: [|], to: whole}}}}\n", ["whole", "broken", "any"]),
        (f"{PROCESS}transitions: {{mend: {{from: broken, to: whole, by: [|]}}}}\n", ["volunteer", "leader", "public"]),
        (
            "automation: a\nwhen: {entered: |}\n",
            ["lending.asked", "lending.lent", "lending.returned", "lending.declined"],
        ),
        ("automation: a\nwhen: {moved: len|}\n", ["lending.hand_over", "lending.take_back", "lending.decline"]),
        (f"{AUTOMATION}do: [{{email: {{template: |}}}}]\n", ["handed_over", "due_tomorrow"]),
        (f"{AUTOMATION}do: [{{move: |}}]\n", ["hand_over", "take_back", "decline"]),
        (f"{AUTOMATION}do: [{{run: |}}]\n", ["tell_the_borrower", "remind", "a"]),
        (f"{AUTOMATION}do: [{{stop: |}}]\n", ["true"]),
        ("home: h\ntiles: [{screen: loans, view: |}]\n", ["late"]),
        ("home: h\ntiles: [{statistic: |}]\n", ["loans_by_month"]),
        ("template: t\nchannel: |\n", ["email", "sms", "notification", "document"]),
        ("template: t\nchannel: sms\nabout: |\n", ["loan", "tool", "member"]),
        ("entity: x\nowner: |\n", ["true", "false"]),
        ("level: l\nentities:\n  |\n", ["loan: ", "tool: ", "member: "]),
        ("level: l\nentities: {loan: {transitions: [|]}}\n", ["hand_over", "take_back", "decline"]),
        ("terms: t\nbody: {|}\n", ["en: "]),
        (f"{AUTOMATION}do: [{{set: {{condition: |}}}}]\n", ["good", "worn", "broken"]),
        (f"{AUTOMATION}do: [{{set: {{|}}}}]\n", ["tool: ", "borrower: ", "email: ", "due_on: ", "condition: "]),
        ("entity: x\nfields: {c: {type: choice, options: {a: A, b: B}, default: |}}\n", ["a", "b"]),
    ],
)
def test_names_are_those_that_fit(text: str, found: list[str]) -> None:
    assert words(text) == found


@pytest.mark.parametrize(
    "text",
    [
        "screen: s\nentity: loan\nlist: {columns: [|]}\n",
        "screen: s\nentity: loan\nlist: {columns: [tool, |], sort: -due_on}\n",
        "screen: s\nentity: loan\nlist: {sort: |}\n",
        "automation: a\nwhen: {due: {entity: loan, at: |}}\n",
        "level: l\nentities: {loan: {fields: {|}}}\n",
    ],
)
def test_fields_are_those_of_the_entity_around(text: str) -> None:
    found = [word.removesuffix(": ") for word in words(text)]
    assert found[:5] == ["tool", "borrower", "email", "due_on", "condition"]
    assert {"id", "created_at", "owner", "lending"} < set(found)
    assert "price" not in found


@pytest.mark.parametrize(
    ("text", "known", "unknown"),
    [
        (f"{PROCESS}transitions: {{mend: {{from: broken, to: whole, guard: |}}}}\n", "record", "form"),
        (f"{PROCESS}transitions: {{mend: {{from: broken, to: whole, guard: record.|}}}}\n", "price", "borrower"),
        (
            f"{PROCESS}transitions:\n  mend:\n    from: broken\n    to: whole\n    guard: has(record.|\n",
            "price",
            "due_on",
        ),
        (f"{PROCESS}transitions: {{mend: {{guard: record.|}}}}\n", "price", "due_on"),
        (f"{AUTOMATION}if: before.|\n", "borrower", "price"),
        (f"{AUTOMATION}if: record.tool.|\n", "price", "borrower"),
        (f"{AUTOMATION}if: record.borrower.|\n", "contains(", "price"),
        (f"{AUTOMATION}if: actor.|\n", "first_name", "borrower"),
        (f"{AUTOMATION}if: record.lending == 'lent' && record.|\n", "borrower", "price"),
        (f"{AUTOMATION}if: (record.lending == 'lent' && record.| ) && true\n", "borrower", "price"),
        (f'{AUTOMATION}if: record.lending == "|"\n', "returned", "good"),
        (f'{AUTOMATION}if: record.condition in ["good", "|"]\n', "worn", "lent"),
        (f"{AUTOMATION}if: actor.levels.exists(l, |)\n", "l", "borrower"),
        (f"{AUTOMATION}if: actor.levels.exists(l, | && (\n", "l", "borrower"),
        (f"{AUTOMATION}if: record.lending == && record.|\n", "borrower", "price"),
        (f"{AUTOMATION}if: ag|\n", "age(", "contains("),
        (f"{AUTOMATION}do: [{{task: {{title: T, for: =record.|}}}}]\n", "owner", "price"),
        (f"{AUTOMATION}do: [{{create: {{entity: tool, values: {{name: =record.|}}}}}}]\n", "borrower", "price"),
        ("level: l\nentities: {loan: {read: |}}\n", "mine", "late"),
        ("level: l\nentities: {loan: {read: record.|}}\n", "borrower", "mine"),
        ("statistic: s\nentity: loan\nmeasure: share(record.|)\n", "borrower", "price"),
        ("statistic: s\nentity: loan\nmeasure: count()\nby: [record.|]\n", "borrower", "price"),
    ],
)
def test_expressions_know_what_the_checker_knows(text: str, known: str, unknown: str) -> None:
    found = words(text)
    assert known in found
    assert unknown not in found


@pytest.mark.parametrize(
    ("body", "known", "unknown"),
    [
        ('"Hello {{ | }}"', "recipient", "before"),
        ('"Hello {{ rec', "record", "before"),
        ('"Hello {{ record.| }}"', "borrower", "price"),
        ('"Hello {{ record.tool.| }}"', "price", "borrower"),
        ('{en: "Hello {{ member.| }}"}', "first_name", "borrower"),
        ('"Hello {% for level in member.levels %}{{ | }}{% endfor %}"', "level", "before"),
        ('"Hello {{ links.| }}"', "unsubscribe", "borrower"),
    ],
)
def test_templates_know_what_the_checker_knows(body: str, known: str, unknown: str) -> None:
    text = TEMPLATE + (body if "|" in body else f"{body}|")
    found = words(text)
    assert known in found
    assert unknown not in found


def test_behind_a_bar_of_a_template_stand_filters() -> None:
    assert words(f'{TEMPLATE}"{{{{ record.due_on | ~ }}}}"\n', mark="~") == sorted(FILTERS)


def test_outside_of_its_braces_a_template_is_text() -> None:
    assert words(f'{TEMPLATE}"Hello ~ {{{{ record.borrower }}}}"\n', mark="~") == []


def test_what_is_offered_is_explained() -> None:
    [offer] = [each for each in offered(f"{AUTOMATION}if: record.|\n") if each.label == "due_on"]
    assert offer.detail == "date"
    assert "**field** `loan.due_on`: Due on" in offer.explained
    [age] = [each for each in offered(f"{AUTOMATION}if: ag|\n") if each.label == "age"]
    assert (age.detail, age.replaces) == ("(date) → duration", 2)


@pytest.mark.parametrize(
    ("text", "known", "written"),
    [
        ("entity: x\nicon: user-r|\n", "user-round", "user-r"),
        ("network: n\ntimezone: Europe/Par|\n", "Europe/Paris", "Europe/Par"),
        ("network: n\nlanguages: [f|]\n", "fr", "f"),
        ("network: n\ncountries: [F|]\n", "FR", "F"),
        ("network: n\ncurrency: E|\n", "EUR", "E"),
        ("network: n\ncalendar: {holidays: F|}\n", "FR", "F"),
        ("network: n\nextends: [|]\n", "suivi", ""),
    ],
)
def test_names_of_the_world_are_offered_too(text: str, known: str, written: str) -> None:
    [offer] = [each for each in offered(text) if each.insert == known]
    assert offer.replaces == len(written)


def test_a_name_with_a_point_takes_the_place_of_all_that_is_written_of_it() -> None:
    found = {offer.insert: offer.replaces for offer in offered("automation: a\nwhen: {entered: lending.le|}\n")}
    assert found["lending.lent"] == len("lending.le")
