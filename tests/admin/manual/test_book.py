"""The manual tells everything that a pack defines, as a page that stands by itself and can do no harm."""

from __future__ import annotations

import re
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import pytest

from admin.cli.main import main
from admin.manual.previews import preview
from admin.manual.records import kept
from tests.admin.manual.reading import PACKS, ROOT, book, network, plain, telling, written

SUIVI = network("definitions/packs/suivi")
EVIL = "<script>alert(1)</script>"
HOSTILE = f"""
network: evil
label: "{EVIL}"
languages: [en]
---
entity: thing
label: "{EVIL}"
title: "{EVIL}{{{{ record.name }}}}"
fields:
  name: {{type: text, label: "{EVIL}", help: "{EVIL}", personal: identity, purpose: "{EVIL}"}}
  kind: {{type: choice, options: {{a: "{EVIL}"}}}}
retention: {{after: 1 year}}
---
process: going
entity: thing
label: "{EVIL}"
states: {{a: {{initial: true, label: "{EVIL}"}}, b: {{final: true, label: "{EVIL}"}}}}
transitions:
  go: {{from: a, to: b, label: "{EVIL}", guard: 'record.name == "{EVIL}"', message: "{EVIL}"}}
---
automation: act
label: "{EVIL}"
when: {{entered: going.b}}
do:
  - email: {{template: letter, to: =settings.mail}}
  - set: {{name: "{EVIL}"}}
---
template: letter
channel: email
about: thing
label: "{EVIL}"
subject: "{EVIL}"
body: "{EVIL} [x](javascript:alert(1)) {{{{ record.name }}}}"
---
level: clerk
label: "{EVIL}"
entities: {{thing: {{read: 'record.name == "{EVIL}"', update: all}}}}
---
terms: rules
label: "{EVIL}"
version: 1
body: "{EVIL}"
---
statistic: things
label: "{EVIL}"
entity: thing
measure: count()
---
home: start
tiles: [{{statistic: things}}, {{text: "{EVIL}"}}]
"""


class Reading(HTMLParser):
    """A page: is every element closed, which ids does it have, where does it lead, what does it load?"""

    EMPTY = frozenset({"meta", "br"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: Counter[str] = Counter()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.kinds: set[str] = set()
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.kinds.add(tag)
        self.ids.update([given["id"] or ""] if "id" in given else [])
        self.links += [given["href"] or ""] if tag == "a" and "href" in given else []
        self.loads += [each for name, each in attrs if each and (name == "src" or (name == "href" and tag != "a"))]
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in self.EMPTY:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, (tag, self.getpos())


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("pack", PACKS)
def test_the_page_is_sound_and_needs_nothing_beside_itself(pack: str, language: str) -> None:
    page = book(network(pack), language)
    read = Reading(page)
    assert f'<html lang="{language}">' in page
    assert [name for name, count in read.ids.items() if count > 1] == []
    assert {link[1:] for link in read.links if link.startswith("#")} - {*read.ids} == set()
    assert read.loads == []
    assert "script" not in read.kinds
    assert "url(" not in page.partition("</style>")[0]


@pytest.mark.parametrize("pack", PACKS)
def test_everything_that_a_pack_defines_has_its_place_and_a_line_in_the_index(pack: str) -> None:
    found = network(pack)
    page = book(found)
    kinds = {
        "entity": found.entities,
        "process": found.processes,
        "automation": found.automations,
        "template": found.templates,
        "statistic": found.statistics,
        "level": found.levels,
    }
    index = page.partition('<section id="index">')[2]
    wanted = [f"{kind}-{name}" for kind, names in kinds.items() for name in names]
    assert [each for each in wanted if f'id="{each}"' not in page] == []
    assert sorted(re.findall(r'href="#([^"]+)"', index)) == sorted(wanted)


def test_what_a_pack_says_is_text_and_nothing_else() -> None:
    page = book(
        written({"evil.yaml": HOSTILE.replace("languages: [en]", "languages: [en]\nsettings: {mail: {type: email}}")})
    )
    assert EVIL in HOSTILE
    assert "<script" not in page
    assert "javascript:" not in re.sub(r"\[x\]\(javascript:alert\(1\)\)", "", page)
    assert page.count("&lt;script&gt;") > 20
    assert Reading(page).links


def test_who_may_do_what_stands_beside_what_is_kept() -> None:
    rights = {right.level: right for right in kept(telling(SUIVI), SUIVI.entities["lead"]).rights}
    assert [*rights] == ["Distributor", "Assistant", "Leader"]
    assistant = rights["Assistant"]
    assert assistant.read is not None
    assert plain(assistant.read) == "those where *My assistant* of who follows it is the member"
    assert (assistant.create, assistant.delete) == (None, None)
    said = {plain(which): plain(fields) for fields, which in assistant.fields}
    assert said["seen: never, changed: never"] == "*Date of birth* and *Income wished for a month*"
    assert plain(rights["Leader"].delete or "") == "all"


def test_a_field_says_what_is_to_be_known_of_it() -> None:
    rows = {row.name: row for row in kept(telling(SUIVI), SUIVI.entities["lead"]).rows}
    assert [plain(note) for note in rows["hot"].notes] == [
        "computed: *Interest* is *Very keen* and *Calls made* is more than 0"
    ]
    assert [plain(note) for note in rows["email"].notes] == ["no two alike of the same member"]
    assert rows["email"].personal == "How to reach them"
    assert "Referral" in rows["source"].options


def test_a_message_shows_what_is_filled_in_where_it_will_stand() -> None:
    text = "Hello {{ record.first_name | upper }}, {% if record.hot %}**soon**{% endif %} [here]({{ links.record }})\n"
    text += "{{ member.phone | phone }} {{ settings.office_email }} {{ record.company.name | default('x') }}"
    shown = preview(telling(SUIVI), text, "lead", long=True)
    assert re.findall(r'<span class="slot">([^<]*)</span>', shown) == [
        "First name",
        "Phone of who follows it",
        "E-mail of the network’s office",
        "Company name of Company",
    ]
    assert "<strong>soon</strong> <u>here</u>" in shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a \ue0005\ue001 {{ record.first_name }} \ue001\ue000", 'a 5 <span class="slot">First name</span>'),
        ("{{ '\\ue0007\\ue001' }}b &#xE000;9&#xE001;c", "<p>b c</p>"),
        ("[a](https://x.example 'of {{ record.first_name }}')",
         '<a href="https://x.example" title="of First name" rel="noopener noreferrer">a</a>'),
        ("[a](https://x.example/{{ record.email }} 'of {{ record.first_name }}')", "<u>a</u>"),
        ("a ![of {{ record.first_name }} > all](https://x.example/{{ record.email }}.png 'b') c",
         'a <i>of <span class="slot">First name</span> &gt; all</i> c'),
        ("![](https://x.example/a.png)", "<i></i>"),
    ],
)  # fmt: skip
def test_what_stands_in_a_preview_is_sound_wherever_it_is_filled_in(text: str, shown: str) -> None:
    made = preview(telling(SUIVI), text, "lead", long=True)
    assert Reading(made).loads == []
    assert "\ue000" not in made
    assert "\ue001" not in made
    assert shown in made
    assert re.search(r"<[^>]*<", made) is None


@pytest.mark.parametrize(
    "text", ["{{ 3 ** 9 }}", "{{ record.calls ** 9 }}", "{% for x in range %}{% endfor %}{{ x.y() }}"]
)
def test_a_message_that_has_no_preview_is_shown_as_it_is_written(text: str) -> None:
    assert preview(telling(SUIVI), text, "lead", long=True) == f"<pre>{text}</pre>"


def test_personal_data_have_a_register() -> None:
    page = plain(book(SUIVI).partition('<section id="personal">')[2])
    assert "Purpose Following orders and customers Legal ground A contract" in page
    assert "erased: the setting *Retention of customers* after *Last activity*" in page


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """A pack with a mistake."""
    folder = tmp_path / "broken"
    folder.mkdir()
    (folder / "network.yaml").write_text("network: broken\nlanguages: [en]\ncolour: red\n", "utf-8")
    return folder


def test_the_command_writes_the_manual_in_a_language_of_the_network(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["docs", "suivi", "--out", str(tmp_path / "new" / "manual"), "--language", "en"]) == 0
    file = tmp_path / "new" / "manual" / "index.html"
    assert capsys.readouterr().out == f"{file}\n"
    assert "What happens by itself" in file.read_text("utf-8")
    assert main(["docs", "suivi", "--out", str(tmp_path), "--format", "json"]) == 0
    assert '"language": "fr"' in capsys.readouterr().out
    assert "Ce qui se fait tout seul" in (tmp_path / "index.html").read_text("utf-8")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["suivi", "--language", "de"], 2, "does not speak 'de': fr, en"),
        (["suivi", "--page", "problems"], 2, "leave the pack out"),
        (["--language", "fr"], 2, "name its pack"),
        (["nowhere"], 2, "no pack 'nowhere'"),
        (["suivi", "--out", "/dev/null"], 1, "can't be written"),
    ],
)
def test_the_command_says_what_is_in_its_way(
    words: list[str], code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["docs", *words]) == code
    assert said in capsys.readouterr().err


def test_a_pack_with_errors_has_no_manual(broken: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["docs", str(broken), "--out", str(tmp_path / "manual")]) == 1
    assert "network.yaml:3:1: schema.unknown_key" in capsys.readouterr().err
    assert not (tmp_path / "manual").exists()


def test_the_packs_are_there() -> None:
    assert all((ROOT / pack).is_dir() for pack in PACKS)
