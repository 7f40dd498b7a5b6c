"""Equality on synthetic rows."""

import math

import numpy as np
import pandas as pd
import pytest

from mae_bench.predictions.equality import Equality

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
    assert effects.iloc[:, 0].tolist() == [-0.5, 1.0]
    relative = Equality(0.1, **SIDES, relative=True).effects(rows)
    assert relative.iloc[:, 0].tolist() == pytest.approx([-1 / 3, 1 / 4])
    constant = Equality(0.1, {"target": "trained"}, -2.0, relative=True)
    assert constant.effects(rows).iloc[:, 0].tolist() == [1.5, 3.5, 2.0]


def test_equality_is_supported_inside_the_margins_and_refuted_outside_them():
    assert verdict([0.01, -0.01, 0.0, 0.005]) == "supported"
    assert verdict([0.3, 0.31, 0.29, 0.3]) == "refuted"
    assert verdict([-0.3, -0.31, -0.29, -0.3]) == "refuted"
    assert verdict([0.3, -0.3, 0.0, 0.1]) == "undecided"
    assert verdict([0.1, 0.11, 0.09, 0.1]) == "undecided"
    assert verdict([0.0] * 3) == "undecided"
    assert verdict([0.0] * 4) == "supported"
    assert verdict([0.2] * 4) == "refuted"


def test_opposite_errors_cancel_unless_each_point_must_be_equal():
    rows = pd.concat(
        [rows_of(np.full(3, 1.0 + e), np.ones(3), x) for x, e in ((0, 0.5), (1, -0.5))]
    )
    assert Equality(0.1, **SIDES).effects(rows).iloc[:, 0].tolist() == [0.0] * 3
    effects = Equality(0.1, **SIDES, along=("x",)).effects(rows)
    assert effects.to_numpy().tolist() == [[0.5, -0.5]] * 3


def test_the_point_that_reaches_farthest_is_shown_and_each_is_judged():
    noise = np.array([0.01, -0.01, 0.02, -0.02, 0.0])[:, None]
    table = pd.DataFrame(np.add(noise, [0.05, -0.13]))
    form = Equality(0.1, {"target": "trained"}, 1.0)
    estimate, low, high = form.interval(table)
    assert low < estimate < high < 0
    assert estimate == pytest.approx(-0.13)
    assert form.decide(table[[0]]) == "supported"
    assert form.decide(table) == "undecided"
    assert form.decide(table - [0.0, 0.2]) == "refuted"
    assert form.kind(table) == "below"
    assert form.as_claimed(table).tolist() == [False] * 5
    assert form.as_claimed(table[[0]]).tolist() == [True] * 5


def test_a_seed_without_every_point_or_with_an_exact_0_is_left_out():
    rows = pd.concat([rows_of([1.0, 1.0], [1.0, 1.0], 0), rows_of([1.0], [1.0], 1)])
    assert Equality(0.1, **SIDES, along=("x",)).effects(rows).index.tolist() == [0]
    assert Equality(0.1, **SIDES, along=("x",)).effects(rows[rows.x == 9]).empty
    zero = rows_of([1.0, 0.0, 1.0], [0.0, 0.0, 2.0])
    relative = Equality(0.1, **SIDES, relative=True)
    assert relative.effects(zero).iloc[:, 0].to_dict() == {2: -0.5}


@pytest.mark.parametrize("truth", [[0.2], [-0.2], [0.0, 0.0, -0.1, 0.2]])
def test_a_difference_at_the_margin_is_called_equal_in_at_most_5_of_100(truth):
    noise = np.random.default_rng(5).normal(0, 0.05, (400, 6, len(truth)))
    form = Equality(0.2, {"target": "trained"}, 1.0)
    found = [form.decide(pd.DataFrame(table)) for table in noise + truth]
    assert np.mean([word == "supported" for word in found]) < 0.05
    assert np.mean([word == "refuted" for word in found]) < 0.05


def test_what_cannot_be_an_equality_is_refused():
    with pytest.raises(ValueError, match="both"):
        Equality(0.1, {"target": "exact"}, {"target": "exact"})
    with pytest.raises(ValueError, match="margin 0"):
        Equality(0.0, {"target": "exact"}, 1.0)
    with pytest.raises(ValueError, match="share of 0"):
        Equality(0.1, {"target": "exact"}, 0.0, relative=True)


def test_its_words_say_of_what_the_margin_is_a_share():
    form = Equality(0.05, {"target": "a"}, {"target": "b"}, True, ("x",))
    assert form.words == (
        "[target a] less [target b], as a share of [target b], at every point of x, "
        "is within 0.05 of 0 on both sides"
    )
    assert form.unit("m") == "share of [target b]"
    exact = Equality(0.05, {}, 0.0)
    assert exact.words == "the value is within 0.05 of 0 on both sides"
    assert exact.unit("m") == "m"
