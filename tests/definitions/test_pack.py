"""Packs load as a whole: extended packs first, every problem at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from definitions.pack import KEPT, PACKS, Loaded, load, read_folder
from definitions.problems import NOWHERE, Place

HERE = Path(__file__).parents[1] / "packs"
LIBRARY = HERE / "library"
NETWORK = "network: office\nlanguages: [en]\n"
NOTE = "entity: note\nfields:\n  body: {type: text}\n"


def loaded(files: dict[str, str], library: Path = LIBRARY) -> Loaded:
    return load(files, library=library)


def codes(files: dict[str, str], library: Path = LIBRARY) -> list[str]:
    return [problem.code for problem in loaded(files, library).problems]


def test_the_pack_of_the_languages_page_loads_without_error_or_warning() -> None:
    found = load(read_folder(HERE / "language"), library=LIBRARY)
    assert found.problems == ()
    assert found.network is not None
    assert list(found.network.entities) == ["lead", "company", "member"]
    assert found.network.templates["data_notice"].place == Place("@privacy/consent.yaml", 2, 11)


@pytest.mark.parametrize("pack", sorted(path for path in PACKS.iterdir() if path.is_dir()), ids=lambda path: path.name)
def test_the_packs_that_come_with_maille_load_without_error_or_warning(pack: Path) -> None:
    assert load(read_folder(pack)).problems == ()


def test_the_smallest_network_has_members_a_leader_and_the_public() -> None:
    network = loaded({"a.yaml": NETWORK}).network
    assert network is not None
    assert list(network.entities) == ["member"]
    assert network.entities["member"].place == NOWHERE
    assert network.levels["leader"].everything
    assert network.levels["leader"].administration
    assert network.levels["public"].entities == {}
    assert network.screens["member"].generated


def test_files_of_extended_packs_are_kept_with_the_pack() -> None:
    first = loaded({"a.yaml": NETWORK + "extends: [privacy]\n"})
    assert "@privacy/consent.yaml" in first.files
    again = load(first.files, library=Path("nowhere"))
    assert again.problems == ()
    assert again.files == first.files


def test_a_definition_replaces_the_extended_one_of_the_same_kind_and_name() -> None:
    own = "template: data_notice\nchannel: email\nsubject: Mine\nbody: Mine\n"
    found = loaded({"a.yaml": NETWORK + "extends: [privacy]\n", "b.yaml": own})
    assert found.network is not None
    assert found.network.templates["data_notice"].body.pick("en") == "Mine"
    assert [problem.code for problem in found.problems] == ["template.unused"]


def test_the_own_network_takes_what_it_leaves_open_from_the_extended_one(tmp_path: Path) -> None:
    base = tmp_path / "base"
    base.mkdir()
    (base / "network.yaml").write_text(
        "network: base\nlanguages: [en]\ncurrency: CHF\n"
        "settings:\n  a: {type: integer, value: 1}\n  b: {type: integer, value: 2}\n",
    )
    own = "network: own\nextends: [base]\nsettings:\n  b: {type: integer, value: 3}\n  c: {type: integer, value: 4}\n"
    network = loaded({"a.yaml": own}, tmp_path).network
    assert network is not None
    assert network.name == "own"
    assert network.currency == "CHF"
    assert {name: setting.value for name, setting in network.settings.items()} == {"a": 1, "b": 3, "c": 4}


def test_packs_that_extend_each_other_are_read_once(tmp_path: Path) -> None:
    for name, other in (("one", "two"), ("two", "one")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "n.yaml").write_text(f"network: {name}\nlanguages: [en]\nextends: [{other}]\n")
    found = loaded({"a.yaml": NETWORK + "extends: one\n"}, tmp_path)
    assert found.problems == ()
    assert sorted(found.files) == ["@one/n.yaml", "@two/n.yaml", "a.yaml"]


def test_a_missing_library_is_an_unknown_pack(tmp_path: Path) -> None:
    assert codes({"a.yaml": NETWORK + "extends: [x]\n"}, tmp_path / "none") == ["network.unknown_pack"]


def test_there_is_no_network_while_there_is_an_error() -> None:
    found = loaded({"a.yaml": NETWORK, "b.yaml": NOTE.replace("text", "txet")})
    assert found.network is None
    assert [problem.code for problem in found.errors] == ["schema.choice"]


def test_warnings_do_not_keep_a_pack_from_running() -> None:
    found = loaded({"a.yaml": NETWORK + "settings: {a: {type: text}}\n"})
    assert [problem.code for problem in found.problems] == ["setting.unused"]
    assert found.network is not None
    assert found.errors == ()


def test_problems_are_sorted_by_file_and_place() -> None:
    files = {"b.yaml": "zebra: 1\n---\nlion: 1\n", "a.yaml": NETWORK + "hue: blue\n"}
    places = [problem.place for problem in loaded(files).problems]
    assert places == sorted(places)
    assert len(places) == 3


def test_a_folder_is_read_without_its_hidden_and_other_files(tmp_path: Path) -> None:
    for name in ("a.yaml", "deep/b.yml", ".hidden/c.yaml", ".d.yaml", "notes.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    assert dict(read_folder(tmp_path)) == {"a.yaml": "a.yaml", "deep/b.yml": "deep/b.yml"}


def test_a_file_that_is_not_utf_8_is_a_problem_of_that_file(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(NETWORK)
    (tmp_path / "b.yaml").write_bytes(b"entity: caf\xe9\n")
    assert [(p.code, p.place.file) for p in load(read_folder(tmp_path)).problems] == [("yaml.characters", "b.yaml")]


def test_an_empty_pack_has_no_network() -> None:
    assert [(p.code, p.place.file) for p in loaded({}).problems] == [("network.missing", "network.yaml")]


def test_what_refers_to_a_document_that_cannot_be_read_is_not_blamed() -> None:
    broken = NOTE.replace("{type: text}", "{type: text")
    level = "level: writer\nentities:\n  note: {read: record.body != '', fields: {body: {write: none}}}\n"
    assert codes({"a.yaml": NETWORK, "b.yaml": broken, "c.yaml": level}) == ["yaml.syntax"]


def test_what_refers_to_a_field_that_cannot_be_read_is_not_blamed() -> None:
    broken = NOTE.replace("{type: text}", "{type: txet}")
    level = "level: writer\nentities:\n  note: {read: record.body != 'x'}\n"
    screen = "screen: notes\nentity: note\nlist: {columns: [body], sort: body}\n"
    assert codes({"a.yaml": NETWORK, "b.yaml": broken, "c.yaml": level, "d.yaml": screen}) == ["schema.choice"]


def test_networks_made_of_the_same_files_share_what_they_mean() -> None:
    files = {"a.yaml": NETWORK, "b.yaml": NOTE}
    assert loaded(dict(reversed(files.items()))) is loaded(files)
    assert loaded({**files, "b.yaml": NOTE + " "}) is not loaded(files)


def test_only_the_packs_loaded_last_are_remembered() -> None:
    first = loaded({"a.yaml": NETWORK, "b.yaml": NOTE})
    for number in range(KEPT):
        loaded({"a.yaml": f"{NETWORK}# {number}\n"})
    assert loaded({"a.yaml": NETWORK, "b.yaml": NOTE}) is not first


def test_a_pack_of_the_library_is_read_each_time(tmp_path: Path) -> None:
    (tmp_path / "base").mkdir()
    (tmp_path / "base" / "note.yaml").write_text(NOTE, encoding="utf-8")
    files = {"a.yaml": NETWORK + "extends: [base]\n"}
    before = loaded(files, tmp_path).network
    (tmp_path / "base" / "note.yaml").write_text(NOTE.replace("note", "memo"), encoding="utf-8")
    after = loaded(files, tmp_path).network
    assert before is not None
    assert after is not None
    assert ("note" in before.entities, "memo" in after.entities) == (True, True)
