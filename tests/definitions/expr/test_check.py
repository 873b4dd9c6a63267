"""What the check finds, where, and what it advises."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from definitions.expr import (
    BOOL,
    DATE,
    DATETIME,
    DECIMAL,
    DURATION,
    DYN,
    INT,
    NULL,
    STRING,
    ListOf,
    MapOf,
    RecordOf,
    Scope,
    Type,
    compile_expression,
    fits,
)
from definitions.expr.parts import conjuncts
from definitions.expr.types import join
from definitions.problems import DefinitionError
from tests.definitions.expr.world import COLOUR, PLACE, SCOPE, STAGE, compiled, problems


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("record", RecordOf("deal")),
        ("record.owner", RecordOf("member")),
        ("record.owner.country", STRING),
        ("record.company.owner.sponsor.levels", ListOf(STRING)),
        ("record.stage", STAGE),
        ("record.calls + 1", INT),
        ("record.calls / 2", INT),
        ("record.calls + 1.5", DECIMAL),
        ("record.amount * 2", DECIMAL),
        ("-record.amount", DECIMAL),
        ("7 % 2", INT),
        ('record.name + "x"', STRING),
        ("now() - record.created_at", DURATION),
        ("record.born - today()", DURATION),
        ("record.born + days(1)", DATE),
        ("days(1) + record.created_at", DATETIME),
        ("-days(1)", DURATION),
        ("days(1) - record.span", DURATION),
        ("record.created_at - record.span", DATETIME),
        ("null", NULL),
        ("record.hot ? 1 : null", INT),
        ("record.hot ? null : 1", INT),
        ("record.hot ? 1 : 2.5", DECIMAL),
        ('record.hot ? record.stage : "x"', STRING),
        ("record.hot ? record.stage : record.stage", STAGE),
        ("record.lines", ListOf(RecordOf("line"))),
        ("record.lines[0].amount", DECIMAL),
        ("record.lines.map(l, l.amount)", ListOf(DECIMAL)),
        ("record.lines.filter(l, l.amount > 1)", ListOf(RecordOf("line"))),
        ("record.lines.map(l, l.amount > 1, l.id)", ListOf(STRING)),
        ("record.lines.exists(i, l, i > 0 && l.amount > 1)", BOOL),
        ("sum(record.lines, l, l.amount)", DECIMAL),
        ("sum([days(1)], d, d)", DURATION),
        ("count(record.lines)", INT),
        ('{"a": 1}', MapOf(STRING, INT)),
        ('{"a": 1}.a', INT),
        ('{"a": 1}["a"]', INT),
        ('{"a": 1}.filter(k, k != "b")', ListOf(STRING)),
        ("[1, 2.5]", ListOf(DECIMAL)),
        ("[]", ListOf(DYN)),
        ("[[], [1]]", ListOf(ListOf(DYN))),
        ("[1] + [2.5]", ListOf(DECIMAL)),
        ("[1][0]", INT),
        ("record.extra.anything[0]", DYN),
        ("form.comment", DYN),
        ("null.x", DYN),
        ("null[0]", DYN),
        ("null + 1", DYN),
        ("-null", NULL),
        ("null.map(x, x)", ListOf(DYN)),
        ("record.extra.filter(x, x == 1)", DYN),
        ("min(1, 2)", INT),
        ("max(1, 2.5)", DECIMAL),
        ("min(record.lines.map(l, l.amount))", DECIMAL),
        ("max(now(), record.created_at)", DATETIME),
        ("month(record.created_at)", DATE),
        ("date(record.created_at)", DATE),
        ("age(record.born)", DURATION),
        ("round(record.calls, 1)", DECIMAL),
        ("actor.is_upline_of(record.owner)", BOOL),
        ('record.name.split(",")', ListOf(STRING)),
        ("size(record.tags)", INT),
        ("record.tags.size()", INT),
        ('is_in(record.stage, "active")', BOOL),
        ('record.tags == ["red"]', BOOL),
        ('"red" in record.tags', BOOL),
        ("record.extra in record.tags", BOOL),
        ("1 in {1: 2}", BOOL),
        ("1 in record.extra", BOOL),
        ("record.extra > 1", BOOL),
    ],
)
def test_types(text: str, kind: Type) -> None:
    assert compiled(text).type == kind


@pytest.mark.parametrize(
    ("text", "reads"),
    [
        ("record.company.city", {("record", "company", "city")}),
        ("record.company.city == record.company.owner.id",
         {("record", "company", "city"), ("record", "company", "owner", "id")}),
        ("record.owner == actor", {("record", "owner"), ("actor",)}),
        ("record.lines.exists(l, l.parent.name == actor.country)",
         {("record", "lines", "parent", "name"), ("actor", "country")}),
        ("record.lines.all(i, l, l.amount > i)", {("record", "lines", "amount")}),
        ("record.lines.filter(l, true)[0].amount", {("record", "lines", "amount")}),
        ("has(record.company.city)", {("record", "company", "city")}),
        ("actor.is_upline_of(record.owner)", {("actor", "_path"), ("record", "owner", "_path")}),
        ("(record.hot ? actor : record.owner).country",
         {("record", "hot"), ("actor", "country"), ("record", "owner", "country")}),
        ("(record.hot ? record.company : record.company).owner.country == actor.country",
         {("record", "hot"), ("record", "company", "owner", "country"), ("actor", "country")}),
        ("[record.company, record.company][0].city", {("record", "company", "city")}),
        ('{"one": actor, "two": record.owner}.two.country', {("actor", "country"), ("record", "owner", "country")}),
        ("(record.lines + record.lines).exists(l, l.amount > 1)", {("record", "lines", "amount")}),
        ("record.lines.map(l, l.parent).exists(p, p.name == record.name)",
         {("record", "lines", "parent", "name"), ("record", "name")}),
        ("record.lines.map(l, l.amount)", {("record", "lines", "amount")}),
        ("(record.hot ? actor : actor).is_upline_of(actor)", {("record", "hot"), ("actor", "_path")}),
        ("[1].all(x, x > 0)", set()),
    ],
)  # fmt: skip
def test_the_paths_that_are_read(text: str, reads: set[tuple[str, ...]]) -> None:
    assert compiled(text).reads == reads


WAYS = st.recursive(
    st.sampled_from(["record.company", "record.lines[0].parent.company"]),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(lambda two: f"(record.hot ? {two[0]} : {two[1]})"),
        st.tuples(inner, inner).map(lambda two: f"[{two[0]}, {two[1]}].filter(c, true)[0]"),
        st.tuples(inner, inner).map(lambda two: f"([{two[0]}] + [{two[1]}])[1]"),
        inner.map(lambda one: f'{{"a": {one}}}.a'),
        inner.map(lambda one: f"[1].map(n, {one})[0]"),
    ),
    max_leaves=6,
)


@given(way=WAYS)
def test_whatever_way_leads_to_a_record_what_is_asked_of_it_is_among_the_reads(way: str) -> None:
    ways = {("record", "company"), ("record", "lines", "parent", "company")}
    taken = {path for path in ways if f"{'.'.join(path).replace('lines', 'lines[0]')}" in way}
    for expression in (compiled(f"{way}.city"), *conjuncts(compiled(f'{way}.city == "Lyon"'))):
        assert {path for path in expression.reads if path[-1] == "city"} == {(*path, "city") for path in taken}
        assert not taken & expression.reads


@pytest.mark.parametrize(
    ("text", "code", "column", "message", "hint"),
    [
        ("record.nme", "unknown_field", 14, "deal has no field 'nme'.", "did you mean 'name'?"),
        ("actor.zzz", "unknown_field", 13, "member has no field 'zzz'.", "known are: id, country, levels, sponsor"),
        ("record.zzz", "unknown_field", 14, "deal has no field 'zzz'.",
         "known are: id, name, note, country, calls, visits, amount, paid, rate, hot, cold, born, …"),
        ("recrd.name", "unknown_name", 7, "'recrd' is not known here.", "did you mean 'record'?"),
        ("name", "unknown_name", 7, "'name' is not known here.", "did you mean 'record.name'?"),
        ("before.name", "unknown_name", 7, "'before' is not known here.", "'before' is only known in a trigger"),
        ("zzz", "unknown_name", 7, "'zzz' is not known here.", "known are: record, actor, settings, form"),
        ('record.stage == "nwe"', "unknown_option", 23, "stage has no 'nwe'.", "did you mean 'new'?"),
        ('"nwe" != record.stage', "unknown_option", 7, "stage has no 'nwe'.", "did you mean 'new'?"),
        ('record.stage == "active"', "unknown_option", 23, "stage has no 'active'.",
         'it has states inside: write is_in(…, "active")'),
        ('record.stage in ["new", "zzz"]', "unknown_option", 31, "stage has no 'zzz'.",
         "known are: new, called, met, won, lost"),
        ('record.stage == (record.hot ? "new" : "wonn")', "unknown_option", 45, "stage has no 'wonn'.",
         "did you mean 'won'?"),
        ('"read" in record.tags', "unknown_option", 7, "colour has no 'read'.", "did you mean 'red'?"),
        ('record.tags == ["rid"]', "unknown_option", 23, "colour has no 'rid'.", "did you mean 'red'?"),
        ('is_in(record.stage, "activ")', "unknown_option", 27, "stage has no 'activ'.", "did you mean 'active'?"),
        ("is_in(record.stage, record.name)", "type", 27, "The state is written out.",
         'as in is_in(record.process, "state")'),
        ('is_in(record.name, "new")', "type", 13, "is_in looks at a process or a choice, not at text.", ""),
        ("is_in(record.stage)", "type", 7, "is_in takes a process and a state.",
         'as in is_in(record.process, "state")'),
        ('record.name.startWith("a")', "unknown_function", 19, "There is no function 'startWith'.",
         "did you mean 'startsWith'?"),
        ("nwo()", "unknown_function", 7, "There is no function 'nwo'.", "did you mean 'now'?"),
        ('contains(record.name, "a")', "unknown_function", 7, "There is no function 'contains'.",
         "write it behind its value: value.contains(…)"),
        ("record.name.count()", "unknown_function", 19, "There is no function 'count'.", "write it in front: count(…)"),
        ("record.name.contains(1)", "type", 19, "'contains' does not work on text with (integer).",
         "it takes text.contains(text)"),
        ("days(1.5)", "type", 7, "'days' does not take (decimal).", "it takes (integer)"),
        ("{1: " * 79 + "1" + "}" * 79, "syntax", 7, "The expression is nested too deeply.",
         "Keep a part of it in a computed field."),
        ("-7e77777777777", "value", 7, "The number is too large.", ""),
        ('duration("72x")', "value", 16, "'72x' is not a duration.", 'as in duration("72h") or duration("6 months")'),
        ('duration("999999 working days")', "value", 16, "'999999 working days' has too many working hours or days.",
         "Write at most 10000 of them, or days, months or years."),
        ("working_hours(-10001)", "value", 21, "'-10001' has too many working hours or days.",
         "Write at most 10000 of them, or days, months or years."),
        ('record.name.matches("(")', "value", 27, "'(' is not a regular expression.",
         "RE2's syntax: no look-around, no back references."),
        ('date("2026-02-30")', "value", 12, "'2026-02-30' is not a date.", 'as in date("2026-11-30")'),
        ("record.calls == record.name", "type", 20, "integer and text are never equal.",
         "write the number without quotation marks"),
        ("record.born == record.created_at", "type", 19, "date and datetime are never equal.",
         "a date and a datetime meet through date(…)"),
        ("record.born < now()", "type", 19, "date and datetime have no order between them.",
         "a date and a datetime meet through date(…)"),
        ("record.owner == record.name", "type", 20, "member and text are never equal.",
         "compare one of its fields, such as '.id'"),
        ("record.tags == record.name", "type", 19, "list of choice of colour and text are never equal.",
         "it is a list: write '… in list'"),
        ("record.owner == record.company", "type", 20, "member and company are never equal.", ""),
        ('record.stage < "won"', "type", 20, "A choice has no order.", "compare it with '==' or 'in'"),
        ("record.tags > record.tags", "type", 19, "list of choice of colour has no order.", ""),
        ("1 in record.tags", "type", 9, "integer is never in a list of choice of colour.", ""),
        ("1.5 in {\"a\": 1}", "type", 11, "decimal is never a key of a map of text to integer.", ""),
        ('"a" in record.name', "type", 11, "'in' looks into a list or a map, not into text.",
         "for a part of a text write text.contains(part)"),
        ("1 in 2", "type", 9, "'in' looks into a list or a map, not into integer.", ""),
        ('record.name + 1', "type", 19, "'+' does not work on text and integer.", "turn it into a text: string(…)"),
        ("record.born + 1", "type", 19, "'+' does not work on date and integer.",
         "say what the number counts: days(…)"),
        ("record.amount % 2", "type", 21, "'%' does not work on decimal and integer.", ""),
        ("[1] + [true]", "type", 11, "'+' does not work on list of integer and list of boolean.", ""),
        ("-record.name", "type", 7, "A text has no negative.", ""),
        ("!record.calls", "type", 8, "This is an integer, but boolean is asked for.", "compare it with something"),
        ("record.calls && true", "type", 7, "This is an integer, but boolean is asked for.",
         "compare it with something"),
        ('record.hot ? 1 : "a"', "type", 7, "One side is integer, the other text.", ""),
        ('[1, "a"]', "type", 7, "The elements are of different types: integer and text.", ""),
        ("record.lines.amount", "type", 20, "A list of line has no fields, so no 'amount'.",
         "it is a list: use exists(x, x.amount …), all(…), map(…) or sum(…)"),
        ("record.name.x", "type", 19, "A text has no fields, so no 'x'.", ""),
        ("{1: 2}.x", "type", 7, "The keys are integer, not text.", ""),
        ('{1: 2}["x"]', "type", 14, "The keys are integer, not text.", ""),
        ('[1]["x"]', "type", 11, "A list is counted with an integer, not with text.", ""),
        ("record.name[0]", "type", 7, "A text has no elements.", ""),
        ("record.name.all(x, true)", "type", 7, "all(…) goes through a list, not a text.", ""),
        ("[1].all(x, x)", "type", 18, "This is an integer, but boolean is asked for.", "compare it with something"),
        ("[1].map(x, x, x)", "type", 18, "This is an integer, but boolean is asked for.", "compare it with something"),
        ("sum([true], x, x)", "type", 22, "sum(…) adds numbers or durations, not boolean.", ""),
        ("min()", "type", 7, "'min' takes values, or a list of them.", ""),
        ('max(1, "a", 2)', "type", 7, "'max' does not take (integer, text, integer).", "give numbers, or times"),
        ("min(true, false)", "type", 7, "'min' does not take (boolean, boolean).", "give numbers, or times"),
        ("9223372036854775808", "value", 7, "9223372036854775808 is too large.", ""),
        ("1e999", "value", 7, "The number is too large.", ""),
        ("5u", "type", 7, "This kind of literal is not used in definitions.", "write a plain number or text"),
        ('b"x"', "type", 7, "This kind of literal is not used in definitions.", "write a plain number or text"),
    ],
)  # fmt: skip
def test_problems(text: str, code: str, column: int, message: str, hint: str) -> None:
    (problem,) = problems(text)
    assert (problem.code, problem.place.column) == (f"expression.{code}", column)
    assert (problem.message, problem.hint) == (message, hint)


def test_all_problems_come_at_once_by_place() -> None:
    found = problems("record.nme == 1 &&\n record.calls && zzz > wun")
    assert [(problem.place.line, problem.place.column) for problem in found] == [(3, 14), (4, 8), (4, 24), (4, 30)]


def test_what_is_wrong_is_said_once() -> None:
    assert len(problems("record.nme.first + 1 > record.calls && [record.zzz][0] == 1")) == 2


@pytest.mark.parametrize(
    ("text", "expect"),
    [
        ("true", BOOL),
        ("null", BOOL),
        ("1", DECIMAL),
        ('"red"', COLOUR),
        ("record.colour", COLOUR),
        ("record.colour", STRING),
        ('record.hot ? "red" : null', COLOUR),
        ('record.hot ? "red" : record.colour', COLOUR),
        ('["red", "green"]', ListOf(COLOUR)),
        ("record.tags", ListOf(COLOUR)),
        ("[]", ListOf(STRING)),
        ("record.owner", (STRING, RecordOf("member"))),
        ("record.name", (RecordOf("member"), STRING)),
        ("form.x", COLOUR),
    ],
)
def test_what_fits_its_place(text: str, expect: Type) -> None:
    assert problems(text, expect=expect) == []


@pytest.mark.parametrize(
    ("text", "expect", "code", "message"),
    [
        ("1", BOOL, "type", "This is an integer, but boolean is asked for."),
        ("1.5", INT, "type", "This is a decimal, but integer is asked for."),
        ('"rod"', COLOUR, "unknown_option", "colour has no 'rod'."),
        ('["rod"]', ListOf(COLOUR), "unknown_option", "colour has no 'rod'."),
        ("record.name", COLOUR, "type", "This is a text, but choice of colour is asked for."),
        ('["red", record.name]', ListOf(COLOUR), "type",
         "This is a list of text, but list of choice of colour is asked for."),
        ("record.name.split(\",\")", ListOf(COLOUR), "type",
         "This is a list of text, but list of choice of colour is asked for."),
        ("record.calls", (STRING, RecordOf("member")), "type", "This is an integer, but text or member is asked for."),
    ],
)  # fmt: skip
def test_what_does_not_fit_its_place(text: str, expect: Type, code: str, message: str) -> None:
    (problem,) = problems(text, expect=expect)
    assert (problem.code, problem.message) == (f"expression.{code}", message)


@pytest.mark.parametrize(
    ("actual", "expected", "fit"),
    [
        (INT, DECIMAL, True),
        (DECIMAL, INT, False),
        (NULL, DATE, True),
        (DYN, DATE, True),
        (STAGE, STRING, True),
        (STRING, STAGE, False),
        (ListOf(INT), ListOf(DECIMAL), True),
        (MapOf(STRING, INT), MapOf(STRING, DECIMAL), True),
        (MapOf(STRING, INT), MapOf(INT, INT), False),
        (ListOf(INT), MapOf(INT, INT), False),
    ],
)
def test_fitting(actual: Type, expected: Type, fit: bool) -> None:
    assert fits(actual, expected) is fit


@pytest.mark.parametrize(
    ("left", "right", "both"),
    [
        (INT, DYN, DYN),
        (DYN, INT, DYN),
        (DECIMAL, INT, DECIMAL),
        (ListOf(INT), ListOf(BOOL), None),
        (COLOUR, STAGE, STRING),
        (INT, BOOL, None),
    ],
)
def test_joining(left: Type, right: Type, both: Type | None) -> None:
    assert join(left, right) == both


def test_a_record_without_fields_has_nothing_to_offer() -> None:
    scope = Scope({"form": RecordOf("nothing")})
    with pytest.raises(DefinitionError) as refused:
        compile_expression("form.x", PLACE, scope)
    assert refused.value.problems[0].hint == ""


def test_an_expression_that_fails_is_not_made() -> None:
    with pytest.raises(DefinitionError, match=r"pack.yaml:3:14: expression.unknown_field: deal has no field 'nme'"):
        compile_expression("record.nme", PLACE, SCOPE)
