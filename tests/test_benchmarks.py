"""Each benchmark says its version, unit and limit; quality agrees with the history."""

import importlib
import io
import json
import math
from pathlib import Path
from types import ModuleType

import pytest
from asv.benchmarks import Benchmarks
from asv.config import Config
from asv_runner.benchmarks._base import Benchmark
from asv_runner.discovery import disc_benchmarks, list_benchmarks

from mae_bench.commits import asv_feed, errors, history, worktree
from mae_bench.records.read import read_rows

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def found() -> list[Benchmark]:
    """The benchmarks that asv finds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT))
        return list(disc_benchmarks(str(ROOT / "benchmarks")))


@pytest.fixture
def quality(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT))
    return importlib.import_module("benchmarks.quality")


def test_each_benchmark_states_its_version_unit_and_limit(
    found: list[Benchmark],
) -> None:
    for benchmark in found:
        assert len(benchmark.version) < 5, f"{benchmark.name}: a hash of its source"
        assert benchmark.unit not in ("", "unit"), benchmark.name
        stated = [
            getattr(source, "timeout", None) for source in benchmark._attr_sources
        ]
        assert any(stated), f"{benchmark.name} states no timeout"


def test_speed_covers_training_worlds_instruments_and_the_start(
    found: list[Benchmark],
) -> None:
    assert {benchmark.name for benchmark in found} >= {
        "speed.TrainingStep.time_200_steps",
        "speed.TrainingStep.track_per_1000_images",
        "speed.TrainingStep.peakmem_200_steps",
        "speed.Sampling.time_sample_64",
        "speed.StartUp.time_help",
        "instruments.Masks.time_mask_1024",
        "instruments.Probes.time_fit",
        "instruments.Probes.peakmem_fit",
        "instruments.Judging.time_judge",
        asv_feed.LEADERBOARD.name,
        asv_feed.FORECASTS.name,
    }


def test_asv_itself_finds_nothing_wrong(
    found: list[Benchmark], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What ``asv check`` does, in this process."""
    monkeypatch.syspath_prepend(str(ROOT))
    conf, told = Config.load(str(ROOT / "asv.conf.json")), io.StringIO()
    folder = str(ROOT / conf.benchmark_dir)
    list_benchmarks(folder, told)
    known = Benchmarks(conf, json.loads(told.getvalue()))
    assert known.keys() == {benchmark.name for benchmark in found}
    assert all(benchmark.check(folder) for benchmark in found)


def test_quality_has_the_names_and_points_that_the_history_feeds(
    quality: ModuleType,
) -> None:
    kinds = {
        asv_feed.LEADERBOARD: quality.Leaderboard.track_error,
        asv_feed.FORECASTS: quality.Forecasts.track_gap,
    }
    for series, function in kinds.items():
        assert series.name == f"quality.{function.__qualname__}"
        assert series.unit == function.unit
    rows = read_rows(ROOT / "results" / "measurements" / "leaderboard.csv")
    for point in errors.headline_errors(rows):
        for value, known in zip(point, quality.Leaderboard.params, strict=True):
            assert value in known


def test_quality_of_what_was_not_measured_is_not_a_number(
    quality: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quality, "ROOT", tmp_path)
    board, gaps = quality.Leaderboard(), quality.Forecasts()
    assert board.setup_cache() == {}
    assert gaps.setup_cache() == {}
    assert math.isnan(board.track_error({}, "digits", "mae", "linear_probe/v1"))
    assert math.isnan(gaps.track_gap({("visible_share",): None}, "visible_share"))
    assert gaps.track_gap({("visible_share",): [0.5]}, "visible_share") == {
        "samples": [0.5],
        "number": 1,
    }


def test_quality_reads_the_history_of_the_code_at_hand_if_it_is_clean(
    quality: ModuleType, toy: Path, commit, monkeypatch: pytest.MonkeyPatch
) -> None:
    sha = commit("a", 0.75)
    history.walk(
        worktree.commits(toy, [], 1),
        history.Wish("smoke", 5, ("leaderboard",)),
        repo=toy,
        history=toy.parent / "history",
        rerun="missing",
        limit=30.0,
        told=lambda entry: entry.status,
        speed=lambda entry, tree: f"{entry} {tree}",
    )
    monkeypatch.setattr(quality, "ROOT", toy.parent / "history")
    code = {"commit": sha[:12], "dirty": False}
    monkeypatch.setattr(quality.provenance, "code", lambda: code)
    (samples,) = quality.Leaderboard().setup_cache().values()
    assert samples == pytest.approx([0.25, 0.24, 0.23, 0.22, 0.21])
    code["dirty"] = True
    assert quality.Leaderboard().setup_cache() == {}
