"""Bound on synthetic rows; it is no statistics, so nothing is simulated."""

import math

import numpy as np
import pandas as pd
import pytest

from mae_bench.predictions.bound import Bound

SIDES = {"value": {"metric": "loss"}, "limit": {"metric": "floor"}}


@pytest.fixture
def rows_of(tidy):
    """Losses and floors ``[s, points]``."""
    return lambda loss, floor: tidy("stop", loss=loss, floor=floor)


@pytest.fixture
def verdict(rows_of):
    def decide(slack, margin=1e-6, **changes):
        form = Bound(margin, **SIDES, along=("stop",), **changes)
        slack = np.asarray(slack)
        return form.decide(form.effects(rows_of(1.0 + slack, np.ones_like(slack))))

    return decide


def test_the_effect_is_a_seeds_least_slack(rows_of):
    rows = rows_of(np.array([[3.0, 2.0], [1.0, 5.0]]), np.ones((2, 2)))
    form = Bound(0.0, **SIDES, along=("stop",))
    assert form.effects(rows).iloc[:, 0].tolist() == [1.0, 0.0]
    below = Bound(0.0, {"metric": "loss"}, 4.0, along=("stop",), sign=-1)
    assert below.effects(rows).iloc[:, 0].tolist() == [1.0, -1.0]


def test_one_violation_among_all_points_and_seeds_refutes(verdict):
    holds = np.abs(np.random.default_rng(0).normal(size=(5, 4)))
    assert verdict(holds) == "supported"
    assert verdict(np.zeros((5, 4))) == "supported"
    assert verdict(np.zeros((4, 4))) == "undecided"
    broken = holds.copy()
    broken[3, 2] = -0.01
    assert verdict(broken) == "refuted"
    assert verdict(broken[3:4]) == "refuted"
    assert verdict(broken, margin=0.02) == "supported"
    assert verdict(holds[:3]) == "undecided"
    assert verdict(holds, sign=-1) == "refuted"


def test_float_error_within_the_margin_is_no_violation(verdict):
    assert verdict(np.full((5, 2), -1e-7)) == "supported"
    assert verdict(np.full((4, 2), -1e-5)) == "refuted"


def test_a_seed_that_lacks_a_point_cannot_support_but_can_refute(verdict):
    slack = np.ones((4, 3))
    slack[0, 1] = slack[1, 1] = math.nan
    assert verdict(slack) == "undecided"
    slack[1, 2] = -1.0
    assert verdict(slack) == "refuted"


def test_points_are_told_apart_even_where_a_method_lacks_the_factor(rows_of):
    rows = rows_of(np.ones((3, 2)), np.zeros((3, 2))).replace({"stop": {1: math.nan}})
    assert (
        Bound(0.0, **SIDES, along=("stop",)).effects(rows).iloc[:, 0].tolist()
        == [1.0] * 3
    )


def test_no_point_is_hidden_in_a_mean(rows_of):
    rows = rows_of(np.array([[-1.0, 9.0]] * 3), np.zeros((3, 2)))
    for form in (Bound(0.0, **SIDES), Bound(0.0, {"stop": 0}, {"metric": "floor"})):
        with pytest.raises(ValueError, match="name in along"):
            form.effects(rows)


def test_nothing_is_inferred_so_there_is_a_range_and_no_strength_between():
    form, slack = (
        Bound(0.1, **SIDES),
        pd.DataFrame({"slack": [0.5, -0.2, 0.3, 0.4, 0.1]}),
    )
    assert not form.inferred
    assert form.interval(slack) == (-0.2, -0.2, 0.5)
    assert np.isnan(form.interval(slack[:0])).all()
    assert (form.refute(slack, 0.1), form.support(slack, 0.1)) == (math.inf, 1.0)
    assert (form.refute(slack, 0.3), form.support(slack, 0.3)) == (1.0, math.inf)
    assert form.kind(slack) == "violated in 1 of 5 seeds"
    assert form.minimum_detectable_effect(slack) == 0
    assert math.isnan(form.minimum_detectable_effect(slack[:0]))


def test_what_cannot_be_a_bound_is_refused():
    with pytest.raises(ValueError, match="both"):
        Bound(0.0, {"metric": "loss"}, {"metric": "loss"})
    with pytest.raises(ValueError, match=r"margin -0\.1"):
        Bound(-0.1, **SIDES)
    with pytest.raises((ValueError, TypeError), match="sign"):
        Bound(0.1, **SIDES, sign=0)


def test_its_words_have_the_side_the_points_and_the_tolerance():
    above = Bound(0.01, {"target": "loss"}, {"target": "bound"}, ("x",))
    assert above.words == (
        "[target loss] is at least [target bound] at every point of x, "
        "to a tolerance of 0.01"
    )
    below = Bound(0.0, {}, 0.5, sign=-1)
    assert below.words == "the value is at most 0.5, to a tolerance of 0"
    assert below.quantity == "the least slack of the value below 0.5"
