"""A power law on synthetic rows."""

import math

import numpy as np
import pandas as pd
import pytest

from mae_bench.predictions.slope import Slope

PLACES = {"a": 2.0, "b": 3.0, "c": 5.0}
CUBIC = Slope(0.5, exponent=3.0, factor="rules", at=tuple(PLACES.items()))


def rows_of(powers, kinks=(0.0, 0.0, 0.0)):
    return pd.DataFrame(
        [
            (seed, rules, 7 + power * place + kink)
            for seed, power in enumerate(powers)
            for (rules, place), kink in zip(PLACES.items(), kinks, strict=True)
        ],
        columns=["seed", "rules", "value"],
    )


def verdict(powers):
    return CUBIC.decide(CUBIC.effects(rows_of(powers)))


def test_the_effect_is_the_fitted_exponent_less_the_claimed_one():
    effects = CUBIC.effects(rows_of([3.0, 3.5, 1.0], kinks=(0.3, -0.5, 0.1)))
    bend = np.polyfit([*PLACES.values()], [0.3, -0.5, 0.1], 1)[0]
    expected = np.array([0.0, 0.5, -2.0]) + bend
    np.testing.assert_allclose(effects["slope"], expected)


def test_other_levels_are_not_looked_at_and_a_seed_without_one_is_left_out():
    rows = rows_of([3.0, 3.0])
    more = pd.DataFrame([(0, "z", 99.0)], columns=rows.columns)
    fewer = rows[(rows.seed != 1) | (rows.rules != "b")]
    effects = CUBIC.effects(pd.concat([fewer, more]))
    assert effects.index.tolist() == [0]
    assert effects["slope"][0] == pytest.approx(0)
    assert CUBIC.effects(rows.assign(value=math.nan)).empty


def test_it_is_supported_inside_the_margins_and_refuted_outside_them():
    assert verdict([3.01, 2.99, 3.0, 3.02]) == "supported"
    assert verdict([4.01, 3.99, 4.0, 4.02]) == "refuted"
    assert verdict([2.01, 1.99, 2.0, 2.02]) == "refuted"
    assert verdict([3.4, 3.6, 3.5, 3.45]) == "undecided"
    assert verdict([3.0, 3.0, 3.0]) == "undecided"


def test_what_is_no_line_is_refused():
    with pytest.raises(ValueError, match="make no line"):
        Slope(0.5, 3.0, "rules", (("a", 1.0), ("b", 1.0)))
    with pytest.raises(ValueError, match="margin 0"):
        Slope(0.0, 3.0, "rules", CUBIC.at)


def test_its_words_name_the_factor_and_the_exponent():
    assert CUBIC.words == (
        "the exponent along rules less 3 is within 0.5 of 0 on both sides"
    )
    assert CUBIC.unit("sample_complexity") == "exponent of sample_complexity"
