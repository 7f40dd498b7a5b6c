"""Contrast on synthetic rows."""

import math

import pandas as pd
import pytest

from mae_bench.predictions.contrast import Contrast

PAIR = {"treatment": {"method": "u_mae"}, "baseline": {"method": "mae"}}


def rows_of(**methods):
    return pd.DataFrame(
        [
            (seed, method, value)
            for method, values in methods.items()
            for seed, value in enumerate(values)
        ],
        columns=["seed", "method", "value"],
    )


def test_the_effect_is_the_difference_within_a_seed():
    rows = rows_of(mae=[1.0, 5.0, 2.0], u_mae=[1.5, 5.5, 4.0], simclr=[9.0, 9.0, 9.0])
    effects = Contrast(0.1, **PAIR).effects(rows)
    assert effects.iloc[:, 0].tolist() == [0.5, 0.5, 2.0]
    assert effects.index.tolist() == [0, 1, 2]


def test_a_condition_of_several_rows_is_averaged():
    rows = pd.concat([rows_of(mae=[1.0], u_mae=[2.0]), rows_of(mae=[3.0], u_mae=[5.0])])
    assert Contrast(0.1, **PAIR).effects(rows).iloc[:, 0].tolist() == [1.5]


def test_sign_and_scale_turn_and_divide():
    rows = rows_of(mae=[1.0, 5.0], u_mae=[3.0, 9.0])
    contrast = Contrast(0.1, **PAIR, scale=4.0, sign=-1)
    assert contrast.effects(rows).iloc[:, 0].tolist() == [-0.5, -1.0]


def test_a_constant_can_be_the_baseline():
    rows = rows_of(mae=[1.0, 5.0], u_mae=[3.0, 9.0])
    contrast = Contrast(0.1, {"method": "u_mae"}, 2.5, sign=-1)
    assert contrast.effects(rows).iloc[:, 0].tolist() == [-0.5, -6.5]


def test_seeds_that_lack_a_side_are_left_out():
    rows = rows_of(mae=[1.0, math.nan, 2.0], u_mae=[2.0, 2.0, 2.5, 9.0])
    assert Contrast(0.1, **PAIR).effects(rows).index.tolist() == [0, 2]
    assert Contrast(0.1, **PAIR).effects(rows_of(mae=[1.0])).empty


def test_the_headroom_is_from_the_baseline_to_the_ceiling():
    rows = rows_of(mae=[0.8, 0.9], u_mae=[0.85, 0.95])
    assert Contrast(0.1, **PAIR).headroom(rows, 1.0) == pytest.approx(0.15)
    falls = Contrast(0.1, {"method": "u_mae"}, 0.5, scale=2.0, sign=-1)
    assert falls.headroom(rows, 0.0) == pytest.approx(0.25)


def test_what_cannot_be_a_contrast_is_refused():
    with pytest.raises(ValueError, match="both"):
        Contrast(0.1, {"method": "mae"}, {"method": "mae"})
    with pytest.raises(ValueError, match="scale 0"):
        Contrast(0.1, **PAIR, scale=0.0)
    with pytest.raises((ValueError, TypeError), match="sign"):
        Contrast(0.1, **PAIR, sign=2)
    with pytest.raises(ValueError, match="no column 'lamb'"):
        Contrast(0.1, {"lamb": 0.1}, 0.0).effects(rows_of(mae=[1.0]))


def test_its_words_have_both_sides_in_the_order_that_is_claimed():
    assert (
        Contrast(0.1, **PAIR).words == "[method u_mae] less [method mae] is above 0.1"
    )
    falls = Contrast(0.1, **PAIR, sign=-1, scale=4.0)
    assert falls.words == "[method mae] less [method u_mae] is above 0.1"
    assert falls.unit("rank, at least 1") == "rank, at least 1, over 4"
    assert Contrast(0.9, {}, 0.0).words == "the value is above 0.9"
    assert Contrast(0.1, {}, 0.0, sign=-1).words == "0 less the value is above 0.1"


def test_without_a_scale_it_is_counted_as_the_metric_is():
    assert Contrast(0.1, **PAIR).unit("mcc, at most 1") == "mcc, at most 1"
