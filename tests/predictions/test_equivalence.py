"""Equivalence on synthetic rows."""

import numpy as np
import pandas as pd
import pytest

from mae_bench.predictions.bound import Bound
from mae_bench.predictions.contrast import Contrast
from mae_bench.predictions.equivalence import Equivalence
from mae_bench.predictions.membership import Membership
from mae_bench.predictions.ordering import Ordering
from mae_bench.predictions.peak import Peak
from mae_bench.predictions.trend import Trend
from mae_bench.records.strength import DECISIVE

TREND = Trend(99.0, "x")


def rows_of(table):
    frame = pd.DataFrame(table).rename_axis("seed").reset_index()
    return frame.melt("seed", var_name="x", value_name="value")


def verdict(table, margin=0.3):
    form = Equivalence(margin, TREND)
    return form.decide(form.effects(rows_of(table)))


def test_its_effects_are_the_forms():
    table = np.random.default_rng(0).normal(size=(4, 5))
    effects = Equivalence(0.1, TREND).effects(rows_of(table))
    line = TREND.effects(rows_of(table))["line"]
    assert effects.to_numpy().tolist() == line.to_frame().to_numpy().tolist()


def test_flat_is_supported_and_a_slope_of_either_sign_is_refuted():
    noise = np.random.default_rng(0).normal(0, 0.05, (5, 5))
    assert verdict(noise) == "supported"
    assert verdict(noise + np.arange(5)) == "refuted"
    assert verdict(noise - np.arange(5)) == "refuted"


def test_noise_that_hides_everything_is_no_evidence_of_nothing():
    noise = np.random.default_rng(0).normal(0, 2.0, (5, 5))
    assert verdict(noise) == "undecided"


def test_an_effect_at_the_margin_is_called_nothing_in_at_most_5_of_100():
    noise = np.random.default_rng(5).normal(0, 0.05, (2500, 3))
    form = Equivalence(0.2, TREND)
    effects = form.effects(rows_of(np.add(noise, [0.0, 0.1, 0.2]))).to_numpy()
    found = [form.decide(pd.DataFrame(e)) for e in effects.reshape(-1, 5, 1)]
    assert np.mean([word == "supported" for word in found]) < 0.05


@pytest.mark.parametrize("n", [5, 8])
def test_its_minimum_detectable_effect_is_the_margin_kept_in_80_of_100(n):
    then, now = np.random.default_rng(n).normal(0, 0.7, (2, 1500, n, 1))
    kept = []
    for before, after in zip(then, now, strict=True):
        form = Equivalence(0.1, TREND)
        margin = form.minimum_detectable_effect(pd.DataFrame({"line": before[:, 0]}))
        kept.append(form.support(pd.DataFrame(after), margin) >= DECISIVE)
    assert np.mean(kept) == pytest.approx(0.8, abs=0.03)


def test_the_effect_of_a_form_that_is_not_0_where_there_is_nothing_is_refused():
    both = {"treatment": {"x": 1}, "baseline": {"x": 2}}
    Equivalence(0.1, Contrast(0.1, **both))
    for form in (
        Peak(0.1, "x"),
        Ordering(0.1, "x", (1, 2)),
        Bound(0.1, {"x": 1}, 0.0),
        Membership(0.9),
    ):
        with pytest.raises(ValueError, match="not 0 where there is nothing"):
            Equivalence(0.1, form)
    with pytest.raises(ValueError, match="margin 0"):
        Equivalence(0.0, TREND)


def test_its_words_are_of_the_other_form_with_its_own_margin():
    other = Contrast(0.5, {"method": "mae"}, {"method": "u_mae"}, scale=2.0)
    form = Equivalence(0.02, other)
    assert form.words == (
        "[method mae] less [method u_mae] is within 0.02 of 0 on both sides"
    )
    assert form.unit("m") == "m, over 2"
