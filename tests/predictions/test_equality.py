"""Equality on synthetic rows."""

import math

import numpy as np
import pandas as pd
import pytest

from mae_bench.predictions import farthest
from mae_bench.predictions.equality import Equality
from mae_bench.records.stats import student_interval

SIDES = {"value": {"target": "trained"}, "exact": {"target": "exact"}}


def rows_of(trained, exact=None, x=0):
    sides = {"trained": trained, "exact": exact if exact is not None else []}
    return pd.DataFrame(
        [
            (seed, target, x, value)
            for target, values in sides.items()
            for seed, value in enumerate(values)
        ],
        columns=["seed", "target", "x", "value"],
    )


def verdict(differences, margin=0.1):
    form = Equality(margin, {"target": "trained"}, 1.0)
    return form.decide(form.effects(rows_of(1.0 + np.asarray(differences))))


def test_the_effect_is_the_signed_difference_within_a_seed():
    rows = rows_of([1.0, 5.0, 2.0], [1.5, 4.0, math.nan])
    effects = Equality(0.1, **SIDES).effects(rows)
    assert effects.tolist() == [-0.5, 1.0]
    relative = Equality(0.1, **SIDES, relative=True).effects(rows)
    assert relative.tolist() == pytest.approx([-1 / 3, 1 / 4])
    constant = Equality(0.1, {"target": "trained"}, -2.0, relative=True)
    assert constant.effects(rows).tolist() == [1.5, 3.5, 2.0]


def test_equality_is_supported_inside_the_margins_and_refuted_outside_them():
    assert verdict([0.01, -0.01, 0.0]) == "supported"
    assert verdict([0.3, 0.31, 0.29]) == "refuted"
    assert verdict([-0.3, -0.31, -0.29]) == "refuted"
    assert verdict([0.3, -0.3, 0.0]) == "undecided"
    assert verdict([0.1, 0.11, 0.09]) == "undecided"
    assert verdict([0.0, 0.0]) == "undecided"
    assert verdict([0.0, 0.0, 0.0]) == "supported"
    assert verdict([0.2, 0.2, 0.2]) == "refuted"


def test_opposite_errors_cancel_unless_each_point_must_be_equal():
    rows = pd.concat(
        [rows_of(np.full(3, 1.0 + e), np.ones(3), x) for x, e in ((0, 0.5), (1, -0.5))]
    )
    assert Equality(0.1, **SIDES).effects(rows).tolist() == [0.0] * 3
    effects = Equality(0.1, **SIDES, along=("x",)).effects(rows)
    assert np.abs(effects).tolist() == [0.5] * 3


def test_the_point_that_reaches_farthest_is_judged():
    table = np.array([[0.3, 0.1, -0.2], [0.3, -0.1, -0.8], [0.3, 0.0, 0.1]])
    assert farthest(table).tolist() == [-0.2, -0.8, 0.1]
    assert farthest(table[:1]).tolist() == [0.3]


def test_a_seed_without_every_point_or_with_an_exact_0_is_left_out():
    rows = pd.concat([rows_of([1.0, 1.0], [1.0, 1.0], 0), rows_of([1.0], [1.0], 1)])
    assert Equality(0.1, **SIDES, along=("x",)).effects(rows).index.tolist() == [0]
    assert Equality(0.1, **SIDES, along=("x",)).effects(rows[rows.x == 9]).empty
    zero = rows_of([1.0, 0.0, 1.0], [0.0, 0.0, 2.0])
    relative = Equality(0.1, **SIDES, relative=True)
    assert relative.effects(zero).to_dict() == {2: -0.5}


@pytest.mark.parametrize("n", [3, 5, 8])
@pytest.mark.parametrize("truth", [0.2, -0.2])
def test_a_difference_at_the_margin_is_called_equal_in_at_most_5_of_100(n, truth):
    noise = np.random.default_rng(n).normal(0, 0.05, 1000 * n)
    form = Equality(0.2, {"target": "trained"}, 1.0)
    effects = form.effects(rows_of(1.0 + truth + noise)).to_numpy().reshape(-1, n)
    assert np.mean([form.decide(e) == "supported" for e in effects]) < 0.05
    assert np.mean([form.decide(e) == "refuted" for e in effects]) < 0.05
    bounds = np.array([student_interval(e) for e in effects])
    covered = (bounds[:, 1] < truth) & (bounds[:, 2] > truth)
    assert 0.93 < covered.mean() < 0.97


@pytest.mark.parametrize("n", [3, 5])
def test_nor_where_any_of_several_points_is_at_the_margin(n):
    noise = np.random.default_rng(n).normal(0, 0.05, (400, n, 4))
    form = Equality(0.2, {"target": "trained"}, 1.0)
    tables = np.add(noise, [0.0, 0.0, -0.1, 0.2])
    assert np.mean([form.decide(farthest(t)) == "supported" for t in tables]) < 0.05


def test_the_p_value_is_the_larger_of_two_one_sided_ones():
    form = Equality(0.2, {"target": "trained"}, 1.0)
    for sample in np.random.default_rng(0).normal(0.05, 0.1, (200, 4)):
        assert (form.p_value(sample) < 0.025) == (form.decide(sample) == "supported")
        assert form.p_value(sample) == pytest.approx(form.p_value(-sample))


def test_what_cannot_be_an_equality_is_refused():
    with pytest.raises(ValueError, match="both"):
        Equality(0.1, {"target": "exact"}, {"target": "exact"})
    with pytest.raises(ValueError, match="margin 0"):
        Equality(0.0, {"target": "exact"}, 1.0)
    with pytest.raises(ValueError, match="share of 0"):
        Equality(0.1, {"target": "exact"}, 0.0, relative=True)
