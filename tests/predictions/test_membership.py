"""Membership on synthetic rows."""

import math

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from mae_bench.predictions.membership import Membership, area_under_curve


def rows_of(inside, outside, names=""):
    """Values ``[s, targets]`` of both sides."""
    return pd.DataFrame(
        [
            (seed, f"{side}/{names}{k}", value)
            for side, table in (("inside", inside), ("outside", outside))
            for seed, values in enumerate(table)
            for k, value in enumerate(values)
        ],
        columns=["seed", "target", "value"],
    )


def verdict(inside, outside):
    form = Membership(0.9)
    return form.decide(form.effects(rows_of(inside, outside)))


def test_the_area_is_scikit_learns_with_ties():
    rng = np.random.default_rng(0)
    inside, outside = rng.integers(2, 6, 9), rng.integers(0, 5, 7)
    truth = [1] * 9 + [0] * 7
    expected = roc_auc_score(truth, np.concatenate([inside, outside]))
    assert area_under_curve(pd.Series(inside), pd.Series(outside)) == pytest.approx(
        expected
    )
    assert area_under_curve(pd.Series(outside), pd.Series(inside)) == pytest.approx(
        1 - expected
    )
    assert math.isnan(area_under_curve(pd.Series([1.0]), pd.Series(dtype=float)))


def test_it_is_supported_refuted_or_open():
    high, low = np.full((5, 3), 0.9), np.full((5, 4), 0.1)
    assert verdict(high, low) == "supported"
    assert verdict(low, high) == "refuted"
    assert verdict(high, np.full((5, 4), 0.9)) == "refuted"
    mixed = low.copy()
    mixed[:2, 0] = 1.0
    assert verdict(high, mixed) == "undecided"
    assert verdict(high[:3], low[:3]) == "undecided"


def test_other_targets_are_not_looked_at():
    rows = rows_of([[1.0, 2.0]], [[0.0]])
    others = pd.DataFrame([(0, "insider", -9.0), (0, "c", -9.0)], columns=rows.columns)
    effects = Membership(0.9).effects(pd.concat([rows, others]))
    assert effects.iloc[:, 0].to_dict() == {0: 1.0}


def test_seeds_that_lack_a_row_are_left_out():
    rows = rows_of(np.ones((4, 2)), np.zeros((4, 2)))
    rows.loc[(rows.seed == 1) & (rows.target == "inside/0"), "value"] = math.nan
    failed = (rows.seed == 2) & (rows.target == "outside/1")
    rows.loc[failed, ["target", "value"]] = ["", math.nan]
    rows = rows[(rows.seed != 3) | (rows.target != "outside/0")]
    assert Membership(0.9).effects(rows).index.tolist() == [0]
    assert Membership(0.9).effects(rows[rows.target == "inside/0"]).empty
    assert Membership(0.9).effects(rows[rows.target == "elsewhere"]).empty


def areas(shift, n, repeats=2000):
    """Areas of 10 values inside, ``shift`` above 10 outside: ``[repeats, n]``."""
    inside, outside = np.random.default_rng(n).normal(size=(2, repeats, n, 10))
    above = (inside + shift)[..., :, None] > outside[..., None, :]
    return above.mean((-1, -2))


def test_values_that_know_no_sides_have_area_a_half_and_are_no_claim():
    found = areas(0.0, 5, 400)
    assert found.mean() == pytest.approx(0.5, abs=0.01)
    words = [Membership(0.5).decide(pd.DataFrame(e)) for e in found]
    assert np.mean([word == "supported" for word in words]) < 0.05
    assert Membership(0.9).kind(pd.DataFrame(found[0])) == "no effect"


@pytest.mark.parametrize("n", [5, 8])
def test_an_area_at_the_margin_is_supported_in_at_most_5_of_100(n):
    # For normal values the area is Phi(shift / sqrt 2).
    found = areas(1.2816 * math.sqrt(2), n, 1000)
    assert found.mean() == pytest.approx(0.9, abs=0.005)
    words = [Membership(0.9).decide(pd.DataFrame(e)) for e in found]
    assert np.mean([word == "supported" for word in words]) < 0.05


def test_what_is_no_area_is_refused():
    for margin in (0.4, 1.0):
        with pytest.raises(ValueError, match="no area"):
            Membership(margin)


def test_its_words_are_of_an_area():
    form = Membership(0.9)
    assert form.words == (
        "the area under the ROC curve of targets inside/ against outside/ is above 0.9"
    )
    assert form.unit("m") == "area under the ROC curve, 0 to 1"
