"""Strengths against their integrals, and what they promise, by simulation."""

import math

import numpy as np
import pytest
from scipy import integrate, special, stats

from mae_bench.records.strength import (
    ANYTIME,
    DECISIVE,
    FIXED,
    Anytime,
    Fixed,
    benjamini_hochberg,
    detectable,
    of_signs,
    seeds_until,
)


def bayes_factor(t, n):
    """The mixture by quadrature: noncentral t densities, averaged over d ~ N(0, g)."""

    def integrand(d):
        return stats.nct.pdf(t, n - 1, d * math.sqrt(n)) * stats.norm.pdf(d / 2) / 2

    mixed, _ = integrate.quad(integrand, -12, 12, limit=200)
    return mixed / stats.t.pdf(t, n - 1)


@pytest.mark.parametrize(("n", "t"), [(4, 1.0), (5, 3.0), (9, 2.5), (20, 0.0)])
def test_the_anytime_strength_is_the_right_haar_bayes_factor(n, t):
    assert ANYTIME.strength(n, t) == pytest.approx(bayes_factor(t, n), rel=1e-4)


def test_below_the_margin_it_is_the_least_over_the_margins_that_may_be_true():
    assert ANYTIME.strength(5, -3.0) == ANYTIME.strength(5, 0.0)
    assert ANYTIME.strength(5, 0.0) == pytest.approx(21**-0.5)
    sample = np.array([0.1, 0.4, -0.2, 0.3, 0.2])
    assert ANYTIME.above(sample, 0.0) <= ANYTIME.above(sample, -0.1)


def test_without_spread_it_is_the_limit_of_ever_smaller_ones():
    exact = ANYTIME.above([1.0] * 5, 0.5)
    assert exact == pytest.approx(21**2)
    nearly = ANYTIME.above(1.0 + 1e-9 * np.arange(5), 0.5)
    assert nearly == pytest.approx(exact)
    assert ANYTIME.above([0.5] * 5, 0.5) == ANYTIME.strength(5, 0.0)
    assert ANYTIME.above([0.4] * 5, 0.5) == ANYTIME.strength(5, 0.0)


def test_fewer_than_four_seeds_say_nothing():
    for rule in (ANYTIME, FIXED):
        assert rule.above([9.0, 9.1, 9.2], 0.0) == 1.0
        assert math.isnan(rule.interval([9.0, 9.1, 9.2])[1])
    assert math.isnan(ANYTIME.interval([])[0])


def test_the_fixed_strength_is_half_over_p():
    sample = [0.3, 0.5, 0.2, 0.6]
    p = stats.ttest_1samp(sample, 0.1, alternative="greater").pvalue
    assert FIXED.above(sample, 0.1) == pytest.approx(0.5 / p)
    low, high = stats.ttest_1samp(sample, 0).confidence_interval(0.95)
    assert FIXED.interval(sample)[1:] == pytest.approx((low, high))


@pytest.mark.parametrize("rule", [ANYTIME, FIXED])
@pytest.mark.parametrize("asked", [20.0, 60.0])
def test_the_interval_has_the_strength_at_its_ends(rule, asked):
    sample = np.random.default_rng(0).normal(size=7)
    mean, low, high = rule.interval(sample, asked)
    assert mean == sample.mean()
    assert rule.above(sample, low) == pytest.approx(asked)
    assert rule.above(-sample, -high) == pytest.approx(asked)


def running(noise, rule):
    """Strength of both sides of 0 after each seed from the fourth on: ``[r, n, 2]``."""
    n = np.arange(1, noise.shape[1] + 1)
    mean = noise.cumsum(1) / n
    spread = ((noise**2).cumsum(1) - n * mean**2)[:, 3:] / (n[3:] - 1)
    t = mean[:, 3:] / np.sqrt(spread / n[3:])
    both = [
        [[rule.strength(int(k), s * x) for s in (1, -1)] for k, x in zip(n[3:], row)]  # noqa: B905
        for row in t
    ]
    return np.array(both)


@pytest.mark.parametrize(
    "draw", ["normal", "standard_t"], ids=["gaussian", "three degrees"]
)
def test_looking_after_every_seed_decides_falsely_in_at_most_5_of_100(draw):
    rng = np.random.default_rng(3)
    size = (1500, 30)
    noise = rng.normal(size=size) if draw == "normal" else rng.standard_t(3, size)
    ever = (running(noise, ANYTIME) >= DECISIVE).any(axis=1)
    assert ever.mean(axis=0).max() < 0.025
    assert ever.any(axis=1).mean() < 0.05


def test_looking_after_every_seed_by_students_test_does_not():
    noise = np.random.default_rng(3).normal(size=(1500, 30))
    ever = (running(noise, FIXED) >= DECISIVE).any(axis=(1, 2))
    assert 0.18 < ever.mean() < 0.32


@pytest.mark.parametrize(("distance", "by_20"), [(1.0, 0.84), (1.5, 1.0)])
def test_it_decides_as_many_as_were_foretold(distance, by_20):
    noise = np.random.default_rng(4).normal(distance, 1, size=(800, 20))
    found = (running(noise, ANYTIME)[..., 0] >= DECISIVE).any(axis=1).mean()
    assert found == pytest.approx(by_20, abs=0.04)


def test_the_interval_covers_at_whichever_seed_one_stops():
    noise = np.random.default_rng(5).normal(size=(1500, 20))
    outside = (running(noise, ANYTIME) >= DECISIVE).any(axis=(1, 2))
    assert 1 - outside.mean() > 0.95


def test_a_rule_at_more_seeds_speaks_as_if_mean_and_spread_stayed():
    sample = np.array([0.2, 0.5, 0.1, 0.6, 0.35])
    again = np.tile(sample, 3)
    spread = sample.std(ddof=1) / again.std(ddof=1)
    stretched = again.mean() + (again - again.mean()) * spread
    for rule, more in ((ANYTIME, Anytime(15)), (FIXED, Fixed(15))):
        assert more.above(sample, 0.1) == pytest.approx(rule.above(stretched, 0.1))


def test_signs_are_the_mixture_over_shares_from_a_half_on():
    claimed = [True] * 7 + [False]
    mixed, _ = integrate.quad(lambda p: p**7 * (1 - p) * 2, 0.5, 1)
    assert of_signs(claimed) == pytest.approx(mixed * 2**8)
    assert of_signs([False] * 8) < 1


def test_signs_of_a_skewed_effect_whose_median_is_at_the_margin_are_rarely_decisive():
    skewed = np.exp(np.random.default_rng(6).normal(size=(1500, 25))) - 1.0
    ever = [
        any(of_signs(row[:n] > 0) >= DECISIVE for n in range(5, 26)) for row in skewed
    ]
    assert np.mean(ever) < 0.05


def test_e_values_are_decided_together():
    decided, asked = benjamini_hochberg([100.0, 30.0, 1.0])
    assert decided.tolist() == [True, True, False]
    assert asked == 30.0
    none, first = benjamini_hochberg([19.0, 1.0])
    assert (none.any(), first) == (False, 40.0)
    assert benjamini_hochberg([])[0].tolist() == []


def test_of_those_decided_together_few_are_wrong_though_they_share_all_noise():
    rng = np.random.default_rng(7)
    wrong = []
    for _ in range(300):
        noise = rng.normal(size=8)
        effects = [noise + m for m in [0.0] * 15 + [3.0] * 5]
        decided, _ = benjamini_hochberg([ANYTIME.above(x, 0.0) for x in effects])
        wrong.append(decided[:15].sum() / max(1, decided.sum()))
    assert np.mean(wrong) < 0.05


def test_what_is_detectable_has_the_mean_power_over_both_samples():
    n, critical = 6, ANYTIME.critical(6, DECISIVE)
    rng = np.random.default_rng(8)
    here, new = np.sqrt(rng.chisquare(n - 1, (2, 200_000)) / (n - 1))
    z = rng.normal(size=200_000)
    k = detectable(n, critical, 0.8, two_sided=False)
    assert (z + k * here > critical * new).mean() == pytest.approx(0.8, abs=0.005)
    k = detectable(n, critical, 0.8, two_sided=True)
    kept = np.abs(z) + critical * new < k * here
    assert kept.mean() == pytest.approx(0.8, abs=0.005)
    assert detectable(4, math.inf, 0.8, two_sided=False) == math.inf


def test_the_seeds_that_would_do_are_the_least():
    assert seeds_until(lambda n: n >= 37, 5) == 37
    assert seeds_until(lambda n: n >= 4, 2) == 4
    assert seeds_until(lambda _: False, 5) == math.inf


def test_critical_values_turn_the_strength_around():
    for n in (4, 5, 12):
        for rule in (ANYTIME, FIXED):
            assert rule.strength(n, rule.critical(n, 50.0)) == pytest.approx(50.0)
    assert ANYTIME.critical(4, 71.0) == math.inf
    assert special.stdtr(4, FIXED.critical(5, 20.0)) == pytest.approx(0.975)


def test_fewer_than_four_seeds_have_a_mean_and_no_more():
    for rule in (ANYTIME, FIXED):
        assert rule.interval([1.0, 2.0, 6.0])[0] == 3.0
        assert np.isnan(rule.interval([1.0, 2.0, 6.0])[1:]).all()
        assert np.isnan(rule.interval([])).all()
        assert rule.interval([2.0] * 5) == (2.0, 2.0, 2.0)


def test_a_rule_at_other_seeds_needs_four_of_both():
    for kind in (Anytime, Fixed):
        assert kind(9).above([9.0, 9.1, 9.2], 0.0) == 1.0
        assert kind(3).above([9.0, 9.1, 9.2, 9.3], 0.0) == 1.0
        assert kind(4).above([9.0, 9.1, 9.2, 9.3], 0.0) > DECISIVE


def test_more_than_1000_seeds_are_never_enough():
    assert seeds_until(lambda n: n >= 1000, 125) == 1000
    assert seeds_until(lambda n: n >= 1001, 125) == math.inf
    assert seeds_until(lambda _: True, 7) == 7


def test_strengths_stay_finite_without_spread_and_are_capped_alike():
    assert Anytime().strength(1000, math.inf) == math.exp(700)
    assert Anytime().strength(1000, 1e9) == math.exp(700)
    assert Anytime().strength(4, math.inf) == pytest.approx(17**1.5)
    assert Fixed().strength(5, math.inf) == math.inf


def test_strengths_that_are_just_those_that_are_asked_for_decide():
    assert benjamini_hochberg([20.0])[0].tolist() == [True]
    decided, asked = benjamini_hochberg([40.0, 20.0])
    assert (decided.tolist(), asked) == ([True, True], 20.0)
    assert benjamini_hochberg([])[1] == 0.0
    assert benjamini_hochberg([3.0, 9.0], level=0.25)[0].tolist() == [False, True]


@pytest.mark.parametrize("critical", [0.5, 2.0, 7.0])
def test_half_of_the_samples_pass_a_critical_value_at_itself(critical):
    # Both samples have the same spreads: P(Z + t (W - W') > 0) is a half.
    found = detectable(6, critical, 0.5, two_sided=False)
    assert found == pytest.approx(critical, rel=1e-6)
