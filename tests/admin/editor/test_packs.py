"""To which pack a file belongs, and what the pack then is."""

from __future__ import annotations

from pathlib import Path

import pytest
from pygls.workspace import PositionCodec

from admin.editor.answers import diagnostics_of
from admin.editor.packs import Desk
from admin.editor.ranges import Text, Texts, path_of, uri_of

NETWORK = "# ours\n\nnetwork: office\nlanguages: [en]\n"
ENTITY = "entity: lead\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in {
        "one/network.yaml": NETWORK,
        "one/leads/lead.yaml": ENTITY,
        "two/base/network.yml": f"{ENTITY}--- # and\nnetwork: two\nlanguages: [en]\n",
        "two/leads/lead.yaml": ENTITY,
        "loose/lead.yaml": ENTITY,
        "ops/compose.yaml": "services: {}\n",
    }.items():
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("file", "pack"),
    [
        ("one/network.yaml", "one"),
        ("one/leads/lead.yaml", "one"),
        ("one/leads/deeper/new.yaml", "one"),
        ("two/base/network.yml", "two/base"),
        ("two/leads/lead.yaml", "two"),
        ("loose/lead.yaml", "loose"),
        ("ops/compose.yaml", None),
    ],
)
def test_a_file_belongs_to_the_nearest_network_around_it(folder: Path, file: str, pack: str | None) -> None:
    path = folder / file
    text = path.read_text("utf-8") if path.exists() else ""
    found = Desk((folder,), {path: text}).folder_of(path)
    assert found == (None if pack is None else folder / pack)


def test_nothing_outside_of_the_open_folders_is_looked_at(folder: Path) -> None:
    path = folder / "one" / "leads" / "lead.yaml"
    assert Desk((path.parent,), {path: ENTITY}).folder_of(path) == path.parent
    assert Desk((), {path: ENTITY}).folder_of(path) == path.parent


def test_texts_that_are_not_saved_stand_over_the_files(folder: Path) -> None:
    lead, new = folder / "one" / "leads" / "lead.yaml", folder / "one" / "new.yaml"
    desk = Desk((folder,), {lead: "entity: prospect\n", new: ENTITY, folder / "one" / "notes.txt": "x"})
    assert dict(desk.files(folder / "one")) == {
        "network.yaml": NETWORK,
        "leads/lead.yaml": "entity: prospect\n",
        "new.yaml": ENTITY,
    }
    assert {target for target in desk.pack(folder / "one").symbols if target[0] == "entity"} == {
        ("entity", "prospect"),
        ("entity", "lead"),
    }


def test_a_network_that_is_not_saved_makes_a_pack(tmp_path: Path) -> None:
    network, lead = tmp_path / "network.yaml", tmp_path / "deeper" / "lead.yaml"
    assert Desk((tmp_path,), {network: NETWORK, lead: ENTITY}).folder_of(lead) == tmp_path


def test_a_file_stays_in_its_pack_while_the_network_is_rewritten(folder: Path) -> None:
    network, lead = folder / "one" / "network.yaml", folder / "one" / "leads" / "lead.yaml"
    desk = Desk((folder / "one",), {lead: ENTITY})
    assert desk.folder_of(lead) == folder / "one"
    desk.texts[network] = "netw"
    assert desk.folder_of(lead) == folder / "one"


def test_the_address_of_a_file_leads_back_to_it(tmp_path: Path) -> None:
    path = tmp_path / "à lire #1.yaml"
    assert path_of(uri_of(path)) == path
    assert path_of("untitled:Untitled-1") is None


def test_each_file_is_taken_apart_once_however_much_is_wrong_with_it(folder: Path) -> None:
    wrong = "entity: lead\nfields:\n" + "".join(f"  f{number}: {{type: txt}}\n" for number in range(20))
    desk = Desk((folder,), {folder / "one" / f"{name}.yaml": wrong.replace("lead", name) for name in ("a", "b")})
    taken: list[str] = []

    def take(text: str) -> Text:
        taken.append(text)
        return Text(text, PositionCodec())

    pack = desk.pack(folder / "one")
    found = diagnostics_of(pack, Texts(pack.loaded.files, take))
    assert [len(found[path]) for path in desk.texts] == [20, 20]
    assert len(taken) == len(found)
