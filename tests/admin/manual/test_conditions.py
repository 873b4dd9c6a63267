"""Expressions are told in words, and nothing is told that they do not say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any

import pytest

from admin.manual.conditions import condition, told
from definitions.expr import Expression, RecordOf, Scope, compile_expression
from definitions.pack import load, read_folder
from definitions.problems import Place
from tests.admin.manual.reading import PACKS, ROOT, network, plain, telling

SUIVI = network("definitions/packs/suivi")
BOOK = SUIVI.processes["recruiting"].transitions["book"]
PLACE = Place("words.yaml", 1, 1)

CONDITIONS = {
    "has(record.phone)": "*Landline* is filled in",
    "!has(record.phone)": "*Landline* is empty",
    "record.phone == null": "*Landline* is empty",
    "null != record.phone": "*Landline* is filled in",
    "record.newsletter": "*Gets the newsletter* is “yes”",
    "!record.newsletter": "*Gets the newsletter* is not “yes”",
    "record.newsletter == false": "*Gets the newsletter* is not “yes”",
    "!(record.newsletter != true)": "*Gets the newsletter* is “yes”",
    'record.recruiting == "new"': "*Recruiting* is *New*",
    '"new" != record.recruiting': "*Recruiting* is not *New*",
    '!(record.recruiting in ["new", "lost"])': "*Recruiting* is none of *New* or *Lost*",
    'record.country in ["FR", "BE", "CH"]': "*Country* is one of *France*, *Belgium* or *Switzerland*",
    "record.calls > 2": "*Calls made* is more than 2",
    "2 < record.calls": "*Calls made* is more than 2",
    "now() > now() || 1 == 1": "now is still to come or 1 is 1",
    "!(record.calls > 2)": "not (*Calls made* is more than 2)",
    "record.calls + 1 <= 3 * 2": "*Calls made* + 1 is at most 3 × 2",
    "record.next_call_at <= now()": "*Next contact* has come",
    "now() < record.next_call_at": "*Next contact* is still to come",
    'record.signed_on < date("2026-01-31")': "*Date of the contract* is before 31 Jan 2026",
    'age(record.created_at) > duration("72h")': "*Created on* is more than 3 days ago",
    "age(record.created_at) < days(10)": "*Created on* is less than 10 days ago",
    "record.owner == actor": "who follows it is the member",
    "record.owner.sponsor == actor": "*Sponsor* of who follows it is the member",
    "record.company.city == record.city": "*Town* of *Company* is *Town*",
    "actor.is_upline_of(record.owner)": "who follows it is in the downline of the member",
    'before.recruiting == "new"': "*Recruiting* before is *New*",
    "form.meeting_at > now()": "*Meeting* as answered is still to come",
    "record.calls > 0 || record.newsletter && has(record.email)": (
        "*Calls made* is more than 0 or *Gets the newsletter* is “yes” and *E-mail* is filled in"
    ),
    "(record.calls > 0 || has(record.phone)) && has(record.email)": (
        "(*Calls made* is more than 0 or *Landline* is filled in) and *E-mail* is filled in"
    ),
    "month(record.created_at) == month(today())": "the month of *Created on* is this month",
    'record.city.startsWith("Saint")': '*Town* begins with "Saint"',
    "size(record.city) > 3": "the length of *Town* is more than 3",
    'record.city.matches("^S")': '`record.city.matches("^S")`',
    "record.calls % 2 == 0": "*Calls made* % 2 is 0",
    'has(record.email) && record.city.matches("^S")': '*E-mail* is filled in and `record.city.matches("^S")`',
    "(record.newsletter ? 1 : 2) == record.calls": "1 if *Gets the newsletter* is “yes”, else 2 is *Calls made*",
}
VALUES = {
    "now() + working_days(3)": "3 working days from now",
    "now() + working_days(record.calls)": "*Calls made* working days from now",
    "record.next_call_at - days(7)": "*Next contact* − 7 days",
    "round(record.income_goal / 12, 0)": "*Income wished for a month* ÷ 12 rounded",
    'record.first_name + " " + record.last_name': '*First name* + " " + *Last name*',
    "settings.lead_retention": "the setting *Retention of leads*",
    "null": "nothing",
    "true": "Yes",
    "max(record.calls, 3)": "the greatest of *Calls made* and 3",
    "record": "*Lead*",
    "today()": "today",
}
FRENCH = {
    "has(record.phone)": "*Téléphone fixe* est rempli",
    'record.recruiting in ["new", "lost"]': "*Recrutement* est *Nouveau* ou *Perdu*",
    "record.next_call_at <= now()": "le moment *Prochain contact* est venu",
}


@cache
def scope() -> Scope:
    """Return what steps of automations and questions of a form have in scope."""
    notes = load(read_folder(ROOT / "definitions/packs/suivi")).notes
    scopes = [notes.scope(each) for each in notes.asked if "record" in each.scope.names]
    step = next(each for each in scopes if "before" in each.names and each.names["record"] == RecordOf("lead"))
    form = next(
        each for each in scopes if "form" in each.names and "meeting_at" in each.records[str(each.names["form"])]
    )
    return Scope({**step.names, **form.names}, {**step.records, **form.records})


def compiled(text: str) -> Expression:
    return compile_expression(text, PLACE, scope())


def asked(language: str) -> Any:
    return telling(SUIVI, language).asked({name: each.field for name, each in BOOK.form.items()})


@pytest.mark.parametrize(("text", "said"), CONDITIONS.items(), ids=lambda text: text[:40])
def test_a_condition_is_told_in_words(text: str, said: str) -> None:
    assert plain(condition(asked("en"), compiled(text))) == said


@pytest.mark.parametrize(("text", "said"), VALUES.items(), ids=lambda text: text[:40])
def test_a_computed_value_is_told_in_words(text: str, said: str) -> None:
    assert plain(told(asked("en"), compiled(text))) == said


@pytest.mark.parametrize(("text", "said"), FRENCH.items(), ids=lambda text: text[:40])
def test_it_is_told_in_french_too(text: str, said: str) -> None:
    assert plain(condition(asked("fr"), compiled(text))) == said


def expressions(found: Any) -> Iterator[Expression]:
    match found:
        case Expression():
            yield found
        case Mapping():
            for each in found.values():
                yield from expressions(each)
        case tuple():
            for each in found:
                yield from expressions(each)
        case _ if is_dataclass(found):
            for each in fields(found):
                yield from expressions(getattr(found, each.name))


@pytest.mark.parametrize("pack", PACKS)
def test_what_our_packs_ask_has_words_for_all_of_it(pack: str) -> None:
    """Questions of forms are told where the form is known; here their places stay as they are written."""
    tell = telling(network(pack))
    said = {each.text: condition(tell, each) for each in expressions(network(pack))}
    assert said
    assert {text for text, words in said.items() if "<code>" in words and "form." not in text} == set()


def test_the_page_on_the_manual_says_it_as_the_manual_does() -> None:
    text = 'has(record.phone) && record.recruiting in ["new", "lost"]'
    page = (ROOT / "docs" / "language" / "manual.md").read_text("utf-8")
    said = plain(condition(asked("en"), compiled(text))).replace("*", "")
    assert f"`{text}` reads *{said}*" in page
