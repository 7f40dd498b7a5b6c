"""What cannot be built is one line, before anything is trained."""

from collections.abc import Callable
from pathlib import Path

import pytest

from mae_bench.records.schema import Cell, UsageError
from mae_bench.runs.plan import Task
from mae_bench.runs.trial import trial
from mae_bench.training import train


def tasks(*cells: Cell) -> list[Task]:
    return [Task(cell, (), Path("store"), {}) for cell in cells]


@pytest.mark.parametrize(
    ("dataset", "changed", "line"),
    [
        ("gaussian_tree", {"patch_size": 5}, "mae on gaussian_tree cannot be built: "),
        ("image_folder", {}, "image_folder has no path"),
    ],
)
def test_the_first_that_cannot_be_built_is_named(
    cell_of: Callable[..., Cell], dataset: str, changed: dict[str, int], line: str
) -> None:
    with pytest.raises(UsageError, match=line) as refused:
        trial(tasks(cell_of("mae"), cell_of("mae", dataset, **changed)))
    assert "\n" not in str(refused.value)


def test_seeds_of_a_cell_are_tried_once(
    cell_of: Callable[..., Cell], monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[Cell] = []
    monkeypatch.setattr(train, "build", lambda cell, _: tried.append(cell))
    first, other = cell_of("mae"), cell_of("pixels")
    later = Cell(**(vars(first) | {"seed": 3}))
    trial(tasks(later, other, first))
    assert [(c.method, c.seed) for c in tried] == [("pixels", 0), ("mae", 0)]
