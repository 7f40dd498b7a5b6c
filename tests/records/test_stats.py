"""Statistics against simulation, closed forms and scipy."""

import math

import numpy as np
import pytest
from scipy import stats as scipy_stats

from mae_bench.records.stats import (
    holm,
    kendall_tau,
    p_value,
    student_interval,
    wilson,
)


def test_student_interval_is_scipys():
    sample = [0.2, 0.5, 0.1, 0.9]
    low, high = scipy_stats.ttest_1samp(sample, 0).confidence_interval(0.95)
    assert student_interval(sample) == pytest.approx((np.mean(sample), low, high))


@pytest.mark.parametrize("n", [3, 5, 8])
def test_student_interval_covers_the_truth_in_95_of_100(n):
    samples = np.random.default_rng(n).normal(0.3, 2.0, (2000, n))
    bounds = np.array([student_interval(sample) for sample in samples])
    covered = (bounds[:, 1] < 0.3) & (bounds[:, 2] > 0.3)
    assert 0.93 < covered.mean() < 0.97


def test_fewer_than_two_seeds_have_no_interval():
    assert student_interval([0.5])[0] == 0.5
    assert np.isnan(student_interval([0.5])[1:]).all()
    assert np.isnan(student_interval([])).all()
    assert math.isnan(p_value([0.5], 0.1))


def test_equal_seeds_have_an_interval_without_width():
    same = [0.1, 0.1, 0.1]  # whose mean is not 0.1 in floating point
    assert student_interval(same) == (0.1, 0.1, 0.1)
    assert p_value(same, 0.05) == 0
    assert p_value(same, 0.1) == 1


def test_p_value_is_scipys_one_sided_test():
    sample = np.array([0.2, 0.5, 0.1, 0.9])
    expected = scipy_stats.ttest_1samp(sample, 0.15, alternative="greater").pvalue
    assert p_value(sample, 0.15) == pytest.approx(expected)
    assert p_value(sample, 0.15) + p_value(-sample, -0.15) == pytest.approx(1)


def test_p_value_is_below_a_fortieth_exactly_where_the_interval_clears_the_margin():
    for sample in np.random.default_rng(0).normal(0.8, 1.0, (200, 4)):
        assert (p_value(sample, 0.1) < 0.025) == (student_interval(sample)[1] > 0.1)


@pytest.mark.parametrize("bad", [[0.1, math.nan], [math.inf], [[0.1], [0.2]]])
def test_effects_that_are_not_a_number_each_are_refused(bad):
    with pytest.raises(ValueError, match="leave out the seeds"):
        student_interval(bad)


def test_holm_is_the_slow_definition():
    p = np.random.default_rng(1).random(7) ** 3
    slow = np.empty(7)
    for i in range(7):
        at_most = [j for j in range(7) if p[j] <= p[i]]
        slow[i] = min(1, max(p[j] * sum(p >= p[j]) for j in at_most))
    assert holm(p) == pytest.approx(slow)


def test_holm_does_not_count_what_was_not_tested():
    adjusted = holm([0.01, math.nan, 0.04])
    assert adjusted[[0, 2]] == pytest.approx([0.02, 0.04])
    assert math.isnan(adjusted[1])
    assert holm([]).size == 0


def test_holm_keeps_the_family_wise_error_at_5_in_100():
    p = np.random.default_rng(2).random((2000, 6))
    false = np.mean([holm(row).min() < 0.05 for row in p])
    assert false == pytest.approx(0.05, abs=0.015)


@pytest.mark.parametrize(("successes", "n"), [(0, 1), (1, 1), (1, 2), (0, 4), (3, 7)])
def test_wilsons_ends_are_the_shares_that_the_normal_test_just_keeps(successes, n):
    share, *ends = wilson(successes, n)
    assert share == successes / n
    assert 0 <= ends[0] <= share <= ends[1] <= 1
    z = scipy_stats.norm.ppf(0.975)
    for end in ends:
        error = math.sqrt(end * (1 - end) / n)
        assert abs(share - end) == pytest.approx(z * error, abs=1e-9)


def test_wilson_of_no_trials_is_unknown_and_of_impossible_ones_refused():
    assert np.isnan(wilson(0, 0)).all()
    for successes, n in ((3, 2), (-1, 2), (1, 0), (0, -1)):
        with pytest.raises(ValueError, match=r"\bk\b|\bn\b"):
            wilson(successes, n)


def test_kendall_tau_counts_pairs():
    x, y = np.random.default_rng(3).random((2, 8))
    pairs = [(i, j) for i in range(8) for j in range(i)]
    signs = [np.sign((x[i] - x[j]) * (y[i] - y[j])) for i, j in pairs]
    assert kendall_tau(x, y) == pytest.approx(np.mean(signs))
    assert kendall_tau(x, -x) == pytest.approx(-1)
    assert math.isnan(kendall_tau([1, 1, 1], [1, 2, 3]))
    assert math.isnan(kendall_tau([1, 1, 1], [2, 2, 2]))
    assert math.isnan(kendall_tau([1], [1]))
    assert math.isnan(kendall_tau([], []))


def test_kendall_tau_is_scipys_with_ties_and_0_where_nothing_follows():
    x, y = np.random.default_rng(4).integers(0, 4, (2, 12))
    assert kendall_tau(x, y) == scipy_stats.kendalltau(x, y, variant="b").statistic
    assert kendall_tau(x, np.ones(12)) == 0


def test_two_seeds_have_the_wide_interval_of_one_degree_of_freedom():
    # Student's quantile is that of Cauchy: tan(.475 pi).
    half = math.tan(0.475 * math.pi)
    assert student_interval([0.0, 2.0]) == pytest.approx((1.0, 1 - half, 1 + half))
    assert p_value([0.0, 2.0], 0.0) == pytest.approx(0.25)
    assert kendall_tau([1, 2], [1, 2]) == 1.0
