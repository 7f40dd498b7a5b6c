"""Ordering on synthetic rows."""

import numpy as np
import pandas as pd
import pytest

from mae_bench.predictions.ordering import Ordering

METHODS = ("random_init", "mae", "oracle")


def rows_of(table, levels=METHODS):
    frame = pd.DataFrame(table, columns=list(levels)).rename_axis("seed").reset_index()
    return frame.melt("seed", var_name="method", value_name="value")


def verdict(table, margin=0.1):
    form = Ordering(margin, "method", METHODS)
    return form.decide(form.effects(rows_of(table)))


def test_the_effects_are_the_steps():
    table = np.array([[0.0, 1.0, 9.0], [0.0, 1.1, 1.2], [0.0, 0.9, 7.0]])
    effects = Ordering(0.1, "method", METHODS).effects(rows_of(table))
    assert effects.to_numpy() == pytest.approx(np.diff(table))
    assert effects.index.tolist() == [0, 1, 2]


def test_two_levels_are_an_order_and_one_is_none():
    noise = np.random.default_rng(0).normal(0, 0.01, (5, 2))
    form = Ordering(0.1, "method", ("mae", "oracle"))
    effects = form.effects(rows_of(np.add(noise, [0.0, 0.5]), ("mae", "oracle")))
    assert form.decide(effects) == "supported"
    for levels in (("mae",), ("mae", "mae"), ("mae", "oracle", "mae")):
        with pytest.raises(ValueError, match="distinct"):
            Ordering(0.1, "method", levels)


def test_an_order_is_supported_refuted_or_open():
    noise = np.random.default_rng(0).normal(0, 0.01, (5, 3))
    assert verdict(np.add(noise, [0.0, 0.5, 1.0])) == "supported"
    assert verdict(np.add(noise, [0.0, 0.5, 0.5])) == "refuted"
    assert verdict(np.add(noise, [0.0, 0.5, 0.4])) == "refuted"
    assert verdict(10 * noise + [0.0, 0.5, 0.6]) == "undecided"
    assert verdict((np.add(noise, [0.0, 0.5, 1.0]))[:3]) == "undecided"


def test_seeds_that_lack_a_level_are_left_out():
    table = np.arange(9.0).reshape(3, 3)
    table[1, 2] = np.nan
    form = Ordering(0.1, "method", METHODS)
    assert form.effects(rows_of(table)).index.tolist() == [0, 2]
    assert form.effects(rows_of(np.ones((3, 1)), ("mae",))).empty


@pytest.mark.parametrize("second", [0.2, 9.0])
def test_a_step_at_the_margin_is_decided_in_at_most_5_of_100(second):
    noise = np.random.default_rng(5).normal(0, 0.3, (600, 6, 3))
    form = Ordering(0.2, "method", METHODS)
    steps = np.diff(np.add(noise, [0.0, 0.2, 0.2 + second]))
    found = [form.decide(pd.DataFrame(s)) for s in steps]
    assert np.mean([word == "supported" for word in found]) < 0.05
    assert np.mean([word == "refuted" for word in found]) < 0.05


def test_what_cannot_be_an_ordering_is_refused():
    with pytest.raises(ValueError, match="distinct"):
        Ordering(0.1, "method", ("mae",))
    with pytest.raises(ValueError, match="distinct"):
        Ordering(0.1, "method", ("mae", "mae"))


def test_its_words_have_the_order():
    assert Ordering(0.1, "method", ("a", "b", "c")).words == (
        "every step up along method in the order a, b, c is above 0.1"
    )
