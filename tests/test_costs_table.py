"""The table of costs is made of the rows, and stands between its marks."""

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
    lines = costs.table(chosen, rows).splitlines()
    fields = [[f.strip() for f in line.strip("|").split("|")] for line in lines[2:]]
    by_name = {name: numbers for name, *numbers in fields}
    assert [*by_name] == ["uniformity", "sub_trees", "each cell once"]
    cells, foretold, unknown, count, minutes = by_name["uniformity"]
    assert (cells, count, minutes) == ("25", "2", "2.5")
    assert by_name["sub_trees"] == ["30", "0.0", "30", "0", "0.0"]
    # Five seeds of one lamb at 75 seconds, of four others at the median of all.
    assert (foretold, unknown) == (f"{5 * (75 + 4 * 60) / 60:.1f}", "0")
    assert by_name["each cell once"][-2:] == ["3", "3.0"]


def test_it_stands_between_its_marks(
    costs: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(costs, "table", lambda *_: "| new |")
    (tmp_path / "measurements").mkdir()
    readme = tmp_path / "README.md"
    readme.write_text(f"before\n{costs.BEGIN}\nold\n{costs.END}\nafter\n")
    costs.main(["--results", str(tmp_path)])
    expected = f"before\n{costs.BEGIN}\n| new |\n{costs.END}\nafter\n"
    assert readme.read_text() == expected


def test_the_published_table_has_every_experiment(costs: ModuleType) -> None:
    text = (ROOT / "results" / "README.md").read_text()
    inside = text.partition(costs.BEGIN)[2].partition(costs.END)[0]
    missing = [n for n in registry.names("experiments") if f"| {n} |" not in inside]
    assert not missing, "run python -m benchmarks.costs"
