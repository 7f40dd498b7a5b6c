"""Verdicts on synthetic differences: power, false alarms, ties, exit codes."""

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from mae_bench.commits.changes import Change, counts, exit_code, paired, settle

MARGIN = 0.02
DIFFERENT = Change("quality", {}, "same", n=5)


@pytest.mark.parametrize(
    ("shift", "noise", "expected"),
    [
        (-3, 0.1, "worse"),
        (3, 0.1, "better"),
        (0, 0.1, "same"),
        (0.5, 0.1, "same"),
        (-1, 0.5, "unknown"),
        (-3, 6.0, "unknown"),
        (0, 6.0, "unknown"),
    ],
)
def test_a_verdict_is_what_the_whole_interval_says(
    shift: float, noise: float, expected: str
) -> None:
    spread = np.array([-1.2, -0.6, 0.0, 0.6, 1.2])
    found = paired(MARGIN * (shift + noise * spread), MARGIN)
    assert found.verdict == expected
    assert found.change == pytest.approx(MARGIN * shift)
    assert found.low < found.change < found.high


def test_interval_and_p_value_are_scipys() -> None:
    effects = [-0.05, -0.08, -0.03, -0.06]
    found = paired(effects, MARGIN)
    test = stats.ttest_1samp(effects, -MARGIN, alternative="less")
    low, high = stats.ttest_1samp(effects, 0).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((low, high))
    assert found.p_value == pytest.approx(test.pvalue)
    assert found.n == 4


def test_equal_numbers_are_the_same_and_no_part_of_the_family() -> None:
    equal = paired(np.zeros(5), 0.0)
    assert (equal.verdict, equal.low, equal.high) == ("same", 0.0, 0.0)
    assert paired(np.zeros(1), MARGIN).verdict == "same"
    worse = paired([-0.05, -0.08, -0.03, -0.06], MARGIN)
    alone, *_ = settle([worse, *[equal] * 1000])
    assert alone.p_holm == worse.p_value
    assert alone.verdict == "worse"


@pytest.mark.parametrize("effects", [[], [-0.5], [-0.5, -0.5]])
def test_fewer_than_three_seeds_say_nothing(effects: list[float]) -> None:
    found = paired(effects, MARGIN)
    assert found.verdict == "unknown"
    assert f"{len(effects)} seeds in common" in found.reason
    assert math.isnan(found.p_value)


def false_worse(families: np.ndarray, corrected: bool, grain: float = 0.0) -> float:
    """Share of the families in which any row is ``worse``."""
    found = []
    for family in families:
        rows = [paired(d, MARGIN, grain) for d in family]
        rows = settle(rows) if corrected else rows
        found.append(any(row.verdict == "worse" for row in rows))
    return float(np.mean(found))


def test_a_family_at_the_very_margin_has_a_false_worse_in_5_of_100_at_most() -> None:
    # The worst case that is not worse: every row has lost just one margin.
    rng = np.random.default_rng(0)
    families = rng.normal(-MARGIN, 0.01, (150, 10, 5))
    rate = false_worse(families, corrected=True)
    assert rate <= 0.05 + 2.6 * math.sqrt(0.05 * 0.95 / 150)
    assert false_worse(families, corrected=False) > 0.12


def test_a_family_of_noise_has_no_false_worse() -> None:
    families = np.random.default_rng(1).normal(0, MARGIN, (60, 15, 5))
    assert false_worse(families, corrected=True) <= 0.05


def test_numbers_that_move_in_steps_do_not_make_equal_seeds_certain() -> None:
    # Accuracies of 128 images: three seeds often agree by chance.
    grain = 1 / 128
    draws = np.random.default_rng(2).normal(-MARGIN, 0.003, (150, 3, 3))
    families = (draws / grain).round() * grain
    assert false_worse(families, True, grain) <= 0.05
    assert false_worse(families, True) > 0.15


def test_a_shift_of_three_margins_is_found_among_rows_of_noise() -> None:
    rng = np.random.default_rng(3)
    noise = rng.normal(0, 0.1 * MARGIN, (50, 5))
    for sign, word in ((-1, "worse"), (1, "better")):
        shifted = rng.normal(sign * 3 * MARGIN, 0.1 * MARGIN, (20, 5))
        found = settle([paired(d, MARGIN) for d in [*shifted, *noise]])
        assert [change.verdict for change in found] == [word] * 20 + ["same"] * 50


def test_what_holm_takes_back_is_unknown_with_its_reason() -> None:
    weak = paired([-0.05, -0.08, -0.03, -0.06], MARGIN)
    other = paired([0.001, -0.001, 0.002, 0.003], MARGIN)
    first, *_ = settle([weak, *[other] * 30])
    assert first.verdict == "unknown"
    assert first.p_holm == pytest.approx(31 * weak.p_value)
    assert "worse alone" in first.reason
    assert "31 rows that differ" in first.reason


def test_better_and_worse_mirror_each_other() -> None:
    draws = np.random.default_rng(4).normal(0.02, 0.02, (40, 5))
    there = settle([paired(d, MARGIN) for d in draws])
    back = settle([paired(-d, MARGIN) for d in draws])
    mirrored = {"better": "worse", "worse": "better"}
    for x, y in zip(there, back, strict=True):
        assert mirrored.get(x.verdict, x.verdict) == y.verdict
        assert x.p_holm == pytest.approx(y.p_holm)


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ([("same", False)], 0),
        ([("same", False), ("better", False), ("new", False)], 0),
        ([("same", False), ("unknown", False)], 0),
        ([("same", False), ("unknown", True)], 2),
        ([("worse", False), ("better", False)], 1),
        ([("worse", False), ("unknown", True)], 1),
        ([], 2),
    ],
)
def test_the_exit_code_is_the_gates_table(
    verdicts: list[tuple[str, bool]], expected: int
) -> None:
    changes = [replace(DIFFERENT, verdict=v, gap=gap) for v, gap in verdicts]
    assert exit_code(changes) == expected
    assert sum(counts(changes).values()) == len(changes)


def test_nothing_compared_is_incomplete() -> None:
    assert exit_code([Change("quality", {}, "new")]) == 2
