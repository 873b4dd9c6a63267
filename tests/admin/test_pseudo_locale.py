"""Every screen with each sentence of ours marked: what stands outside of the marks is data, or a mistake."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import pytest
from babel import Locale

from admin.i18n import Catalogue
from admin.web import initials
from definitions.spec.network import Network
from models.house_rules import rules_of
from models.members import load_actor
from tests.admin.door_table import addresses, examples
from tests.admin.office import CAMILLE, FILES, LEADER, PEOPLE, Office, Visitor
from workflows import commands

pytestmark = pytest.mark.anyio

GIVEN = {
    "first_name": "Zulma",
    "last_name": "Quatrefages",
    "email": "z@exemple.fr",
    "phone": "0639980001",
    "city": "Lyon",
    "birth_date": "1990-05-17",
    "country": "FR",
}
WRITTEN = "Rappeler Zulma demain, elle réfléchit"
SHOWN = ("aria-label", "aria-description", "title", "placeholder", "alt", "label", "data-confirm")
"""Attributes that people read or hear."""
DATA = re.compile(r"^data-(?!csrf|id)")
SILENT = ("script", "style", "code", "pre", "svg")
INLINE = frozenset({"a", "code", "em", "q"})
"""What may stand in the middle of a sentence."""
MARKED = re.compile(r"⟦[^⟦⟧]*⟧")
WORD = re.compile(r"[^\W\d_]{2,}")
UNITS = "il dans jour jours heure heures minute minutes seconde secondes semaine semaines mois an ans"

OTHER = "Maille OpenAPI Small Français English Ctrl httpx Python CA CR ZQ updated_at"
"""Proper names, initials, a key, a browser, a name of the API."""
HASH = re.compile(r"\b[0-9a-f]{10}\b")


class Page(HTMLParser):
    """Collects what people read on a page."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.spoken: list[str] = []
        self.within: list[str] = []
        self.going_on = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.going_on = tag in INLINE
        if tag in SILENT:
            self.within.append(tag)
        spoken = {name: value for name, value in attrs if value and (name in SHOWN or _sentence(name, value))}
        self.spoken += spoken.values()

    def handle_endtag(self, tag: str) -> None:
        self.going_on = tag in INLINE
        if self.within and self.within[-1] == tag:
            self.within.pop()

    def handle_data(self, data: str) -> None:
        if self.within or not data.strip():
            return
        if self.going_on and self.texts:
            self.texts[-1] += f" {data.strip()}"
        else:
            self.texts.append(data.strip())


def _sentence(name: str, value: str) -> bool:
    """Whether an attribute for our scripts holds words: `data-choose="Choose a step"`."""
    return (
        DATA.match(name) is not None and " " in value.strip() and "/" not in value and not value.startswith(("[", "{"))
    )


def bare(page: str) -> set[str]:
    """Return the words that a page has outside of the marks."""
    found = Page()
    found.feed(page)
    words: set[str] = set()
    for text in (*found.texts, *found.spoken):
        left, before = text, ""
        while before != left:  # a sentence may stand in a place of another
            before, left = left, MARKED.sub(" ", left)
        words |= set(WORD.findall(HASH.sub(" ", left).lower()))
    return words


def data(network: Network) -> set[str]:
    """Return the words of the pack, of the built-in member, of what was written, and of French dates and countries."""
    french = Locale("fr")
    member, levels = network.entities["member"], (network.levels[name] for name in ("leader", "public"))
    built_in = [*(level.label for level in levels), member.label, *(field.label for field in member.fields.values())]
    built_in += [setting.label for setting in rules_of(network).values()]
    built_in += [member.purpose] if member.purpose else []
    people = [" ".join(filter(None, who)) for who in PEOPLE.values()]
    texts = [
        *FILES,
        *FILES.values(),
        *people,
        *(initials(" ".join(who[:2])) for who in PEOPLE.values()),
        *PEOPLE,
        *GIVEN.values(),
    ]
    texts += [label.pick("fr") for label in built_in]
    texts += [WRITTEN, UNITS, OTHER, *french.languages.values(), *french.territories.values()]
    for names in (french.months, french.days):
        texts += [name for forms in names["format"].values() for name in forms.values()]
    return set(WORD.findall(" ".join(texts).lower()))


@pytest.fixture
def marked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every sentence of the product between ⟦ and ⟧."""
    one, many = Catalogue.gettext, Catalogue.ngettext

    def gettext(self: Catalogue, text: str, /, **values: Any) -> str:
        return f"⟦{one(self, text, **values)}⟧"

    def ngettext(self: Catalogue, text: str, texts: str, n: int, /, **values: Any) -> str:
        return f"⟦{many(self, text, texts, n, **values)}⟧"

    monkeypatch.setattr(Catalogue, "gettext", gettext)
    monkeypatch.setattr(Catalogue, "ngettext", ngettext)


async def lived(office: Office) -> dict[str, str]:
    """Let something happen to a lead of Camille's, and return what the addresses are about."""
    tenant = office.tenant
    camille = await tenant.store.read(lambda tx: load_actor(tenant.published, tx, office.members[CAMILLE]))
    assert camille is not None
    lead = await commands.create(tenant, camille, "lead", GIVEN)
    form = {"next_call_at": "2026-03-04T10:00"}
    moved = await commands.move(tenant, camille, "lead", lead.id, "call", form=form, version=1)
    await commands.note(tenant, camille, "lead", lead.id, WRITTEN)
    task = await commands.add_task(tenant, camille, title=WRITTEN, about=("lead", lead.id))
    await office.networks.worker(tenant).run_due()
    [(mail,)] = await tenant.store.read(lambda tx: tx.rows('SELECT "id" FROM "_mail"'))
    return {"id": lead.id, "history": moved.history, "mail": mail, "task": task}


def pages(office: Office, about: dict[str, str]) -> Iterator[str]:
    """Yield the addresses of all screens, and of some that are refused."""
    for address in addresses(office.app):
        if address.method == "GET" and not address.path.startswith(("static", "back-office")):
            yield address.filled(**examples(**about))
            if "{entity}" in address.path and "{id}" not in address.path:
                yield address.filled(**examples(**about, entity="member"))
    yield from ("e/lead/nowhere", "e/lead/?q=zzzz", "nowhere")


@pytest.mark.slow
@pytest.mark.parametrize("email", [LEADER, CAMILLE, None])
async def test_no_screen_has_a_bare_sentence(office: Office, marked: None, email: str | None) -> None:
    about, known = await lived(office), data(office.tenant.published.network)
    async with office.visitor() as visitor:
        visitor.http.headers["accept-language"] = "fr"
        if email is not None:
            await visitor.sign_in(email)
            await _read_french(visitor)
        found = {}
        for path in pages(office, about):
            answer = await visitor.get(path)
            assert answer.status_code < 500, path
            if answer.headers.get("content-type", "").startswith("text/html"):
                left = bare(answer.text) - known
                if left:
                    found[path] = sorted(left)
        assert not found, "\n".join(f"{path}: {' '.join(words)}" for path, words in found.items())


@pytest.mark.slow
async def test_no_refused_form_has_a_bare_sentence(office: Office, marked: None) -> None:
    known = data(office.tenant.published.network)
    wrong = {"first_name": "", "email": "zz", "phone": "12", "country": "ZZ", "birth_date": "32", "next_call_at": "x"}
    async with office.signed_in(CAMILLE) as visitor:
        await _read_french(visitor)
        answer = await visitor.post("e/lead/new", wrong)
        assert answer.status_code == 422
        assert answer.text.count("⟦") > 20
        assert bare(answer.text) - known - {"zz"} == set()


async def _read_french(visitor: Visitor) -> None:
    assert (await visitor.post("account", {"language": "fr"}, on="account")).status_code == 303


def test_what_is_bare_is_found() -> None:
    page = '<p title="Save"><b>⟦Enregistrer ⟦deux⟧⟧</b> Cancel <code>x y</code></p>'
    assert bare(page) == {"save", "cancel"}
