"""The table of costs is made of the rows."""

import importlib
from pathlib import Path
from types import ModuleType

import pandas as pd
import pytest

from mae_bench.records import registry

ROOT = Path(__file__).parent.parent


@pytest.fixture
def costs(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT))
    return importlib.import_module("benchmarks.costs")


def row(cell: str, method: str, seconds: float, **at: object) -> dict[str, object]:
    point = {"dataset": "gaussian_tree", "method": method, "tier": "quick", **at}
    return {**point, "cell": cell, "status": "ok", "train_seconds": seconds}


def test_each_line_has_what_is_foretold_and_what_was_measured(
    costs: ModuleType,
) -> None:
    trained = [row("a", "u_mae", 60.0, lamb=0.0), row("b", "u_mae", 90.0, lamb=0.0)]
    uniformity = [*trained, trained[0], row("c", "random_init", 0.0, lamb=None)]
    shared = [row("a", "u_mae", 60.0), row("d", "simclr", 30.0)]
    rows = {
        "uniformity": pd.DataFrame(uniformity).assign(experiment="uniformity"),
        "leaderboard": pd.DataFrame(shared).assign(experiment="leaderboard"),
    }
    chosen = registry.load_all("experiments", ["uniformity", "sub_trees"])
    table = costs.table(chosen, rows).set_index("experiment")
    assert [*table.index] == ["uniformity", "sub_trees", "each cell once"]
    uniform, sub_trees, once = (table.loc[name].tolist() for name in table.index)
    # Five seeds of one lamb at 75 seconds, of four others at the median of all.
    assert uniform == [25, round(5 * (75 + 4 * 60) / 60, 1), 0, 2, 2.5]
    assert sub_trees == [30, 0.0, 30, 0, 0.0]
    assert once[-2:] == [3, 3.0]


def test_it_is_written_beside_the_rows(
    costs: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(costs, "table", lambda *_: pd.DataFrame({"cells": [3]}))
    (tmp_path / "measurements").mkdir()
    costs.main(["--results", str(tmp_path)])
    assert (tmp_path / "costs.csv").read_text() == "cells\n3\n"


def test_the_published_table_has_every_experiment() -> None:
    table = pd.read_csv(ROOT / "results" / "costs.csv")
    known = registry.load_all("experiments")
    ours = {name for name, experiment in known.items() if not experiment.published}
    missing = ours - set(table["experiment"])
    assert not missing, "run python -m benchmarks.costs"
