"""Ordering on synthetic rows."""

import numpy as np
import pandas as pd
import pytest

from mae_bench.predictions import hardest
from mae_bench.predictions.ordering import Ordering
from mae_bench.records.stats import minimum_detectable_effect, student_interval

METHODS = ("random_init", "mae", "oracle")


def rows_of(table, levels=METHODS):
    frame = pd.DataFrame(table, columns=list(levels)).rename_axis("seed").reset_index()
    return frame.melt("seed", var_name="method", value_name="value")


def verdict(table, margin=0.1):
    form = Ordering(margin, "method", METHODS)
    return form.decide(form.effects(rows_of(table)))


def test_the_effect_is_the_step_whose_interval_starts_lowest():
    # The first step is smaller on average; the second is larger and uncertain.
    table = np.array([[0.0, 1.0, 9.0], [0.0, 1.1, 1.2], [0.0, 0.9, 7.0]])
    effects = Ordering(0.1, "method", METHODS).effects(rows_of(table))
    assert effects.tolist() == pytest.approx([8.0, 0.1, 6.1])
    assert effects.index.tolist() == [0, 1, 2]


def test_one_seed_gives_its_smallest_step():
    effects = Ordering(0.1, "method", METHODS).effects(rows_of([[0.0, 2.0, 3.0]]))
    assert effects.tolist() == [1.0]


def test_an_order_is_supported_refuted_or_open():
    noise = np.random.default_rng(0).normal(0, 0.01, (5, 3))
    assert verdict(np.add(noise, [0.0, 0.5, 1.0])) == "supported"
    assert verdict(np.add(noise, [0.0, 0.5, 0.5])) == "refuted"
    assert verdict(np.add(noise, [0.0, 0.5, 0.4])) == "refuted"
    assert verdict(10 * noise + [0.0, 0.5, 0.6]) == "undecided"
    assert verdict((np.add(noise, [0.0, 0.5, 1.0]))[:2]) == "undecided"


def test_seeds_that_lack_a_level_are_left_out():
    table = np.arange(9.0).reshape(3, 3)
    table[1, 2] = np.nan
    form = Ordering(0.1, "method", METHODS)
    assert form.effects(rows_of(table)).index.tolist() == [0, 2]
    assert form.effects(rows_of(np.ones((3, 1)), ("mae",))).empty


@pytest.mark.parametrize("n", [3, 5, 8])
@pytest.mark.parametrize("second", [0.2, 9.0])
def test_a_step_at_the_margin_is_supported_in_at_most_5_of_100(n, second):
    noise = np.random.default_rng(n).normal(0, 0.3, (1000, n, 3))
    steps = np.diff(np.add(noise, [0.0, 0.2, 0.2 + second]))
    bounds = np.array([student_interval(hardest(s)) for s in steps])
    assert (bounds[:, 1] > 0.2).mean() < 0.05
    # As the docstring says: k tied steps are refuted in at most k x 2.5 %.
    assert (bounds[:, 2] < 0.2).mean() < (0.065 if second == 0.2 else 0.04)
    if second == 9.0:
        covered = (bounds[:, 1] < 0.2) & (bounds[:, 2] > 0.2)
        assert 0.93 < covered.mean() < 0.97


def test_the_minimum_detectable_effect_is_that_of_the_hardest_step():
    rows = rows_of(np.array([[0.0, 1.0, 9.0], [0.0, 1.1, 8.0], [0.0, 0.9, 8.5]]))
    form = Ordering(0.1, "method", METHODS)
    expected = minimum_detectable_effect([1.0, 1.1, 0.9])
    assert form.minimum_detectable_effect(form.effects(rows)) == pytest.approx(expected)


def test_what_cannot_be_an_ordering_is_refused():
    with pytest.raises(ValueError, match="distinct"):
        Ordering(0.1, "method", ("mae",))
    with pytest.raises(ValueError, match="distinct"):
        Ordering(0.1, "method", ("mae", "mae"))
