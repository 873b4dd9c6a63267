"""A run that finishes as it began speaks of fields, states and transitions by names that are others now."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import pytest

from models.renames import Renames
from tests.networks import edited
from tests.workflows.conftest import MakeStage, Stage
from tests.workflows.test_automations import automation, staged
from workflows import commands
from workflows.publishing import publish

pytestmark = pytest.mark.anyio

WAIT = "  - wait: {for: 1d}\n"


def renamed(files: Mapping[str, str]) -> dict[str, str]:
    """Return the pack with other names for nearly everything, and an automation that does nothing any more."""
    new = dict(files)
    new["it.yaml"] = "automation: it\nlabel: {fr: Essai, en: Try}\nwhen: {deleted: contact}\ndo: [{stop: true}]"
    new["automations.yaml"] = (
        new["automations.yaml"].replace("about: lead", "about: contact").replace("record.first_name", "record.forename")
    )
    new["company.yaml"] = edited(
        {"company.yaml": new["company.yaml"]},
        ("entity: company", "entity: firm\nwas: company"),
        ("city: {type: text}", "town: {was: city, type: text}"),
    )["company.yaml"]
    lead = new["lead.yaml"].replace("record.first_name", "record.forename").replace("[first_name,", "[forename,")
    for old, made in (
        ("entity: lead", "entity: contact\nwas: lead"),
        ("first_name:   {type", "forename:     {was: first_name, type"),
        ("city:         {type", "town:         {was: city, type"),
        ("site: {fr: Site, en: Web site}", "web: {was: site, fr: Site, en: Web site}"),
        ("company:      {type: reference, to: company", "firm:         {was: company, type: reference, to: firm"),
    ):
        assert old in lead
        lead = lead.replace(old, made)
    new["lead.yaml"] = lead.replace(
        "web: {was: site, fr: Site, en: Web site}", "web: {was: site, label: {fr: Site, en: Web site}}"
    )
    process = new["recruiting.yaml"].replace(
        "process: recruiting\nentity: lead", "process: hiring\nwas: recruiting\nentity: contact"
    )
    process = (
        process.replace("  contacted: {label", "  called:    {was: contacted, label")
        .replace("contacted", "called")
        .replace("was: called", "was: contacted")
    )
    new["recruiting.yaml"] = process.replace("  sign: {from", "  hire: {was: sign, from")
    new["levels.yaml"] = new["levels.yaml"].replace("  company: {", "  firm: {").replace("  lead:\n", "  contact:\n")
    return new


async def after_the_change(make_stage: MakeStage, steps: str, **values: object) -> Stage:
    """Return a network in which a run over a called lead waited while all names changed, and then went on."""
    files = automation("{moved: recruiting.call}", WAIT + steps)
    stage, lea = await staged(make_stage, files)
    firm = await commands.create(stage.tenant, lea, "company", {"name": "Savons", "city": "Lille"})
    lead = await stage.lead(lea, city="Lyon", source="site", company=firm.id, **values)
    await stage.call(lea, lead)
    await stage.worker.run_due()
    await publish(stage.tenant, renamed(files))
    stage.clock.forward(timedelta(days=1))
    await stage.worker.run_due()
    return stage


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("record.first_name", "Paul"),
        ("record.company.city", "Lille"),
        ("record.recruiting == 'contacted' ? 'yes' : 'no'", "yes"),
        ("before.recruiting + record.city", "newLyon"),
        ("record.source == 'site' ? 'yes' : 'no'", "yes"),
        ("actor.first_name", "Lea"),
        ("record.owner.country", "FR"),
    ],
)
async def test_values_are_read_by_the_names_of_then(make_stage: MakeStage, value: str, found: str) -> None:
    stage = await after_the_change(make_stage, f'  - set: {{city: "={value}"}}')
    assert await stage.rows("_run", "state") == [("done",)]
    assert await stage.rows("contact", "town") == [(found,)]


@pytest.mark.parametrize(
    ("step", "table", "column", "found"),
    [
        ("set: {source: site}", "contact", "source", "web"),
        ("set: {first_name: Ida}", "contact", "forename", "Ida"),
        ("move: sign", "contact", "hiring", "signed"),
        ("move: {record: =record, transition: recruiting.sign}", "contact", "hiring", "signed"),
        ("{set: {city: Nice}, record: =record.company}", "firm", "town", "Nice"),
        ("task: {title: X, about: =record.company}", "_task", "entity", "firm"),
        ("email: {template: welcome, to: =record.email}", "_mail", "subject", "Bonjour Paul"),
        ("assign: {pick: round_robin, among: member.country == record.country}", "_assigned", "step", "do/1"),
    ],
)
async def test_what_is_written_has_the_names_of_today(
    make_stage: MakeStage, step: str, table: str, column: str, found: str
) -> None:
    stage = await after_the_change(make_stage, f"  - {step}")
    assert await stage.rows("_run", "state", "error") == [("done", None)]
    assert (found,) in await stage.rows(table, column)


async def test_new_records_and_loops_have_the_names_of_today(make_stage: MakeStage) -> None:
    steps = """
  - create: {entity: company, as: firm, values: {name: =record.first_name, city: =record.city}}
  - for_each: {in: {entity: company, where: row.city == record.city, sort: -city}, as: row}
    do:
      - set: {name: =row.name + firm.city}
        record: =row
      - for_each: {in: "=[row]", as: inner, do: [{create: {entity: company, values: {name: =inner.name, city: x}}}]}
"""
    stage = await after_the_change(make_stage, steps)
    assert await stage.rows("_run", "state", "error") == [("done", None)]
    assert await stage.rows("firm", "name", "town") == [("Savons", "Lille"), ("PaulLyon", "Lyon"), ("PaulLyon", "x")]


async def test_a_loop_that_asks_for_a_state_of_another_name_fails_in_words(make_stage: MakeStage) -> None:
    loop = "  - for_each: {in: {entity: lead, where: record.recruiting == 'contacted'}, do: [{stop: true}]}"
    stage = await after_the_change(make_stage, loop)
    [(state, error)] = await stage.rows("_run", "state", "error")
    assert state == "failed"
    assert "called differently" in error


async def test_names_follow_through_several_versions(make_stage: MakeStage) -> None:
    files = automation("{created: company}", WAIT + "  - set: {city: =record.name + record.city}")
    stage, lea = await staged(make_stage, files)
    await commands.create(stage.tenant, lea, "company", {"name": "Savons", "city": "Lille"})
    await stage.worker.run_due()
    for was, now in (("city", "town"), ("town", "place"), ("place", "city"), ("city", "spot")):
        files = {name: text for name, text in files.items() if name != "it.yaml"}
        company = files["company.yaml"].replace(f"  {was}: {{type: text}}", f"  {now}: {{was: {was}, type: text}}")
        await publish(stage.tenant, {**files, "company.yaml": company})
        files["company.yaml"] = company.replace(f"was: {was}, ", "")
    stage.clock.forward(timedelta(days=1))
    await stage.worker.run_due()
    assert await stage.rows("company", "spot") == [("SavonsLille",)]


@pytest.mark.parametrize(
    ("first", "later", "expected"),
    [
        ({"a": "b"}, {"b": "c"}, {"a": "c"}),
        ({"a": "b", "b": "a"}, {"a": "c"}, {"a": "b", "b": "c"}),
        ({}, {"x": "y"}, {"x": "y"}),
        ({"a": "b"}, {"x": "y"}, {"a": "b", "x": "y"}),
        ({"a": "b"}, {"b": "a"}, {"a": "a"}),
    ],
)
def test_names_are_chained(first: dict[str, str], later: dict[str, str], expected: dict[str, str]) -> None:
    assert Renames(entities=first).then(Renames(entities=later)).entities == expected
    inner = Renames(fields={"e": first}).then(Renames(fields={"e": later}))
    assert inner.fields == {"e": expected}
    moved = Renames(entities={"e": "f"}, fields={"e": first}).then(Renames(fields={"f": later}))
    assert moved.fields == {"e": expected}


def test_options_follow_their_entity_and_field() -> None:
    first = Renames(entities={"e": "f"}, fields={"e": {"kind": "sort"}}, options={"e.kind": {"a": "b"}})
    later = Renames(options={"f.sort": {"b": "c"}})
    assert first.then(later).options == {"e.kind": {"a": "c"}}
    assert first.then(later).value("e", "kind", ("a", "z")) == ("c", "z")


async def test_what_is_done_in_a_run_that_finishes_has_the_rights_of_today(make_stage: MakeStage) -> None:
    """A member who may not read the record any more is written to no more, whatever the run began with."""
    files = automation("{moved: recruiting.call}", WAIT + "  - email: {template: welcome, to: =record.owner}")
    stage, lea = await staged(make_stage, files)
    await stage.call(lea, await stage.lead(lea))
    await stage.worker.run_due()
    fewer = ("read: mine\n    create: true", "read: record.country == 'BE'\n    create: true")
    await publish(stage.tenant, edited(files, fewer))
    stage.clock.forward(timedelta(days=1))
    await stage.worker.run_due()
    assert await stage.rows("_mail", "id") == []
    [(error,)] = await stage.rows("_step", "error", where="outcome = 'skipped'")
    assert "may read" in error
