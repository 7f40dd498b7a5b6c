"""What all forms share: decisions, intervals, differences, parts that must all hold."""

import math

import numpy as np
import pandas as pd
import pytest

from mae_bench.predictions import Control, difference, weakest
from mae_bench.predictions.ordering import Ordering
from mae_bench.predictions.trend import Trend
from mae_bench.records.strength import ANYTIME, DECISIVE, FIXED

FORM = Trend(0.5, "x")
STEPS = Ordering(0.5, "x", (1, 2, 3))


def line(*effects):
    return pd.DataFrame({"line": effects})


def test_a_form_decides_by_the_side_of_its_margin():
    assert FORM.decide(line(1.0, 1.1, 0.9, 1.0)) == "supported"
    assert FORM.decide(line(0.0, 0.1, -0.1, 0.0)) == "refuted"
    assert FORM.decide(line(0.4, 0.9, 0.2, 0.5)) == "undecided"
    assert FORM.decide(line(0.5, 0.5, 0.5, 0.5)) == "undecided"


def test_fewer_than_four_seeds_decide_nothing_by_any_rule():
    assert FORM.decide(line(1.0, 1.0, 1.0, 1.0)) == "supported"
    for rule in (ANYTIME, FIXED):
        assert FORM.decide(line(1.0, 1.0, 1.0), rule=rule) == "undecided"
    assert FORM.decide(line()) == "undecided"
    assert math.isnan(FORM.interval(line()).estimate)


def test_no_decision_depends_on_the_order_of_seeds():
    effects = np.random.default_rng(0).normal(0.7, 0.1, 6)
    strengths = {
        round(FORM.support(line(*np.roll(effects, k)), 0.5), 9) for k in range(6)
    }
    assert len(strengths) == 1


def test_the_interval_ends_where_the_decision_turns():
    table = pd.DataFrame(np.random.default_rng(1).normal(0.6, 0.2, (7, 2)))
    _, low, high = STEPS.interval(table)
    assert STEPS.support(table, low) == pytest.approx(DECISIVE)
    assert STEPS.refute(table, high) == pytest.approx(DECISIVE)


def test_a_claim_of_several_parts_is_as_strong_as_the_weakest():
    table = pd.DataFrame({"a": [5.0, 5.1, 4.9, 5.2], "b": [0.6, 0.1, 0.9, 0.7]})
    assert STEPS.decide(table[["a"]]) == "supported"
    assert STEPS.decide(table) == "undecided"
    assert STEPS.support(table, 0.5) == ANYTIME.above(table["b"], 0.5)
    assert STEPS.refute(table, 0.5) == ANYTIME.above(-table["b"], -0.5) / 2
    assert weakest(table.to_numpy(), ANYTIME).estimate == table["b"].mean()
    assert STEPS.as_claimed(table).tolist() == [True, False, True, True]


def test_a_refuted_claim_says_how_it_is_wrong():
    noise = np.array([0.01, -0.01, 0.02, -0.02, 0.0])
    assert FORM.kind(line(*(noise - 1.0))) == "reversed"
    assert FORM.kind(line(*noise)) == "no effect"
    assert FORM.kind(line(*(noise + 0.2))) == "smaller than claimed"


def test_a_claim_is_told_from_a_control_that_is_alike_only_by_chance():
    claim, alike = np.random.default_rng(2).normal(1.0, 0.2, (2, 400, 6))
    beyond = [
        FORM.beyond(line(*a), line(*b)) >= DECISIVE
        for a, b in zip(claim, alike, strict=True)
    ]
    assert np.mean(beyond) < 0.05
    assert FORM.beyond(line(*claim[0]), line(*(claim[0] - 0.9))) > DECISIVE
    assert FORM.beyond(line(*claim[0]), pd.DataFrame()) == 1.0


def test_a_form_that_does_not_say_where_or_how_far_has_no_location_and_no_headroom():
    assert STEPS.location(pd.DataFrame()) == ""
    assert math.isnan(STEPS.headroom(pd.DataFrame(), 1.0))


@pytest.mark.parametrize("n", [4, 5, 8])
def test_the_stated_minimum_detectable_effect_is_supported_in_80_of_100(n):
    then, now = np.random.default_rng(n).normal(0, 0.7, (2, 1500, n))
    seen = []
    for before, after in zip(then, now, strict=True):
        distance = FORM.minimum_detectable_effect(line(*before))
        seen.append(FORM.decide(line(*(0.5 + distance + after))) == "supported")
    assert np.mean(seen) == pytest.approx(0.8, abs=0.03)


def test_of_several_parts_it_is_supported_at_least_that_often():
    then, now = np.random.default_rng(0).normal(0, 0.7, (2, 600, 6, 3))
    seen = []
    for before, after in zip(then, now, strict=True):
        distance = STEPS.minimum_detectable_effect(pd.DataFrame(before))
        table = pd.DataFrame(0.5 + distance + after)
        seen.append(STEPS.decide(table) == "supported")
    assert np.mean(seen) > 0.8


def test_differences_are_within_the_seed_and_the_point():
    rows = pd.DataFrame(
        [(0, "a", 1, 5.0), (0, "b", 1, 3.0), (0, "a", 2, 1.0), (1, "b", 1, 2.0)],
        columns=["seed", "name", "x", "value"],
    )
    found = difference(rows, {"name": "a"}, {"name": "b"}, "x")
    assert found[0, 1] == 2.0
    assert found[[(0, 2), (1, 1)]].isna().all()
    assert difference(rows, {"name": "b"}, 1.0).to_dict() == {0: 2.0, 1: 1.0}


def test_a_control_without_a_place_or_a_form_is_none():
    assert Control("an identity holds everywhere").absent
    assert not Control("no latents", where={"dataset": "digits"}).absent
    assert not Control("a wrong form", form=FORM).absent
