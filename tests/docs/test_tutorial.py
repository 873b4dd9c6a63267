"""The tutorial is followed to the letter, in both languages: its files written, its commands run, its pages opened."""

from __future__ import annotations

import asyncio
import re
import shlex
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path

import httpx
import pytest

from admin.cli.main import main
from tests.admin.office import PASSWORD, token
from tests.admin.served import Served

pytestmark = pytest.mark.anyio

DOCS = Path(__file__).parents[2] / "docs" / "language"
PAGES = {"en": "tutorial.md", "fr": "tutorial.fr.md"}
ADDRESS = "http://127.0.0.1:8000"
"""Where `maille serve` listens, as the pages say it; the server of the test has a port of its own."""

PART = re.compile(r"^```(yaml|console)\n(.*?)^```$|<http://127\.0\.0\.1:8000(/[^>]*)>([^<]*?)(?=<|\n\n)", re.M | re.S)
"""A block, or an address with what is said of it."""

HEAD = re.compile(r"# (\S+?)(?:, (below|sous|instead of|au lieu de) (.+))?$")
BOLD = re.compile(r"\*\*(.+?)\*\*")
REFUSED = re.compile(r"\b[1-9]\d* (error|erreur)")


def parts(language: str) -> Iterator[tuple[str, str, str, str]]:
    """Return what the page has its reader do, in order: kind and text of a block, or address and what is seen there."""
    yield from PART.findall((DOCS / PAGES[language]).read_text("utf-8"))


def write(folder: Path, text: str) -> None:
    """Do to a file what the first line of a block says: write it, put lines below one of it, or replace that line."""
    head, _, rest = text.partition("\n")
    found = HEAD.match(head)
    assert found is not None, head
    name, where, anchor = found.groups()
    file = folder / name
    if where is None:
        assert not file.exists(), "a file that is there is changed, not written anew"
        file.write_text(rest, "utf-8")
        return
    lines = file.read_text("utf-8").splitlines(keepends=True)
    [at] = [number for number, line in enumerate(lines) if line.strip().startswith(anchor)]
    lines[at if where in {"instead of", "au lieu de"} else at + 1 : at + 1] = [rest]
    file.write_text("".join(lines), "utf-8")


def entered(text: str) -> Iterator[tuple[list[str], str]]:
    """Return the commands of a block, each with the answer that the page shows."""
    for entry in text.removeprefix("$ ").split("\n$ "):
        command, _, answer = entry.partition("\n")
        program, *words = shlex.split(command)
        assert program == "maille"
        yield words, answer


def answers(shown: str, said: str) -> bool:
    """Whether a command said what the page shows of it, in that order; `…` and what follows stand for anything."""
    wanted = (" ".join(piece.split()) for piece in re.split("[…\n]", shown))
    return re.search(".*".join(map(re.escape, wanted)), " ".join(said.split())) is not None


@dataclass
class Reader:
    """Who follows the page: in a folder, at a terminal, with a browser."""

    folder: Path
    served: Served
    http: httpx.AsyncClient
    output: pytest.CaptureFixture[str]
    seen: list[str] = field(default_factory=list)
    link: str = ""

    async def type(self, words: list[str], shown: str) -> None:
        """Enter a command, and compare the answer with what the page shows."""
        if words == ["serve"]:
            await self.served.start()
            await self.join()
            return
        code = await asyncio.to_thread(main, words)
        said = "".join(self.output.readouterr()).replace(self.served.url, ADDRESS)
        assert code == bool(REFUSED.search(shown)), said
        assert answers(shown, said), said
        if words[:2] == ["network", "create"]:
            self.link = said.split()[-1].removeprefix(ADDRESS)

    async def join(self) -> None:
        """Open the link that the leader got, and choose a password."""
        gate = token((await self.http.get(self.link)).text)
        answer = await self.http.post(self.link, data={"_csrf": gate, "password": PASSWORD})
        assert answer.status_code == 303, answer.text

    async def fill(self, path: str, **values: str) -> str:
        """Send the form of a page, and return where it leads."""
        gate = token((await self.http.get(path)).text)
        answer = await self.http.post(path, data={"_csrf": gate, **values})
        assert answer.status_code == 303, answer.text
        return str(answer.headers["location"])

    async def look(self, path: str, said: str) -> None:
        """Open a page; what is bold in the text stands on it."""
        page = await self.http.get(path)
        assert page.status_code == 200, path
        words = BOLD.findall(said)
        assert words, f"nothing is said of {path}"
        text = unescape(re.sub(r"<[^>]+>", " ", page.text))
        assert [word for word in words if word not in text] == [], (path, text.split())
        self.seen.append(path)


@pytest.fixture(params=sorted(PAGES))
async def reader(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> AsyncIterator[tuple[str, Reader]]:
    """A reader in an empty folder, with a language."""
    served = Served(tmp_path / "data", {"MAILLE_SECRET": "a secret of the tests"})
    monkeypatch.chdir(tmp_path)
    for name, value in {"LANGUAGE": request.param, "DATA": "data", "PUBLIC_URL": served.url}.items():
        monkeypatch.setenv(f"MAILLE_{name}", value)
    async with httpx.AsyncClient(base_url=served.url, headers={"accept-language": request.param}, timeout=60) as http:
        yield request.param, Reader(tmp_path, served, http, capsys)
    if served.process is not None:
        await served.end()


@pytest.mark.slow
async def test_the_tutorial_can_be_followed_to_the_letter(reader: tuple[str, Reader]) -> None:
    language, person = reader
    for kind, text, path, said in parts(language):
        if kind == "yaml":
            write(person.folder, text)
        elif kind == "console":
            for words, shown in entered(text):
                await person.type(words, shown)
        else:
            await person.look(path, said)
    assert person.seen[-2:] == ["/n/alba/", "/n/alba/e/order/"]
    contact = await person.fill("/n/alba/e/contact/new", name="Anna Weiss", email="anna@example.org", city="Lyon")
    await person.fill(f"{contact}/move/following/meet", call_on="2020-01-02", version="1")
    await person.look("/n/alba/", "**Anna Weiss**")
    order = {"contact": contact.rpartition("/")[2], "product": "Soap", "amount": "12"}
    await person.fill("/n/alba/e/order/new", **order)
    await person.look("/n/alba/e/order/", "**Soap**")
    assert await asyncio.to_thread(main, ["rollback", "2", "--yes"]) == 1, "orders would be lost"


def test_both_languages_build_the_same_network() -> None:
    own = {language: [text for kind, text, *_ in parts(language) if kind == "yaml"] for language in PAGES}
    bodies = {language: [text.partition("\n")[2] for text in texts] for language, texts in own.items()}
    assert len(bodies["fr"]) > 7
    assert [text for text in bodies["en"] if text != "languages: [en, fr]\n"] == bodies["fr"]
