"""What all forms share: the one-sided decision, differences, the hardest of several."""

import math

import numpy as np
import pandas as pd
import pytest

from mae_bench.predictions import difference, hardest
from mae_bench.predictions.trend import Trend

FORM = Trend(0.5, "x")


def test_a_form_decides_by_the_side_of_its_margin():
    assert FORM.decide([1.0, 1.1, 0.9]) == "supported"
    assert FORM.decide([0.0, 0.1, -0.1]) == "refuted"
    assert FORM.decide([0.4, 0.9, 0.2]) == "undecided"
    assert FORM.decide([0.5, 0.5, 0.5]) == "undecided"


def test_fewer_than_three_seeds_decide_nothing():
    assert FORM.decide([1.0, 1.0, 1.0]) == "supported"
    assert FORM.decide([1.0, 1.0]) == "undecided"
    assert FORM.decide([]) == "undecided"
    assert math.isnan(FORM.p_value([1.0]))


def test_a_form_that_does_not_say_where_has_no_location():
    assert FORM.location(pd.DataFrame()) == ""


def test_support_is_a_p_value_below_a_fortieth():
    for sample in np.random.default_rng(0).normal(0.8, 0.3, (200, 4)):
        assert (FORM.p_value(sample) < 0.025) == (FORM.decide(sample) == "supported")


@pytest.mark.parametrize("n", [3, 5, 8])
def test_the_stated_minimum_detectable_effect_is_supported_in_80_of_100(n):
    noise = np.random.default_rng(n).normal(0, 0.7, (3000, n))
    reference = noise[0] / noise[0].std(ddof=1) * 0.7
    beyond = FORM.minimum_detectable_effect(reference)
    share = np.mean([FORM.decide(0.5 + beyond + e) == "supported" for e in noise])
    assert share == pytest.approx(0.8, abs=0.03)


def test_differences_are_within_the_seed_and_the_point():
    rows = pd.DataFrame(
        [(0, "a", 1, 5.0), (0, "b", 1, 3.0), (0, "a", 2, 1.0), (1, "b", 1, 2.0)],
        columns=["seed", "name", "x", "value"],
    )
    found = difference(rows, {"name": "a"}, {"name": "b"}, "x")
    assert found[0, 1] == 2.0
    assert found[[(0, 2), (1, 1)]].isna().all()
    assert difference(rows, {"name": "b"}, 1.0).to_dict() == {0: 2.0, 1: 1.0}


def test_the_hardest_of_several_effects_starts_lowest():
    table = np.array([[1.0, 0.0], [1.1, 3.0], [0.9, 6.0]])
    assert hardest(table).tolist() == [0.0, 3.0, 6.0]
    assert hardest(table[2:]).tolist() == [0.9]
