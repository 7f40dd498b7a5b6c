"""Sums over counts are those over all images; curvature and bound are as derived."""

from itertools import product

import numpy as np
import pytest

from mae_bench.oracles.mode_blindness import (
    excess_risk,
    mode_uncertainty,
    schedule_uncertainty,
    uncertainty_bound,
)


def listed(visible, theta, weight):
    """Probability and posterior of each of the 2^m visible parts."""
    spins = np.array(list(product((-1, 1), repeat=visible))).reshape(
        2**visible, visible
    )
    plus, minus = (np.prod((1 + s * theta * spins) / 2, axis=1) for s in (1, -1))
    joint = weight * plus
    total = joint + (1 - weight) * minus
    return total, joint / total


@pytest.mark.parametrize("visible", [0, 1, 5, 9])
def test_it_is_the_sum_over_all_visible_parts(visible):
    total, posterior = listed(visible, 0.6, 0.7)
    expected = (total * posterior * (1 - posterior)).sum()
    assert mode_uncertainty(visible, 0.6, 0.7) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("visible", [0, 3, 16])
def test_it_is_the_curvature_of_the_excess_risk_in_the_log_odds(visible):
    theta, w, step = 0.6, 0.7, 1e-3
    shifted = [1 / (1 + np.exp(-(np.log(w / (1 - w)) + s))) for s in (-step, step)]
    risks = [excess_risk(visible, theta, w, guess) for guess in shifted]
    expected = mode_uncertainty(visible, theta, w)
    assert sum(risks) / step**2 == pytest.approx(expected, rel=1e-4)


def test_the_excess_risk_is_the_masked_parts_if_that_tells_the_mode():
    # All 2^(m + 12) images: one visible spin, and twelve that tell the mode.
    theta, w, guess, hidden = 0.8, 0.7, 0.4, 12
    seen, _ = listed(1, theta, w)
    whole, _ = listed(1 + hidden, theta, w)
    said, _ = listed(1 + hidden, theta, guess)
    said_seen, _ = listed(1, theta, guess)
    conditional = np.log(whole.reshape(2, -1) / seen[:, None])
    conditional -= np.log(said.reshape(2, -1) / said_seen[:, None])
    expected = (whole.reshape(2, -1) * conditional).sum()
    assert excess_risk(1, theta, w, guess) == pytest.approx(expected, rel=2e-3)


def test_without_visible_spins_the_risk_is_that_of_the_weights():
    kl = 0.7 * np.log(0.7 / 0.4) + 0.3 * np.log(0.3 / 0.6)
    assert excess_risk(0, 0.6, 0.7, 0.4) == pytest.approx(kl)
    assert np.isfinite(excess_risk(200, 0.9, 0.7, 0.4))


@pytest.mark.parametrize("theta", [0.2, 0.6, 0.9])
def test_it_is_below_the_bound_and_decays_at_its_rate(theta):
    found = [mode_uncertainty(m, theta, 0.7) for m in range(200)]
    bounds = [uncertainty_bound(m, theta, 0.7) for m in range(200)]
    assert (np.array(found) <= bounds).all()
    rate = np.log(found[150] / found[190]) / 40
    # A prefactor of m^-1/2 is left.
    expected = -0.5 * np.log(1 - theta**2) + 0.5 * np.log(190 / 150) / 40
    assert rate == pytest.approx(expected, rel=0.05)


def test_a_schedule_is_a_mean_and_linear_in_its_full_masks():
    at = {"mask_ratio": 0.75}
    none, some, all_full = (
        schedule_uncertainty(64, 0.6, 0.7, **at, full_masks=share)
        for share in (0.0, 0.25, 1.0)
    )
    assert none == mode_uncertainty(16, 0.6, 0.7)
    assert all_full == pytest.approx(0.21)
    assert some == pytest.approx(0.75 * none + 0.25 * all_full)
    uniform = schedule_uncertainty(64, 0.6, 0.5, **at, uniform=True)
    # Sees the weight five times as well as a fixed ratio of 0.75.
    assert uniform / mode_uncertainty(16, 0.6, 0.5) == pytest.approx(4.95, abs=0.01)


def test_what_is_no_law_is_refused():
    with pytest.raises(ValueError, match="-1 spins are visible"):
        mode_uncertainty(-1, 0.6, 0.7)
    with pytest.raises(ValueError, match=r"theta is 1\.0"):
        mode_uncertainty(3, 1.0, 0.7)
    with pytest.raises(ValueError, match=r"guess is 0\.0"):
        excess_risk(3, 0.6, 0.7, 0.0)
