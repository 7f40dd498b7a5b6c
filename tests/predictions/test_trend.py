"""Trend on synthetic rows."""

import numpy as np
import pandas as pd
import pytest

from mae_bench.predictions.trend import Trend
from mae_bench.records.stats import student_interval

LEVELS = (0.1, 0.25, 0.5, 0.75, 0.9)


def rows_of(table, levels=LEVELS):
    frame = pd.DataFrame(table, columns=list(levels)).rename_axis("seed").reset_index()
    return frame.melt("seed", var_name="x", value_name="value")


def test_the_effect_is_the_lines_change_from_the_first_level_to_the_last():
    values = np.random.default_rng(0).normal(size=(4, 5))
    expected = [np.polyfit(range(5), row, 1)[0] * 4 for row in values]
    rising = Trend(margin=0.1, factor="x").effects(rows_of(values))
    assert rising.tolist() == pytest.approx(expected)
    assert rising.index.tolist() == [0, 1, 2, 3]
    falling = Trend(0.1, "x", "decreasing").effects(rows_of(values))
    assert falling.tolist() == pytest.approx([-e for e in expected])


def test_an_exact_line_gives_its_own_change():
    values = np.linspace(2.0, 5.0, 5)[None]
    assert Trend(0.0, "x").effects(rows_of(values)).item() == pytest.approx(3.0)
    assert Trend(0.0, "x").effects(rows_of(values + 7)).item() == pytest.approx(3.0)


def test_levels_are_chosen_and_ordered_by_name():
    rows = rows_of([[5.0, 1.0, 3.0]], ("random", "block", "grid"))
    trend = Trend(0.0, "x", levels=("block", "grid", "random"))
    assert trend.effects(rows).item() == pytest.approx(4.0)
    assert Trend(0.0, "x", levels=("grid", "block")).effects(rows).item() == -2.0


def test_seeds_without_every_level_are_left_out():
    values = np.arange(15.0).reshape(3, 5)
    values[1, 2] = np.nan
    assert Trend(0.0, "x").effects(rows_of(values)).index.tolist() == [0, 2]
    assert Trend(0.0, "x", levels=(0.1, 0.3)).effects(rows_of(values)).empty


def test_one_level_has_no_trend():
    assert Trend(0.0, "x").effects(rows_of([[1.0], [2.0]], (0.5,))).empty


@pytest.mark.parametrize("n", [3, 5, 8])
def test_the_interval_covers_and_the_margin_is_passed_by_2_in_100(n):
    noise = np.random.default_rng(n).normal(0, 0.5, (2000 * n, 5))
    effects = Trend(0.2, "x").effects(rows_of(np.linspace(0, 0.2, 5) + noise))
    bounds = np.array([student_interval(e) for e in effects.to_numpy().reshape(-1, n)])
    covered = (bounds[:, 1] < 0.2) & (bounds[:, 2] > 0.2)
    assert 0.93 < covered.mean() < 0.97
    assert (bounds[:, 1] > 0.2).mean() < 0.05


def test_what_cannot_be_a_trend_is_refused():
    with pytest.raises((ValueError, TypeError), match="direction"):
        Trend(0.1, "x", "up")
    with pytest.raises(ValueError, match=r"levels \(1,\)"):
        Trend(0.1, "x", levels=(1,))
    with pytest.raises(ValueError, match="distinct"):
        Trend(0.1, "x", levels=(1, 2, 2))
    with pytest.raises(ValueError, match="no factor 'y'"):
        Trend(0.1, "y").effects(rows_of([[1.0, 2.0]], (1, 2)))
