"""What the script of mutants breaks, and that it breaks one thing alone."""

import ast
import textwrap
from pathlib import Path
from types import FunctionType

import pytest

from benchmarks import mutants
from benchmarks.mutants import (
    TARGETS,
    broken,
    drawn,
    equivalent,
    exchange,
    file_of,
    functions,
    line_of,
    mutants_of,
    places,
    table,
)

SOUND = """
def f(x, y=1):
    \"\"\"Says 1 < 2.\"\"\"
    if not x:
        raise ValueError(f"{x + 1}")
    x.append(max(x, y))
    return x < 2 and True
"""


def changed(source: str) -> set[str]:
    """All that a source can be changed to."""
    found = set()
    for at in range(len([*places(ast.parse(source))])):
        tree = ast.parse(source)
        [*places(tree)][at][2]()
        found.add(ast.unparse(ast.fix_missing_locations(tree)))
    return found


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("return a < b", {"return a <= b", "return None"}),
        ("return a - 1", {"return a + 1", "return a - 2", "return None"}),
        ("return not a", {"return +a", "return None"}),
        ("return f(a, b)", {"return f(b, a)", "return None"}),
        ("return np.maximum(a, b)", {"return None"}),
        ("return f(a, a)", {"return None"}),
        ("return all(a)", {"return any(a)", "return None"}),
        ("f(a)", {"None"}),
        ("x = f(a, strict=True)", set()),
        ("x = a and True", {"x = a or True", "x = a and False"}),
    ],
)
def test_each_kind_of_line_is_broken_in_its_ways(line: str, wanted: set[str]) -> None:
    found = changed(f"def g(a, b, f, x):\n    {line}\n")
    assert {text.splitlines()[1].strip() for text in found} == wanted


def test_defaults_docstrings_and_what_an_error_says_are_left() -> None:
    found = changed(SOUND)
    assert len(found) == 9
    head = "def f(x, y=1):"
    assert all(text.startswith(head) for text in found)
    assert all("Says 1 < 2." in text and "x + 1" in text for text in found)
    assert SOUND.strip() not in found


def test_a_function_is_exchanged_wherever_it_is_held(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    space: dict[str, FunctionType] = {}
    text = textwrap.dedent("""
    def g(a):
        return a + 1
    """)
    exec(compile(text, "here.py", "exec"), space)  # noqa: S102 (ours)
    held = [space["g"]]
    monkeypatch.setattr(mutants, "_FUNCTIONS", held)
    other = text.replace("+", "-")
    assert exchange([*functions(compile(other, "here.py", "exec"))]) == 1
    assert held[0](3) == 2
    assert exchange([*functions(compile(text, "elsewhere.py", "exec"))]) == 0


CLOSED = """
class A:
    def f(self):
        super().__init__()
        return 1

    def g(self):
        return [2 for _ in range(3)]
"""


def test_what_cannot_be_exchanged_is_not_tried_though_its_neighbours_could_be(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "a.py").write_text(CLOSED)
    space: dict[str, type] = {}
    exec(compile(CLOSED, str(tmp_path / "a.py"), "exec"), space)  # noqa: S102 (ours)
    held = [space["A"].__dict__[name] for name in "fg"]
    monkeypatch.setattr(mutants, "_FUNCTIONS", held)
    monkeypatch.setattr(mutants, "file_of", lambda target: tmp_path / f"{target}.py")
    every = {(m.line, m.what): m for m in mutants_of("a")}
    # Without its super a function has another closure.
    assert exchange(broken(every[4, "left out"])) == 0
    assert exchange(broken(every[5, "1 to 2"])) == 1
    assert exchange(broken(every[8, "2 to 3"])) == 1
    assert held[1](None) == [3, 3, 3]


@pytest.mark.parametrize(("target", "line", "what"), equivalent())
def test_what_is_called_equivalent_is_there(target: str, line: str, what: str) -> None:
    assert target in TARGETS
    assert equivalent()[target, line, what]
    there = [m for m in mutants_of(target) if m.what == what]
    assert line in map(line_of, there)


def test_of_the_survivors_those_that_are_not_equivalent_are_open() -> None:
    assert table({"a/b": [4, 1, 0], "c/d": [3, 2, 2]}).splitlines()[2:] == [
        "| a/b | 4 | 1 | 0 | 1 |",
        "| c/d | 3 | 2 | 2 | 0 |",
        "| all | 7 | 3 | 2 | 1 |",
    ]


def test_every_target_has_its_twin_and_enough_to_break() -> None:
    for target in TARGETS:
        room, _, stem = target.rpartition("/")
        tests = file_of(target).parents[2] / "tests" / room
        assert (tests / f"test_{stem}.py").exists()
        assert len(mutants_of(target)) > 8
    some = drawn(list(TARGETS), 240, 0)
    assert len(some) > 200
    assert some == drawn(list(TARGETS), 240, 0) != drawn(list(TARGETS), 240, 1)
