"""Imports point down, files are short, and the house has the rooms that it promises."""

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

HOUSE = Path(__file__).parent.parent / "mae_bench"
FILES = sorted(HOUSE.rglob("*.py"))

# From the ground up; a room imports what is below it, or left of it on its floor.
FLOORS = (
    "records models",
    "datasets predictions",
    "oracles methods metrics",
    "training experiments",
    "theories runs",
    "verdicts",
    "encoders commits pages",
    "commands cli",
)
ROOMS = " ".join(FLOORS).split()
BANNED = {"utils", "util", "common", "helpers", "core", "misc"}


def name_of(path: Path) -> str:
    parts = path.relative_to(HOUSE).with_suffix("").parts
    return ".".join(parts) if parts[-1] != "__init__" else ".".join(parts[:-1])


def imports_of(path: Path) -> Iterator[str]:
    """The modules of the house that a file imports, types included."""
    modules = {name_of(p) for p in FILES}
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            inside = [f"{node.module}.{alias.name}" for alias in node.names]
            found = [m if m[10:] in modules else node.module for m in inside]
        else:
            continue
        yield from {m[10:] for m in found if m.startswith("mae_bench.")}


def test_the_table_has_every_room_and_no_other() -> None:
    assert sorted(ROOMS) == sorted({name_of(p).partition(".")[0] for p in FILES} - {""})
    assert len(ROOMS) <= 18


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_imports_point_down_or_left(path: Path) -> None:
    room = name_of(path).partition(".")[0]
    for other in imports_of(path) if room else ():
        assert ROOMS.index(other.partition(".")[0]) <= ROOMS.index(room), other


def test_imports_make_no_circle() -> None:
    graph = {name_of(p): set(imports_of(p)) - {name_of(p)} for p in FILES}
    assert list(TopologicalSorter(graph).static_order())


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_files_are_short_and_begin_with_their_sentence(path: Path) -> None:
    text = path.read_text()
    assert text.count("\n") <= 300
    first = (ast.get_docstring(ast.parse(text)) or "").partition("\n")[0]
    assert first.endswith((".", "?", "::"))


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_functions_are_short(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            lines = node.end_lineno - body[0].lineno + 1 if body else 0
            assert lines <= 50, f"{node.name} has {lines} lines"


def test_no_room_is_a_drawer() -> None:
    assert not BANNED & {p.stem for p in HOUSE.rglob("*")}


def test_every_file_has_its_twin_in_tests() -> None:
    tests = Path(__file__).parent
    for path in FILES:
        relative = path.relative_to(HOUSE)
        if path.stem != "__init__":
            twin = tests / relative.parent / f"test_{path.name}"
            assert twin.exists(), f"{relative} has no {twin.relative_to(tests)}"


@pytest.mark.parametrize("path", sorted((HOUSE / "theories").glob("*.py")), ids=name_of)
def test_theories_know_no_verb_and_no_torch(path: Path) -> None:
    tree = ast.walk(ast.parse(path.read_text()))
    named = {n.module for n in tree if isinstance(n, ast.ImportFrom)}
    above = {*ROOMS[ROOMS.index("theories") + 1 :], "training"}
    assert not {m.split(".")[1] for m in named if "mae_bench." in (m or "")} & above
    assert not any((m or "").startswith("torch") for m in named)


def test_torchvision_is_neither_imported_nor_installed_with_us() -> None:
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import | ast.ImportFrom):
                assert "torchvision" not in ast.unparse(node), path
    for name in ("pyproject.toml", "constraints.txt"):
        assert "torchvision" not in (HOUSE.parent / name).read_text()
