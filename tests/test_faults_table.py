"""Every fault of the table is planted by a test that there is."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
HEADER = ["finding", "fault", "tried", "survived", "lost", "test"]


def table(path: str = "results/faults.md") -> list[list[str]]:
    lines = (ROOT / path).read_text().splitlines()
    cells = [line.strip("|").split("|") for line in lines if line.startswith("|")]
    return [[cell.strip() for cell in row] for row in cells]


ROWS = table()[2:]


def test_the_table_has_its_columns_and_nothing_is_lost() -> None:
    assert table()[0] == HEADER
    for finding, _, tried, survived, lost, _ in ROWS:
        assert finding
        assert int(tried) == int(survived) + int(lost)
        assert lost == "0"
    assert len({tuple(row) for row in ROWS}) == len(ROWS)


LAYOUTS = table("docs/encoder.md")[2:]


@pytest.mark.parametrize("name", [row[-1] for row in [*ROWS, *LAYOUTS]])
def test_a_test_of_the_table_is_there(name: str) -> None:
    path, _, function = name.partition("::")
    tree = ast.walk(ast.parse((ROOT / path).read_text()))
    assert function in {node.name for node in tree if isinstance(node, ast.FunctionDef)}
