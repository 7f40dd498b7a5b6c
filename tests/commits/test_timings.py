"""Speed: ratios of seconds by seed, and asv's own files of two commits."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from asv.results import Results
from asv.runner import BenchmarkResult
from scipy import stats

from mae_bench.commits.changes import Change, settle
from mae_bench.commits.sides import NUMBER, Side
from mae_bench.commits.timings import MARGIN, Timing, samples, seconds, speed
from mae_bench.records.schema import UsageError

A, B = "a" * 40, "b" * 40
NOISE = np.random.default_rng(0).uniform(0.9, 1.1, (2, 10))


def trained(
    times: Mapping[tuple[str, int], float], commit: str = "", device: str = "cpu x"
) -> Side:
    """Seconds by factor and seed."""
    blank = dict.fromkeys(NUMBER, "") | {"tier": "quick", "experiment": "e"}
    rows = [
        blank
        | {"dataset": "world", "method": "mae", "factors": factors, "seed": seed}
        | {"status": "ok", "train_seconds": taken, "device": device}
        for (factors, seed), taken in times.items()
        for _ in range(2)  # one a number of the cell
    ]
    return Side("word", pd.DataFrame(rows), commit)


def grid(factor: float = 1.0, slow: float = 1.0) -> dict[tuple[str, int], float]:
    return {
        (f"mask_ratio={r}", s): factor * (4.0 + r + 0.1 * s) * (slow if r else 1.0)
        for r in (0, 1)
        for s in range(5)
    }


@pytest.mark.parametrize(
    ("factor", "expected"),
    [(2.0, "worse"), (0.5, "better"), (1.1, "same"), (0.9, "same"), (1.0, "same")],
)
def test_seconds_of_training_are_compared_as_a_ratio(
    factor: float, expected: str
) -> None:
    (change,), notes = seconds(trained(grid()), trained(grid(factor)))
    assert (change.verdict, change.kind, notes) == (expected, "speed", [])
    assert change.change == pytest.approx(-math.log(factor))
    assert change.b == pytest.approx(factor * change.a)
    assert change.a == pytest.approx(8.0 + 1.0 + 0.4)
    assert change.name["source"] == "train_seconds"


def test_seconds_are_summed_over_factors_and_paired_by_seed() -> None:
    (change,), _ = seconds(trained(grid()), trained(grid(slow=3.0)))
    a = [8.0 + 1.0 + 0.2 * s for s in range(5)]
    b = [4.0 + 0.1 * s + 3 * (5.0 + 0.1 * s) for s in range(5)]
    effects = np.log(a) - np.log(b)
    low, high = stats.ttest_1samp(effects, 0).confidence_interval(0.95)
    assert (change.low, change.high) == pytest.approx((low, high))


def test_cells_of_one_side_only_do_not_count() -> None:
    fewer = {k: v for k, v in grid(2.0).items() if k != ("mask_ratio=1", 3)}
    (change,), _ = seconds(trained(grid()), trained(fewer))
    assert change.b == pytest.approx(2 * change.a)


def test_start_up_and_controls_are_left_out() -> None:
    short = dict.fromkeys(grid(), 0.1), dict.fromkeys(grid(), 1.4)
    assert seconds(*map(trained, short)) == ([], [])
    controls = dict.fromkeys(grid(), 0.0), dict.fromkeys(grid(), 0.0)
    assert seconds(*map(trained, controls)) == ([], [])


def test_speed_is_not_compared_across_devices_and_that_is_told() -> None:
    found, notes = seconds(trained(grid()), trained(grid(2.0), device="cuda H200"))
    assert found == []
    assert notes == ["speed is not compared across devices"]


def asv(
    folder: Path,
    commit: str,
    benchmarks: Mapping[str, Any],
    machine: str = "m",
    record: bool = True,
    version: str = "1",
) -> None:
    """One of asv's files, written by asv."""
    results = Results({"machine": machine}, {}, commit, 0, "3.11", "existing", {})
    for name, kept in benchmarks.items():
        lists = kept if isinstance(kept, dict) else {None: kept}
        params = [] if None in lists else [list(lists)]
        sampled = [v is not None and not np.isscalar(v) for v in lists.values()]
        pairs = list(zip(lists.values(), sampled, strict=True))
        result = BenchmarkResult(
            result=[0.0 if many else v for v, many in pairs],
            samples=[list(v) if many else None for v, many in pairs],
            number=[1 if many else None for many in sampled],
            errcode=0,
            stderr="",
            profile=None,
        )
        described = {"name": name, "version": version, "params": params}
        results.add_result(described, result, record_samples=record)
    results.save(str(folder))


def both(folder: Path, before: Any, after: Any, **options: Any) -> list[Change]:
    asv(folder, A, before, **options)
    asv(folder, B, after, **options)
    found, notes = speed(trained({}, A), trained({}, B), folder)
    assert notes == []
    return settle(found)


def test_asvs_own_files_are_read_and_twice_as_slow_is_worse(tmp_path: Path) -> None:
    step = {"'mae'": 0.1 * NOISE[0], "'simclr'": 0.2 * NOISE[0]}
    slow = {"'mae'": 0.2 * NOISE[1], "'simclr'": 0.2 * NOISE[1]}
    help_ = {"speed.StartUp.time_help": 0.3 * NOISE[0]}
    name = "speed.TrainingStep.time_200_steps"
    changes = both(tmp_path, {name: step} | help_, {name: slow} | help_)
    verdicts = {change.name["benchmark"]: change.verdict for change in changes}
    assert verdicts == {
        f"{name}('mae')": "worse",
        f"{name}('simclr')": "same",
        "speed.StartUp.time_help": "same",
    }
    (worse,) = (change for change in changes if change.verdict == "worse")
    assert worse.name["source"] == "asv m"
    assert worse.a == pytest.approx(np.median(0.1 * NOISE[0]))
    assert worse.n == 10


def test_the_interval_is_welchs_of_the_logarithms() -> None:
    x, y = 0.1 * NOISE[0], 0.15 * NOISE[1][:6]
    (change,) = samples("m", *({"t": Timing("1", 0.1, tuple(s))} for s in (x, y)))
    test = stats.ttest_ind(np.log(x), np.log(y), equal_var=False)
    interval = test.confidence_interval(0.95)
    assert (change.low, change.high) == pytest.approx((interval.low, interval.high))
    beyond = stats.ttest_ind(
        np.log(x) + MARGIN, np.log(y), equal_var=False, alternative="less"
    )
    assert change.p_value == pytest.approx(beyond.pvalue)
    assert change.n == 6


def test_samples_without_spread_are_as_certain_as_they_look() -> None:
    timings = [{"t": Timing("1", s, (s,) * 5)} for s in (1.0, 1.2, 1.3)]
    assert [c.verdict for c in samples("m", timings[0], timings[1])] == ["same"]
    assert [c.verdict for c in samples("m", timings[0], timings[2])] == ["worse"]
    assert [c.p_value for c in samples("m", timings[0], timings[2])] == [0.0]


@pytest.mark.parametrize(
    ("before", "after", "expected", "gap"),
    [
        (NOISE[0], None, "worse", False),
        (NOISE[0], math.nan, "unknown", True),
        (None, NOISE[0], "new", False),
    ],
)
def test_a_benchmark_that_failed_is_worse_and_one_that_is_gone_is_a_gap(
    tmp_path: Path, before: Any, after: Any, expected: str, gap: bool
) -> None:
    keep = {"speed.kept": NOISE[0]}
    one, two = {"speed.x": {"'p'": before}}, {"speed.x": {"'p'": after}}
    changes = both(tmp_path, keep | one, keep | two)
    (change,) = (c for c in changes if c.name["benchmark"] == "speed.x('p')")
    assert (change.verdict, change.gap) == (expected, gap)
    (gone, _) = both(tmp_path, {"speed.gone": NOISE[0]} | keep, keep)
    assert (gone.verdict, gone.gap, gone.reason) == ("unknown", True, "not in B")


def test_samples_that_asv_did_not_keep_are_asked_for(tmp_path: Path) -> None:
    rows = {"speed.x": NOISE[0]}
    (change,) = both(tmp_path, rows, rows, record=False)
    assert (change.verdict, change.gap) == ("unknown", False)
    assert "--record-samples" in change.reason


def test_other_versions_of_a_benchmark_are_not_compared(tmp_path: Path) -> None:
    asv(tmp_path, A, {"speed.x": NOISE[0]})
    asv(tmp_path, B, {"speed.x": NOISE[0]}, version="2")
    ((change,), _) = speed(trained({}, A), trained({}, B), tmp_path)
    assert (change.verdict, change.gap) == ("unknown", True)


def test_quality_in_asvs_files_is_not_speed(tmp_path: Path) -> None:
    rows = {"quality.Leaderboard.track_error": NOISE[0], "speed.x": NOISE[0]}
    names = [c.name["benchmark"] for c in both(tmp_path, rows, rows)]
    assert names == ["speed.x"]


def test_other_machines_are_not_compared_and_training_speaks_instead(
    tmp_path: Path,
) -> None:
    asv(tmp_path, A, {"speed.x": NOISE[0]}, machine="one")
    asv(tmp_path, B, {"speed.x": NOISE[0]}, machine="two")
    (change,), notes = speed(trained(grid(), A), trained(grid(), B), tmp_path)
    assert change.name["source"] == "train_seconds"
    assert notes == ["asv: no machine has measured both commits"]


def test_files_with_quality_alone_leave_speed_to_training(tmp_path: Path) -> None:
    for commit in (A, B):
        asv(tmp_path, commit, {"quality.Leaderboard.track_error": NOISE[0]})
    (change,), notes = speed(trained(grid(), A), trained(grid(), B), tmp_path)
    assert (change.name["source"], notes) == ("train_seconds", [])


def test_sides_that_are_no_commits_have_no_asv(tmp_path: Path) -> None:
    asv(tmp_path, A, {"speed.x": NOISE[0]})
    (change,), _ = speed(trained(grid(), A), trained(grid()), tmp_path)
    assert change.name["source"] == "train_seconds"


@pytest.mark.parametrize(
    "content",
    [
        "{",
        "[]",
        json.dumps({"version": 1, "commit_hash": B}),
        json.dumps({"version": 2, "commit_hash": "b" * 8 + "c" * 32}),
        json.dumps({"version": 2, "commit_hash": B, "results": {}}),
    ],
)
def test_a_file_that_is_not_asvs_or_of_another_commit_is_named(
    tmp_path: Path, content: str
) -> None:
    asv(tmp_path, A, {"speed.x": NOISE[0]})
    name = f"m/{B[:8]}-existing.json"
    (tmp_path / name).write_text(content)
    with pytest.raises(UsageError, match=name):
        speed(trained({}, A), trained({}, B), tmp_path)
