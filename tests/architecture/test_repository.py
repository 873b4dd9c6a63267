"""What must hold for the repository as a whole."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
ROOMS = ("definitions", "models", "workflows", "admin", "server.py")
KINDS = re.compile(
    r"^(?:entity|process|automation|template|level|statistic|screen|home|terms): +([a-z][a-z0-9_]*)", re.MULTILINE
)
BUILT_IN = {"member", "leader", "public"}


def tracked() -> list[Path]:
    names = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout  # noqa: S607 - git of the PATH
    return [ROOT / name for name in names.split("\n") if name]


def sources() -> Iterator[Path]:
    for room in ROOMS:
        path = ROOT / room
        yield from path.rglob("*.py") if path.is_dir() else [path]


def pack_names() -> set[str]:
    texts = (path.read_text(encoding="utf-8") for path in (ROOT / "definitions" / "packs").rglob("*.yaml"))
    found = {name for text in texts for name in KINDS.findall(text)}
    return {name for name in found if "_" in name or name in {"lead", "customer", "recruiting"}} - BUILT_IN


def words(source: Path) -> Iterator[str]:
    """Yield the identifiers and the strings of a Python file, docstrings aside."""
    tree = ast.parse(source.read_text(encoding="utf-8"))
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield from re.findall(r"[a-z][a-z0-9_]*", node.value)


def test_no_python_knows_a_pack() -> None:
    names = pack_names()
    assert names, "the packs define something"
    found = {f"{path.relative_to(ROOT)}: {word}" for path in sources() for word in words(path) if word in names}
    assert found == set()


def test_no_pack_holds_anything_but_yaml() -> None:
    packs = ROOT / "definitions" / "packs"
    assert {path.suffix for path in tracked() if path.is_relative_to(packs) and path.name != "README.md"} <= {".yaml"}


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock"])
def test_the_lock_files_pin_by_hash_and_name_no_registry(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert "://" not in text
    assert "index-url" not in text
    requirements = [line for line in text.splitlines() if line and not line.startswith((" ", "#"))]
    assert all("==" in line for line in requirements)
    assert text.count("--hash=sha256:") >= len(requirements)


def test_nothing_tracked_names_a_path_of_one_machine() -> None:
    machine = re.compile(r"/(?:work|farm|root|home)/[a-z.]")
    found = [
        str(path.relative_to(ROOT))
        for path in tracked()
        if path.suffix in {".py", ".md", ".yaml", ".toml", ".json", ".html", ".css", ".js", ".po"} and path.is_file()
        if machine.search(path.read_text(encoding="utf-8"))
    ]
    assert found == []


def test_every_python_file_has_one_subject_and_at_most_about_400_lines() -> None:
    long = {
        str(path.relative_to(ROOT)): lines
        for path in sources()
        if (lines := path.read_text(encoding="utf-8").count("\n")) > 430
    }
    assert long == {}


def test_the_yaml_of_the_packs_is_plain() -> None:
    for path in (ROOT / "definitions" / "packs").rglob("*.yaml"):
        assert list(yaml.safe_load_all(path.read_text(encoding="utf-8"))), path.name


def test_what_runs_on_postgresql_is_marked_so_that_the_quick_tests_start_none() -> None:
    asked = re.compile(r"params=\[[^\]]*\"postgres\"[^\n]*")
    found = {path: asked.findall(path.read_text(encoding="utf-8")) for path in (ROOT / "tests").rglob("*.py")}
    lines = [(path.name, line) for path, lines in found.items() for line in lines]
    assert len(lines) >= 4
    assert [each for each in lines if "pytest.mark.postgres" not in each[1]] == []
