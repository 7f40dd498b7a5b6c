import json
from pathlib import Path

from mae_bench.pages.history import Graph, history


def test_without_pages_of_asv_there_is_none(tmp_path: Path) -> None:
    assert history(tmp_path) is None


def test_graphs_have_their_unit_and_a_regression_is_counted(tmp_path: Path) -> None:
    names = {"speed.b": {"unit": "seconds"}, "quality.a": {"unit": "1 - R2"}}
    (tmp_path / "index.json").write_text(json.dumps({"benchmarks": names}))
    found = [["quality.a(digits)", "", {}, 0, 0.2, 0.1, []]]
    (tmp_path / "regressions.json").write_text(json.dumps({"regressions": found}))
    made = history(tmp_path)
    assert made is not None
    assert made.graphs == [
        Graph("quality.a", "1 - R2", True),
        Graph("speed.b", "seconds", False),
    ]
    assert made.regressions == 1
