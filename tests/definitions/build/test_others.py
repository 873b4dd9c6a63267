"""Networks, levels, terms, statistics, screens, homes and templates."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from definitions.build.draft import Draft
from definitions.build.index import Index
from definitions.build.jinja import FILTERS
from definitions.build.networks import build_network
from definitions.pack import load
from definitions.spec.access import Rule
from tests.definitions.build.office import OFFICE, built, codes, problems


def network_codes(text: str) -> list[str]:
    return [problem.code for problem in load({"a.yaml": f"network: office\nlanguages: [en]\n{text}"}).errors]


def test_a_network_says_its_frame() -> None:
    text = "network: n\nlanguages: [fr, en]\ntimezone: Europe/Zurich\ncurrency: CHF\ncountries: [CH]\nhue: 20\n"
    found = load({"a.yaml": text + "calendar: {days: [mon, sat], hours: 08:15-24:00, holidays: CH}\n"}).network
    assert found is not None
    assert (found.languages, found.timezone, found.currency) == (("fr", "en"), "Europe/Zurich", "CHF")
    assert (found.calendar.days, found.calendar.opens, found.calendar.closes) == (("mon", "sat"), 495, 1440)
    assert (found.calendar.holidays, found.hue, ZoneInfo(found.timezone).key) == ("CH", 20, "Europe/Zurich")


def test_what_a_network_leaves_out_has_a_default() -> None:
    found = load({"a.yaml": "network: n\n"}).network
    assert found is not None
    assert (found.languages, found.currency, found.hue) == (("fr",), "EUR", 172)
    assert found.label.pick("fr") == "N"


def test_there_is_no_network_without_its_document() -> None:
    assert build_network(Draft(Index({}))) is None


def test_settings_have_a_type_a_value_and_options() -> None:
    text = "settings:\n  mode: {type: choice, value: b, options: {a: A, b: B}}\n  open: {type: boolean}\n"
    found = load({"a.yaml": f"network: n\nlanguages: [en]\n{text}"}).network
    assert found is not None
    assert found.settings["mode"].value == "b"
    assert list(found.settings["mode"].options) == ["a", "b"]
    assert found.settings["open"].value is None
    assert network_codes("settings: {mode: {type: choice}}\n") == ["field.options"]


def rule(written: str) -> Rule:
    return built(f"level: helper\nentities: {{lead: {{read: {written}}}}}\n").levels["helper"].entities["lead"].read


@pytest.mark.parametrize(
    ("written", "reach"),
    [("all", "all"), ("mine", "mine"), ("downline", "downline"), ("none", "none"), ("true", "all"), ("false", "none")],
)
def test_a_rule_is_a_reach(written: str, reach: str) -> None:
    assert rule(written).reach == reach


def test_a_rule_is_a_condition() -> None:
    found = rule("record.owner == actor")
    assert found.reach is None
    assert found.expression is not None


def test_a_level_grants_nothing_by_itself() -> None:
    level = built("level: helper\nfunctions: [consult]\nentities: {lead: {read: all}}\n").levels["helper"]
    access = level.entities["lead"]
    assert [access.create.reach, access.update.reach, access.delete.reach] == ["none", "none", "none"]
    assert access.transitions is None
    assert (level.functions, level.administration, level.everything) == (frozenset({"consult"}), False, False)


def test_a_declared_leader_has_the_administration_and_what_it_says() -> None:
    level = built("level: leader\nentities: {lead: {read: all}}\n").levels["leader"]
    assert (level.administration, level.everything, list(level.entities)) == (True, False, ["lead"])
    assert level.label.pick("en") == "Leader"


def test_rights_of_fields_and_transitions() -> None:
    text = "level: helper\nentities:\n  lead: {read: all, update: all, fields: {calls: {read: none}}, "
    access = built(text + "transitions: [call, recruiting.sign]}\n").levels["helper"].entities["lead"]
    calls = access.fields["calls"]
    assert calls.read is not None
    assert (calls.read.reach, calls.write) == ("none", None)
    assert access.transitions == ("call", "recruiting.sign")


def test_terms_are_for_levels_and_have_a_version() -> None:
    terms = built("terms: house\nversion: 2026\nfor: [agent]\nbody: Be kind.\n").terms["house"]
    assert (terms.version, terms.levels, terms.body.pick("en")) == ("2026", ("agent",), "Be kind.")


@pytest.mark.parametrize(
    ("measure", "kind"),
    [
        ("count()", "count"),
        ("sum(record.calls)", "sum"),
        ("average( record.budget )", "average"),
        ("share(record.calls > 3)", "share"),
        ("time_in(recruiting.new)", "time_in"),
    ],
)
def test_a_measure_is_read(measure: str, kind: str) -> None:
    found = built(f"statistic: s\nentity: lead\nmeasure: {measure}\n").statistics["s"]
    assert found.measure == kind
    assert (found.of is not None) == (kind in {"sum", "average", "share"})
    assert found.time_in == (("recruiting", "new") if kind == "time_in" else None)
    assert found.chart == "number"


@pytest.mark.parametrize(
    ("measure", "code"),
    [
        ("count(record)", "statistic.measure"),
        ("sum()", "statistic.measure"),
        ("share(record.calls)", "expression.type"),
        ("time_in(recruiting.nwe)", "process.unknown_state"),
        ("average(record.source)", "expression.type"),
    ],
)
def test_a_measure_that_cannot_be(measure: str, code: str) -> None:
    assert codes(f"statistic: s\nentity: lead\nmeasure: {measure}\n") == [code]


def test_a_statistic_is_grouped() -> None:
    found = built('statistic: s\nentity: lead\nmeasure: count()\nby: ["month(record.created_at)", record.source]\n')
    assert len(found.statistics["s"].by) == 2
    assert found.statistics["s"].chart == "bar"


def test_an_entity_without_a_screen_has_a_generated_one() -> None:
    screen = built().screens["lead"]
    assert screen.generated
    assert screen.columns == ("name", "recruiting", "email", "calls", "budget", "source", "tags")
    assert [board.process for board in screen.boards] == ["recruiting"]
    assert screen.boards[0].card == ("email", "calls", "budget")
    assert screen.sections[0].fields[0] == "name"


def test_what_a_screen_leaves_out_is_generated() -> None:
    screen = built("screen: leads\nentity: lead\nviews: {mine: {where: record.owner == actor, sort: name}}\n")
    found = screen.screens["leads"]
    assert "lead" not in screen.screens
    assert found.columns[0] == "name"
    assert [board.process for board in found.boards] == ["recruiting"]
    assert (found.sort, found.views["mine"].sort, found.generated) == ("-created_at", "name", False)


def test_a_screen_shows_what_it_says() -> None:
    text = """screen: leads
entity: lead
for: [agent]
label: People
list: {columns: [name, recruiting], sort: -calls}
board: [{process: recruiting, card: [email]}]
record: {sections: [{label: Who, fields: [name]}, {fields: [email]}]}
"""
    found = built(text).screens["leads"]
    assert (found.columns, found.sort, found.levels) == (("name", "recruiting"), "-calls", ("agent",))
    assert found.boards[0].card == ("email",)
    assert [section.label.pick("en") for section in found.sections] == ["Who", "Lead"]
    assert found.column_places["name"].line == 5


def test_a_home_has_tiles_of_every_kind() -> None:
    text = """statistic: s
entity: lead
measure: count()
---
home: today
for: [agent]
label: Today
tiles: [{statistic: s}, {screen: lead}, {tasks: mine}, {text: Hello}]
"""
    tiles = built(text).homes["today"].tiles
    assert [tiles[0].statistic, tiles[1].screen, tiles[2].tasks] == ["s", "lead", "mine"]
    assert tiles[3].text is not None


def template_codes(body: str, about: str = "about: lead\n") -> list[str]:
    return codes(f"template: t\nchannel: email\n{about}subject: Hello\nbody: |\n  {body}\n")


@pytest.mark.parametrize(
    "body",
    [
        "{{ record.name }} {{ record['name'] }} {{ record.company.name }} {{ record.recruiting | label }}",
        "{{ member.name }} {{ recipient.email }} {{ actor.phone | phone }} {{ network.label }} {{ settings.keep }}",
        "{{ links.record }} {{ links.unsubscribe }} {{ links.account }}",
        "{% for tag in record.tags %}{{ loop.index }} {{ tag | label }}{% else %}none{% endfor %}",
        "{% for tag in record.tags if tag != 'cold' %}{{ tag }}{% endfor %}",
        "{% if record.calls > 3 and record.email is defined %}a{% elif record.budget %}b{% else %}c{% endif %}",
        "{% set name = record.name | default('you') %}{{ name | upper }} {{ record.tags[0] }}",
        "{% with x = record.name, y = 1 %}{{ x | upper }} {{ y + 1 }}{% endwith %}",
        "{% set x %}{{ record.name }}{% endset %}{{ x | upper }}{% set y | trim %} a {% endset %}{{ y }}",
        "{% set n = 0 %}{% if record.calls %}{% set n = 'many' %}{% endif %}{{ n == 'many' }}",
        "{% for tag in record.tags[:2] %}{{ tag | label }}{% endfor %}{{ (record.tags | first) == 'cold' }}",
        "{{ record.name[:3] }} {{ -record.calls }} {{ record.budget * 1.2 }} {{ record.tags | length + 1 }}",
        "{% if 'a' in record.name and 'cold' in record.tags and record.calls in [1, 2] %}x{% endif %}",
        "{% set owner = record.owner %}{{ owner.name }} {{ (record.company | default(record.company)).name }}",
        "{{ record.next_call_at | datetime }} {{ record.budget | money }} {{ 3 + 4 }} {# said #}",
    ],
)
def test_a_template_may_show_what_is_there(body: str) -> None:
    assert template_codes(body) == []


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("{{ record.nme }}", "template.unknown_field"),
        ("{{ record.company.city }}", "template.unknown_field"),
        ("{{ record.name.first }}", "template.unknown_field"),
        ("{{ record['nme'] }}", "template.unknown_field"),
        ("{{ " + "(" * 2000 + "1" + ")" * 2000 + " }}", "template.syntax"),
        ("{{ " + "+".join("1" * 20_000) + " }}", "template.syntax"),
        ("{% for a in record.name %}" * 60 + "{% endfor %}" * 60, "template.syntax"),
        ("{{ record.name is nonsense }}", "template.syntax"),
        ("x" * 50_001, "template.too_long"),
        ("{{ links.home }}", "template.unknown_field"),
        ("{% for tag in record.tags %}{{ loop.number }}{% endfor %}", "template.unknown_field"),
        ("{% for tag in record.tags %}{% endfor %}{{ tag }}", "template.unknown_variable"),
        ("{% if record.calls %}{% set n = 1 %}{% endif %}{{ n }}", "template.unknown_variable"),
        ("{{ before.calls }}", "template.unknown_variable"),
        ("{{ record.name | tojson }}", "template.unknown_filter"),
        ("{{ range(9) }}", "template.call"),
        ("{% macro m() %}{% endmacro %}", "template.statement"),
        ("{% if record.calls %}", "template.syntax"),
        ("{{ record.calls | nofilter(record.cals) }}", "template.unknown_filter"),
        ("{% with x = 1 %}{% endwith %}{{ x }}", "template.unknown_variable"),
        ("{% with x = 1, y = x %}{% endwith %}", "template.unknown_variable"),
        ("{% set x %}{{ y }}{% endset %}", "template.unknown_variable"),
        ("{% set x | nofilter %}a{% endset %}", "template.unknown_filter"),
        ("{{ record.tags[nothing] }}", "template.unknown_variable"),
    ],
)
def test_a_template_that_cannot_be_shown(body: str, code: str) -> None:
    assert code in template_codes(body)


@pytest.mark.parametrize(
    "body",
    [
        "{{ -record.name }}",
        "{{ +record.company }}",
        "{{ record.name | abs }}",
        "{{ record.tags | round }}",
        "{{ record.name | upper | money }}",
        "{{ record.calls | date }}",
        "{{ record.calls | join }}",
        "{{ record.company | first }}",
        "{{ record.calls | truncate(3) }}",
        "{% for call in record.calls %}{% endfor %}",
        "{% for part in record.company %}{% endfor %}",
        "{% for call in record.calls + 1 %}{% endfor %}",
        "{% for a, b in record.tags %}{% endfor %}",
        "{% for a, b in record.name %}{% endfor %}",
        "{% set a, b = record.name %}",
        "{% with a, b = record.calls %}{% endwith %}",
        "{% if 1 in record.calls %}{% endif %}",
        "{% if 1 not in record.name %}{% endif %}",
        "{% if record.calls in record.tags %}{% endif %}",
        "{{ '%s' % record.name }}",
        "{{ '%s' % settings.keep }}",
        "{{ record.name * 3 }}",
        "{{ record.calls ** 2 }}",
        "{{ record.calls[0] }}",
        "{{ record.calls[:2] }}",
        "{{ record.tags[:2] == 'cold' }}",
        "{{ record.next_call_at + 1 }}",
        "{{ record.next_call_at * record.next_call_at }}",
        "{% with x = record.name %}{{ -x }}{% endwith %}",
        "{% set x %}1{% endset %}{{ x + 1 }}",
    ],
)
def test_what_can_work_for_no_value_is_refused(body: str) -> None:
    assert template_codes(body) == ["template.type"]


def test_a_template_about_nothing_has_no_record() -> None:
    assert template_codes("{{ record.name }}", about="") == ["template.unknown_variable"]


def test_a_template_knows_what_it_shows() -> None:
    text = "template: t\nchannel: email\nabout: lead\nsubject: '{{ record.name }}'\nbody: '{{ record.company.name }}'\n"
    reads = built(text).templates["t"].reads
    assert {("record", "name"), ("record", "company", "name")} <= reads


def test_what_is_read_through_a_filter_is_known() -> None:
    body = "{{ (record.company | default(record.company)).name }}"
    text = f"template: t\nchannel: email\nabout: lead\nsubject: Hello\nbody: '{body}'\n"
    assert ("record", "company", "name") in built(text).templates["t"].reads


def test_a_place_in_a_template_is_its_line_and_word() -> None:
    text = "template: t\nchannel: email\nabout: lead\nsubject: Hello\nbody: |\n  One\n\n  Two {{ record.nme }}\n"
    assert [(p.place.line, p.place.column) for p in problems(text)] == [(8, 17)]


def test_a_subject_is_asked_of_emails() -> None:
    assert codes("template: t\nchannel: email\nbody: Hello\n") == ["template.subject"]
    assert "upper" in FILTERS
    assert "template:" not in OFFICE
