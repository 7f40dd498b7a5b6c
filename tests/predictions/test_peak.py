"""Peak on synthetic rows."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from mae_bench.predictions.peak import Peak, best_levels, peak_contrasts

LEVELS = (0.1, 0.25, 0.5, 0.75, 0.9)


def rows_of(table, levels=LEVELS):
    frame = pd.DataFrame(table, columns=list(levels)).rename_axis("seed").reset_index()
    return frame.melt("seed", var_name="x", value_name="value")


def supported(tables, margin):
    """Share of the tables that the judge would call supported."""
    contrasts = np.array([peak_contrasts(table) for table in tables])
    n = contrasts.shape[1]
    half = stats.t.ppf(0.975, n - 1) * contrasts.std(1, ddof=1) / np.sqrt(n)
    return ((contrasts.mean(1) - half).min(1) > margin).mean()


def test_contrasts_are_the_slow_ones_placed_by_the_earlier_seeds():
    table = np.random.default_rng(0).normal(size=(4, 5))
    slow = []
    for seed in range(4):
        means = table[:seed].mean(0) if seed else np.eye(5)[2]
        level = max((1, 2, 3), key=lambda j, means=means: means[j])
        height = table[seed, level]
        slow.append([height - table[seed, 0], height - table[seed, 4]])
    assert peak_contrasts(table) == pytest.approx(np.array(slow))


def test_a_seeds_own_noise_has_no_say_in_where_it_is_scored():
    table = np.tile([0.0, 1.0, 2.0, 1.0, 0.0], (3, 1))
    table[0, 1] = table[2, 3] = 9.0
    assert peak_contrasts(table).tolist() == [[2.0, 2.0], [1.0, 1.0], [1.0, 1.0]]


def test_the_effect_is_the_contrast_with_the_harder_end():
    table = np.tile([0.0, 1.0, 3.0, 1.0, 2.0], (3, 1))
    effects = Peak(0.5, "x").effects(rows_of(table))
    assert effects.tolist() == [1.0, 1.0, 1.0]
    assert effects.index.tolist() == [0, 1, 2]


def test_the_harder_end_is_the_one_whose_interval_starts_lower():
    # The first end is lower on average but uncertain; the last is close but sure.
    first, last = np.array([-9.0, 9.0, -3.0]), np.array([0.9, 0.9, 0.9])
    table = np.column_stack([first, np.ones(3), last])
    effects = Peak(0.05, "x").effects(rows_of(table, (1, 2, 3)))
    assert effects.tolist() == [10.0, -8.0, 4.0]


def test_a_valley_is_a_peak_upside_down():
    table = np.random.default_rng(1).normal(size=(5, 5))
    up = Peak(0.1, "x").effects(rows_of(table))
    down = Peak(0.1, "x", minimum=True).effects(rows_of(-table))
    assert down.tolist() == up.tolist()


def test_location_is_the_level_with_the_best_mean_and_the_range_of_the_possible():
    table = np.array([[0.0, 1, 2, 5, 0], [0, 3, 4, 2, 0], [9, 9, 9, np.nan, 9]])
    assert Peak(0.1, "x").location(rows_of(table)) == "0.75 (0.1-0.9)"
    assert Peak(0.1, "x", minimum=True).location(rows_of(-table)) == "0.75 (0.1-0.9)"
    assert Peak(0.1, "x").location(rows_of(table[1:])) == ""
    sure = np.array([0.0, 1.0, 2.0, 1.99, 0.0]) + np.arange(5)[:, None]
    assert Peak(0.1, "x").location(rows_of(sure)) == "0.5 (0.5-0.5)"
    sure[:, 3] += [0.0, 0.05, -0.05, 0.02, 0.0]
    assert Peak(0.1, "x").location(rows_of(sure)) == "0.5 (0.5-0.75)"


def test_location_names_levels_that_are_words():
    rows = rows_of(np.tile([0.0, 1.0, 0.0], (3, 1)), ("block", "grid", "random"))
    assert Peak(0.1, "x").location(rows) == "grid (grid-grid)"


@pytest.mark.parametrize("n", [3, 5, 8])
def test_the_best_level_is_among_the_possible_in_95_of_100(n):
    rng = np.random.default_rng(n)
    common = rng.normal(size=(300, n, 1))
    tables = common + rng.normal(size=(300, n, 5)) + [0.0, 1.0, 1.0, 0.9, 0.0]
    kept = np.array([best_levels(table) for table in tables])
    assert kept[:, 1].mean() > 0.95


def test_more_seeds_leave_fewer_possible_levels():
    noise = np.random.default_rng(0).normal(size=(60, 40, 5))
    tables = np.add(noise, [0.0, 0.7, 1.0, 0.7, 0.0])
    few, many = (np.mean([best_levels(t[:n]).sum() for t in tables]) for n in (5, 40))
    assert many < few - 1


def test_two_levels_or_one_complete_seed_have_no_peak():
    assert Peak(0.1, "x").effects(rows_of(np.ones((3, 2)), (1, 2))).empty
    assert Peak(0.1, "x").effects(rows_of(np.ones((1, 5)))).empty
    holed = np.ones((3, 5))
    holed[1:, 2] = np.nan
    assert Peak(0.1, "x").effects(rows_of(holed)).empty


@pytest.mark.parametrize("n", [3, 5, 8])
def test_noise_alone_is_rarely_a_peak(n):
    tables = np.random.default_rng(n).normal(size=(1500, n, 5))
    assert supported(tables, 0.0) < 0.02


@pytest.mark.parametrize("n", [3, 5, 8])
def test_a_peak_at_the_margin_is_supported_in_at_most_5_of_100(n):
    tables = np.random.default_rng(n).normal(size=(2500, n, 5))
    tables += [0.0, 0.0, 0.6, 0.0, 0.0]
    assert supported(tables, 0.6) < 0.05


@pytest.mark.parametrize("n", [3, 5, 8])
@pytest.mark.parametrize("quiet", [1.0, 0.05])
def test_nor_where_every_interior_level_ties_and_one_end_decides(n, quiet):
    # The first end is far below; the last, and only it, is at the margin.
    noise = np.random.default_rng(n).normal(size=(2500, n, 5))
    tables = noise * [1.0, 1.0, 1.0, 1.0, quiet] + [-9.0, 0.6, 0.6, 0.6, 0.0]
    assert supported(tables, 0.6) < 0.04


def test_an_uncertain_end_at_the_margin_is_not_hidden_by_a_sure_one_beyond_it():
    noise = np.random.default_rng(0).normal(size=(3000, 5, 3))
    tables = noise * [1.0, 0.1, 0.1] + [0.0, 0.0, -0.6]
    assert supported(tables, 0.0) < 0.05


def test_a_clear_peak_is_seen():
    tables = np.random.default_rng(3).normal(0, 0.2, (300, 5, 5))
    tables += [0.0, 0.5, 1.0, 0.5, 0.0]
    assert supported(tables, 0.1) > 0.95
