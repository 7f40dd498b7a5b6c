"""Association on synthetic rows."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kendalltau

from mae_bench.predictions.association import Association

SIDES = {"x": {"metric": "tail"}, "y": {"metric": "probe"}}


@pytest.fixture
def rows_of(tidy):
    """Values ``[s, points]`` of both metrics."""
    return lambda tail, probe: tidy("ratio", tail=tail, probe=probe)


@pytest.fixture
def verdict(rows_of):
    def decide(tail, probe, **changes):
        claim = form(**changes)
        return claim.decide(claim.effects(rows_of(tail, probe)))

    return decide


def form(margin=0.3, **changes):
    return Association(margin, **SIDES, along=("ratio",), **changes)


def test_the_effect_is_kendalls_tau_over_the_points_of_a_seed(rows_of):
    tail, probe = np.random.default_rng(0).integers(0, 4, (2, 3, 8)).astype(float)
    expected = [kendalltau(a, b).statistic for a, b in zip(tail, probe, strict=True)]
    effects = form().effects(rows_of(tail, probe))
    assert effects.iloc[:, 0].tolist() == pytest.approx(expected)
    assert effects.index.tolist() == [0, 1, 2]
    falling = form(sign=-1).effects(rows_of(tail, probe))
    assert falling.iloc[:, 0].tolist() == pytest.approx([-e for e in expected])


def test_points_are_spanned_by_several_factors(rows_of):
    one = rows_of(np.array([[1.0, 2.0]]), np.array([[1.0, 2.0]])).assign(depth=1)
    two = rows_of(np.array([[3.0, 4.0]]), np.array([[4.0, 3.0]])).assign(depth=2)
    rows = pd.concat([one, two])
    along = Association(0.3, **SIDES, along=("ratio", "depth"))
    assert along.effects(rows).iloc[:, 0].tolist() == pytest.approx([4 / 6])
    # Averaged over depth, 2, 3 goes with 2.5, 2.5: y does not move.
    assert form().effects(rows).iloc[:, 0].tolist() == [0.0]


def test_it_is_supported_refuted_or_open(verdict):
    rising = np.tile(np.arange(6.0), (5, 1))
    noise = np.random.default_rng(0).normal(0, 0.1, (5, 6))
    assert verdict(rising, rising + noise) == "supported"
    assert verdict(rising, -rising + noise) == "refuted"
    assert verdict(rising, -rising + noise, sign=-1) == "supported"
    assert verdict(rising, np.ones((5, 6))) == "refuted"
    assert verdict(rising, 20 * noise) != "supported"
    assert verdict(rising[:3], rising[:3]) == "undecided"


def test_seeds_without_a_point_or_with_an_x_that_orders_nothing_are_left_out(rows_of):
    tail, probe = np.random.default_rng(0).normal(size=(2, 4, 5))
    tail[0], probe[1, 2], tail[2, 2] = 1.0, math.nan, math.nan
    assert form().effects(rows_of(tail, probe)).index.tolist() == [3]
    lost = rows_of(tail, probe)
    lost.loc[(lost["ratio"] == 2) & (lost["metric"] == "probe"), "value"] = math.nan
    assert form().effects(lost).empty


def test_independent_quantities_are_supported_in_at_most_5_of_100(rows_of):
    tail, probe = np.random.default_rng(5).normal(size=(2, 2000, 6))
    claim = form(margin=0.0)
    effects = claim.effects(rows_of(tail, probe)).to_numpy().reshape(-1, 5, 1)
    found = [claim.decide(pd.DataFrame(e)) for e in effects]
    assert np.mean([word == "supported" for word in found]) < 0.05


def test_known_lie_a_fixed_order_looks_like_evidence_in_every_seed(verdict):
    rng = np.random.default_rng(0)
    fooled = 0
    for _ in range(60):
        tail, probe = (np.tile(rng.permutation(5), (5, 1)) for _ in range(2))
        fooled += verdict(tail, probe, margin=0.5) == "supported"
    assert 2 < fooled < 15  # 14 of 120 orders


def test_what_cannot_be_an_association_is_refused():
    with pytest.raises(ValueError, match="both"):
        Association(0.1, {"metric": "a"}, {"metric": "a"}, ("ratio",))
    with pytest.raises(ValueError, match="name in along"):
        Association(0.1, **SIDES, along=())
    with pytest.raises((ValueError, TypeError), match="sign"):
        form(sign=2)


def test_its_words_name_both_quantities_the_points_and_the_way():
    form = Association(0.3, {"target": "a"}, {"metric": "m"}, ("x", "y"), sign=-1)
    assert form.words == (
        "minus Kendall's tau of [target a] with [metric m] over the points of x and y "
        "is above 0.3"
    )
    assert form.unit("linear_r2") == "Kendall's tau, -1 to 1"
